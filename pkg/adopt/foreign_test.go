package adopt_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
)

// unseen are the fixtures whose homeserver.yaml is not among their files: of these nothing can be taken over.
var unseen = []string{"init-job", "named-volumes"}

// lost are the secrets that the rendered stack has no use for: beside MAS nobody registers at Synapse, and there are no
// workers.
var lost = []string{"registration_shared_secret of synapse", "worker_replication_secret of synapse"}

// A stack that somebody else wrote is taken over as a spec that is valid, renders what holds all rules, has every secret as it
// is, and shows none.
func TestForeign(t *testing.T) {
	all, err := fixture.Read("../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []bool{false, true} {
		for _, f := range all {
			t.Run(fmt.Sprintf("%s/keep-auth=%v", f.Name, keep), func(t *testing.T) { takeOver(t, f, keep) })
		}
	}
}

func takeOver(t *testing.T, f fixture.Deployment, keep bool) {
	t.Helper()
	d, findings := compose.OpenWith(f.Forms[0].Tree, compose.Options{Files: f.Files, Name: "matrix"})
	draft, refused := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside, KeepAuth: keep})
	if draft == nil {
		for _, f := range append(findings, refused...) {
			t.Logf("refused: %s: %s", f.Pos(), f.Message)
		}
		if !slices.Contains(unseen, f.Name) {
			t.Error("it is refused")
		}
		return
	}
	if os.Getenv("SHOW") != "" {
		t.Logf("\n%s", draft.Text)
	}
	for _, n := range draft.Notes {
		t.Logf("note %s: %s", strings.Join(n.Field, "."), n.Text)
	}
	hidden(t, d, draft)
	now := build(t, draft.Text, draft.Secrets, func(name string) ([]byte, error) { return draft.Files[name], nil })
	tree := maps.Clone(f.Forms[0].Tree) // the data of the old stack stay where they are
	for _, file := range now.bundle.Files {
		info, err := fs.Stat(now.bundle.FS(), file.Path)
		if err != nil {
			t.Fatal(err)
		}
		tree[file.Path] = &fstest.MapFile{Data: file.Data, Mode: info.Mode(), Sys: info.Sys()}
	}
	ours, findings := compose.OpenWith(tree, compose.Options{Name: "matrix", Files: []string{"docker-compose.yml"}})
	found, _ := check.Run(ours, composego.Judge)
	for _, f := range append(findings, found...) {
		if !keep && len(d.MASs) == 0 && slices.Contains([]string{"mas-path-routing", "compat-router-wins"}, f.Rule) {
			continue // the proxy is kept, and knows no MAS yet, which is noted
		}
		if f.Rule == "proxy-target-exists" && slices.ContainsFunc(draft.Notes, func(n adopt.Note) bool { return strings.Contains(n.Text, "workers are not taken over") }) {
			continue // the proxy is kept, and leads to workers that are gone, which is noted
		}
		if f.Rule == "mas-upstream-claims" && strings.Contains(f.Message, "does not ask for that") {
			continue // as Synapse did not
		}
		if f.Severity != finding.Info && f.Status != finding.NotChecked {
			t.Errorf("ours: %s: %s [%s]", f.Pos(), f.Message, f.Rule)
		}
	}
}

// hidden holds that every secret of the deployment is among those that were taken over, and that the spec shows none.
func hidden(t *testing.T, d *deployment.Deployment, draft *adopt.Draft) {
	t.Helper()
	for _, s := range d.Secrets() {
		if s.Value == "" || s.Value == "disable" {
			continue
		}
		if strings.Contains(string(draft.Text), s.Value) {
			t.Errorf("the spec shows %s", s.What)
		}
		taken := false
		for _, value := range draft.Secrets {
			taken = taken || strings.TrimSpace(value) == strings.TrimSpace(s.Value)
		}
		for _, data := range draft.Files { // kept as they are
			taken = taken || strings.Contains(string(data), s.Value)
		}
		if !taken && !s.Idle && !slices.Contains(lost, s.What) {
			t.Errorf("%s is not taken over (%s)", s.What, s.At.Pos())
		}
	}
}
