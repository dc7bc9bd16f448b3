package report

import (
	"bytes"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
)

type jsonReport struct {
	Findings []jsonFinding `json:"findings"`
	Summary  jsonSummary   `json:"summary"`
}

type jsonFinding struct {
	Rule     string     `json:"rule"`
	Severity string     `json:"severity"`
	Status   string     `json:"status"`
	Message  string     `json:"message"`
	Fix      string     `json:"fix,omitempty"`
	Sites    []jsonSite `json:"sites"`
}

type jsonSite struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Note   string `json:"note"`
}

type jsonSummary struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Info    int `json:"info"`
	Rules   int `json:"rules"`
	Files   int `json:"files"`
}

func writeJSON(out *bytes.Buffer, findings []finding.Finding, s Summary) error {
	n := count(findings)
	r := jsonReport{
		Findings: make([]jsonFinding, 0, len(findings)),
		Summary:  jsonSummary{Error: n[finding.Error], Warning: n[finding.Warning], Info: n[finding.Info], Rules: s.Rules, Files: s.Files},
	}
	for _, f := range findings {
		j := jsonFinding{Rule: f.Rule, Severity: f.Severity.String(), Status: f.Status.String(), Message: f.Message, Fix: f.Fix, Sites: make([]jsonSite, 0, len(f.Sites))}
		for _, site := range f.Sites {
			j.Sites = append(j.Sites, jsonSite{File: site.File, Line: site.Line, Column: site.Col, Note: site.Note})
		}
		r.Findings = append(r.Findings, j)
	}
	return encode(out, r)
}

func encode(out *bytes.Buffer, v any) error {
	text, err := output.JSON(v, "  ")
	out.Write(text)
	return err
}
