package output

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a text that may come from a file fit for one line of a terminal or a log: control
// characters, line breaks, escape sequences and what reorders or hides text are spelled out.
func Clean(s string) string { return clean(s, "") }

// clean is Clean that leaves the runes of keep alone.
func clean(s, keep string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == '#' || r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			b.WriteString(spell(r))
		}
		i += n
	}
	return logCommand.Replace(b.String())
}

// Runners of GitHub and Azure look for these anywhere in a line.
var logCommand = strings.NewReplacer("##[", `#\x23[`, "##vso[", `#\x23vso[`)

func spell(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// blanks are what a runner of GitHub passes over before a command (ActionCommand.TryParseV2 trims the line), as far as it
// is let through at all.
const blanks = " \t"

// NotCommand is for what begins a line: a runner of GitHub takes :: there for a command, also after blanks.
func NotCommand(s string) string {
	if rest := strings.TrimLeft(s, blanks); strings.HasPrefix(rest, "::") {
		return s[:len(s)-len(rest)] + `\x3a` + rest[1:]
	}
	return s
}
