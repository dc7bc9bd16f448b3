package spec

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// slipOf says what a person did, where the YAML parser only says that it lost its way: place, message and the
// line to write. The excerpt is shown where nothing in it may be a secret.
func slipOf(f *source.File, found finding.Finding) finding.Finding {
	at := found.Pos()
	for _, n := range []int{at.Line, at.Line + 1, at.Line - 1} {
		text := f.Excerpt(n)
		if text == "" {
			continue
		}
		for _, s := range slips {
			m := s.form().FindStringSubmatchIndex(text)
			if m == nil || s.said != "" && !strings.Contains(found.Message, s.said) {
				continue
			}
			group := func(i int) string { return text[m[2*i]:m[2*i+1]] }
			col := len([]rune(text[:m[4]])) + 1
			found.Message, found.Fix = "not valid YAML: "+s.message, strings.TrimSpace(s.fix(group))
			found.Sites = []source.Site{{Pos: source.Pos{File: at.File, Line: n, Col: col}, Snippet: func() string { return text }}}
			return found
		}
	}
	if text := f.Excerpt(at.Line); text != "" {
		if lead := text[:len(text)-len(strings.TrimLeft(text, " \t"))]; strings.Contains(lead, "\t") {
			found.Fix = "put two spaces in the place of each tab before `" + strings.TrimSpace(text) + "`"
		}
		found.Sites[0].Snippet = func() string { return text }
	}
	return found
}

// A slip is known by what the parser says and by the form of the line: before the fault, the fault, behind it.
type slip struct {
	said    string
	form    func() *regexp.Regexp
	message string
	fix     func(group func(int) string) string
}

var slips = []slip{
	{
		"cannot start any token", regex.Of("^(.*?(?:^|[\\s\\[{,]))([@`%][^\\s,\\[\\]{}]*?)((?::\\s.*|[\\s,\\]}].*)?)$"),
		"a text that begins with @, % or ` needs quotes", requote,
	},
	{
		"expected alphabetic or numeric character", regex.Of(`^(.*?(?:^|[\s\[{,]))([*&])((?::\s.*|[\s,\]}].*)?)$`),
		"a text that begins with * or & needs quotes", requote,
	},
	{
		"could not find expected ':'", regex.Of(`^(\s*[A-Za-z0-9_.-]+:)([^\s/][^\s]*)()$`),
		"there is no space after the colon", func(g func(int) string) string { return g(1) + " " + g(2) },
	},
	{
		"mapping values are not allowed", regex.Of(`^(\s*[A-Za-z0-9_.-]+: +)([^\s"'{\[].*:\s.*)()$`),
		"a text with a colon and a space in it needs quotes",
		func(g func(int) string) string { return g(1) + strconv.Quote(strings.TrimSpace(g(2))) },
	},
	{
		"did not find expected ',' or", regex.Of(`^(.*[{,]\s*[A-Za-z0-9_.-]+: +)([^\s"'{\[,][^,}]*:\s[^,}]*)([,}].*)$`),
		"a text with a colon and a space in it needs quotes", func(g func(int) string) string {
			before := g(1)
			return before[strings.LastIndexAny(before, "{,")+1:] + strconv.Quote(strings.TrimSpace(g(2)))
		},
	},
	{
		"unexpected end of stream", regex.Of(`^([^"']*)(["'][^"']*)()$`),
		"a quote is opened and not closed", func(g func(int) string) string { return g(1) + g(2) + g(2)[:1] },
	},
	{
		"mapping values are not allowed", regex.Of(`^(\s+)([A-Za-z0-9_.-]+:(?:\s.*)?)()$`),
		"the line is indented deeper than its neighbours", func(g func(int) string) string {
			return "begin the line in the column of the one above: `" + g(2) + "`"
		},
	},
}

func requote(g func(int) string) string {
	before := g(1)
	if i := strings.LastIndexAny(before, "{[,"); i >= 0 {
		before = before[i+1:]
	}
	return before + strconv.Quote(g(2)) + strings.TrimRight(g(3), "}] ,")
}

// typographic are the quotes that word processors and telephones write. To YAML they are letters.
const typographic = "“”„‟‘’‚‛«»‹›"

// bare is a text without typographic quotes around it; fancy reports whether it has some.
func bare(text string) (plain string, fancy bool) {
	plain = strings.Trim(text, typographic)
	return plain, plain != text
}

// boolOf is what a person means by a word where true or false belongs.
func boolOf(word string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "true", "yes", "y", "on", "1", "enabled", "enable":
		return true, true
	case "false", "no", "n", "off", "0", "disabled", "disable", "none":
		return false, true
	}
	return false, false
}

var wordsFor = map[string]string{"ssl": "tls", "smtps": "tls", "none": "off"}

// choice is the word of a list that was meant; "" when that cannot be known.
func choice(word string, words []string) string {
	low := strings.ToLower(strings.TrimSpace(word))
	if on, ok := boolOf(low); ok {
		meant := map[bool]string{true: "on", false: "off"}[on]
		if slices.Contains(words, meant) {
			return meant
		}
	}
	if w := wordsFor[low]; slices.Contains(words, w) {
		return w
	}
	for _, w := range words {
		if strings.HasPrefix(low, w) {
			return w
		}
	}
	return finding.Nearest(low, words)
}

var (
	leadingNumber = regex.Of(`^([0-9]{1,9})[^0-9]*$`)
	quantity      = regex.Of(`^([0-9]+)\s*([A-Za-z]+)$`)
)

// units are the units that people write, and those of the programs. A month has none.
var units = map[string]string{
	"s": "s", "sec": "s", "second": "s", "seconds": "s", "min": "m", "minute": "m", "minutes": "m", "h": "h", "hour": "h", "hours": "h",
	"d": "d", "day": "d", "days": "d", "w": "w", "week": "w", "weeks": "w", "y": "y", "year": "y", "years": "y",
	"k": "K", "kb": "K", "kib": "K", "m": "M", "mb": "M", "mib": "M", "g": "G", "gb": "G", "gib": "G",
}

// retyped is the text as its pattern wants it, where only its form is wrong; "" where more is.
func retyped(text string, pattern *regexp.Regexp) string {
	text, _ = bare(strings.TrimSpace(text))
	tries := []string{text, strings.ToLower(text), strings.Join(strings.Fields(strings.ToLower(text)), "-")}
	if m := quantity().FindStringSubmatch(text); m != nil {
		unit := units[strings.ToLower(m[2])]
		tries = append(tries, m[1]+unit, m[1]+strings.ToLower(unit))
	}
	for _, t := range tries {
		if t != "" && pattern.MatchString(t) {
			return t
		}
	}
	return ""
}

// flow names what a list or a word stood for, where a mapping belongs.
func flow(v source.Value) []string {
	var names []string
	for _, item := range append(v.Items(), v) {
		name := item.Str()
		for key := range item.Entries() {
			name = key.Str()
		}
		if name != "" && !item.Secret() && !strings.ContainsAny(name, " {}[],\"'\n") {
			names = append(names, name)
		}
	}
	return names
}
