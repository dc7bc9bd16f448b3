package check_test

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/manifests"
)

// asManifests is a tree of Compose as manifests that run the same. What no service is given, such as the client for a Keycloak, lies beside them.
func asManifests(t testing.TB, tree fstest.MapFS) fstest.MapFS {
	t.Helper()
	d, _ := compose.Open(tree)
	files, err := manifests.From(d, manifests.Options{Namespace: "matrix"})
	if err != nil {
		t.Fatal(err)
	}
	made := make(fstest.MapFS)
	for name, f := range tree {
		given := slices.ContainsFunc(d.Services, func(s *deployment.Service) bool { return s.Sees(name) })
		if strings.Contains(name, "/") && !given && f.Mode.IsRegular() {
			made[name] = f
		}
	}
	for _, f := range files {
		made[f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o600}
	}
	return made
}

// onKubernetes is what the rules find in the manifests of a tree of Compose.
func onKubernetes(t testing.TB, tree fstest.MapFS) []finding.Finding {
	t.Helper()
	d, findings := kubernetes.Open(asManifests(t, tree))
	found, _ := check.Run(d, nil)
	return finding.Sort(append(findings, found...))
}

// Every rule finds on Kubernetes what it finds on Compose: in one of its bad cases made into manifests, or in one of its own. Or it says
// why it has no meaning there, and then it says nothing. What is of Kubernetes alone says why, too.
func TestRulesOnKubernetes(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: it runs all rules too often for the race detector; the same rules run in TestRuleCases")
	}
	own, cases := make(map[string]bool), make(map[string][]ruleCase)
	for _, c := range readCases(t) {
		if c.kind == "bad" && strings.HasPrefix(c.edits, "tree kubernetes\n") {
			own[c.rule] = true
		} else if c.kind == "bad" {
			cases[c.rule] = append(cases[c.rule], c)
		}
	}
	known := make(map[string]func() map[string]bool)
	for name, base := range stacks {
		known[name] = sync.OnceValue(func() map[string]bool {
			facts := make(map[string]bool)
			for _, f := range onKubernetes(t, base().tree) {
				facts[f.Rule+f.Message] = true
			}
			return facts
		})
	}
	for _, r := range check.Rules {
		switch {
		case r.ComposeOnly != "" && r.KubernetesOnly != "":
			t.Errorf("%s has no meaning anywhere", r.ID)
		case r.ComposeOnly != "" && own[r.ID]:
			t.Errorf("%s has no meaning on Kubernetes, and a case there", r.ID)
		case r.ComposeOnly != "" || own[r.ID]:
			continue
		}
		trips := slices.ContainsFunc(cases[r.ID], func(c ruleCase) bool {
			tree, _ := c.build(t)
			facts := known[c.tree()]()
			return slices.ContainsFunc(onKubernetes(t, tree), func(f finding.Finding) bool { return f.Rule == r.ID && !facts[f.Rule+f.Message] })
		})
		if !trips {
			t.Errorf("%s finds none of its %d bad cases as manifests: write one with \"tree kubernetes\", or say in ComposeOnly why it has no meaning there", r.ID, len(cases[r.ID]))
		}
	}
}

// tree is the name of the stack that a case begins with.
func (c ruleCase) tree() string {
	if rest, named := strings.CutPrefix(c.edits, "tree "); named {
		name, _, _ := strings.Cut(rest, "\n")
		return name
	}
	return "rendered"
}

// Manifests that run what a rendered stack runs are found to be right, and hold the very files.
func TestRenderedOnKubernetes(t *testing.T) {
	tree := stacks["rendered"]().tree
	made := asManifests(t, tree)
	maps.DeleteFunc(made, func(name string, _ *fstest.MapFile) bool { return strings.HasPrefix(name, "borgmatic.d/") }) // it asks Docker
	d, findings := kubernetes.Open(made)
	found, _ := check.Run(d, nil)
	for _, f := range append(findings, found...) {
		if f.Status == finding.Found {
			t.Errorf("%s %s: %s [%s]", f.Severity, f.Pos(), f.Message, f.Rule)
		}
	}
	before, _ := compose.Open(tree)
	files := 0
	for _, s := range before.Services {
		now := d.Service(s.Name)
		if s.Absent.Why != "" {
			continue
		}
		if now == nil {
			t.Errorf("%s is no workload", s.Name)
			continue
		}
		for _, m := range s.Mounts {
			_ = fs.WalkDir(tree, m.Host, func(name string, e fs.DirEntry, err error) error {
				if err != nil || !e.Type().IsRegular() || !m.ReadOnly {
					return nil
				}
				at := m.Container + strings.TrimPrefix(name, m.Host)
				host, reason := now.HostPath(at)
				got, err := fs.ReadFile(d.FS, host)
				if files++; err != nil || !bytes.Equal(got, tree[name].Data) {
					t.Errorf("%s has another %s: %s %v", s.Name, at, reason, err)
				}
				return nil
			})
		}
	}
	if want := len(slices.Collect(maps.Keys(tree))); files < 20 || want < files {
		t.Errorf("%d of %d files were compared", files, want)
	}
}
