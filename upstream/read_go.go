package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// refusedIn lists the texts of the errors that a Go file makes, as file: text.
func refusedIn(name string, src []byte) ([]string, error) {
	if strings.HasSuffix(name, "_test.go") {
		return nil, nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var texts []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		made, _ := call.Fun.(*ast.SelectorExpr)
		text, isText := call.Args[0].(*ast.BasicLit)
		if made == nil || !isText || text.Kind != token.STRING {
			return true
		}
		if pkg, ok := made.X.(*ast.Ident); ok && (pkg.Name == "errors" && made.Sel.Name == "New" || pkg.Name == "fmt" && made.Sel.Name == "Errorf") {
			if s, err := strconv.Unquote(text.Value); err == nil {
				texts = append(texts, name+": "+s)
			}
		}
		return true
	})
	return texts, nil
}

// goTypes are the types of a module, read from its source when they are asked for.
type goTypes struct {
	files    map[string][]byte
	module   string
	packages map[string]map[string]goType // by directory and name
	open     map[string]bool              // the types on the way, so that one that holds itself ends
	keys     map[string]string
	err      error
}

// goType is a type with the imports of its file and what its SetDefaults gives each field.
type goType struct {
	expr    ast.Expr
	imports map[string]string
	presets map[string]string
}

const traefikModule = "github.com/traefik/traefik/v3"

// readTraefik reads the structs of the static configuration, and of what labels may say.
func readTraefik(files map[string][]byte) (config, error) {
	t := &goTypes{files: files, module: traefikModule, packages: make(map[string]map[string]goType), open: make(map[string]bool), keys: make(map[string]string)}
	t.named("pkg/config/static", "Configuration", "")
	t.named("pkg/config/dynamic", "Configuration", "")
	// Nothing that runs below Compose has these.
	maps.DeleteFunc(t.keys, func(key, _ string) bool { return strings.HasPrefix(key, "providers.kubernetes") })
	c := config{keys: t.keys}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if t.err == nil && strings.HasPrefix(name, "pkg/config/") {
			var texts []string
			texts, t.err = refusedIn(name, files[name])
			c.refusals = append(c.refusals, texts...)
		}
	}
	return c, t.err
}

// named adds the keys of a type below a path.
func (t *goTypes) named(dir, name, at string) {
	typ, ok := t.load(dir)[name]
	id := dir + "." + name
	if !ok || t.open[id] {
		return
	}
	t.open[id] = true
	defer delete(t.open, id)
	t.walk(dir, typ, typ.expr, at)
}

func (t *goTypes) walk(dir string, in goType, expr ast.Expr, at string) {
	switch e := expr.(type) {
	case *ast.StarExpr:
		t.walk(dir, in, e.X, at)
	case *ast.ArrayType:
		t.walk(dir, in, e.Elt, at+"[]")
	case *ast.MapType:
		t.walk(dir, in, e.Value, join(at, "*"))
	case *ast.Ident:
		t.named(dir, e.Name, at)
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok {
			if below, ours := strings.CutPrefix(in.imports[pkg.Name], t.module+"/"); ours {
				t.named(below, e.Sel.Name, at)
			}
		}
	case *ast.StructType:
		for _, f := range e.Fields.List {
			t.field(dir, in, f, at)
		}
	}
}

func (t *goTypes) field(dir string, in goType, f *ast.Field, at string) {
	tag := ""
	if f.Tag != nil {
		tag, _ = strconv.Unquote(f.Tag.Value)
	}
	key, flags, _ := strings.Cut(reflect.StructTag(tag).Get("yaml"), ",")
	switch {
	case strings.Contains(flags, "inline"):
		t.walk(dir, in, f.Type, at)
	case key == "" || key == "-":
	default:
		path := join(at, key)
		t.keys[path] = ""
		for _, name := range f.Names {
			t.keys[path] = in.presets[name.Name]
		}
		t.walk(dir, in, f.Type, path)
	}
}

// load reads the types of a directory.
func (t *goTypes) load(dir string) map[string]goType {
	if types, ok := t.packages[dir]; ok {
		return types
	}
	types := make(map[string]goType)
	t.packages[dir] = types
	presets := make(map[string]map[string]string)
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		if path.Dir(name) != dir || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, t.files[name], parser.SkipObjectResolution)
		if err != nil {
			t.err = err
			continue
		}
		imports := importsOf(f)
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok {
						types[s.Name.Name] = goType{expr: s.Type, imports: imports}
					}
				}
			case *ast.FuncDecl:
				if of, values := presetsOf(d); of != "" {
					presets[of] = values
				}
			}
		}
	}
	for name, values := range presets {
		typ := types[name]
		typ.presets = values
		types[name] = typ
	}
	return types
}

func importsOf(f *ast.File) map[string]string {
	imports := make(map[string]string)
	for _, i := range f.Imports {
		at, _ := strconv.Unquote(i.Path.Value)
		name := path.Base(at)
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = at
	}
	return imports
}

// presetsOf gives what a method SetDefaults assigns to each field of its receiver, as it is written.
func presetsOf(d *ast.FuncDecl) (of string, values map[string]string) {
	if d.Name.Name != "SetDefaults" || d.Recv == nil || len(d.Recv.List) != 1 || len(d.Recv.List[0].Names) != 1 || d.Body == nil {
		return "", nil
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	if !ok {
		return "", nil
	}
	values = make(map[string]string)
	for _, stmt := range d.Body.List {
		a, ok := stmt.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
			continue
		}
		to, ok := a.Lhs[0].(*ast.SelectorExpr)
		if !ok {
			continue
		}
		if x, ok := to.X.(*ast.Ident); !ok || x.Name != d.Recv.List[0].Names[0].Name {
			continue
		}
		values[to.Sel.Name] = printed(a.Rhs[0])
	}
	return id.Name, values
}

func printed(e ast.Expr) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), e); err != nil {
		return fmt.Sprintf("%T", e)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
