package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// floors are the packages from the ground up. Each imports only those of the floors below it.
var floors = [][]string{
	{"pkg/command", "pkg/memfs", "pkg/regex", "pkg/shell", "templates"},
	{"pkg/component", "pkg/deployment/compose/dockerfile", "pkg/output", "pkg/source"},
	{"pkg/confighash", "pkg/coturn", "pkg/deployment/compose/project", "pkg/finding", "pkg/fixture", "pkg/git", "pkg/manifest", "pkg/route"},
	{"pkg/report", "pkg/route/caddy", "pkg/route/gateway", "pkg/route/haproxy", "pkg/route/nginx", "pkg/route/traefik", "pkg/secret", "pkg/spec"},
	{"pkg/deployment"},
	{"pkg/deployment/compose", "pkg/deployment/kubernetes", "pkg/suppress"},
	{"pkg/adopt/compare", "pkg/check", "pkg/deployment/compose/composego", "pkg/manifests"},
	{"pkg/render"},
	{"pkg/prove"},
	{"pkg/adopt", "pkg/adopt/move", "pkg/diff", "pkg/store"},
	{"cmd/stackgen", "upstream"},
}

// apart are the packages that must not reach others, directly or through any other, and why.
var apart = []struct{ from, to, why string }{
	{"pkg/check", "pkg/command", "a rule starts nothing"},
	{"pkg/check", "pkg/git", "a rule sees what the files say, not where they lie"},
	{"pkg/check", "pkg/secret", "a rule knows no secret but those in the files"},
	{"pkg/check", "pkg/spec", "a rule judges a stack that is kept by hand as one that is rendered"},
	{"pkg/check", "pkg/deployment/compose", "a rule cannot see how a deployment is written"},
	{"pkg/prove", "pkg/deployment/compose/composego", "a proof can do without compose-go"},
	{"pkg/check", "pkg/deployment/kubernetes", "a rule cannot see how a deployment is written"},
	{"pkg/prove", "pkg/command", "a proof starts nothing"},
	{"pkg/prove", "pkg/git", "a proof sees the files that it is handed"},
	{"pkg/deployment", "pkg/spec", "a deployment is what the files say"},
	{"pkg/component", "pkg/source", "what is known of a program is neither spec nor Compose"},
}

// starts are the ways to start a program.
var starts = regexp.MustCompile(`"os/exec"|\bos\.StartProcess\b|\bsyscall\.(ForkExec|StartProcess|Exec)\b`)

// goPackage is what go list says of a package of this module.
type goPackage struct {
	ImportPath, Dir, Doc string
	GoFiles, Imports     []string
}

// packages are those of this module, by their folder, but for bench, which measures from outside.
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]goPackage)
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if folder, ours := ourFolder(p.ImportPath); ours && !strings.HasPrefix(folder, "bench") {
			all[folder] = p
		}
	}
	return all
}

func ourFolder(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, "philipp.info/stackgen/")
}

// reaches gives every package that one imports, at however many removes.
func reaches(all map[string]goPackage, from string) map[string]bool {
	seen := make(map[string]bool)
	var walk func(string)
	walk = func(at string) {
		for _, i := range all[at].Imports {
			if folder, ours := ourFolder(i); ours && !seen[folder] {
				seen[folder] = true
				walk(folder)
			}
		}
	}
	walk(from)
	return seen
}

// The arrows run downwards, and some packages are kept apart.
func TestArrows(t *testing.T) {
	all := packages(t)
	floorOf := make(map[string]int)
	for i, floor := range floors {
		for _, folder := range floor {
			if floorOf[folder] = i; all[folder].ImportPath == "" {
				t.Errorf("%s is on a floor, and there is no such package", folder)
			}
		}
	}
	for folder, p := range all {
		floor, placed := floorOf[folder]
		if !placed {
			t.Errorf("%s is on no floor: say in this test where it belongs", folder)
			continue
		}
		for _, i := range p.Imports {
			if below, ours := ourFolder(i); ours && floorOf[below] >= floor {
				t.Errorf("%s imports %s, which is not below it", folder, below)
			}
		}
		for _, name := range p.GoFiles {
			src, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if m := starts.Find(src); m != nil && folder != "pkg/command" {
				t.Errorf("%s/%s has %s: programs are started by pkg/command alone", folder, name, m)
			}
		}
	}
	for _, a := range apart {
		if reaches(all, a.from)[a.to] {
			t.Errorf("%s reaches %s: %s", a.from, a.to, a.why)
		}
	}
}

// No file is longer than can be read at once, no package is most of the program, and each says in a few lines
// what it is for.
func TestSizes(t *testing.T) {
	const longest, mostDoc = 400, 3
	lines := make(map[string]int)
	total := 0
	for folder, p := range packages(t) {
		names, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		doc := 0
		for _, name := range names {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			n := bytes.Count(src, []byte("\n"))
			if n > longest {
				t.Errorf("%s/%s has %d lines, %d at most", folder, filepath.Base(name), n, longest)
			}
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			lines[folder] += n
			total += n
			f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			what, _, _ := strings.Cut(f.Doc.Text(), "\n\n") // more may follow below an empty line
			doc += len(strings.FieldsFunc(what, func(r rune) bool { return r == '\n' }))
		}
		if doc == 0 || doc > mostDoc {
			t.Errorf("%s says in %d lines what it is for; 1 to %d", folder, doc, mostDoc)
		}
	}
	for folder, n := range lines {
		if 3*n > total {
			t.Errorf("%s has %d of %d lines: more than a third", folder, n, total)
		}
	}
}

// TestPicture holds the picture in CONTRIBUTING.md against the imports, and the table above it against the
// folders.
func TestPicture(t *testing.T) {
	const path, begin, end = "../../CONTRIBUTING.md", "<!-- The imports, written by make generate. -->\n", "<!-- until here the imports -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatal("CONTRIBUTING.md has no place for the picture")
	}
	all := packages(t)
	sameAs(t, path, before+begin+picture(all)+end+after)
	for folder := range all {
		if !strings.Contains(before, "| `"+folder+"` |") {
			t.Errorf("CONTRIBUTING.md does not say what %s holds", folder)
		}
	}
}

// picture draws an arrow to each package that another imports, unless a longer way leads there.
func picture(all map[string]goPackage) string {
	name := func(folder string) string { return strings.TrimPrefix(folder, "pkg/") }
	var b strings.Builder
	b.WriteString("```mermaid\ngraph TD\n")
	for _, floor := range slices.Backward(floors) {
		for _, folder := range floor {
			direct := make(map[string]bool)
			for _, i := range all[folder].Imports {
				if below, ours := ourFolder(i); ours {
					direct[below] = true
				}
			}
			for below := range direct {
				for further := range reaches(all, below) {
					delete(direct, further)
				}
			}
			for _, below := range slices.Sorted(maps.Keys(direct)) {
				fmt.Fprintf(&b, "  %s --> %s\n", name(folder), name(below))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}
