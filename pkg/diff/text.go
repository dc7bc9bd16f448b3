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
	width int
}

// line writes a line, or several, and what does not fit into the width below each. What comes from outside is
// cleaned by who calls.
func (s *screen) line(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		for _, part := range output.Hang(strings.TrimRight(line, " "), s.width) {
			fmt.Fprintln(s, part)
		}
	}
}

// section writes a title when there is something to write below it.
func (s *screen) section(title string, n int, color termenv.ANSIColor) {
	if n > 0 {
		s.line("\n%s", s.Bold(s.Color(title, color)))
	}
}

func (d *Diff) writeText(out *bytes.Buffer, o Options) {
	s := &screen{out, paint{output.PaletteFor(o.Color)}, o.Width}
	s.line("%s", s.Bold(output.Clean(d.title())))
	for _, n := range d.Notes {
		s.line("%s", output.Clean(n))
	}
	s.section("irreversible", len(d.Irreversible), termenv.ANSIRed)
	for _, l := range d.Irreversible {
		s.line("  %s", output.Clean(l.text()))
		s.line("    %s", output.Clean(l.Breaks))
	}
	s.section("suppressed by this change", len(d.Silenced), termenv.ANSIYellow)
	for _, l := range d.Silenced {
		s.line("  %s", output.Clean(l))
	}
	if o.Summary {
		s.grouped(d)
	} else {
		s.services(d)
	}
	for _, list := range []struct {
		title string
		lines []string
	}{{"databases to be created", joined(d.Databases)}, {"secrets", d.secretLines()}, {"next, after the render", Numbered(d.next())}} {
		s.section(list.title, len(list.lines), termenv.ANSIBrightWhite)
		for _, l := range list.lines {
			s.line("  %s", output.Clean(l))
		}
	}
	if o.Summary {
		s.line("\n%s", d.headline()+d.counts())
		return
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

// joined is a list of names as one line.
func joined(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return []string{strings.Join(names, ", ")}
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

// grouped names the services by what happens to them.
func (s *screen) grouped(d *Diff) {
	s.section("services: "+d.Command, len(d.Services), termenv.ANSIBrightWhite)
	for _, action := range []Action{Recreated, Created, Removed} {
		var names []string
		for _, svc := range d.Services {
			if svc.Action == action {
				names = append(names, output.Clean(svc.Name))
			}
		}
		if len(names) > 0 {
			s.line("  %s  %s", s.action(action), strings.Join(names, ", "))
		}
	}
}

// counts says how many files and values there are of each kind; "" for no difference.
func (d *Diff) counts() string {
	files, values := make(map[Action]int), make(map[Action]int)
	for _, f := range d.Files {
		files[f.Action]++
	}
	for _, v := range d.Values {
		values[v.Action]++
	}
	var lines strings.Builder
	for _, kind := range []struct {
		name   string
		counts map[Action]int
	}{{"files", files}, {"values", values}} {
		var parts []string
		for _, action := range []Action{Added, Changed, Reordered, Removed, Kept} {
			if n := kind.counts[action]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, action))
			}
		}
		if len(parts) > 0 {
			lines.WriteString("\n" + kind.name + ": " + strings.Join(parts, ", "))
		}
	}
	return lines.String()
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
			fmt.Fprintln(s, s.diffLine(output.Clean(l)))
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
