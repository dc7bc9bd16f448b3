package output

import (
	"io"
	"strings"

	"github.com/muesli/termenv"
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
	out, ok := w.(*Writer)
	return ok && out.Terminal()
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

// Dim makes a text stand back.
func (p Palette) Dim(s string) string { return p.profile.String(s).Faint().String() }

// Color gives a text one of the terminal's own colours.
func (p Palette) Color(s string, c termenv.ANSIColor) string {
	return p.profile.String(s).Foreground(p.profile.Convert(c)).String()
}

// Width is the number of terminal columns that s takes, without its colours.
func Width(s string) int {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			return termenv.String(b.String()).Width()
		}
		_, s, _ = strings.Cut(after, "m")
	}
}
