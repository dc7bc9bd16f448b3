package report

import (
	"bytes"
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/finding"
)

func writeText(out *bytes.Buffer, findings []finding.Finding, s Summary, o Options) {
	p := PaletteFor(o.Color)
	found, unchecked := split(findings)
	for _, f := range found {
		fmt.Fprintln(out, firstLine(p, f))
		for _, line := range siteLines(p, f) {
			fmt.Fprintln(out, line)
		}
		for _, line := range fixLines(f) {
			fmt.Fprintln(out, p.fix("  "+line))
		}
		fmt.Fprintln(out)
	}
	if o.Verbose && len(unchecked) > 0 {
		for _, f := range unchecked {
			fmt.Fprintln(out, firstLine(p, f))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, headline(findings, s, o))
}

// firstLine is what problem matchers of editors and CI systems read: file:line:col: severity: message [rule].
func firstLine(p Palette, f finding.Finding) string {
	line := ""
	if pos := position(f.Pos()); pos != "" {
		line = p.Bold(Clean(pos)+":") + " "
	}
	return line + p.severity(f.Severity) + ": " + Clean(f.Message) + " " + p.dim("["+Clean(f.Rule)+"]")
}

// NotCommand is for what begins a line: a runner of GitHub takes :: there for a command, also after blanks.
func NotCommand(s string) string {
	if rest := strings.TrimLeft(s, " "); strings.HasPrefix(rest, "::") {
		return s[:len(s)-len(rest)] + `\x3a` + rest[1:]
	}
	return s
}

// fixLines puts a fix of several lines below its word, so that it can be copied with its indentation.
func fixLines(f finding.Finding) []string {
	if strings.TrimSpace(f.Fix) == "" {
		return nil
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(f.Fix, "\r\n", "\n"), "\n"), "\n")
	if len(lines) == 1 {
		return []string{"fix: " + Clean(lines[0])}
	}
	for i, l := range lines {
		lines[i] = "  " + NotCommand(Clean(l))
	}
	return append([]string{"fix:"}, lines...)
}
