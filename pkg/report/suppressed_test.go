package report

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func suppressed() Summary {
	of := func(by finding.Answer, file, reason string) finding.Finding {
		return finding.Finding{
			Rule: "r", Severity: finding.Error, Message: "it is so", Sites: []source.Site{site("compose.yaml", 3, 1, "x", "")},
			Suppression: &finding.Suppression{By: by, Reason: reason, At: source.Pos{File: file, Line: 2, Col: 1}},
		}
	}
	return Summary{Rules: 2, Files: 3, Hidden: [3]int{1, 2, 0}, HiddenBy: []string{"--severity"}, Suppressed: []finding.Finding{
		of(finding.Entry, ".stackgen.yaml", "of the entry"), of(finding.Comment, "compose.yaml", "of the comment"), of(finding.Comment, "compose.yaml", "of another"), of(finding.Baseline, "old.json", "had it"),
	}}
}

// What is not shown is counted in every format that people read, and is not quoted there.
func TestSuppressedIsCounted(t *testing.T) {
	for _, format := range []Format{Text, GitHub, Markdown} {
		out := render(t, nil, suppressed(), Options{Format: format})
		for _, want := range []string{"4 suppressed (.stackgen.yaml 1, comments 2, baseline 1)", "not shown: 2 warnings, 1 info (--severity)", "no other findings"} {
			if !strings.Contains(strings.ReplaceAll(out, `\`, ""), want) {
				t.Errorf("%s does not say %q:\n%s", format, want, out)
			}
		}
		if strings.Contains(out, "held") || strings.Contains(out, "it is so") {
			t.Errorf("%s says that all is well, or shows what is suppressed:\n%s", format, out)
		}
	}
}

func TestSuppressedJSON(t *testing.T) {
	var got jsonReport
	if err := json.Unmarshal([]byte(render(t, nil, suppressed(), Options{Format: JSON})), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != 0 || len(got.Suppressed) != 4 || got.Summary.Suppressed != 4 || got.Summary.Hidden != 3 || got.Summary.Error != 0 {
		t.Fatalf("the report is %+v", got)
	}
	if s := got.Suppressed[1].Suppression; *s != (jsonSuppression{"comment", "of the comment", "compose.yaml", 2}) {
		t.Errorf("the suppression is %+v", s)
	}
}

func TestSuppressedSARIF(t *testing.T) {
	r, err := sarif.FromString(render(t, sample(), suppressed(), Options{Format: SARIF}), sarif.WithStrictValidation())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	results := r.Runs[0].Results
	for i, want := range []string{"external", "inSource", "inSource", "external"} {
		s := results[len(sample())+i].Suppressions
		if len(s) != 1 || *s[0].Kind != want || *s[0].Justification != suppressed().Suppressed[i].Suppression.Reason {
			t.Errorf("suppression %d is %+v", i, s)
		}
	}
	for _, r := range results[:len(sample())] {
		if len(r.Suppressions) != 0 {
			t.Errorf("%s is suppressed", *r.RuleID)
		}
	}
}

func TestSuppressedHostile(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		s := Summary{Suppressed: hostileFindings(r)}
		for i := range s.Suppressed {
			s.Suppressed[i].Suppression = &finding.Suppression{By: finding.Answer(r.IntN(3)), Reason: hostile(r), At: source.Pos{File: hostile(r)}}
		}
		for _, format := range []Format{Text, JSON, SARIF, GitHub, Markdown} {
			checkPrintable(t, render(t, nil, s, Options{Format: format}))
		}
	}
}
