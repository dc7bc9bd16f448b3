package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Clean makes a text that may come from a file fit for one line of a terminal or a log: control
// characters, escape sequences and what reorders or hides text are spelled out.
func Clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
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

// asciiControls writes what a terminal would act on as JSON escapes, which changes nothing for a decoder.
func asciiControls(json []byte) []byte {
	out := make([]byte, 0, len(json))
	for _, r := range string(json) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
