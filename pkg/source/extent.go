package source

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// lines is a text and where its lines start, counted as the YAML reader counts them.
type lines struct {
	text   string
	starts []int
	eol    string // the first line break of the text
}

func newLines(text string) *lines {
	t := &lines{text: text, starts: []int{0}, eol: "\n"}
	for i := 0; i < len(text); {
		n := breakAt(text[i:])
		if n == 0 {
			i++
			continue
		}
		if len(t.starts) == 1 && text[i:i+n] == "\r\n" {
			t.eol = "\r\n"
		}
		i += n
		t.starts = append(t.starts, i)
	}
	return t
}

// breakAt gives the length of the line break that s begins with: yaml.v3 follows YAML 1.1, which has
// five of them.
func breakAt(s string) int {
	switch {
	case strings.HasPrefix(s, "\r\n"), strings.HasPrefix(s, "\u0085"):
		return 2
	case strings.HasPrefix(s, "\n"), strings.HasPrefix(s, "\r"):
		return 1
	case strings.HasPrefix(s, "\u2028"), strings.HasPrefix(s, "\u2029"):
		return 3
	}
	return 0
}

func endsLine(s string) bool {
	return strings.HasSuffix(s, "\n") || strings.HasSuffix(s, "\r")
}

// end gives where the content of line n (from 0) ends, without its break.
func (t *lines) end(n int) int {
	i := t.starts[n]
	for i < len(t.text) && breakAt(t.text[i:]) == 0 {
		i++
	}
	return i
}

func (t *lines) line(n int) string { return t.text[t.starts[n]:t.end(n)] }

// lineOf gives the line that holds the byte at offset i.
func (t *lines) lineOf(i int) int {
	n := len(t.starts) - 1
	for n > 0 && t.starts[n] > i {
		n--
	}
	return n
}

// offset is the byte at a place, which may be the end of the text.
func (t *lines) offset(p Pos) (int, bool) {
	if p.Line < 1 || p.Line > len(t.starts) {
		return 0, false
	}
	i := t.starts[p.Line-1]
	for range p.Col - 1 {
		if i >= len(t.text) {
			return 0, false
		}
		_, n := utf8.DecodeRuneInString(t.text[i:])
		i += n
	}
	return i, true
}

// span is where a value stands: [start, headEnd) on its first or only line, which ends at lineEnd, and
// for a block scalar the lines below up to bodyEnd. A scalar without that has bodyEnd == lineEnd.
type span struct {
	start, headEnd, lineEnd, bodyEnd int
	gap                              bool // nothing stands there yet: a space is needed behind the colon
}

