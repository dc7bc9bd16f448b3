// Package statickeys reads which keys Traefik's static configuration has, out of the Go source of a release: the
// structs below static.Configuration, as its decoder walks them.
package statickeys

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/traefik/paerser/types"
)

// Read builds static.Configuration, with the name of the file beside it, of the sources below dir, which holds the folder
// pkg of a release. Its fields have the names, tags and shapes of the original; what is no part of Traefik is a text.
func Read(dir string) (reflect.Type, error) {
	r := &reader{dir: dir, packages: make(map[string]*pkg)}
	p, err := r.load("pkg/config/static")
	if err != nil {
		return nil, err
	}
	conf, ok := p.types["Configuration"]
	if !ok {
		return nil, fmt.Errorf("%s has no static.Configuration", dir)
	}
	t := r.build(conf.expr, conf.file, p, nil)
	fields := []reflect.StructField{{Name: "ConfigFile", Type: reflect.TypeFor[string]()}} // cmd.TraefikCmdConfiguration
	for f := range t.Fields() {
		fields = append(fields, f)
	}
	return reflect.StructOf(fields), r.err
}

// Keys gives the dotted path of every key of a configuration, and what it takes: bool, int, str, or any where that is
// something else. "*" is any name, "[]" each item of a list. A section is a key of its own where it may stand alone.
func Keys(t reflect.Type) map[string]string {
	keys := make(map[string]string)
	walk(keys, "", t)
	return keys
}

func walk(keys map[string]string, at string, t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer:
		walk(keys, at, t.Elem())
	case reflect.Slice:
		walk(keys, at+"[]", t.Elem())
	case reflect.Map:
		walk(keys, join(at, "*"), t.Elem())
	case reflect.Struct:
		if t.NumField() == 0 { // it stands alone
			keys[at] = "any"
		}
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			// The decoder goes by the name of the field, in any case; the tag tells how people write it.
			if !strings.EqualFold(name, f.Name) {
				name = strings.ToLower(f.Name[:1]) + f.Name[1:]
			}
			if below := join(at, name); f.Tag.Get("label") == "allowEmpty" || f.Tag.Get("file") == "allowEmpty" {
				keys[below] = "any"
			}
			walk(keys, join(at, name), f.Type)
		}
	case reflect.Bool:
		keys[at] = "bool"
	case reflect.String:
		keys[at] = "str"
	case reflect.Int:
		keys[at] = "int"
	default: // a duration, a fraction, an interface
		keys[at] = "any"
	}
}

type reader struct {
	dir      string
	packages map[string]*pkg
	err      error
}

type pkg struct {
	dir   string
	types map[string]declared
}

type declared struct {
	expr ast.Expr
	file *ast.File
}

func (r *reader) load(dir string) (*pkg, error) {
	if p := r.packages[dir]; p != nil {
		return p, nil
	}
	p := &pkg{dir: dir, types: make(map[string]declared)}
	r.packages[dir] = p
	files, err := filepath.Glob(filepath.Join(r.dir, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, &fs.PathError{Op: "read", Path: dir, Err: os.ErrNotExist}
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				for _, s := range g.Specs {
					if t, ok := s.(*ast.TypeSpec); ok {
						p.types[t.Name.Name] = declared{t.Type, f}
					}
				}
			}
		}
	}
	return p, nil
}

// basic are the types of Go, all whole numbers alike.
var basic = map[string]reflect.Type{
	"bool": reflect.TypeFor[bool](), "string": reflect.TypeFor[string](), "float64": reflect.TypeFor[float64](),
	"int": reflect.TypeFor[int](), "int8": reflect.TypeFor[int](), "int16": reflect.TypeFor[int](), "int32": reflect.TypeFor[int](), "int64": reflect.TypeFor[int](),
	"uint": reflect.TypeFor[int](), "uint8": reflect.TypeFor[int](), "uint16": reflect.TypeFor[int](), "uint32": reflect.TypeFor[int](), "uint64": reflect.TypeFor[int](),
}

var foreignText = reflect.TypeFor[string]()

func (r *reader) build(expr ast.Expr, file *ast.File, p *pkg, above []string) reflect.Type {
	switch t := expr.(type) {
	case *ast.StarExpr:
		return reflect.PointerTo(r.build(t.X, file, p, above))
	case *ast.ArrayType:
		return reflect.SliceOf(r.build(t.Elt, file, p, above))
	case *ast.MapType:
		return reflect.MapOf(reflect.TypeFor[string](), r.build(t.Value, file, p, above))
	case *ast.StructType:
		return reflect.StructOf(r.fields(t, file, p, above))
	case *ast.Ident:
		return r.named(t.Name, p, above)
	case *ast.SelectorExpr:
		return r.foreign(t, file, above)
	default:
		return reflect.TypeFor[any]()
	}
}

func (r *reader) named(name string, p *pkg, above []string) reflect.Type {
	if t := basic[name]; t != nil {
		return t
	}
	d, ok := p.types[name]
	id := p.dir + "." + name
	switch {
	case name == "any":
		return reflect.TypeFor[any]()
	case name == "Duration":
		return reflect.TypeFor[types.Duration]()
	case !ok || slices.Contains(above, id):
		return foreignText
	}
	return r.build(d.expr, d.file, p, append(slices.Clone(above), id))
}

// foreign follows a type of another package of Traefik; what others define is a text with a form of its own.
func (r *reader) foreign(t *ast.SelectorExpr, file *ast.File, above []string) reflect.Type {
	if t.Sel.Name == "Duration" {
		return reflect.TypeFor[types.Duration]()
	}
	alias := t.X.(*ast.Ident).Name
	for _, i := range file.Imports {
		full := strings.Trim(i.Path.Value, `"`)
		name := path.Base(full)
		if i.Name != nil {
			name = i.Name.Name
		}
		_, dir, ours := strings.Cut(full, "/pkg/")
		if name != alias || !ours || !strings.Contains(full, "/traefik/") {
			continue
		}
		p, err := r.load("pkg/" + dir)
		if err != nil {
			r.err = err
			return foreignText
		}
		return r.named(t.Sel.Name, p, above)
	}
	return foreignText
}

func (r *reader) fields(t *ast.StructType, file *ast.File, p *pkg, above []string) (fields []reflect.StructField) {
	for _, f := range t.Fields.List {
		if len(f.Names) == 0 { // embedded
			embedded := r.build(f.Type, file, p, above)
			for i := 0; embedded.Kind() == reflect.Struct && i < embedded.NumField(); i++ {
				fields = append(fields, embedded.Field(i))
			}
			continue
		}
		var tag reflect.StructTag
		if f.Tag != nil {
			tag = reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
		}
		for _, n := range f.Names {
			if n.IsExported() {
				fields = append(fields, reflect.StructField{Name: n.Name, Tag: tag, Type: r.build(f.Type, file, p, above)})
			}
		}
	}
	return fields
}

func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }
