package spec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// The doc comments are what an editor shows beside a key, so no key goes without.
func TestFieldsAreDocumented(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "spec.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		st, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range st.Fields.List {
			if len(field.Names) == 0 || !field.Names[0].IsExported() {
				continue
			}
			fields++
			if strings.TrimSpace(field.Doc.Text()) == "" {
				t.Errorf("%s.%s has no comment", spec.Name.Name, field.Names[0].Name)
			}
		}
		return true
	})
	if fields < 50 {
		t.Errorf("only %d fields found", fields)
	}
}

// unused gives the paths of the fields of typ that none of the values sets.
func unused(typ reflect.Type, values []source.Value, path string) []string {
	if len(values) == 0 {
		return []string{path}
	}
	var out []string
	below := func(name string, step func(source.Value) []source.Value, t reflect.Type) {
		var next []source.Value
		for _, v := range values {
			for _, w := range step(v) {
				if w.Set() {
					next = append(next, w)
				}
			}
		}
		out = append(out, unused(t, next, strings.TrimPrefix(path+"."+name, "."))...)
	}
	switch {
	case typ == reflect.TypeFor[Extra](), typ == reflect.TypeFor[Workers](), typ == reflect.TypeFor[Data](): // of which a path is one half, and a volume the other
	case typ.Kind() == reflect.Pointer:
		return unused(typ.Elem(), values, path)
	case typ.Kind() == reflect.Struct:
		for name, f := range fieldsOf(typ) {
			if (name == "user" || name == "networks") && path != "synapse" {
				continue // every program has them, and one of an example shows them
			}
			below(name, func(v source.Value) []source.Value { return []source.Value{v.At(name)} }, f.Type)
		}
	case typ.Kind() == reflect.Map:
		below("*", func(v source.Value) (out []source.Value) {
			for _, val := range v.Entries() {
				out = append(out, val)
			}
			return out
		}, typ.Elem())
	case typ.Kind() == reflect.Slice:
		below("*", source.Value.Items, typ.Elem())
	}
	return out
}

// The examples show every field, and what the tests prove of them they prove of every field: examples/full those that
// can stand beside each other, the others another proxy.
func TestExamplesUseEveryField(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil || len(paths) < 5 {
		t.Fatal(paths, err)
	}
	var roots []source.Value
	var s *Spec
	for _, path := range paths {
		example, _, err := Load(path)
		if err != nil || example == nil {
			t.Fatal(path, err)
		}
		roots = append(roots, example.File().Root())
		if strings.Contains(path, "full") {
			s = example
		}
	}
	for _, path := range unused(reflect.TypeFor[Spec](), roots, "") {
		t.Errorf("no example uses %s", path)
	}
	for _, name := range BridgeNames() {
		if !s.At("bridges", name).Exists() {
			t.Errorf("examples/full/stack.yaml does not use bridges.%s", name)
		}
	}
}

// A pattern is no text for people: each has words, and an example that matches it.
func TestPatternsHaveWords(t *testing.T) {
	seen := make(map[reflect.Type]bool)
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			for name, f := range fieldsOf(typ) {
				walk(f.Type)
				_, pattern, ok := strings.Cut(f.Tag.Get("jsonschema"), "pattern=")
				words, example, _ := strings.Cut(f.Tag.Get("form"), ", such as ")
				if ok != (words != "") {
					t.Errorf("%s.%s: pattern %q, words %q", typ.Name(), name, pattern, words)
				}
				if ok && !regexp.MustCompile(pattern).MatchString(strings.Trim(example, `"`)) {
					t.Errorf("%s.%s: the example %q does not match %s", typ.Name(), name, example, pattern)
				}
			}
		}
	}
	walk(reflect.TypeFor[Spec]())
}

// The defaults of the bridges are their own, so that a spec without a word about them works.
func TestBridgeDefaults(t *testing.T) {
	src := base + "\npermissions: {example.org: user}\nbridges: {" + strings.Join(BridgeNames(), ": {}, ") + ": {}}"
	s, findings := Parse("stack.yaml", []byte(src))
	if s == nil || len(findings) > 0 {
		t.Fatal(findings)
	}
	for c := range component.Bridges() {
		ref, b := s.Bridges[string(c.Program)].Ref(c.Program), c.Bridge
		if ref != c.Tested {
			t.Errorf("%s: %v", c.Program, ref)
		}
		if !strings.HasPrefix(ref.Tag, c.TagPrefix) {
			t.Errorf("%s: the tag %s does not begin with %q", c.Program, ref.Tag, c.TagPrefix)
		}
		if c.Title == "" || b.DisplayName == "" || !strings.HasPrefix(b.Avatar, "mxc://") || !strings.HasPrefix(b.CommandPrefix, "!") || !strings.HasPrefix(b.Binary, "/") {
			t.Errorf("%s: %+v", c.Program, b)
		}
	}
}

func TestMatrixHost(t *testing.T) {
	s := &Spec{ServerName: "example.org"}
	if got := s.MatrixHost(); got != "matrix.example.org" {
		t.Error(got)
	}
	s.Hosts.Matrix = "synapse.example.org"
	if got := s.MatrixHost(); got != "synapse.example.org" {
		t.Error(got)
	}
}
