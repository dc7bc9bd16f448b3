package dockerfile

import (
	"iter"
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// instruction is one line of a Dockerfile, with those that it goes on in, and where its arguments begin.
type instruction struct {
	name, text string
	line, col  int
}

var (
	directive = regex.Of(`^#\s*([a-zA-Z]+)\s*=\s*(\S+)\s*$`)
	heredoc   = regex.Of(`<<-?\s*["']?([A-Za-z_][A-Za-z0-9_]*)["']?`)
)

// instructions takes a Dockerfile apart. Comments, also between the parts of an instruction, are none, nor is what a
// heredoc holds.
func instructions(src string) (all []instruction) {
	lines := strings.Split(strings.TrimPrefix(src, "\xef\xbb\xbf"), "\n")
	escape := `\`
	for _, line := range lines {
		m := directive().FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			break
		}
		if strings.EqualFold(m[1], "escape") {
			escape = m[2]
		}
	}
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == '#' {
			continue
		}
		in := instruction{line: i + 1}
		var b strings.Builder
		for {
			part, more := strings.CutSuffix(line, escape)
			b.WriteString(part)
			if !more {
				break
			}
			for i++; i < len(lines); i++ {
				if line = strings.TrimRight(lines[i], " \t\r"); strings.TrimSpace(line) != "" && strings.TrimSpace(line)[0] != '#' {
					break
				}
			}
			if i >= len(lines) {
				break
			}
		}
		text := b.String()
		in.name, in.text, _ = strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
		in.name, in.text = strings.ToUpper(in.name), strings.TrimSpace(in.text)
		in.col = 1
		if first := lines[in.line-1]; len(in.text) > 0 {
			if at := strings.Index(first[min(len(first), strings.Index(first, strings.TrimSpace(first))+len(in.name)):], firstField(in.text)); at >= 0 {
				in.col = len([]rune(first[:strings.Index(first, strings.TrimSpace(first))+len(in.name)+at])) + 1
			}
		}
		if in.name == "RUN" || in.name == "COPY" || in.name == "ADD" {
			for _, m := range heredoc().FindAllStringSubmatch(in.text, -1) {
				for i++; i < len(lines) && strings.TrimSpace(lines[i]) != m[1]; i++ {
				}
			}
		}
		all = append(all, in)
	}
	return all
}

func firstField(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// fields takes a text apart at blanks that stand outside of quotes. The quotes stay.
func fields(text string) (words []string) {
	var b strings.Builder
	quote := rune(0)
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote == r:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0 && (r == ' ' || r == '\t'):
			if b.Len() > 0 {
				words = append(words, b.String())
				b.Reset()
			}
			continue
		}
		b.WriteRune(r)
	}
	if b.Len() > 0 {
		words = append(words, b.String())
	}
	return words
}

// unquoted is a word without its quotes.
func unquoted(text string) string {
	if n := len(text); n > 1 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		return text[1 : n-1]
	}
	return text
}

// assignments are those of ENV: NAME=VALUE several times, or one NAME VALUE.
func assignments(text string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		words := fields(text)
		if len(words) > 0 && !strings.Contains(words[0], "=") {
			name, rest, _ := strings.Cut(text, " ")
			yield(name, strings.TrimSpace(rest))
			return
		}
		for _, w := range words {
			if name, val, ok := strings.Cut(w, "="); ok && !yield(name, unquoted(val)) {
				return
			}
		}
	}
}

var variable = regex.Of(`\\\$|\$([A-Za-z_][A-Za-z0-9_]*)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])([^}]*))?\}|\$\{[^}]*\}`)

// expand fills variables in. known is false where one has no value here.
func expand(text string, look func(string) (string, bool)) (filled string, known bool) {
	known = true
	filled = variable().ReplaceAllStringFunc(text, func(found string) string {
		if found == `\$` {
			return "$"
		}
		m := variable().FindStringSubmatch(found)
		val, ok := look(m[1] + m[2])
		switch has := ok && (val != "" || !strings.HasPrefix(m[3], ":")); {
		case m[1]+m[2] == "":
			known = false // a form that is not read here
			return found
		case strings.HasSuffix(m[3], "-") && !has:
			inner, fine := expand(m[4], look)
			known = known && fine
			return inner
		case strings.HasSuffix(m[3], "+") && has:
			inner, fine := expand(m[4], look)
			known = known && fine
			return inner
		case strings.HasSuffix(m[3], "+"):
			return ""
		}
		known = known && ok
		return val
	})
	return filled, known
}
