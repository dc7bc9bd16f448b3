// Package shell writes names and paths so that a POSIX shell takes each for one word and nothing else.
// Every command that stackgen prints goes through it.
package shell

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Word gives s as one word on one line. What a shell would not touch stays as it is. Line breaks, what a
// terminal or a CI runner would act on, and what fish reads in another way within quotes, are escapes within $”, which
// bash, zsh and POSIX since 2024 read; to an older sh the word has another name, and is a word all the same. fish
// refuses the line.
func Word(s string) string {
	switch {
	case s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }):
		return s
	case utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) && !slices.ContainsFunc(logCommands, func(c string) bool { return strings.Contains(s, c) }) &&
		(!strings.Contains(s, `\`) || !strings.Contains(s, "'")): // to fish \' ends no quotes
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\'' || r == '#' || !unicode.IsPrint(r) || r == utf8.RuneError:
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return "$'" + b.String() + "'"
}

// logCommands begin what runners of GitHub and Azure take for a command, anywhere in a line.
var logCommands = []string{"##[", "##vso["}

// CronWord is Word for a line of a crontab, where a percent sign ends the command unless a backslash stands before it.
func CronWord(s string) string { return strings.ReplaceAll(Word(s), "%", `\%`) }

func plain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%+,", r) || r >= 0xa1 && unicode.IsLetter(r)
}

// Path is Word for a path, which no program takes for an option.
func Path(s string) string {
	if strings.HasPrefix(s, "-") {
		s = "./" + s
	}
	return Word(s)
}

// Paths are paths as the words of a command.
func Paths(paths ...string) string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = Path(p)
	}
	return strings.Join(quoted, " ")
}

// Words are the words of a command, beside each other.
func Words(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Word(w)
	}
	return strings.Join(quoted, " ")
}
