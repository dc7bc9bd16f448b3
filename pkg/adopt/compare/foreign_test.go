package compare_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/prove"
)

// imported is what the deployment becomes: the render of the spec that it is taken over as; nil where it is refused.
func imported(t testing.TB, d *deployment.Deployment) *deployment.Deployment {
	t.Helper()
	draft, _ := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: "/srv/matrix", Sources: []string{"/srv/spec/stack.yaml", "/srv/spec/secrets.yaml"}})
	if draft == nil {
		return nil
	}
	copies, _ := prove.Copies(draft.Spec, ".", draft.File)
	result, err := prove.Run(prove.Input{Spec: draft.Spec, Secrets: draft.Set(), Placeholders: true, Copies: copies, Dir: "/srv/matrix"})
	if err != nil || result.Bundle == nil {
		t.Fatalf("%v %v\n%s", err, result.Findings, draft.Text)
	}
	tree := make(fstest.MapFS)
	for _, f := range result.Bundle.Files {
		if f.Data != nil {
			tree[f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o600}
		}
	}
	return open(tree)
}

// Every healthy deployment is compared with what it becomes: each difference has a reason that is known, and shows no secret.
func TestForeign(t *testing.T) {
	all, err := fixture.Read("../../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			old := open(f.Forms[0].Tree, f.Files...)
			ours := imported(t, old)
			if ours == nil {
				t.Log("it is not taken over: its homeserver.yaml is not among its files")
				return
			}
			n++
			r := compare.Deployments(old, ours)
			for _, d := range r.Differences {
				if d.Why == "" || strings.Contains(d.Why, "is not known") {
					t.Errorf("%s %s %s: nothing is known of it", d.About, d.Doc, d.Key)
				}
			}
			var text, json strings.Builder
			if err := errors.Join(r.Write(&text, compare.Options{Format: "text", Width: 130}), r.Write(&json, compare.Options{Format: "json"})); err != nil {
				t.Fatal(err)
			}
			for _, s := range slices.Concat(old.Secrets(), ours.Secrets()) {
				if len(s.Value) >= 8 && strings.Contains(text.String()+json.String(), s.Value) {
					t.Errorf("it shows %s", s.What)
				}
			}
			t.Logf("%s\n%s", r.Headline(), text.String())
		})
	}
	if n < 25 {
		t.Errorf("only %d deployments were compared", n)
	}
}
