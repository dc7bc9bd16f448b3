package report

import (
	"fmt"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// maxSnippet is the number of characters of a source line that are shown: some files are one long line.
const maxSnippet = 160

// siteLines shows every place of a finding: gutter, source line, caret and note. A place in another file
// than the one before is led in by its position.
func siteLines(p Palette, f finding.Finding) []string {
	digits := 2
	for _, s := range f.Sites {
		digits = max(digits, len(strconv.Itoa(s.Line)))
	}
	blank := strings.Repeat(" ", digits+3)
	var lines []string
	for i, s := range f.Sites {
		if i > 0 && (s.Text() == "" || s.File != f.Sites[i-1].File) {
			lines = append(lines, p.dim(blank[:digits]+" --> ")+p.Bold(Clean(s.String())))
		}
		note := Clean(s.Note)
		if s.Text() == "" {
			if note != "" {
				lines = append(lines, p.dim(blank+"= ")+note)
			}
			continue
		}
		text, indent := excerpt(s)
		lines = append(lines, p.dim(fmt.Sprintf("%*d | ", digits+2, s.Line))+text)
		if s.Col > 0 {
			mark := p.mark(f.Severity, "^")
			lines = append(lines, strings.TrimRight(p.dim(blank+"| ")+indent+mark+" "+note, " "))
		} else if note != "" {
			lines = append(lines, p.dim(blank+"= ")+note)
		}
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
	lead := before + Clean(string(runes[:col]))
	return before + Clean(string(runes)) + after, strings.Repeat(" ", width(lead))
}
