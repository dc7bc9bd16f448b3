package caddy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/source"
)

// word is one token of a Caddyfile. First says that it begins a line; a line goes on where its end is escaped.
type word struct {
	text   string
	quoted bool
	first  bool
	site   source.Site
}

func (w word) opens() bool  { return w.text == "{" && !w.quoted }
func (w word) closes() bool { return w.text == "}" && !w.quoted }

// fault is what keeps a Caddyfile from being read, with its place.
type fault struct {
	site source.Site
	text string
}

func (f *fault) Error() string { return f.text }

// filled replaces {$NAME} and {$NAME:default}, which Caddy does before it looks at anything else.
func (p *parser) filled(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{$")
		name, after, ended := strings.Cut(rest, "}")
		b.WriteString(before)
		if !ok || !ended {
			if ok {
				b.WriteString("{$" + rest)
			}
			return b.String()
		}
		text = after
		name, otherwise, _ := strings.Cut(name, ":")
		val, set, hidden := p.env(name)
		switch {
		case hidden != "" && name != "":
			p.note(hidden)
			b.WriteString("{env." + name + "}") // which is unknown to whoever asks for it
		case set:
			b.WriteString(val)
		default:
			b.WriteString(otherwise)
		}
	}
}

// lexer walks over the text of one file.
type lexer struct {
	file  *source.File
	rest  string
	line  int
	first bool
	words []word
}

func (p *parser) lex(f *source.File) ([]word, error) {
	l := &lexer{file: f, rest: strings.TrimPrefix(p.filled(string(f.Src)), "\ufeff"), line: 1, first: true}
	l.rest = strings.ReplaceAll(l.rest, "\r", "")
	for l.rest != "" {
		c, size := utf8.DecodeRuneInString(l.rest)
		switch {
		case c == '\n':
			l.skip(1)
			l.first = true
		case strings.HasPrefix(l.rest, "\\\n"):
			l.skip(2)
		case unicode.IsSpace(c):
			l.skip(size)
		case c == '#':
			n := strings.IndexByte(l.rest, '\n')
			if n < 0 {
				n = len(l.rest)
			}
			l.skip(n)
		case c == '"', c == '`':
			l.quoted(byte(c))
		default:
			if err := l.bare(); err != nil {
				return nil, err
			}
		}
	}
	return l.words, nil
}

func (l *lexer) skip(n int) {
	l.line += strings.Count(l.rest[:n], "\n")
	l.rest = l.rest[n:]
}

func (l *lexer) add(text string, quoted bool, n int) {
	l.words = append(l.words, word{text, quoted, l.first, l.file.SiteAt(l.line)})
	l.first = false
	l.skip(n)
}

// quoted reads up to the closing quote. Only a double quote can be escaped, and only between double quotes.
func (l *lexer) quoted(quote byte) {
	var b strings.Builder
	i := 1
	for ; i < len(l.rest) && l.rest[i] != quote; i++ {
		if quote == '"' && l.rest[i] == '\\' && i+1 < len(l.rest) {
			if i++; l.rest[i] != '"' {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(l.rest[i])
	}
	l.add(b.String(), true, min(i+1, len(l.rest)))
}

func (l *lexer) bare() error {
	if strings.HasPrefix(l.rest, "<<") {
		if marker, body, ok := strings.Cut(l.rest, "\n"); ok && !strings.Contains(marker, " ") {
			return l.heredoc(marker[2:], body, len(marker)+1)
		}
	}
	var b strings.Builder
	i := 0
	for i < len(l.rest) {
		c, size := utf8.DecodeRuneInString(l.rest[i:])
		if unicode.IsSpace(c) || strings.HasPrefix(l.rest[i:], "\\\n") {
			break
		}
		if i > 0 || c != '\\' || !strings.HasPrefix(l.rest[1:], "<") { // which is how a word begins with <<
			b.WriteString(l.rest[i : i+size])
		}
		i += size
	}
	l.add(b.String(), false, i)
	return nil
}

// heredoc reads the lines up to the one that ends in the marker, less what that one is indented by.
func (l *lexer) heredoc(marker, body string, head int) error {
	var lines []string
	n := head
	for line := range strings.Lines(body) {
		if indent, ok := strings.CutSuffix(strings.TrimRight(line, "\n"), marker); ok && strings.TrimSpace(indent) == "" {
			for i, text := range lines {
				lines[i] = strings.TrimPrefix(text, indent)
			}
			l.add(strings.TrimSuffix(strings.Join(lines, ""), "\n"), true, n+len(indent)+len(marker))
			return nil
		}
		lines = append(lines, line)
		n += len(line)
	}
	return &fault{l.file.SiteAt(l.line), fmt.Sprintf("the text that begins with <<%s does not end", marker)}
}
