package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/muesli/termenv"

	"philipp.info/stackgen/pkg/output"
)

// style is the colours of what the commands say.
type style struct{ output.Palette }

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

func indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }

// clean gives each line as output.Clean does.
func clean(lines []string) []string {
	cleaned := make([]string, len(lines))
	for i, line := range lines {
		cleaned[i] = output.Clean(line)
	}
	return cleaned
}
