package check_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A rule sees the model of a deployment and no node of the file that it is written in: the same rule holds for what is
// started by something else than Compose.
func TestRulesSeeNoCompose(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 50 {
		t.Fatal(len(names), err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(path, "compose") {
				t.Errorf("%s imports %s", fset.Position(spec.Pos()), path)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			// What the deployment was read from is for those who know its kind.
			if sel, ok := n.(*ast.SelectorExpr); ok && (sel.Sel.Name == "ReadFrom" || sel.Sel.Name == "Parsed") {
				t.Errorf("%s goes around the model", fset.Position(sel.Pos()))
			}
			return true
		})
	}
}

// A leaf of the model is not a way back into the tree that it stands in.
func TestLeafIsNoTree(t *testing.T) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "../deployment/leaf.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	methods := 0
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv == nil {
			continue
		}
		methods++
		for _, r := range results(fn) {
			sel, ok := r.Type.(*ast.SelectorExpr)
			if star, isPointer := r.Type.(*ast.StarExpr); isPointer {
				sel, ok = star.X.(*ast.SelectorExpr)
			}
			if ok && sel.Sel.Name != "Pos" && sel.Sel.Name != "Site" {
				t.Errorf("%s gives a %s", fn.Name.Name, sel.Sel.Name)
			}
		}
	}
	if methods < 10 {
		t.Errorf("%d methods", methods)
	}
}

func results(fn *ast.FuncDecl) []*ast.Field {
	if fn.Type.Results == nil {
		return nil
	}
	return fn.Type.Results.List
}
