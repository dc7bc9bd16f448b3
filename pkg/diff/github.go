package diff

import (
	"bytes"
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/report"
	"philipp.info/stackgen/pkg/source"
)

// writeGitHub says what a reviewer must not miss as annotations of the spec: one for each irreversible
// change, and one for all of a kind of the rest, as GitHub shows only ten of each severity.
func (d *Diff) writeGitHub(out *bytes.Buffer) {
	pos := source.Pos{File: d.Spec}
	say := func(sev finding.Severity, title string, lines ...string) {
		for i := range lines {
			lines[i] = output.Clean(lines[i])
		}
		if len(lines) > 0 {
			fmt.Fprintln(out, report.Annotation(sev, pos, title, strings.Join(lines, "\n")))
		}
	}
	for _, l := range d.Irreversible {
		say(finding.Error, "irreversible", l.text(), l.Breaks)
	}
	var services, hand []string
	for _, s := range d.Services {
		line := s.Name + " " + string(s.Action)
		if len(s.Why) > 0 {
			line += ": " + strings.Join(s.Why, "; ")
		}
		if n := s.notices(); n != "" {
			line += " (" + n + ")"
		}
		services = append(services, line)
	}
	for _, f := range d.Files {
		if f.Hand != "" {
			hand = append(hand, f.Path+": "+f.about())
		}
	}
	say(finding.Warning, "suppressed by this change", d.Silenced...)
	say(finding.Warning, "files", hand...)
	say(finding.Warning, "secrets", d.secretLines()...)
	say(finding.Warning, "next, after the render", Numbered(d.next())...)
	say(finding.Info, "services", services...)
	say(finding.Info, "databases to be created", d.Databases...)
	say(finding.Info, "compared", d.Notes...)
	if d.Blind {
		say(finding.Warning, "not compared", "what cannot be undone is not known: there is nothing to compare with")
	}
	fmt.Fprintln(out, output.Clean(d.title())+": "+d.headline())
}
