package diff

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/muesli/termenv"

	"philipp.info/stackgen/pkg/report"
)

// paint says whether to use colours.
type paint bool

func (p paint) color(s string, c termenv.ANSIColor) string {
	if !p {
		return s
	}
	return termenv.ANSI.String(s).Foreground(c).String()
}

func (p paint) bold(s string) string {
	if !p {
		return s
	}
	return termenv.ANSI.String(s).Bold().String()
}

func (p paint) action(a Action) string {
	colors := map[Action]termenv.ANSIColor{
		Added: termenv.ANSIGreen, Created: termenv.ANSIGreen, Removed: termenv.ANSIRed,
		Changed: termenv.ANSIYellow, Recreated: termenv.ANSIYellow, Kept: termenv.ANSIYellow,
	}
	return p.color(fmt.Sprintf("%-9s", a), colors[a])
}

func (d *Diff) writeText(out *bytes.Buffer, p paint) {
	line := func(format string, args ...any) {
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
	line("%s", p.bold(report.Clean(d.title())))
	for _, n := range d.Notes {
		line("%s", report.Clean(n))
	}
	section := func(title string, n int, color termenv.ANSIColor) bool {
		if n > 0 {
			line("\n%s", p.bold(p.color(title, color)))
		}
		return n > 0
	}
	if section("irreversible", len(d.Irreversible), termenv.ANSIRed) {
		for _, l := range d.Irreversible {
			line("  %s", report.Clean(l.text()))
			line("    %s", report.Clean(l.Breaks))
		}
	}
	if section("services: "+d.Command, len(d.Services), termenv.ANSIBrightWhite) {
		width := 0
		for _, s := range d.Services {
			width = max(width, len(s.Name))
		}
		for _, s := range d.Services {
			lines := append([]string{}, s.Why...)
			if n := s.notices(); n != "" {
				lines = append(lines, n)
			}
			line("  %s  %-*s  %s", p.action(s.Action), width, report.Clean(s.Name), report.Clean(strings.Join(lines[:min(1, len(lines))], "")))
			for _, more := range lines[min(1, len(lines)):] {
				line("  %9s  %*s  %s", "", width, "", report.Clean(more))
			}
		}
	}
	for _, list := range []struct {
		title string
		lines []string
	}{{"databases to be created", d.Databases}, {"secrets", d.secretLines()}, {"by hand", d.Steps}} {
		if section(list.title, len(list.lines), termenv.ANSIBrightWhite) {
			for _, l := range list.lines {
				line("  %s", report.Clean(l))
			}
		}
	}
	if section("values", len(d.Values), termenv.ANSIBrightWhite) {
		for i, v := range d.Values {
			if i == 0 || v.group() != d.Values[i-1].group() {
				line("  %s", p.bold(report.Clean(v.group())))
			}
			line("    %s", report.Clean(v.text()))
		}
	}
	if section("files", len(d.Files), termenv.ANSIBrightWhite) {
		for _, f := range d.Files {
			line("  %s  %s  %s  %s", p.action(f.Action), report.Clean(f.Path), f.size(), report.Clean(f.about()))
		}
	}
	for _, f := range d.Files {
		if len(f.Lines) > 0 {
			line("\n%s", p.bold(report.Clean(f.Path)))
			for _, l := range f.Lines {
				line("%s", p.diffLine(report.Clean(l)))
			}
		}
	}
	line("\n%s", d.headline())
}

func (p paint) diffLine(l string) string {
	switch l[0] {
	case '+':
		return p.color(l, termenv.ANSIGreen)
	case '-':
		return p.color(l, termenv.ANSIRed)
	case '@':
		return p.color(l, termenv.ANSICyan)
	}
	return l
}
