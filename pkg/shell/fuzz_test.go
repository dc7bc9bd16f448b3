package shell

import (
	"strings"
	"testing"
	"unicode"

	"philipp.info/stackgen/pkg/output"
)

// FuzzWord: a word is one line of printable text that the cleaner leaves alone, and reads back as what it was.
func FuzzWord(f *testing.F) {
	for _, s := range append(hostile, "", "a", "\xff", "\u2028", "it's", "$'", `\'`) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1<<12 {
			return
		}
		word := Word(s)
		if output.Clean(word) != word || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q: %q", s, word)
		}
		if got, ok := unquote(word); !ok || got != s {
			t.Errorf("%q: %s reads back as %q", s, word, got)
		}
	})
}

// unquote reads a word as bash does, as far as Word writes such words.
func unquote(word string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(word); {
		switch rest := word[i:]; {
		case strings.HasPrefix(rest, "$'"):
			i += 2
			for i < len(word) && word[i] != '\'' {
				switch {
				case word[i] != '\\':
					b.WriteByte(word[i])
					i++
				case i+1 < len(word) && word[i+1] == '\\':
					b.WriteByte('\\')
					i += 2
				case i+3 < len(word):
					b.WriteByte((word[i+1]-'0')<<6 | (word[i+2]-'0')<<3 | (word[i+3] - '0'))
					i += 4
				default:
					return "", false
				}
			}
			i++
		case rest[0] == '\'':
			end := strings.IndexByte(rest[1:], '\'')
			if end < 0 {
				return "", false
			}
			b.WriteString(rest[1 : 1+end])
			i += end + 2
		case rest[0] == '\\' && len(rest) > 1:
			b.WriteByte(rest[1])
			i += 2
		case strings.ContainsRune(" \t\"`$;&|<>(){}[]*?!#~^=", rune(rest[0])):
			return "", false
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return b.String(), true
}
