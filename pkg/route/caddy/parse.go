package caddy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/source"
)

// line is a directive with its arguments and the block behind it, or a matcher or option of the same form.
type line struct {
	words []word
	block []*line
	open  bool // whether it has a block at all
	order int  // of a label
}

func (l *line) name() string { return l.words[0].text }

func (l *line) args() (args []string) {
	for _, w := range l.words[1:] {
		args = append(args, w.text)
	}
	return args
}

// text is the line as people know it, without its block.
func (l *line) text() string {
	var words []string
	for _, w := range l.words {
		words = append(words, w.text)
	}
	return strings.Join(words, " ")
}

// block is a site with its addresses, the global options (no keys), or a named route.
type block struct {
	keys  []word
	lines []*line
}

// parser makes blocks of words, and puts what is imported in the place of each import.
type parser struct {
	env      func(name string) (val string, set bool, hidden string)
	glob     func(pattern, from string) ([]*source.File, string)
	snippets map[string][]word
	blocks   []block
	notes    []string // why something may be other than it is read
	depth    int
	spent    int
}

func (p *parser) note(why string) {
	if !slices.Contains(p.notes, why) {
		p.notes = append(p.notes, why)
	}
}

const (
	maxDepth = 50      // of imports in imports, and of blocks in blocks
	maxWords = 100_000 // that imports may bring
	maxText  = 1 << 16 // of a word with the arguments of an import in it
)

func (p *parser) file(f *source.File) error {
	words, err := p.lex(f)
	if err != nil {
		return err
	}
	return p.top(words)
}

// top reads the blocks of a file.
func (p *parser) top(words []word) error {
	for len(words) > 0 {
		if words[0].text == "import" && !words[0].quoted {
			n := endOfLine(words)
			imported, err := p.imported(words[:n], nil)
			if err != nil {
				return err
			}
			if err := p.top(imported); err != nil {
				return err
			}
			words = words[n:]
			continue
		}
		keys, rest, braces := addresses(words)
		if !braces {
			lines, _, err := p.lines(rest, false)
			p.blocks = append(p.blocks, block{keys, lines})
			return err
		}
		if name, ok := snippet(keys); ok {
			n := closing(rest)
			if n < 0 {
				return &fault{keys[0].site, "the snippet does not end"}
			}
			p.snippets[name] = rest[:n]
			words = rest[n+1:]
			continue
		}
		lines, after, err := p.lines(rest, true)
		if err != nil {
			return err
		}
		p.blocks = append(p.blocks, block{keys, lines})
		words = after
	}
	return nil
}

func snippet(keys []word) (name string, ok bool) {
	if len(keys) != 1 {
		return "", false
	}
	name, ok = strings.CutPrefix(keys[0].text, "(")
	return strings.TrimSuffix(name, ")"), ok
}

// addresses reads the keys of a block: up to its brace, or to the end of a line that no comma ends.
func addresses(words []word) (keys, rest []word, braces bool) {
	more := true
	for i, w := range words {
		if w.opens() {
			return keys, words[i+1:], true
		}
		if i > 0 && w.first && !more {
			return keys, words[i:], false
		}
		more = strings.HasSuffix(w.text, ",")
		if w.text = strings.TrimSuffix(w.text, ","); w.text != "" {
			keys = append(keys, w)
		}
	}
	return keys, nil, false
}

// endOfLine is the number of words up to the next line.
func endOfLine(words []word) int {
	for i, w := range words {
		if i > 0 && w.first {
			return i
		}
	}
	return len(words)
}

// closing is the place of the brace that ends the block that the words are in; -1 without one.
func closing(words []word) int {
	depth := 0
	for i, w := range words {
		switch {
		case w.opens():
			depth++
		case w.closes() && depth == 0:
			return i
		case w.closes():
			depth--
		}
	}
	return -1
}

