package source

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"philipp.info/stackgen/pkg/regex"
)

// Snippet gives source line n for a person to read, without anything that could be secret: it ends before
// the first value on it that is or may be one, and comments are dropped, because old values are often
// kept there. "" when the line holds no value.
func (f *File) Snippet(n int) string {
	f.once.Do(f.index)
	if n < 1 || n > len(f.lines) || len(f.scalars[n]) == 0 {
		return ""
	}
	line := []rune(f.lines[n-1])
	shown := 0
	for _, s := range f.scalars[n] {
		start := s.node.Column - 1
		if start < shown || start > len(line) || !structural().MatchString(string(line[shown:start])) {
			return strings.TrimLeft(string(line[:shown])+" "+Masked, " ")
		}
		if s.secret() {
			return string(line[:start]) + Masked
		}
		shown = scalarEnd(line, s.node)
	}
	rest := structure().FindString(string(line[shown:]))
	return strings.TrimRight(string(line[:shown])+rest, " \t")
}

// What may stand between two scalars. Anything else is the rest of a scalar that began on an earlier
// line, or a comment.
const between = `^(?:[\s\[\]{},:?-]|[&*!][^\s\[\]{},]*)*`

var (
	structure  = regex.Of(between)
	structural = regex.Of(between + `$`)
	properties = regex.Of(`^(?:[&!]\S*\s+)*`)
	blockStart = regex.Of(`^[|>][-+0-9]*`)
)

// scalarEnd is the index behind the part of a scalar that stands on the line it begins on.
func scalarEnd(line []rune, n *yaml.Node) int {
	start, body := scalarBody(line, n)
	end := 0
	switch {
	case quoteOf(n) != 0:
		end = quotedEnd(body, quoteOf(n), escapeOf(n))
	case isBlock(n):
		end = len([]rune(blockStart().FindString(string(body))))
	default:
		end = min(len([]rune(n.Value)), len(body))
	}
	return start + end
}

// goesOn reports whether the scalar has a part on a later line than the one it begins on.
func goesOn(line []rune, n *yaml.Node) bool {
	_, body := scalarBody(line, n)
	switch {
	case quoteOf(n) != 0:
		// With one more character at the end, a quote that closes is not the last.
		return quotedEnd(append(slices.Clip(body), ' '), quoteOf(n), escapeOf(n)) > len(body)
	case isBlock(n):
		return true
	}
	return len([]rune(n.Value)) > len(body)
}

// scalarBody is the text from the scalar on and its index, behind the anchor and the tag, whose column
// the scalar has.
func scalarBody(line []rune, n *yaml.Node) (start int, body []rune) {
	start = min(n.Column-1, len(line))
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		start += len([]rune(properties().FindString(string(line[start:]))))
	}
	return start, line[start:]
}

func isBlock(n *yaml.Node) bool { return n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 }

func quoteOf(n *yaml.Node) rune {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return '"'
	case n.Style&yaml.SingleQuotedStyle != 0:
		return '\''
	}
	return 0
}

func escapeOf(n *yaml.Node) rune {
	if quoteOf(n) == '"' {
		return '\\'
	}
	return quoteOf(n)
}

// quotedEnd is the index behind the closing quote, or the length when the scalar goes on below.
func quotedEnd(s []rune, quote, escape rune) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == escape && (escape != quote || i+1 < len(s) && s[i+1] == quote):
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return len(s)
}
