package regex_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/regex"
)

func TestOf(t *testing.T) {
	digits := regex.Of(`^[0-9]+$`)
	if first := digits(); !first.MatchString("17") || digits() != first {
		t.Error("it is not compiled once")
	}
	broken := regex.Of(`(`) // says nothing until it is asked for
	defer func() {
		if recover() == nil {
			t.Error("what is not valid is compiled")
		}
	}()
	broken()
}

// TestNothingIsCompiledBeforeMain reads the program: no variable of a package is a compiled expression, and each that
// is compiled later is valid.
func TestNothingIsCompiledBeforeMain(t *testing.T) {
	seen := 0
	for _, top := range []string{"../../pkg", "../../cmd", "../../templates"} {
		err := filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncLit: // whose body runs when it is called
					return false
				case *ast.FuncDecl:
					return n.Name.Name == "init"
				case *ast.CallExpr:
					if name := called(n); name == "regexp.MustCompile" || name == "regexp.Compile" {
						t.Errorf("%s: compiled before main; write regex.Of", fset.Position(n.Pos()))
					}
				}
				return true
			})
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || called(call) != "regex.Of" && called(call) != "regexp.MustCompile" {
					return true
				}
				if lit, ok := call.Args[0].(*ast.BasicLit); ok {
					seen++
					expr, err := strconv.Unquote(lit.Value)
					if err == nil {
						_, err = regexp.Compile(expr)
					}
					if err != nil {
						t.Errorf("%s: %v", fset.Position(lit.Pos()), err)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 50 {
		t.Errorf("only %d expressions were seen", seen)
	}
}

func called(call *ast.CallExpr) string {
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok {
			return x.Name + "." + sel.Sel.Name
		}
	}
	return ""
}
