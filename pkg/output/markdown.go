package output

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// What Markdown or HTML would act on, as entities: unlike backslashes they also hold in a table cell.
var markdownEscape = sync.OnceValue(func() *strings.Replacer {
	pairs := []string{"@", "&#64;&#8203;", "#", "&#35;&#8203;", breakRune, "&#8203;"}
	for _, c := range "&<>|\\`*_[]~$!" {
		pairs = append(pairs, string(c), fmt.Sprintf("&#%d;", c))
	}
	return strings.NewReplacer(pairs...)
})

// What GitHub makes a link of without any mark of Markdown, beside mentions and #1: addresses, GH-1, commits.
// It looks after it decoded the entities, so that only a zero-width space within keeps it from that.
var reference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)://|www\.|gh-[0-9]|[0-9a-f]{7,}`) })

// breakRune stands for the zero-width space; Clean leaves none of it in a text.
const breakRune = "\x00"

func unlink(s string) string {
	return reference().ReplaceAllStringFunc(Clean(s), func(m string) string {
		switch {
		case m[0] == ':':
			return ":" + breakRune + "//"
		case m[len(m)-1] == '.' || m[2] == '-':
			return m[:len(m)-1] + breakRune + m[len(m)-1:]
		case len(m) > 40: // no commit has so long a name
			return m
		}
		var b strings.Builder
		for len(m) > 6 {
			b.WriteString(m[:6] + breakRune)
			m = m[6:]
		}
		return b.String() + m
	})
}

// Escape gives the clean s so that Markdown and GitHub show it as it stands, in a table cell too.
func Escape(s string) string { return markdownEscape().Replace(unlink(s)) }

// Inline is a text for a sentence of Markdown that a person writes around it, or for code within: it ends neither the line
// nor what is marked as code.
func Inline(s string) string { return strings.ReplaceAll(Clean(s), "`", "'") }

// HTML is Escape for what stands within <summary>, where there is no Markdown.
func HTML(s string) string {
	return strings.NewReplacer("@", "&#64;&#8203;", "#", "&#35;&#8203;", "`", "&#96;", breakRune, "&#8203;", "&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(unlink(s))
}

// Code is a code span; one with entities when s has what ends a code span or a table cell.
func Code(s string) string {
	switch {
	case s == "":
		return ""
	case strings.ContainsAny(s, "`|\\<>&"):
		return "<code>" + Escape(s) + "</code>"
	}
	return "`" + s + "`"
}

func longestRun(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
		} else {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

// Fence is a code block that body cannot end.
func Fence(language, body string) string {
	fence := strings.Repeat("`", max(3, longestRun(body)+1))
	return fence + language + "\n" + body + "\n" + fence
}

// MaxMarkdown is the length in bytes that a Page keeps: GitHub takes no comment of more than 65,536
// characters, and what calls us may add to it.
const MaxMarkdown = 60_000

// Page is Markdown within MaxMarkdown. What does not fit is counted.
type Page struct {
	bytes.Buffer
	left []string // the kinds of what was left out, once for each
}

// Add writes a block and reports whether there was room for it: else one of that kind is left out.
func (p *Page) Add(kind, format string, args ...any) bool {
	block := fmt.Sprintf(format, args...)
	if p.Len()+len(block) > MaxMarkdown-500 { // the rest is for Close
		p.Leave(kind, 1)
		return false
	}
	p.WriteString(block)
	return true
}

// Leave counts n of the kind as left out.
func (p *Page) Leave(kind string, n int) {
	for range n {
		p.left = append(p.left, kind)
	}
}

// Fold adds lines that are shown when somebody asks for them. They come whole or not at all.
func (p *Page) Fold(kind, summary, language string, lines []string) {
	clean := make([]string, len(lines))
	for i, l := range lines {
		clean[i] = Clean(l)
	}
	p.Add(kind, "\n<details><summary>%s</summary>\n\n%s\n\n</details>\n", summary, Fence(language, strings.Join(clean, "\n")))
}

// Close says at the end of the page what does not fit, and where all is: command names it.
func (p *Page) Close(command string) {
	var parts []string
	counts := make(map[string]int)
	for _, kind := range p.left {
		counts[kind]++
	}
	for _, kind := range p.left {
		if n := counts[kind]; n > 0 {
			parts = append(parts, Plural(n, kind))
			counts[kind] = 0
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(p, "\n**Left out**, to stay below %d characters: %s. `%s` without `--format markdown` shows all.\n", MaxMarkdown, strings.Join(parts, ", "), command)
	}
}

// Plural counts with the noun in the right number.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
