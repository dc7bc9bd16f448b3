package diff

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/muesli/termenv"

	"philipp.info/stackgen/pkg/output"
)

// paint is the colours of the text format.
type paint struct{ output.Palette }

func (p paint) action(a Action) string {
	colors := map[Action]termenv.ANSIColor{
		Added: termenv.ANSIGreen, Created: termenv.ANSIGreen, Removed: termenv.ANSIRed,
		Changed: termenv.ANSIYellow, Recreated: termenv.ANSIYellow, Kept: termenv.ANSIYellow,
	}
	return p.Color(fmt.Sprintf("%-9s", a), colors[a])
}

// screen is the text format under way.
type screen struct {
	*bytes.Buffer
	paint
}

// line writes a line. What comes from outside is cleaned by who calls.
func (s *screen) line(format string, args ...any) {
	fmt.Fprintln(s, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// section writes a title when there is something to write below it.
func (s *screen) section(title string, n int, color termenv.ANSIColor) {
	if n > 0 {
		s.line("\n%s", s.Bold(s.Color(title, color)))
	}
}

func (d *Diff) writeText(out *bytes.Buffer, p paint) {
	s := &screen{out, p}
	s.line("%s", s.Bold(output.Clean(d.title())))
	for _, n := range d.Notes {
		s.line("%s", output.Clean(n))
	}
	s.section("irreversible", len(d.Irreversible), termenv.ANSIRed)
	for _, l := range d.Irreversible {
		s.line("  %s", output.Clean(l.text()))
		s.line("    %s", output.Clean(l.Breaks))
	}
	s.services(d)
	for _, list := range []struct {
		title string
		lines []string
	}{{"databases to be created", d.Databases}, {"secrets", d.secretLines()}, {"by hand", d.Steps}} {
		s.section(list.title, len(list.lines), termenv.ANSIBrightWhite)
		for _, l := range list.lines {
			s.line("  %s", output.Clean(l))
		}
	}
	s.section("values", len(d.Values), termenv.ANSIBrightWhite)
	for i, v := range d.Values {
		if i == 0 || v.group() != d.Values[i-1].group() {
			s.line("  %s", s.Bold(output.Clean(v.group())))
		}
		s.line("    %s", output.Clean(v.text()))
	}
	s.files(d)
	s.line("\n%s", d.headline())
}

func (s *screen) services(d *Diff) {
	s.section("services: "+d.Command, len(d.Services), termenv.ANSIBrightWhite)
	width := 0
	for _, svc := range d.Services {
		width = max(width, len(svc.Name))
	}
	for _, svc := range d.Services {
		lines := slices.Clone(svc.Why)
		if n := svc.notices(); n != "" {
			lines = append(lines, n)
		}
		head := fmt.Sprintf("  %s  %-*s", s.action(svc.Action), width, output.Clean(svc.Name))
		if len(lines) == 0 {
			s.line("%s", head)
		}
		for _, l := range lines {
			s.line("%s  %s", head, output.Clean(l))
			head = fmt.Sprintf("  %9s  %*s", "", width, "")
		}
	}
}

func (s *screen) files(d *Diff) {
	s.section("files", len(d.Files), termenv.ANSIBrightWhite)
	for _, f := range d.Files {
		parts := slices.DeleteFunc([]string{s.action(f.Action), output.Clean(f.Path), f.size(), output.Clean(f.about())}, func(part string) bool { return part == "" })
		s.line("  %s", strings.Join(parts, "  "))
	}
	for _, f := range d.Files {
		if len(f.Lines) == 0 {
			continue
		}
		s.line("\n%s", s.Bold(output.Clean(f.Path)))
		for _, l := range f.Lines {
			s.line("%s", s.diffLine(output.Clean(l)))
		}
	}
}

func (p paint) diffLine(l string) string {
	switch l[0] {
	case '+':
		return p.Color(l, termenv.ANSIGreen)
	case '-':
		return p.Color(l, termenv.ANSIRed)
	case '@':
		return p.Color(l, termenv.ANSICyan)
	}
	return l
}
