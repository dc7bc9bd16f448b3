package report

import (
	"io"

	"github.com/muesli/termenv"
	"golang.org/x/term"

	"philipp.info/stackgen/pkg/finding"
)

// ColorFor decides whether to colour what goes to w. mode is auto, always or never; in auto the
// environment (NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM) counts, then whether w is a terminal.
func ColorFor(w io.Writer, mode string, getenv func(string) (string, bool)) bool {
	env := func(name string) string {
		value, _ := getenv(name)
		return value
	}
	force := env("CLICOLOR_FORCE")
	switch {
	case mode == "always":
		return true
	case mode == "never" || env("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	case env("CLICOLOR") == "0" || env("TERM") == "dumb":
		return false
	}
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// Palette styles parts of a text for a terminal, or leaves them alone.
type Palette struct{ profile termenv.Profile }

// PaletteFor gives the palette of a writer that ColorFor says has colours, or has none.
func PaletteFor(color bool) Palette {
	if color {
		return Palette{termenv.ANSI}
	}
	return Palette{termenv.Ascii}
}

// Bold makes a text stand out.
func (p Palette) Bold(s string) string { return p.profile.String(s).Bold().String() }

func (p Palette) dim(s string) string { return p.profile.String(s).Faint().String() }
func (p Palette) fix(s string) string { return p.Color(s, termenv.ANSIGreen) }

func (p Palette) severity(sev finding.Severity) string {
	return p.mark(sev, sev.String())
}

// mark colours s as belonging to a finding of the severity.
func (p Palette) mark(sev finding.Severity, s string) string {
	return p.Color(s, map[finding.Severity]termenv.ANSIColor{
		finding.Error: termenv.ANSIRed, finding.Warning: termenv.ANSIYellow, finding.Info: termenv.ANSICyan,
	}[sev])
}

// Color gives a text one of the terminal's own colours.
func (p Palette) Color(s string, c termenv.ANSIColor) string {
	return p.profile.String(s).Foreground(p.profile.Convert(c)).String()
}

// width is the number of terminal columns that s takes.
func width(s string) int { return termenv.String(s).Width() }