// lines reads directives, up to the closing brace where there has to be one.
func (p *parser) lines(words []word, braces bool) (list []*line, rest []word, err error) {
	if p.depth++; p.depth > maxDepth {
		return nil, nil, &fault{words[0].site, "blocks or imports are nested too deeply"}
	}
	defer func() { p.depth-- }()
	for len(words) > 0 {
		if words[0].closes() {
			if !braces {
				return nil, nil, &fault{words[0].site, "this brace closes nothing"}
			}
			return list, words[1:], nil
		}
		n := endOfLine(words)
		if words[0].text == "import" && !words[0].quoted {
			var inner []word
			if end := words[n-1]; end.opens() {
				c := closing(words[n:])
				if c < 0 {
					return nil, nil, &fault{end.site, "the block does not end"}
				}
				inner, n = words[n:n+c], n+c+1
			}
			imported, err := p.imported(words[:n], inner)
			if err != nil {
				return nil, nil, err
			}
			more, _, err := p.lines(imported, false)
			if err != nil {
				return nil, nil, err
			}
			list, words = append(list, more...), words[n:]
			continue
		}
		l := &line{words: words[:n]}
		for i, w := range words[:n] {
			if i > 0 && w.closes() && i == n-1 {
				return nil, nil, &fault{w.site, "a closing brace stands alone on its line"}
			}
		}
		if l.words[0].opens() {
			return nil, nil, &fault{l.words[0].site, "this brace belongs to no directive"}
		}
		words = words[n:]
		if end := l.words[n-1]; end.opens() {
			l.words, l.open = l.words[:n-1], true
			if l.block, words, err = p.lines(words, true); err != nil {
				return nil, nil, err
			}
		}
		list = append(list, l)
	}
	if braces {
		return nil, nil, &fault{source.Site{}, "a block does not end"}
	}
	return list, nil, nil
}

// imported gives the words that take the place of an import: of a snippet, or of files.
func (p *parser) imported(words, inner []word) ([]word, error) {
	n := slices.IndexFunc(words, word.opens)
	if n < 0 {
		n = len(words)
	}
	if n < 2 {
		return nil, &fault{words[0].site, "import names nothing"}
	}
	if p.depth++; p.depth > maxDepth {
		return nil, &fault{words[0].site, "imports are nested too deeply"}
	}
	defer func() { p.depth-- }()
	name, args := words[1].text, words[2:n]
	body, ok := p.snippets[name]
	if !ok {
		files, hidden := p.glob(name, words[0].site.File)
		if hidden != "" {
			p.note(fmt.Sprintf("%s:%d imports %s: %s", words[0].site.File, words[0].site.Line, name, hidden))
		}
		for _, f := range files {
			more, err := p.lex(f)
			if err != nil {
				return nil, err
			}
			body = append(body, more...)
		}
	}
	if p.spent += 1 + len(body) + len(inner); p.spent > maxWords {
		return nil, &fault{words[0].site, "more is imported than is read"}
	}
	return given(body, args, inner, words[0])
}

var argument = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{args(?:\.(\d+)|\[(\d+)\]|\[(\d*):(\d*)\])\}`)
})

// given puts the arguments of an import, and the block behind it, into what is imported.
func given(body, args, inner []word, at word) ([]word, error) {
	var list []word
	for _, w := range body {
		switch {
		case w.text == "{block}":
			list = append(list, inner...)
			continue
		case strings.HasPrefix(w.text, "{blocks."):
			return nil, &fault{w.site, "the blocks of an import are not read"}
		case !strings.Contains(w.text, "{args"):
			list = append(list, w)
			continue
		}
		if g := argument().FindStringSubmatch(w.text); g != nil && g[0] == w.text && g[1]+g[2] == "" {
			from, _ := strconv.Atoi(g[3])
			to, err := strconv.Atoi(g[4])
			if err != nil {
				to = len(args)
			}
			if from > to || to > len(args) {
				return nil, &fault{at.site, "the import has too few arguments"}
			}
			for i, a := range args[from:to] {
				a.first = w.first && i == 0
				list = append(list, a)
			}
			continue
		}
		w.text = argument().ReplaceAllStringFunc(w.text, func(m string) string {
			g := argument().FindStringSubmatch(m)
			if i, err := strconv.Atoi(g[1] + g[2]); err == nil && i < len(args) {
				return args[i].text
			}
			return m
		})
		if len(w.text) > maxText {
			return nil, &fault{at.site, "an argument of an import grows too long"}
		}
		list = append(list, w)
	}
	return list, nil
}
