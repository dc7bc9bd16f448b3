// Package conformance holds what stackgen renders against the programs that read it. It is a module of its
// own, so that their dependencies are none of the product's.
package conformance

import (
	"os"
	"path/filepath"
	"testing"

	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// eachExample renders every example with placeholder secrets into a directory.
func eachExample(t *testing.T, visit func(t *testing.T, dir string, st *render.Stack)) {
	t.Helper()
	paths, err := filepath.Glob("../examples/*/stack.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatalf("examples: %v %v", paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, findings := spec.Parse(path, src)
			if s == nil {
				t.Fatal(findings)
			}
			set := secret.Placeholders(render.Needs(s))
			st := render.Resolve(s, set, "/srv/matrix")
			b, err := render.Render(s, st, set.Get)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if _, err := b.Write(t.Context(), dir, false); err != nil {
				t.Fatal(err)
			}
			visit(t, dir, st)
		})
	}
}
