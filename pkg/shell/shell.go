// Package shell writes names and paths so that a POSIX shell takes each for one word and nothing else.
// Every command that stackgen prints goes through it.
package shell

import "strings"

// Word gives s as one word. What a shell would not touch stays as it is.
func Word(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%+,", r) || r >= 0xa1 && r != 0x2028 && r != 0x2029 && r != 0x3000
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Path is Word for a path, which no program takes for an option.
func Path(s string) string {
	if strings.HasPrefix(s, "-") {
		s = "./" + s
	}
	return Word(s)
}

// Words are the words of a command, beside each other.
func Words(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Word(w)
	}
	return strings.Join(quoted, " ")
}
