package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// fingerprintKey names how the fingerprints are made; a new way needs a new name.
const fingerprintKey = "stackgenFinding/v1"

func writeSARIF(out *bytes.Buffer, findings []finding.Finding, s Summary, o Options) error {
	findings = slices.Concat(findings, s.Suppressed)
	driver := sarif.NewToolComponent().WithName("stackgen")
	index := make(map[string]int)
	for _, r := range rulesOf(findings, o.Rules) {
		index[r.ID] = len(driver.Rules)
		driver.AddRule(sarifRule(r, o.RuleURL))
	}
	run := sarif.NewRun().WithTool(sarif.NewTool().WithDriver(driver)).WithColumnKind("unicodeCodePoints")
	seen := make(map[string]int)
	for _, f := range findings {
		print := fingerprint(f)
		seen[print]++
		// The same fact at two places of a file is two findings.
		if n := seen[print]; n > 1 {
			print = fmt.Sprintf("%s:%d", print, n)
		}
		run.AddResult(sarifResult(f).WithRuleIndex(index[f.Rule]).WithPartialFingerprints(map[string]string{fingerprintKey: print}))
	}
	if invocation := invocationOf(s); len(invocation.ToolExecutionNotifications) > 0 {
		run.AddInvocation(invocation)
	}
	return encode(out, sarif.NewReport().AddRun(run))
}

// rulesOf adds to the rules that were run the names under which findings came from elsewhere, such as yaml.
func rulesOf(findings []finding.Finding, rules []RuleInfo) []RuleInfo {
	known := make(map[string]bool)
	var out []RuleInfo
	add := func(r RuleInfo) {
		if !known[r.ID] {
			known[r.ID] = true
			out = append(out, r)
		}
	}
	for _, r := range rules {
		add(r)
	}
	for _, f := range findings {
		add(RuleInfo{ID: f.Rule, Severity: f.Severity})
	}
	return out
}

func sarifRule(r RuleInfo, ruleURL func(string) string) *sarif.ReportingDescriptor {
	text := func(s string) *sarif.MultiformatMessageString {
		return sarif.NewMultiformatMessageString().WithText(sarifText(s))
	}
	d := sarif.NewReportingDescriptor().WithID(r.ID)
	d.WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(level(r.Severity)))
	if r.Summary != "" {
		d.WithShortDescription(text(r.Summary))
	}
	if r.Why != "" {
		d.WithFullDescription(text(r.Why))
	}
	if r.Fix != "" {
		d.WithHelp(text("fix: " + r.Fix))
	}
	if ruleURL != nil {
		if u := ruleURL(r.ID); u != "" {
			d.WithHelpURI(u)
		}
	}
	return d
}

func sarifResult(f finding.Finding) *sarif.Result {
	text := f.Message
	if f.Fix != "" {
		text += "\n\nfix: " + f.Fix
	}
	r := sarif.NewResult().WithRuleID(f.Rule).WithLevel(level(f.Severity)).WithMessage(sarif.NewMessage().WithText(sarifText(text)))
	for i, s := range f.Sites {
		if s.File == "" {
			continue
		}
		loc := sarif.NewLocation().WithPhysicalLocation(physical(s.Pos))
		if i == 0 {
			if s.Note != "" {
				loc.WithMessage(sarif.NewMessage().WithText(sarifText(s.Note)))
			}
			r.AddLocation(loc)
			continue
		}
		note := s.Note
		if note == "" {
			note = "this place takes part"
		}
		r.AddRelatedLocation(loc.WithID(i).WithMessage(sarif.NewMessage().WithText(sarifText(note))))
	}
	if a := f.Suppression; a != nil {
		kind := "external"
		if a.By == finding.Comment {
			kind = "inSource"
		}
		said := sarif.NewSuppression().WithKind(kind).WithJustification(sarifText(a.Reason))
		if a.At.File != "" {
			said.WithLocation(sarif.NewLocation().WithPhysicalLocation(physical(a.At)))
		}
		r.AddSuppression(said)
	}
	if fix := sarifFix(f); fix != nil {
		r.WithFixes([]*sarif.Fix{fix})
	}
	return r
}

// sarifFix is the fix of a finding where that is certain; nil where it is not.
func sarifFix(f finding.Finding) *sarif.Fix {
	changes := make(map[string]*sarif.ArtifactChange)
	fix := sarif.NewFix().WithDescription(sarif.NewMessage().WithText(sarifText(f.Fix)))
	for _, e := range f.Mends() {
		change := changes[e.File]
		if change == nil {
			change = sarif.NewArtifactChange().WithArtifactLocation(sarif.NewArtifactLocation().WithURI(fileURI(e.File)))
			changes[e.File] = change
			fix.AddArtifactChange(change)
		}
		region := sarif.NewRegion().WithStartLine(e.From.Line).WithStartColumn(e.From.Col).WithEndLine(e.To.Line).WithEndColumn(e.To.Col)
		change.AddReplacement(sarif.NewReplacement().WithDeletedRegion(region).WithInsertedContent(sarif.NewArtifactContent().WithText(e.Text)))
	}
	if len(changes) == 0 {
		return nil
	}
	return fix
}

func physical(p source.Pos) *sarif.PhysicalLocation {
	loc := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewArtifactLocation().WithURI(fileURI(p.File)))
	if p.Line > 0 {
		region := sarif.NewRegion().WithStartLine(p.Line)
		if p.Col > 0 {
			region.WithStartColumn(p.Col)
		}
		loc.WithRegion(region)
	}
	return loc
}

// fileURI is the path as a relative reference; an absolute path needs its scheme.
func fileURI(file string) string {
	if strings.HasPrefix(file, "/") {
		return (&url.URL{Scheme: "file", Path: file}).String()
	}
	return (&url.URL{Path: file}).String()
}

func level(s finding.Severity) string {
	return map[finding.Severity]string{finding.Error: "error", finding.Warning: "warning", finding.Info: "note"}[s]
}

// sarifText keeps a text from being read as a link: [text](target) is one even in plain text.
func sarifText(s string) string { return strings.ReplaceAll(s, "](", "] (") }

// fingerprint is the same as long as the finding is, wherever in the file it moves.
func fingerprint(f finding.Finding) string {
	sum := sha256.Sum256([]byte(f.Rule + "\x00" + f.Pos().File + "\x00" + f.Message))
	return hex.EncodeToString(sum[:16])
}
