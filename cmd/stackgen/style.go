package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/muesli/termenv"

	"philipp.info/stackgen/pkg/report"
)

// style is the colours of what the commands say.
type style struct{ report.Palette }

func (s style) green(text string) string  { return s.Color(text, termenv.ANSIGreen) }
func (s style) yellow(text string) string { return s.Color(text, termenv.ANSIYellow) }
func (s style) red(text string) string    { return s.Color(text, termenv.ANSIRed) }

// section writes lines below each other, with the title before the first.
func (s style) section(w io.Writer, title string, lines ...string) {
	for i, line := range lines {
		head := s.Bold(fmt.Sprintf("%-8s", title))
		if i > 0 {
			head = fmt.Sprintf("%8s", "")
		}
		fmt.Fprintf(w, "  %s  %s\n", head, line)
	}
}

// wrap breaks text at spaces into lines of at most width; a no-break space comes out as a space.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		line := ""
		for word := range strings.FieldsFuncSeq(paragraph, func(r rune) bool { return r == ' ' }) {
			word = strings.ReplaceAll(word, noBreak, " ")
			if line != "" && len(line)+1+len(word) > width {
				lines, line = append(lines, line), ""
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		lines = append(lines, line)
	}
	return lines
}

// noBreak keeps a name and its number on one line.
const noBreak = "\u00a0"

func indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }
