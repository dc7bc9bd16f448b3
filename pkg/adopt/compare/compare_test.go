package compare_test

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// rendered is the tree of a spec, with placeholders for its secrets.
func rendered(t testing.TB, spec string) fstest.MapFS {
	t.Helper()
	src, err := os.ReadFile("../../../examples/" + spec + "/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return renderedFrom(t, src)
}

func renderedFrom(t testing.TB, src []byte) fstest.MapFS {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", src)
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	b, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	tree := make(fstest.MapFS)
	for _, f := range b.Files {
		if f.Data != nil {
			tree[f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o600}
		}
	}
	return tree
}

func open(tree fs.FS, files ...string) *deployment.Deployment {
	d, _ := compose.OpenWith(tree, compose.Options{Files: files, Name: "matrix"})
	return d
}

// Between equal trees there is nothing to tell.
func TestEqual(t *testing.T) {
	for _, name := range []string{"minimal", "phil-app", "full"} {
		r := compare.Deployments(open(rendered(t, name)), open(rendered(t, name)))
		if len(r.Differences) > 0 {
			t.Errorf("%s: %+v", name, r.Differences)
		}
		if r.Equal < 100 {
			t.Errorf("%s: only %d things compared", name, r.Equal)
		}
		for _, u := range r.Unseen {
			t.Log(name, u)
		}
	}
	all, err := fixture.Read("../../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		for _, f := range d.Forms {
			if r := compare.Deployments(open(f.Tree, d.Files...), open(f.Tree, d.Files...)); len(r.Differences) > 0 {
				t.Errorf("%s, %s: %+v", d.Name, f.Name, r.Differences)
			}
		}
	}
}

// Whatever is broken in one of them, two deployments can be compared.
func TestBroken(t *testing.T) {
	all, err := fixture.Read("../../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	ours := open(rendered(t, "minimal"))
	for i, d := range all {
		healthy := open(d.Forms[0].Tree, d.Files...)
		for j, f := range d.Forms[1:] {
			broken := open(f.Tree, d.Files...)
			compare.Deployments(broken, healthy)
			if (i+j)%4 == 0 { // with each other they have less in common
				compare.Deployments(broken, ours)
				compare.Deployments(ours, broken)
			}
		}
	}
	empty := open(fstest.MapFS{})
	if r := compare.Deployments(empty, ours); !r.Needs() {
		t.Error("a whole stack more needs no decision")
	}
	compare.Deployments(ours, empty)
	compare.Deployments(empty, empty)
}

// names of a tree in their order.
func names(tree fstest.MapFS) []string { return slices.Sorted(maps.Keys(tree)) }
