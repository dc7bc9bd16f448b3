package report

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func decodeSARIF(t *testing.T, findings []finding.Finding, o Options) *sarif.Run {
	t.Helper()
	o.Format = SARIF
	r, err := sarif.FromString(render(t, findings, Summary{}, o), sarif.WithStrictValidation())
	if err != nil {
		t.Fatal(err)
	}
	// The library carries the schema of SARIF 2.1.0.
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	if r.Version != "2.1.0" || len(r.Runs) != 1 {
		t.Fatalf("version %q with %d runs", r.Version, len(r.Runs))
	}
	return r.Runs[0]
}

func TestSARIFRules(t *testing.T) {
	run := decodeSARIF(t, sample(), Options{Rules: rules(), RuleURL: func(id string) string { return "https://example.org/#" + id }})
	if *run.ColumnKind != "unicodeCodePoints" || *run.Tool.Driver.Name != "stackgen" {
		t.Errorf("columnKind %q, tool %q", *run.ColumnKind, *run.Tool.Driver.Name)
	}
	first := run.Tool.Driver.Rules[0]
	if *first.ID != "unbroken" || *first.HelpURI != "https://example.org/#unbroken" || *first.ShortDescription.Text != "A rule that held" || first.DefaultConfiguration.Level != "error" {
		t.Errorf("the first rule is %+v", first)
	}
	for _, r := range run.Results {
		if got := *run.Tool.Driver.Rules[r.RuleIndex].ID; got != *r.RuleID {
			t.Errorf("the rule at the index of %s is %s", *r.RuleID, got)
		}
	}
}

func TestSARIFPlaces(t *testing.T) {
	run := decodeSARIF(t, sample(), Options{})
	r := run.Results[0]
	if len(r.Locations) != 1 || len(r.RelatedLocations) != 3 {
		t.Fatalf("%d locations and %d related ones; want 1 and 3", len(r.Locations), len(r.RelatedLocations))
	}
	if p := r.Locations[0].PhysicalLocation; *p.ArtifactLocation.URI != "config/matrix/signal.yaml" || *p.Region.StartLine != 12 || *p.Region.StartColumn != 1 {
		t.Errorf("the location is %+v", p)
	}
	for _, l := range r.RelatedLocations {
		if l.Message == nil || *l.Message.Text == "" {
			t.Errorf("a related location without a message: %+v", l)
		}
	}
	if r.RelatedLocations[2].PhysicalLocation.Region != nil {
		t.Error("a place without a line has a region")
	}
	if len(run.Results[3].Locations) != 0 {
		t.Error("a finding without a place has one")
	}
}

func TestSARIFFixes(t *testing.T) {
	run := decodeSARIF(t, sample(), Options{})
	r := run.Results[0]
	if len(r.Fixes) != 1 || len(r.Fixes[0].ArtifactChanges) != 1 || len(run.Results[1].Fixes) != 0 {
		t.Fatalf("fixes: %+v, %+v", r.Fixes, run.Results[1].Fixes)
	}
	change := r.Fixes[0].ArtifactChanges[0]
	if *change.ArtifactLocation.URI != "config/matrix/signal.yaml" || *r.Fixes[0].Description.Text != "io.element.msc4190: true" {
		t.Errorf("%+v", change)
	}
	// Whoever goes by lines and columns gets what the bytes give.
	text := []rune(string(registration().Src))
	at := func(line, column *int) int {
		i := 0
		for n := 1; n < *line; i++ {
			if text[i] == '\n' {
				n++
			}
		}
		return i + *column - 1
	}
	var now []rune
	from := 0
	for _, c := range change.Replacements {
		start, end := at(c.DeletedRegion.StartLine, c.DeletedRegion.StartColumn), at(c.DeletedRegion.EndLine, c.DeletedRegion.EndColumn)
		now = append(append(now, text[from:start]...), []rune(*c.InsertedContent.Text)...)
		from = end
	}
	want, err := source.Apply(registration().Src, mending())
	if got := string(append(now, text[from:]...)); err != nil || got != string(want) {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
}

func TestFileURI(t *testing.T) {
	for path, want := range map[string]string{
		"config/mas/config.yaml": "config/mas/config.yaml",
		"a b/c#d?e%f.yaml":       "a%20b/c%23d%3Fe%25f.yaml",
		"C:x/y.yaml":             "./C:x/y.yaml",
		"../up.yaml":             "../up.yaml",
		"/srv/my stack/x.yaml":   "file:///srv/my%20stack/x.yaml",
		"//host/x":               "file:////host/x",
		"名前\n.yaml":              "%E5%90%8D%E5%89%8D%0A.yaml",
	} {
		if got := fileURI(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestFingerprints(t *testing.T) {
	at := func(line int, file, msg string) finding.Finding {
		return finding.Finding{Rule: "r", Message: msg, Sites: []source.Site{site(file, line, 1, "", "")}}
	}
	prints := func(fs ...finding.Finding) (out []string) {
		for _, r := range decodeSARIF(t, fs, Options{}).Results {
			out = append(out, r.PartialFingerprints[fingerprintKey])
		}
		return out
	}
	if diff := cmp.Diff(prints(at(1, "a", "m")), prints(at(99, "a", "m"))); diff != "" {
		t.Errorf("the fingerprint depends on the line:\n%s", diff)
	}
	seen := make(map[string]bool)
	for _, p := range prints(at(1, "a", "m"), at(2, "a", "m"), at(1, "b", "m"), at(1, "a", "n")) {
		if p == "" || seen[p] {
			t.Errorf("fingerprint %q is empty or not unique", p)
		}
		seen[p] = true
	}
}

func TestSARIFTextIsNoLink(t *testing.T) {
	out := render(t, []finding.Finding{{Rule: "r", Message: "[click](https://evil.example)", Fix: "[a](b)"}}, Summary{}, Options{Format: SARIF})
	if regexp.MustCompile(`\]\(`).MatchString(out) {
		t.Errorf("a link got through:\n%s", out)
	}
}

func TestJSONDecodes(t *testing.T) {
	var got struct {
		Suppressed []any
		Findings   []struct {
			Rule, Severity, Status, Message, Fix string
			Sites                                []struct {
				File, Note   string
				Line, Column int
			}
			Edits []struct {
				File, Text                                   string
				Start, End, Line, Column, EndLine, EndColumn int
			}
		}
		Parts   []struct{}
		Summary map[string]int
	}
	dec := json.NewDecoder(strings.NewReader(render(t, sample(), Summary{Rules: 88, Files: 25}, Options{Format: JSON})))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	for i, f := range sample() {
		g := got.Findings[i]
		for j, e := range f.Mends() {
			if got := g.Edits[j]; got.File != e.File || got.Text != e.Text || got.Start != e.Start || got.End != e.End || got.Line != e.From.Line || got.EndColumn != e.To.Col {
				t.Errorf("edit %d is %+v, want %+v", j, got, e)
			}
		}
		if g.Rule != f.Rule || g.Severity != f.Severity.String() || g.Status != f.Status.String() || g.Message != f.Message || g.Fix != f.Fix || len(g.Sites) != len(f.Sites) {
			t.Errorf("finding %d is %+v, want %+v", i, g, f)
		}
	}
	want := map[string]int{"error": 3, "warning": 1, "info": 2, "rules": 88, "files": 25, "suppressed": 0, "hidden": 0}
	if diff := cmp.Diff(want, got.Summary); diff != "" {
		t.Error(diff)
	}
}
