package project

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/override"
	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/source"
)

// forms are what may stand at a place, in every kind.
var forms = []string{
	`null`, `"x"`, `"a=1"`, `5`, `true`, `[]`, `["a=1","b"]`, `["b","c=2","a=2"]`, `["a=1","a=3"]`, `{}`, `{"a":"1","b":null}`, `{"a":2,"c":{"k":"v"}}`, `{"c":{"k":"w","l":["m"]}}`,
	`{"driver":"one","options":{"x":"1"}}`, `{"driver":"two","options":{"y":"1"}}`, `{"options":{"z":"1"}}`, `[{"subnet":"s1","gateway":"g"},{"subnet":"s2"}]`, `[{"subnet":"s1","ip_range":"r"}]`,
	`["80:80","81:81/udp"]`, `[{"target":80,"published":"80"}]`, `["./a:/t","v:/u:ro"]`, `[{"source":"x","target":"/t"}]`,
}

// Whatever stands at a place of two files, we lay one over the other as compose-go does.
func TestRules(t *testing.T) {
	paths := schema.AttributePaths()
	if len(paths) < 200 {
		t.Fatalf("the schema has %d places", len(paths))
	}
	compared := 0
	for _, path := range paths {
		parts := strings.Split(strings.ReplaceAll(string(path), "*", "name"), ".")
		at := newReader(nil, Options{}) // fills the table
		r := top
		for _, part := range parts {
			r = r.at(part)
		}
		some := forms
		if r.merge == nil && r.keys == nil { // nothing is special there, and nothing should be
			some = []string{forms[0], forms[1], forms[3], forms[6], forms[10], forms[12]}
		}
		for _, base := range some {
			for _, over := range some {
				at.project.Faults = nil
				theirs, err := theirMerge(base, over, tree.NewPath(parts...))
				if err != nil && !strings.HasPrefix(err.Error(), "cannot override") {
					continue // what the schema refuses before
				}
				ours := at.merge(parsed(base).Root().Node(), parsed(over).Root().Node(), r)
				if refused := len(at.project.Faults) > 0; err != nil || refused {
					if (err != nil) != refused {
						t.Errorf("%s: %s over %s: compose-go says %v, we %v", path, over, base, err, at.project.Faults)
					}
					continue
				}
				compared++
				if diff := cmp.Diff(even(theirs), even(plainly(ours, theirs))); diff != "" {
					t.Errorf("%s: %s over %s\n%s", path, over, base, diff)
				}
			}
			if theirs := theirOnes(object{"services": object{"name": nested(parts, decoded(base))}}); theirs != nil && parts[0] == "services" && len(parts) > 2 {
				whole := parsed(fmt.Sprintf(`{"services":{"name":%s}}`, encoded(nested(parts, decoded(base))))).Root().Node()
				unify(whole, top)
				if diff := cmp.Diff(even(theirs), even(whole.Any())); diff != "" {
					t.Errorf("%s: one of %s\n%s", path, base, diff)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d places, %d pairs", len(paths), compared)
}

// nested is a service that has the value at a path below services.name.
func nested(parts []string, value any) any {
	for _, key := range slices.Backward(parts[min(2, len(parts)):]) {
		value = object{key: value}
	}
	return value
}

func theirMerge(base, over string, path tree.Path) (merged any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return override.MergeYaml(decoded(base), decoded(over), path)
}

// theirOnes is nil for what the schema would have refused before.
func theirOnes(v object) (unique any) {
	defer func() {
		if recover() != nil {
			unique = nil
		}
	}()
	if m, err := override.EnforceUnicity(v); err == nil {
		return m
	}
	return nil
}

var files = make(map[string]*source.File)

// parsed is a value of its own file, which is parsed once.
func parsed(text string) *source.File {
	if files[text] == nil {
		f, problem := source.Parse("f.yml", []byte(text))
		if problem != nil {
			panic(problem)
		}
		files[text] = f
	}
	return files[text]
}

func decoded(text string) any { return parsed(text).Root().Any() }

func encoded(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// plainly gives a mapping of ours as the list of key=value that compose-go makes of it.
func plainly(ours *source.Node, theirs any) any {
	if _, isList := theirs.([]any); isList && ours.Is(source.Mapping) {
		return asList(ours).Any()
	}
	return ours.Any()
}

// even takes out what does not count: the order of key=value, and whether nothing is an empty list.
func even(v any) any {
	switch v := v.(type) {
	case []any:
		texts := []string{}
		for _, item := range v {
			texts = append(texts, encoded(item))
		}
		slices.Sort(texts)
		return texts
	case map[string]any:
		m := object{}
		for key, value := range v {
			m[key] = even(value)
		}
		return m
	}
	return v
}
