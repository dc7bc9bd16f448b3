package suppress

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// mark is what a comment begins with: `# stackgen:ignore RULE[,RULE] reason`, in SQL behind `--`.
const mark = "stackgen:ignore"

// maxComments is more than anybody writes into one file.
const maxComments = 1000

// comment is one that suppresses something.
type comment struct {
	pos    source.Pos
	rules  []string
	reason string
	from   int // the lines that it is about
	to     int
	used   map[string]bool
}

// commented is a file with such comments.
type commented struct {
	file     *source.File
	comments []*comment
	byLine   map[int][]*comment
	whole    []*comment // those above everything else, which are about the file as a whole as well
	over     int        // the line of the first that is not read; 0 when all are
}

// read gives the comments of a file; nil when it has none. A comment is about its own line, and one that has the line to itself
// about the next line that is none.
func read(name string, src []byte) *commented {
	if !bytes.Contains(src, []byte(mark)) {
		return nil
	}
	c := &commented{file: &source.File{Path: name, Src: src}, byLine: make(map[int][]*comment)}
	lines := strings.Split(string(src), "\n")
	head := true // nothing but comments so far
	for i, line := range lines {
		lead, rest, ok := cut(line)
		if ok && len(c.comments) == maxComments {
			c.over = i + 1
			break
		}
		if ok {
			n := parse(rest)
			n.pos = source.Pos{File: name, Line: i + 1, Col: len([]rune(lead)) + 1}
			n.from, n.to = i+1, i+1
			if strings.TrimSpace(lead) == "" {
				n.to = below(lines, i) + 1
			}
			c.comments = append(c.comments, n)
			for _, at := range slices.Compact([]int{n.from, n.to}) {
				c.byLine[at] = append(c.byLine[at], n)
			}
			if head {
				c.whole = append(c.whole, n)
			}
		}
		head = head && (strings.TrimSpace(line) == "" || alone(line))
	}
	if len(c.comments) == 0 {
		return nil
	}
	return c
}

// cut parts a line at the sign of its comment that suppresses something.
func cut(line string) (lead, rest string, ok bool) {
	before, rest, ok := strings.Cut(line, mark)
	if !ok || rest != "" && !strings.ContainsRune(" \t\r", rune(rest[0])) {
		return "", "", false
	}
	before = strings.TrimRight(strings.TrimPrefix(before, "\ufeff"), " \t")
	lead = strings.TrimRight(before, "#")
	if lead == before {
		lead = strings.TrimSuffix(before, "--")
	}
	if lead == before || lead != "" && !strings.HasSuffix(lead, " ") && !strings.HasSuffix(lead, "\t") {
		return "", "", false
	}
	return lead, rest, true
}

// alone reports whether a line is a comment and nothing else.
func alone(line string) bool {
	line = strings.TrimLeft(strings.TrimPrefix(line, "\ufeff"), " \t")
	return strings.HasPrefix(line, "#") || strings.HasPrefix(line, "--")
}

// below is the next line, from a comment on, that is no comment.
func below(lines []string, i int) int {
	for i++; i < len(lines) && alone(lines[i]); i++ {
	}
	return i
}

// parse reads what stands behind the mark.
func parse(rest string) *comment {
	n := &comment{used: make(map[string]bool)}
	rest = strings.TrimSpace(rest)
	for more := true; more && rest != ""; {
		end := strings.IndexAny(rest, " \t,")
		if end < 0 {
			end = len(rest)
		}
		if name := strings.TrimSuffix(rest[:end], ":"); name != "" && !slices.Contains(n.rules, name) {
			n.rules = append(n.rules, name)
		}
		rest = strings.TrimLeft(rest[end:], " \t")
		rest, more = strings.CutPrefix(rest, ",")
		rest = strings.TrimLeft(rest, " \t")
	}
	n.reason = short(rest)
	return n
}

// at are the comments on the rule that are about a line; line 0 is the file as a whole.
func (c *commented) at(rule string, line int) []*comment {
	all := c.byLine[line]
	if line == 0 {
		all = c.whole
	}
	var found []*comment
	for _, n := range all {
		if slices.Contains(n.rules, rule) {
			found = append(found, n)
		}
	}
	return found
}

// problems are what is wrong with the comments of a file.
func (c *commented) problems(in Input) []finding.Finding {
	var all []finding.Finding
	warn := func(n *comment, message, fix string) {
		site := c.file.SiteAt(n.pos.Line)
		site.Pos = n.pos
		all = append(all, finding.Finding{Rule: Rule, Severity: finding.Warning, Message: message, Fix: fix, Sites: []source.Site{site}})
	}
	for _, n := range c.comments {
		var unused []string
		unknown := false
		for _, rule := range n.rules {
			switch {
			case !slices.Contains(in.Known, rule):
				message, fix := noRule(rule, in.Known)
				warn(n, message, fix)
				unknown = true
			case !n.used[rule] && !in.Unsure(rule):
				unused = append(unused, rule)
			}
		}
		switch {
		case len(n.rules) == 0:
			warn(n, "the comment names no rule; it suppresses nothing", mark+" RULE reason, with the rule that stands in brackets at the end of the finding")
			continue
		case n.reason == "" && !unknown:
			warn(n, "the comment gives no reason; whoever reads it later cannot tell whether it still holds", mark+" "+strings.Join(n.rules, ",")+" and why it is right here")
		}
		if len(unused) > 0 {
			warn(n, fmt.Sprintf("the comment suppresses nothing: %s has no finding here; it would hide one that comes later", strings.Join(unused, ", ")), "remove it, or move it to the line that a finding names, or above that")
		}
	}
	if c.over > 0 {
		all = append(all, finding.Finding{
			Rule: Rule, Severity: finding.Warning, Message: fmt.Sprintf("the file has more than %d comments that suppress something; those from here on are not read", maxComments),
			Fix: "take an entry of " + Name + " for them", Sites: []source.Site{c.file.SiteAt(c.over)},
		})
	}
	return all
}
