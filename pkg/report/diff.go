package report

import (
	"github.com/muesli/termenv"

	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/source"
)

// Diff gives the lines of a unified diff of what edits do, without a secret.
func Diff(p output.Palette, edits []source.Edit) []string {
	var lines []string
	for _, patch := range source.Diff(edits) {
		name := output.Clean(patch.File)
		lines = append(lines, p.Bold("--- "+name), p.Bold("+++ "+name))
		for _, h := range patch.Hunks {
			lines = append(lines, p.Dim(h.Header()))
			for _, line := range h.Lines {
				text := output.Clean(line)
				switch line[0] {
				case '-':
					text = p.Color(text, termenv.ANSIRed)
				case '+':
					text = p.Color(text, termenv.ANSIGreen)
				}
				lines = append(lines, text)
			}
		}
	}
	return lines
}
