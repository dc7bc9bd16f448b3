package haproxy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/source"
)

// section is a part of the file: a frontend, a backend and the like.
type section struct {
	kind, name string
	from       string // the defaults that it names
	lines      []line
	site       source.Site
}

// line is the last line of the section that begins with a word.
func (s *section) line(first string) (found line, ok bool) {
	for _, l := range s.lines {
		if l.word(0) == first {
			found, ok = l, true
		}
	}
	return found, ok
}

// line is one line in words, without quotes and escapes.
type line struct {
	words []string
	site  source.Site
}

func (l line) word(i int) string {
	if i < len(l.words) {
		return l.words[i]
	}
	return ""
}

var sectionKinds = []string{"global", "defaults", "frontend", "backend", "listen", "resolvers", "peers", "userlist", "mailers", "cache", "program", "http-errors", "ring", "log-forward", "fcgi-app", "crt-store", "traces", "acme"}

// parse splits the file into its sections.
func parse(f *source.File) ([]*section, error) {
	var sections []*section
	n := 0
	for text := range strings.Lines(string(f.Src)) {
		n++
		words, err := split(strings.TrimRight(text, "\r\n"))
		at := n
		l := line{words: words, site: source.Site{Pos: source.Pos{File: f.Path, Line: n, Col: 1 + len(text) - len(strings.TrimLeft(text, " \t"))}, Snippet: func() string { return f.Snippet(at) }}}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s:%d is not read: %w", f.Path, n, err)
		case len(words) == 0:
		case strings.HasPrefix(words[0], "."):
			return nil, fmt.Errorf("%s:%d is not read: %s decides what counts", f.Path, n, words[0])
		case slices.Contains(sectionKinds, words[0]):
			from := ""
			if i := slices.Index(words, "from"); i > 0 {
				from = l.word(i + 1)
			}
			sections = append(sections, &section{kind: words[0], name: l.word(1), from: from, site: l.site})
		case len(sections) == 0:
			return nil, fmt.Errorf("%s:%d is not read: it stands in no section", f.Path, n)
		default:
			s := sections[len(sections)-1]
			s.lines = append(s.lines, l)
		}
	}
	return sections, nil
}

// split is HAProxy's own way to words: a backslash takes what is behind it as it is, but not in single quotes; and in those and
// in double quotes blanks are a part of the word. A variable of the environment is none of the file's.
func split(text string) (words []string, err error) {
	var b strings.Builder
	quote, inWord := byte(0), false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote == '\'' && c != '\'':
			b.WriteByte(c)
		case c == quote && quote != 0:
			quote = 0
		case c == '\\':
			if i++; i < len(text) {
				b.WriteByte(text[i])
			}
			inWord = true
		case quote == '"' && c == '$':
			return nil, errors.New("a variable of the environment stands in it")
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inWord = c, true
		case c == '#':
			i = len(text)
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, b.String())
				b.Reset()
			}
			inWord = false
		default:
			b.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		words = append(words, b.String())
	}
	return words, nil
}

// waits is the line that says how long a server may take to answer.
func waits(lines []line) (found line, ok bool) {
	for _, l := range lines {
		if l.word(0) == "timeout" && l.word(1) == "server" {
			found, ok = l, true
		}
	}
	return found, ok
}

// duration reads a time as HAProxy does, for which a bare number is milliseconds (src/tools.c, parse_time_err); 0 where it is none.
func duration(text string) time.Duration {
	number := strings.TrimRight(text, "usmhd")
	n, err := strconv.Atoi(number)
	unit, known := map[string]time.Duration{"": time.Millisecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[text[len(number):]]
	if err != nil || !known {
		return 0
	}
	return time.Duration(n) * unit
}
