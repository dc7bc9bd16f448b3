package report

import (
	"fmt"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/source"
)

// maxSnippet is the number of characters of a source line that are shown: some files are one long line.
const maxSnippet = 160

// siteLines shows every place of a finding: gutter, source line, caret and note. A place in another file
// than the one before is led in by its position.
func siteLines(p output.Palette, f finding.Finding, width int) []string {
	digits := 2
	for _, s := range f.Sites {
		digits = max(digits, len(strconv.Itoa(s.Line)))
	}
	blank := strings.Repeat(" ", digits+3)
	var lines []string
	for i, s := range f.Sites {
		if i > 0 && (s.Text() == "" || s.File != f.Sites[i-1].File) {
			lines = append(lines, p.Dim(blank[:digits]+" --> ")+p.Bold(output.Clean(s.String())))
		}
		note := output.Clean(s.Note)
		if s.Text() == "" {
			lines = append(lines, noteLines(p, blank, note, width)...)
			continue
		}
		text, indent := excerpt(s)
		lines = append(lines, p.Dim(fmt.Sprintf("%*d | ", digits+2, s.Line))+text)
		if s.Col > 0 {
			caret := mark(p, f.Severity, "^")
			line := strings.TrimRight(p.Dim(blank+"| ")+indent+caret+" "+note, " ")
			if width > 0 && output.Width(line) > width { // below the caret there is no room for the note
				line = p.Dim(blank+"| ") + indent + caret
				lines = append(append(lines, line), noteLines(p, blank, note, width)...)
				continue
			}
			lines = append(lines, line)
		} else {
			lines = append(lines, noteLines(p, blank, note, width)...)
		}
	}
	return lines
}

// noteLines is a note on lines of its own.
func noteLines(p output.Palette, blank, note string, width int) []string {
	if note == "" {
		return nil
	}
	lines := output.Wrap(note, max(width-len(blank)-2, 0))
	for i, line := range lines {
		lead := "= "
		if i > 0 {
			lead = "  "
		}
		lines[i] = p.Dim(blank+lead) + line
	}
	return lines
}

// excerpt is the source line and the blanks that bring a caret below its column.
func excerpt(s source.Site) (text, indent string) {
	runes := []rune(s.Text())
	col := min(max(s.Col-1, 0), len(runes))
	before, after := "", ""
	if from := col - maxSnippet/2; from > 0 && len(runes) > maxSnippet {
		runes, col, before = runes[from:], col-from, "…"
	}
	if len(runes) > maxSnippet {
		runes, after = runes[:maxSnippet], "…"
	}
	lead := before + output.Clean(string(runes[:col]))
	return before + output.Clean(string(runes)) + after, strings.Repeat(" ", output.Width(lead))
}
