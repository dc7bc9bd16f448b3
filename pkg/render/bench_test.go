package render_test

import (
	"os"
	"path/filepath"
	"testing"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
	"philipp.info/stackgen/pkg/store"
)

// The parts of a render of phil-app, to be read against each other and not as absolute times.
func BenchmarkPhilApp(b *testing.B) {
	src, err := os.ReadFile("../../examples/phil-app/stack.yaml")
	if err != nil {
		b.Fatal(err)
	}
	s, _ := spec.Parse("stack.yaml", src)
	set := secret.Placeholders(render.Needs(s))
	bundle, err := render.Render(s, render.Resolve(s, set, "/srv"), set.Get)
	if err != nil {
		b.Fatal(err)
	}
	dir := filepath.Join(b.TempDir(), "out")
	if _, err := store.Write(b.Context(), dir, store.Stack{Files: bundle.Files}, false); err != nil {
		b.Fatal(err)
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			spec.Parse("stack.yaml", src)
		}
	})
	b.Run("render", func(b *testing.B) {
		for b.Loop() {
			if _, err := render.Render(s, render.Resolve(s, set, "/srv"), set.Get); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			d, _ := compose.Open(bundle.FS())
			check.Run(d, composego.Judge)
		}
	})
	b.Run("check, Compose file known", func(b *testing.B) {
		d, _ := compose.Open(bundle.FS())
		known := composego.Judge.Verdict(d)
		for b.Loop() {
			d, _ := compose.Open(bundle.FS())
			d.Accepted = known
			check.Run(d, composego.Judge)
		}
	})
	b.Run("write unchanged", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.Write(b.Context(), dir, store.Stack{Files: bundle.Files}, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}
