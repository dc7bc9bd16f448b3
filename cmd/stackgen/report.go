package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/report"
)

// report prints findings as the product of a command.
func (a *app) report(w io.Writer, format string, f found) error {
	text, err := a.findings(w, format, f)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

func (a *app) findings(w io.Writer, format string, f found) (string, error) {
	var b bytes.Buffer
	s := report.Summary{Rules: len(check.Rules), Files: f.files, Dir: f.dir, Parts: f.parts, Blank: f.blank, Suppressed: finding.Sort(f.suppressed), Hidden: f.hidden, HiddenBy: f.hiddenBy}
	if f.files == 0 {
		s.Rules = 0
	}
	err := report.Write(&b, finding.Sort(f.findings), s, report.Options{
		Format: report.Format(format), Color: a.colored(w), Rules: ruleInfos(), RuleURL: ruleURL, Width: a.width(w), Command: a.command,
	})
	return b.String(), err
}

// foundJSON is the findings as they stand in the JSON report.
type foundJSON struct{ Findings, Suppressed json.RawMessage }

func (a *app) foundJSON(f found) (doc foundJSON, err error) {
	text, err := a.findings(io.Discard, "json", f)
	if err != nil {
		return doc, err
	}
	err = json.Unmarshal([]byte(text), &doc)
	return doc, err
}

// width is the number of columns of the terminal that w is; 0 for what is none.
func (a *app) width(w io.Writer) int {
	if out, ok := w.(*output.Writer); ok {
		return out.Width(os.LookupEnv)
	}
	return 0
}

func (a *app) colored(w io.Writer) bool { return output.ColorFor(w, a.color, os.LookupEnv) }

// rulesURL is where RULES.md is published, below the address of the module.
const rulesURL = "https://philipp.info/stackgen/RULES.md"

// ruleURL is the anchor of a rule in RULES.md; "" for what is no rule, such as a file that is not YAML.
func ruleURL(id string) string {
	if _, ok := check.Find(id); !ok {
		return ""
	}
	return rulesURL + "#" + id
}

func ruleInfos() []report.RuleInfo {
	infos := make([]report.RuleInfo, 0, len(check.Rules))
	for _, r := range check.Rules {
		infos = append(infos, report.RuleInfo{ID: r.ID, Severity: r.Severity, Summary: r.Summary, Why: r.Why, Fix: r.Fix})
	}
	return infos
}
