package check_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/fixture"
)

func deployments(t testing.TB) []fixture.Deployment {
	t.Helper()
	all, err := fixture.Read("testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// warned are the rules that rightly warn of a deployment whose healthy form works.
var warned = map[string]string{
	"old-synapse":    "warning synapse-known-vulnerabilities",
	"mas-labels-map": "warning mas-path-routing",
}

// A deployment as people keep one has no finding but what cannot be checked; broken, it has exactly those that stand in
// its want. conformance holds what the real programs make of each.
func TestDeployments(t *testing.T) {
	all := deployments(t)
	if len(all) < 25 {
		t.Errorf("only %d deployments", len(all))
	}
	for _, d := range all {
		if len(d.Forms) < 2 {
			t.Errorf("%s has no broken form", d.Name)
		}
		for i, form := range d.Forms {
			t.Run(d.Name+"/"+form.Name, func(t *testing.T) {
				opened, findings := compose.OpenWith(form.Tree, compose.Options{Files: d.Files, Name: "matrix"})
				found, _ := check.Run(opened, composego.Judge)
				findings = append(findings, found...)
				sound(t, findings)
				var got []string
				for _, f := range findings {
					got = append(got, fmt.Sprintf("%s %s %s:%d", f.Severity, f.Rule, f.Pos().File, f.Pos().Line))
				}
				slices.Sort(got)
				if *update {
					rewrite(t, d.Name, form, got)
					return
				}
				if diff := cmp.Diff(form.Findings, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
					for _, f := range findings {
						t.Logf("%s %s: %s [%s] fix: %s", f.Severity, f.Pos(), f.Message, f.Rule, f.Fix)
					}
				}
				above := slices.ContainsFunc(form.Findings, func(f string) bool {
					return !strings.HasPrefix(f, "info ") && (i > 0 || !strings.HasPrefix(f, warned[d.Name]+" "))
				})
				if i == 0 && above || i > 0 && !above {
					t.Errorf("the form is called %s, and its findings are %q", form.Name, form.Findings)
				}
				if !above && (form.Says("Docker Compose refuses") || form.Says("Synapse stops")) {
					t.Error("a program refuses it, and nothing is found")
				}
			})
		}
	}
}

// rewrite puts what was found into the want of a form. What comes of that is to be judged, line by line.
func rewrite(t *testing.T, deployment string, form fixture.Form, found []string) {
	t.Helper()
	file := "testdata/deployments/" + deployment + ".txtar"
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range ar.Files {
		if f.Name == "want: "+form.Name || f.Name == "want" && form.Name == "healthy" {
			ar.Files[i].Data = []byte(strings.Join(append(slices.Clone(form.Programs), found...), "\n") + "\n")
			if len(form.Programs)+len(found) == 0 {
				ar.Files[i].Data = nil
			}
		}
	}
	if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}
