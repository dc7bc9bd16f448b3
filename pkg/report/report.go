// Package report prints findings for people and for machines. Whatever text a finding carries, it cannot
// break out of its place in the output.
package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/source"
)

// Format names an output format.
type Format string

// The formats.
const (
	Text     Format = "text"     // for terminals, and for tools that read file:line:col
	JSON     Format = "json"     // the whole truth, for scripts
	SARIF    Format = "sarif"    // for code scanning services
	GitHub   Format = "github"   // workflow commands that annotate a pull request
	Markdown Format = "markdown" // for a comment or a job summary
)

// Formats are the names of the formats, the default first.
var Formats = []string{string(Text), string(JSON), string(SARIF), string(GitHub), string(Markdown)}

// Summary says what was run to get the findings.
type Summary struct {
	Rules int // how many rules
	Files int // on how many files
	// Parts are the programs of what was looked at, and how far each was read; Blank says why nothing of Matrix was.
	Parts []finding.Part
	Blank string
	// Dir is the directory that the places of the findings lie in, as the user calls it; "" where there is none.
	Dir string
	// Suppressed are the findings that somebody answered.
	Suppressed []finding.Finding
	// Hidden counts by severity what was not asked for, and is neither printed nor suppressed; HiddenBy are the options that say so.
	Hidden   [3]int
	HiddenBy []string
}

// RuleInfo describes a rule to those who read the report elsewhere.
type RuleInfo struct {
	ID       string
	Severity finding.Severity
	Summary  string
	Why      string
	Fix      string
}

// Options select what Write prints.
type Options struct {
	Format  Format                 // Text when empty
	Color   bool                   // see output.ColorFor; used by Text only
	RuleURL func(id string) string // where a rule is explained; may be nil, or give ""
	Rules   []RuleInfo             // all rules that were run, for SARIF
	Verbose bool                   // list what was not checked instead of counting it
	Width   int                    // columns to which Text is wrapped; not at all when 0
	Command string                 // what prints all that Markdown has no room for; stackgen check when empty
}

// Write prints findings in their order, and a summary. Nothing is written when the format is unknown.
// JSON and SARIF hold every finding whatever the options say.
func Write(w io.Writer, findings []finding.Finding, s Summary, o Options) error {
	var out bytes.Buffer
	switch o.Format {
	case Text, "":
		writeText(&out, findings, s, o)
	case JSON:
		if err := writeJSON(&out, findings, s); err != nil {
			return err
		}
	case SARIF:
		if err := writeSARIF(&out, findings, s, o); err != nil {
			return err
		}
	case GitHub:
		writeGitHub(&out, findings, s, o)
	case Markdown:
		writeMarkdown(&out, findings, s, o)
	default:
		return fmt.Errorf("unknown format %q; the formats are %s", o.Format, strings.Join(Formats, ", "))
	}
	_, err := w.Write(out.Bytes())
	return err
}

// split separates what was found from what was not checked.
func split(findings []finding.Finding) (found, unchecked []finding.Finding) {
	for _, f := range findings {
		if f.Status == finding.NotChecked {
			unchecked = append(unchecked, f)
		} else {
			found = append(found, f)
		}
	}
	return found, unchecked
}

func count(findings []finding.Finding) (n [3]int) {
	for _, f := range findings {
		n[f.Severity]++
	}
	return n
}

// headline sums the findings up in one line.
func headline(findings []finding.Finding, s Summary, o Options) string {
	found, unchecked := split(findings)
	line := "no findings in " + output.Plural(s.Files, "file")
	switch {
	case len(found) == 0 && len(notShown(s)) > 0:
		line = "no other findings in " + output.Plural(s.Files, "file")
	case len(found) > 0 && s.Files == 0: // what came before the rules stopped it
		line = counts(count(found)) + "; no rule was run"
	case len(found) > 0:
		line = counts(count(found)) + " in " + output.Plural(s.Files, "file")
	}
	if n := len(unchecked); n > 0 {
		line += fmt.Sprintf("; %d not checked", n)
		if text := o.Format == Text || o.Format == ""; !o.Verbose && !text {
			line += " (--format json says why)"
		}
	}
	return line
}

// counts words the number of findings of each severity, the gravest first.
func counts(n [3]int) string {
	var parts []string
	for sev := finding.Error; sev >= finding.Info; sev-- {
		switch {
		case n[sev] > 0 && sev == finding.Info:
			parts = append(parts, fmt.Sprintf("%d info", n[sev]))
		case n[sev] > 0:
			parts = append(parts, output.Plural(n[sev], sev.String()))
		}
	}
	return strings.Join(parts, ", ")
}

// notShown says what is not among the findings, a line for those that were answered and one for those that were not asked for.
func notShown(s Summary) []string {
	var lines []string
	if n := len(s.Suppressed); n > 0 {
		by := make(map[finding.Answer]int)
		for _, f := range s.Suppressed {
			by[f.Suppression.By]++
		}
		var parts []string
		for _, a := range []struct {
			by   finding.Answer
			name string
		}{{finding.Entry, ".stackgen.yaml"}, {finding.Comment, "comments"}, {finding.Baseline, "baseline"}} {
			if by[a.by] > 0 {
				parts = append(parts, fmt.Sprintf("%s %d", a.name, by[a.by]))
			}
		}
		lines = append(lines, fmt.Sprintf("%d suppressed (%s)", n, strings.Join(parts, ", ")))
	}
	if s.Hidden != [3]int{} {
		lines = append(lines, fmt.Sprintf("not shown: %s (%s)", counts(s.Hidden), strings.Join(s.HiddenBy, ", ")))
	}
	return lines
}

// position is p as file:line:col also when the finding is about the whole file: programs that match
// the first line of a finding want all three. "" when there is no file.
func position(p source.Pos) string {
	if p.File == "" {
		return ""
	}
	// What begins with a blank looks like a part of the finding above, and :: is a command to GitHub.
	if p.File[0] == ' ' || p.File[0] == ':' {
		p.File = "./" + p.File
	}
	p.Line, p.Col = max(p.Line, 1), max(p.Col, 1)
	return p.String()
}