// extent finds a scalar in the text.
func (t *lines) extent(v Value) (span, bool) {
	i, ok := t.offset(v.Pos())
	if !ok {
		return span{}, false
	}
	indent := v.KeyPos().Col - 1
	if v.key == nil {
		if dash := t.dash(i); dash >= 0 {
			indent = dash
		}
	}
	if v.Kind() == Null && (i >= len(t.text) || !strings.ContainsRune("~nN!&", rune(t.text[i]))) {
		key, ok := t.offset(v.KeyPos())
		if !ok {
			return span{}, false
		}
		colon := t.colon(key)
		if colon < 0 {
			return span{}, false
		}
		return t.single(colon+1, colon+1, true), true
	}
	start := i
	if i = t.behind(i); i >= len(t.text) {
		return span{}, false
	}
	switch c := t.text[i]; c {
	case '"', '\'':
		end := quoteEnd(t.text, i)
		return t.single(start, end, false), end > 0
	case '|', '>':
		return t.block(start, i, indent), true
	case '{', '[', '*':
		return span{}, false
	}
	if v.Kind() == Scalar && strings.HasPrefix(t.text[i:], v.node.Value) {
		if end := i + len(v.node.Value); !strings.ContainsAny(v.node.Value, "\r\n") && (end == len(t.text) || strings.IndexByte(" \t\r\n,]}:", t.text[end]) >= 0) {
			return t.single(start, end, false), true
		}
	}
	return t.single(start, t.plainEnd(i, indent), false), true
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

func (t *lines) single(start, end int, gap bool) span {
	lineEnd := t.end(t.lineOf(end))
	return span{start: start, headEnd: end, lineEnd: lineEnd, bodyEnd: lineEnd, gap: gap}
}

// colon finds the colon behind the key that starts at offset i, -1 when there is none.
func (t *lines) colon(i int) int {
	if i < len(t.text) && (t.text[i] == '"' || t.text[i] == '\'') {
		if i = quoteEnd(t.text, i); i < 0 {
			return -1
		}
	}
	for ; i < len(t.text); i++ {
		rest := t.text[i:]
		if rest[0] == ':' && (len(rest) == 1 || blank(rest[1]) || breakAt(rest[1:]) > 0) {
			return i
		}
	}
	return -1
}

// quoteEnd gives the offset behind the quoted scalar that starts at i, -1 when it does not end.
func quoteEnd(s string, i int) int {
	quote := s[i]
	for i++; i < len(s); i++ {
		switch {
		case quote == '"' && s[i] == '\\':
			i++
		case s[i] == quote && quote == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return -1
}

// plainEnd gives where a scalar without quotes ends that starts at i below a key in column indent.
func (t *lines) plainEnd(i, indent int) int {
	n := t.lineOf(i)
	end, more := plainPart(t.text, i, t.end(n))
	for n++; more && n < len(t.starts); n++ {
		line := t.line(n)
		content := strings.TrimLeft(line, " \t")
		if content == "" {
			continue
		}
		if len(line)-len(content) <= indent || content[0] == '#' {
			break
		}
		end, more = plainPart(t.text, t.starts[n], t.end(n))
	}
	return end
}

// plainPart ends at a comment, after which the scalar cannot go on, or at the end of the line.
func plainPart(s string, from, to int) (end int, more bool) {
	part := s[from:to]
	for i := 1; i < len(part); i++ {
		if part[i] == '#' && blank(part[i-1]) {
			return from + len(strings.TrimRight(part[:i], " \t")), false
		}
	}
	return from + len(strings.TrimRight(part, " \t")), true
}

// dash is the column, from 0, of the dash of the list item whose value begins at offset i; -1 where it is none.
func (t *lines) dash(i int) int {
	start := t.starts[t.lineOf(i)]
	lead := strings.TrimRight(t.text[start:i], " ")
	if !strings.HasSuffix(lead, "-") {
		return -1
	}
	return utf8.RuneCountInString(lead) - 1
}

// ends gives where the last of all that belongs to a value ends.
func (t *lines) ends(v Value) (int, bool) {
	n := v.node
	i, ok := t.offset(v.Pos())
	switch {
	case n == nil || !ok:
		return 0, false
	case n.Kind == yaml.AliasNode:
		for i < len(t.text) && strings.IndexByte(" \t\r\n,]}", t.text[i]) < 0 {
			i++
		}
		return i, true
	case n.Kind == yaml.ScalarNode:
		s, ok := t.extent(v)
		if s.bodyEnd > s.lineEnd {
			return s.bodyEnd, ok
		}
		return s.headEnd, ok
	case n.Style&yaml.FlowStyle != 0:
		i = t.behind(i)
		end := flowEnd(t.text, i)
		return end, end > 0
	case len(n.Content) == 0:
		return 0, false
	}
	last := Value{file: v.file, node: n.Content[len(n.Content)-1]}
	if n.Kind == yaml.MappingNode {
		last.key = n.Content[len(n.Content)-2]
	}
	return t.ends(last)
}

// behind is the offset behind the anchor and the tag that stand at offset i.
func (t *lines) behind(i int) int {
	for i < len(t.text) && (t.text[i] == '&' || t.text[i] == '!') {
		for i < len(t.text) && !blank(t.text[i]) && breakAt(t.text[i:]) == 0 {
			i++
		}
		for i < len(t.text) && blank(t.text[i]) {
			i++
		}
	}
	return i
}

// flowEnd gives the offset behind the bracket that closes the one at offset i, -1 when none does.
func flowEnd(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"', '\'':
			if !blank(s[i-1]) && strings.IndexByte("{[,:\r\n", s[i-1]) < 0 {
				continue // within a plain scalar
			}
			if i = quoteEnd(s, i) - 1; i < 0 {
				return -1
			}
		case '#':
			if blank(s[i-1]) || breakAt(s[i-1:i]) > 0 {
				for i < len(s) && breakAt(s[i:]) == 0 {
					i++
				}
			}
		}
	}
	return -1
}

// block finds the end of the block scalar whose header is at offset i.
func (t *lines) block(start, i, indent int) span {
	headEnd, want := i+1, 0
	for headEnd < len(t.text) && strings.IndexByte("+-123456789", t.text[headEnd]) >= 0 {
		if d := t.text[headEnd]; d >= '1' && d <= '9' {
			want = indent + int(d-'0')
		}
		headEnd++
	}
	n := t.lineOf(i)
	s := span{start: start, headEnd: headEnd, lineEnd: t.end(n)}
	s.bodyEnd = s.lineEnd
	for n++; n < len(t.starts); n++ {
		line := t.line(n)
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if depth == len(line) {
			continue // Blank lines at the end are nobody's.
		}
		if want == 0 {
			want = max(depth, indent+1)
		}
		if depth < want {
			break
		}
		s.bodyEnd = t.end(n)
	}
	return s
}
