// Package output is the one way to stdout and stderr: whatever stands in a text, it cannot steer the
// terminal, give commands to a CI runner, or become a link in Markdown.
package output

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// Writer lets printable text, line breaks, tabs and the colours of a Palette through, and spells out all
// else. It is the last guard: who writes data cleans it first, for here a line break is one.
type Writer struct {
	w     io.Writer
	talk  bool
	began bool // what is written next stands within a line
}

// Product is the Writer for what a command is asked for. The workflow commands of --format github are
// a product too, and pass.
func Product(w io.Writer) *Writer { return &Writer{w: w} }

// Talk is the Writer for what is said beside the product: none of its lines is a workflow command.
func Talk(w io.Writer) *Writer { return &Writer{w: w, talk: true} }

// Write writes the text without what is not fit to be printed. It has to hold whole characters.
func (w *Writer) Write(text []byte) (int, error) {
	lines := strings.SplitAfter(string(text), "\n")
	for i, line := range lines {
		line = guard(line)
		if w.began = w.began && i == 0; w.talk && !w.began {
			lead := paintedLead(line)
			body := NotCommand(line[len(lead):])
			if strings.TrimLeft(body, blanks) == ":" { // the next one may come with the next text
				body = strings.Replace(body, ":", `\x3a`, 1)
			}
			line, w.began = lead+body, strings.Trim(body, blanks) != ""
		}
		lines[i] = line
	}
	if _, err := io.WriteString(w.w, strings.Join(lines, "")); err != nil {
		return 0, err
	}
	return len(text), nil
}

// guard cleans what stands between the colours.
func guard(line string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(line, "\x1b[")
		b.WriteString(clean(before, "\n\t"))
		if !found {
			return b.String()
		}
		code, rest, ok := strings.Cut(after, "m")
		if n, err := strconv.Atoi(code); ok && err == nil && len(code) < 3 && paints[n] {
			b.WriteString("\x1b[" + code + "m")
			line = rest
		} else {
			b.WriteString(`\x1b[`)
			line = after
		}
	}
}

// paintedLead is what stands before the first character of a line that takes room and is no blank.
func paintedLead(line string) string {
	at := 0
	for {
		rest := strings.TrimLeft(line[at:], blanks)
		end := strings.IndexByte(rest, 'm')
		if !strings.HasPrefix(rest, "\x1b[") || end < 0 {
			return line[:at]
		}
		at = len(line) - len(rest) + end + 1
	}
}

// paints are the codes that a Palette uses: off, bold, dim, and the colours of the terminal. The one for
// hidden text is not among them.
var paints = func() (ok [108]bool) {
	ok[0], ok[1], ok[2] = true, true, true
	for n := 30; n <= 37; n++ {
		ok[n], ok[n+60] = true, true
	}
	return ok
}()

// Line is Sprintf for one line: a line break within it is spelled out.
func Line(format string, args ...any) string { return Clean(fmt.Sprintf(format, args...)) }

// Terminal reports whether what is written ends at a terminal.
func (w *Writer) Terminal() bool {
	f, ok := w.w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Progress shows a line that the next one replaces, "" to take it away; only at a terminal.
func (w *Writer) Progress(text string) {
	if w.Terminal() {
		fmt.Fprint(w.w, "\r\x1b[K"+Clean(text))
	}
}

// Width is the number of columns to which text is wrapped: $COLUMNS, else the terminal's own, else 100. 0,
// and nothing is wrapped, where no terminal is: programs read lines whole.
func (w *Writer) Width(getenv func(string) (string, bool)) int {
	if !w.Terminal() {
		return 0
	}
	if text, ok := getenv("COLUMNS"); ok {
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return n
		}
	}
	n, _, err := term.GetSize(int(w.w.(*os.File).Fd()))
	if err != nil {
		n = 0
	}
	return cmp.Or(n, 100)
}

// NoBreak in a text that is wrapped comes out as a space.
const NoBreak = "\u00a0"

// Wrap breaks text at spaces into lines of at most width columns; a word that is longer has a line of its
// own, and so has what stands between backquotes, for it is to be copied. Colours take no room. A width
// below 1 leaves the text on one line.
func Wrap(text string, width int) []string {
	if width < 1 {
		return []string{strings.ReplaceAll(text, NoBreak, " ")}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsFuncSeq(whole(text), func(r rune) bool { return r == ' ' }) {
		word = strings.ReplaceAll(word, NoBreak, " ")
		if line != "" && Width(line)+1+Width(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// whole makes one word of what stands between two backquotes.
func whole(text string) string {
	parts := strings.Split(text, "`")
	for i := 1; i+1 < len(parts); i += 2 {
		parts[i] = strings.ReplaceAll(parts[i], " ", NoBreak)
	}
	return strings.Join(parts, "`")
}

// IsCommand reports whether the line is for a shell. It is never wrapped, so that it can be copied.
func IsCommand(line string) bool {
	first, _, _ := strings.Cut(line, " ")
	return slices.Contains([]string{"sudo", "docker", "cd", "stackgen", "chown", "chmod"}, first)
}

// minHang is the least number of columns for what hangs below a column of its own.
const minHang = 24

// Hang is Wrap for a line of columns that two blanks part: what does not fit goes on below the last column,
// or two blanks further in than the line where a word has no room there.
func Hang(line string, width int) []string {
	if width < 1 || Width(line) <= width {
		return Wrap(line, 0)
	}
	lead := line[:len(line)-len(strings.TrimLeft(line, " "))]
	below := lead + "  "
	if i := strings.LastIndex(line, "  "); i >= len(lead) {
		column := Width(line[:i+2])
		if room := width - column; room >= minHang && longest(line[i+2:]) <= room {
			lead, below = line[:i+2], strings.Repeat(" ", column)
		}
	}
	parts := Wrap(line[len(lead):], max(width-Width(below), minHang))
	for i := range parts {
		if i == 0 {
			parts[i] = lead + parts[i]
		} else {
			parts[i] = below + parts[i]
		}
	}
	return parts
}

// longest is the number of columns of the longest word.
func longest(text string) int {
	n := 0
	for word := range strings.FieldsSeq(whole(text)) {
		n = max(n, Width(word))
	}
	return n
}
