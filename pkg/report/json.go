package report

import (
	"bytes"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
)

type jsonReport struct {
	Dir        string        `json:"dir,omitempty"` // that the files of a check lie in
	Findings   []jsonFinding `json:"findings"`
	Suppressed []jsonFinding `json:"suppressed"`
	Parts      []jsonPart    `json:"parts"`
	Blank      string        `json:"blank,omitempty"` // why nothing of Matrix was read
	Summary    jsonSummary   `json:"summary"`
}

type jsonFinding struct {
	Rule     string     `json:"rule"`
	Severity string     `json:"severity"`
	Status   string     `json:"status"`
	Message  string     `json:"message"`
	Fix      string     `json:"fix,omitempty"`
	Sites    []jsonSite `json:"sites"`
	// Edits together are the fix, where that is certain: the bytes of a file from start up to end become text.
	Edits []jsonEdit `json:"edits,omitempty"`

	Suppression *jsonSuppression `json:"suppression,omitempty"`
}

type jsonPart struct {
	Name  string   `json:"name"`
	Seen  string   `json:"seen"`
	Files []string `json:"files"`
	Why   string   `json:"why,omitempty"`
}

type jsonSuppression struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
	File   string `json:"file"`
	Line   int    `json:"line"`
}

type jsonSite struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Note   string `json:"note"`
}

type jsonEdit struct {
	File      string `json:"file"`
	Start     int    `json:"start"`
	End       int    `json:"end"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	EndColumn int    `json:"endColumn"`
	Text      string `json:"text"`
}

type jsonSummary struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Info    int `json:"info"`
	Rules   int `json:"rules"`
	Files   int `json:"files"`

	Suppressed int `json:"suppressed"`
	Hidden     int `json:"hidden"` // not asked for
}

func writeJSON(out *bytes.Buffer, findings []finding.Finding, s Summary) error {
	n := count(findings)
	r := jsonReport{
		Dir: s.Dir, Findings: jsonFindings(findings), Suppressed: jsonFindings(s.Suppressed), Parts: make([]jsonPart, 0, len(s.Parts)), Blank: s.Blank,
		Summary: jsonSummary{
			Error: n[finding.Error], Warning: n[finding.Warning], Info: n[finding.Info], Rules: s.Rules, Files: s.Files,
			Suppressed: len(s.Suppressed), Hidden: s.Hidden[finding.Error] + s.Hidden[finding.Warning] + s.Hidden[finding.Info],
		},
	}
	for _, p := range s.Parts {
		r.Parts = append(r.Parts, jsonPart{Name: p.Name, Seen: p.Seen.String(), Files: append([]string{}, p.From...), Why: p.Why})
	}
	return encode(out, r)
}

func jsonFindings(findings []finding.Finding) []jsonFinding {
	all := make([]jsonFinding, 0, len(findings))
	for _, f := range findings {
		j := jsonFinding{Rule: f.Rule, Severity: f.Severity.String(), Status: f.Status.String(), Message: f.Message, Fix: f.Fix, Sites: make([]jsonSite, 0, len(f.Sites))}
		for _, site := range f.Sites {
			j.Sites = append(j.Sites, jsonSite{File: site.File, Line: site.Line, Column: site.Col, Note: site.Note})
		}
		for _, e := range f.Mends() {
			j.Edits = append(j.Edits, jsonEdit{
				File: e.File, Start: e.Start, End: e.End, Line: e.From.Line, Column: e.From.Col, EndLine: e.To.Line, EndColumn: e.To.Col, Text: e.Text,
			})
		}
		if a := f.Suppression; a != nil {
			j.Suppression = &jsonSuppression{By: a.By.String(), Reason: a.Reason, File: a.At.File, Line: a.At.Line}
		}
		all = append(all, j)
	}
	return all
}

func encode(out *bytes.Buffer, v any) error {
	text, err := output.JSON(v, "  ")
	out.Write(text)
	return err
}
