// Package conformance holds what stackgen renders, and what it hands to CI, against the programs that read
// it. It is a module of its own, so that their dependencies are none of the product's.
//
// What a program took is logged as `accepted: PROGRAM VERSION: WHAT`. ./run collects these lines and compares
// them with parts.txt.
package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
	"philipp.info/stackgen/pkg/store"
)

// example is a rendered tree, with placeholder secrets.
type example struct {
	name, dir string
	*render.Stack
}

// accepted logs that a program took a file of the example, unless the test says otherwise.
func (e *example) accepted(t *testing.T, program, file string) {
	t.Helper()
	accepted(t, program, e.name+"/"+file)
}

func accepted(t *testing.T, program, what string) {
	t.Helper()
	if !t.Failed() {
		t.Logf("accepted: %s: %s", program, what)
	}
}

// eachExample renders every example, and what tests render besides, into a directory. Those for a cluster have other files, which
// conformance/kubernetes holds against its own programs.
func eachExample(t *testing.T, visit func(t *testing.T, e *example)) {
	t.Helper()
	paths, err := filepath.Glob("../examples/*/stack.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatalf("examples: %v %v", paths, err)
	}
	more, err := filepath.Glob("../pkg/render/testdata/specs/*/stack.yaml")
	if err != nil || len(more) == 0 {
		t.Fatalf("specs: %v %v", more, err)
	}
	paths = append(paths, more...)
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, findings := spec.Parse(path, src)
		if s == nil {
			t.Fatal(findings)
		}
		if s.OnKubernetes() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			set := secret.Placeholders(render.Needs(s))
			st := render.Resolve(s, set, "/srv/matrix")
			st.Files, findings = prove.Copies(s, ".", func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(path), name)) })
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			b, err := render.Render(s, st, set.Get)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if _, err := store.Write(t.Context(), dir, store.Stack{Files: b.Files}, false); err != nil {
				t.Fatal(err)
			}
			visit(t, &example{name, dir, st})
		})
	}
}

// module names a module of Go and its version here.
func module(t *testing.T, path, name string) string {
	t.Helper()
	return name + " " + output(t, "go", "list", "-m", "-f", "{{.Version}}", path)
}

// program gives a program that ./run has put below this directory.
func program(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(abs); err != nil {
		t.Skipf("skipped: %s is not here; make conformance gets it", path)
	}
	return abs
}

// output runs a program and gives what it prints on stdout.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out, &talk)
	}
	return strings.TrimSpace(string(out))
}
