package check_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
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

// composeWords are those that only a compose file or its reader has, in what a rule says to write.
var composeWords = regexp.MustCompile(`\b(?:image|command|networks|ports|volumes|environment|healthcheck|test|restart|container_name|tmpfs|cap_add|depends_on|network_mode|labels|profiles|condition): |\.env\b|\bdocker |[Cc]ompose|\blabel\b|\bmount\b`)

// stillCompose is how many fixes of rules speak of Compose by themselves, and not in the words that the reader of the
// deployment gives (deployment.Lines). It may only go down.
const stillCompose = 0

// A rule that holds for every target says what to write in the words of the one that was read. Those about Compose itself
// are called after it.
func TestFixesSpeakNoCompose(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "rule_compose") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		look := func(fix ast.Expr) {
			ast.Inspect(fix, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && composeWords.MatchString(lit.Value) {
					said = append(said, fset.Position(lit.Pos()).String()+" "+lit.Value)
				}
				return true
			})
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 1 && slices.Contains([]string{"Fail", "Warn", "FailMend", "WarnMend", "Lack"}, sel.Sel.Name) {
					look(n.Args[1])
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if id, ok := to.(*ast.Ident); ok && id.Name == "fix" && i < len(n.Rhs) {
						look(n.Rhs[i])
					}
				}
			case *ast.FuncDecl:
				if !strings.HasSuffix(n.Name.Name, "Fix") {
					return true
				}
				ast.Inspect(n.Body, func(n ast.Node) bool {
					if ret, ok := n.(*ast.ReturnStmt); ok && len(ret.Results) > 0 {
						look(ret.Results[0])
					}
					return true
				})
			}
			return true
		})
	}
	switch n := len(said); {
	case n > stillCompose:
		t.Errorf("%d fixes speak of Compose by themselves, %d at most: take the words from deployment.Lines\n%s", n, stillCompose, strings.Join(said, "\n"))
	case n < stillCompose:
		t.Errorf("%d fixes speak of Compose by themselves; lower stillCompose", n)
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
