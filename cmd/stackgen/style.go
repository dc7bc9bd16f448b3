package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/muesli/termenv"

	"philipp.info/stackgen/pkg/output"
)

// style is the colours of what the commands say, and the columns to which it is wrapped; not at all when 0.
type style struct {
	output.Palette
	width int
}

// style is how text to w looks.
func (a *app) style(w io.Writer) style {
	return style{output.PaletteFor(a.colored(w)), a.width(w)}
}

func (s style) green(text string) string  { return s.Color(text, termenv.ANSIGreen) }
func (s style) yellow(text string) string { return s.Color(text, termenv.ANSIYellow) }
func (s style) red(text string) string    { return s.Color(text, termenv.ANSIRed) }

// section writes lines below each other, with the title before the first. What does not fit into the width
// goes on below; a command does not, so that it can be copied.
func (s style) section(w io.Writer, title string, lines ...string) {
	head := s.Bold(fmt.Sprintf("%-8s", title))
	for _, line := range lines {
		width := s.width - 12
		if s.width == 0 || output.IsCommand(line) {
			width = 0
		}
		for _, part := range output.Hang(line, width) {
			fmt.Fprintf(w, "  %s  %s\n", head, part)
			head = fmt.Sprintf("%8s", "")
		}
	}
}

// readable is the width for prose: longer lines are hard to read. It is wrapped wherever it goes.
func readable(width int) int {
	if width < 1 {
		return 92
	}
	return min(width, 92)
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
