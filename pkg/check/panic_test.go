package check

import (
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
)

// A rule, or the judge, that cannot cope with what it meets is told, and takes nobody with it.
func TestPanicIsTold(t *testing.T) {
	kept := Rules
	defer func() { Rules = kept }()
	Rules = []Rule{
		{ID: "breaks", Severity: finding.Error, Check: func(*deployment.Deployment, *Reporter) { panic("boom") }},
		{ID: "goes-on", Severity: finding.Error, Check: func(_ *deployment.Deployment, r *Reporter) { r.Fail("it is so", "change it") }},
	}
	d, problems := compose.Open(fstest.MapFS{"compose.yaml": {Data: []byte("services: {a: {image: \"alpine:3.22\"}}\n")}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	judge := &deployment.Judge{
		Verdict: func(*deployment.Deployment) string { return "another" },
		Refuses: func(*deployment.Deployment) []finding.Finding { panic("boom") },
	}
	found, _ := Run(d, judge)
	got := make(map[string]finding.Finding)
	for _, f := range found {
		got[f.Rule] = f
	}
	for _, id := range []string{"breaks", "compose-valid"} {
		if f := got[id]; f.Status != finding.NotChecked || !strings.Contains(f.Message, "of a fault in stackgen (boom)") {
			t.Errorf("%s: %+v", id, f)
		}
	}
	if f := got["goes-on"]; f.Message != "it is so" || len(found) != 3 {
		t.Errorf("%+v", found)
	}
}
