package output

import (
	"strings"
	"testing"
	"unicode"
)

// FuzzClean: what is cleaned is printable, gives no runner a command, and is not changed by cleaning it again; what a
// Writer for talk lets through begins no line with a command.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "x", "::error::x", " \t::x", "##[x", "####[[", "##vso[", "\x1b[31mx\x1b[0m", "\x1b[8mx", "\u202e\u2028\xff\ufffd", ":\n:\n::", "a\r::x"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, s string, cut int) {
		once := Clean(s)
		if Clean(once) != once || strings.Contains(once, "##[") || strings.Contains(once, "##vso[") || strings.ContainsFunc(once, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q: %q", s, once)
		}
		var b strings.Builder
		w := Talk(&b)
		runes := []rune(strings.ToValidUTF8(s, "?"))
		cut = max(0, min(cut, len(runes)))
		for _, part := range []string{string(runes[:cut]), string(runes[cut:])} {
			if _, err := w.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(strings.TrimLeft(line, " \t"), "::") {
				t.Errorf("%q is let through as %q", s, line)
			}
		}
	})
}
