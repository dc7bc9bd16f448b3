package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/muesli/termenv"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
)

func writeText(out *bytes.Buffer, findings []finding.Finding, s Summary, o Options) {
	p := output.PaletteFor(o.Color)
	found, unchecked := split(findings)
	if s.Blank != "" {
		wrapped(out, o.Width, "  ", p.Color(blankLine(s), termenv.ANSIYellow))
		fmt.Fprintln(out)
	}
	for _, f := range found {
		wrapped(out, o.Width, "  ", firstLine(p, f))
		for _, line := range siteLines(p, f, o.Width) {
			fmt.Fprintln(out, line)
		}
		for _, line := range fixLines(f, o.Width-2) {
			fmt.Fprintln(out, p.Color("  "+line, termenv.ANSIGreen))
		}
		fmt.Fprintln(out)
	}
	if o.Verbose && len(unchecked) > 0 {
		for _, f := range unchecked {
			wrapped(out, o.Width, "  ", firstLine(p, f))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, headline(findings, s, o))
	if !o.Verbose {
		for _, line := range uncheckedLines(unchecked) {
			wrapped(out, o.Width, "      ", line)
		}
	}
	for _, line := range notShown(s) {
		wrapped(out, o.Width, "  ", line)
	}
	if len(s.Parts) > 0 {
		fmt.Fprintln(out)
	}
	for _, line := range partLines(s.Parts) {
		wrapped(out, o.Width, "      ", line)
	}
}

// wrapped writes a line, and what does not fit into the width below it.
func wrapped(out *bytes.Buffer, width int, indent, line string) {
	lead := line[:len(line)-len(strings.TrimLeft(line, " "))]
	line = line[len(lead):]
	for i, part := range output.Wrap(line, max(width-len(indent), 0)) {
		if i == 0 {
			fmt.Fprintln(out, lead+part)
		} else {
			fmt.Fprintln(out, indent+output.NotCommand(part))
		}
	}
}

// maxUnchecked is how many reasons the text gives for what was not checked.
const maxUnchecked = 5

// uncheckedLines says what was not checked and why, a reason that several rules share once.
func uncheckedLines(unchecked []finding.Finding) []string {
	var order []string
	rules := make(map[string][]string)
	whys := make(map[string]int)
	for _, f := range unchecked {
		whys[absent(f.Message)]++
	}
	for _, f := range unchecked {
		message := f.Message
		if why := absent(message); why != "" && whys[why] > 1 {
			message = "not checked, because " + why
		}
		if rules[message] == nil {
			order = append(order, message)
		}
		if !slices.Contains(rules[message], f.Rule) {
			rules[message] = append(rules[message], f.Rule)
		}
	}
	var lines []string
	for i, message := range order {
		if i == maxUnchecked {
			lines = append(lines, "  and "+output.Plural(len(order)-i, "reason")+" more: --format json names all")
			break
		}
		lines = append(lines, "  "+output.Clean(strings.Join(rules[message], ", "))+": "+output.Clean(message))
	}
	return lines
}

// absent is the part of a reason that names an object which is not among the manifests: all that would stand in it is missed for that
// one cause. "" where it is another reason.
func absent(message string) string {
	if _, why, found := strings.Cut(message, " cannot be seen: "); found && strings.HasSuffix(why, " is not among the manifests") {
		return why
	}
	return ""
}

// firstLine is what problem matchers of editors and CI systems read: file:line:col: severity: message [rule].
func firstLine(p output.Palette, f finding.Finding) string {
	line := ""
	if pos := position(f.Pos()); pos != "" {
		line = p.Bold(output.Clean(pos)+":") + " "
	}
	return line + mark(p, f.Severity, f.Severity.String()) + ": " + output.Clean(f.Message) + " " + p.Dim("["+output.Clean(f.Rule)+"]")
}

// mark colours s as belonging to a finding of the severity.
func mark(p output.Palette, sev finding.Severity, s string) string {
	return p.Color(s, map[finding.Severity]termenv.ANSIColor{
		finding.Error: termenv.ANSIRed, finding.Warning: termenv.ANSIYellow, finding.Info: termenv.ANSICyan,
	}[sev])
}

// fixLines puts a fix of several lines below its word, so that it can be copied with its indentation. One line is
// wrapped, unless it is a command.
func fixLines(f finding.Finding, width int) []string {
	if strings.TrimSpace(f.Fix) == "" {
		return nil
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(f.Fix, "\r\n", "\n"), "\n"), "\n")
	if len(lines) == 1 {
		fix := output.Clean(lines[0])
		if output.IsCommand(fix) {
			width = 0
		}
		return output.Hang("fix: "+fix, width)
	}
	for i, l := range lines {
		lines[i] = "  " + output.NotCommand(output.Clean(l))
	}
	return append([]string{"fix:"}, lines...)
}
