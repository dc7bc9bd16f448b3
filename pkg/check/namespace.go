package check

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// pattern is the expression of a namespace as Synapse takes it: Python's re.match, which holds it against the
// start of an id, whatever follows.
type pattern struct {
	re   *regexp.Regexp // nil when it cannot be told what the expression matches
	prog *syntax.Prog
	bad  bool // Python refuses it, too
}

var (
	// pythonOnly is what Python's re has and Go's does not: assertions, back references, possessive repetition.
	pythonOnly = regexp.MustCompile(`\(\?(?:[=!>#(]|<[=!]|P=)|\\[1-9ZuUN]|[*+?}]\+|\{\d{4,}`)
	// goOnly are escapes that Python's re refuses as "bad escape".
	goOnly = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*\\[CEFGHIJKLMOPQRTVXYceghijklmopqyz]`)
)

// pattern compiles an expression once.
func (d *Deployment) pattern(expr string) *pattern {
	if p := d.patterns[expr]; p != nil {
		return p
	}
	p := &pattern{}
	d.patterns[expr] = p
	if _, err := syntax.Parse(expr, syntax.Perl); err != nil || goOnly.MatchString(expr) {
		p.bad = goOnly.MatchString(expr) || !pythonOnly.MatchString(expr)
		return p
	}
	tree, err := syntax.Parse("^(?:"+expr+")", syntax.Perl)
	if err == nil {
		p.prog, err = syntax.Compile(tree.Simplify())
	}
	if err == nil {
		p.re, _ = regexp.Compile("^(?:" + expr + ")")
	}
	return p
}

// claim is one namespace of a registration.
type claim struct {
	*pattern
	regex     source.Value
	exclusive bool
}

// claims lists the namespaces of a kind (users, aliases) whose expression Synapse can read.
func (d *Deployment) claims(reg *Registration, kind string) []claim {
	var cs []claim
	for _, ns := range reg.At("namespaces", kind).Items() {
		v := ns.At("regex")
		if p := d.pattern(v.Str()); v.Set() && !p.bad {
			cs = append(cs, claim{pattern: p, regex: v, exclusive: !isFalse(ns.At("exclusive"))})
		}
	}
	return cs
}

// claimed gives the namespace that holds the id, an exclusive one if there is one.
func claimed(cs []claim, id string) (found *claim) {
	for i, c := range cs {
		if c.re != nil && c.re.MatchString(id) && (found == nil || c.exclusive) {
			found = &cs[i]
		}
	}
	return found
}

// mostStates bounds the search for an id that two expressions have in common. Those of bridges need a few dozen.
const mostStates = 2000

// overlap gives an id that every one of the patterns matches, the shortest there is; it walks through all of
// them at once. The last pattern says what an id is.
func overlap(alphabet string, ps ...*pattern) (id string, ok bool) {
	type state struct {
		at   [][]uint32 // the places in each program; nil after its match
		text string
	}
	first := state{at: make([][]uint32, len(ps))}
	for i, p := range ps {
		if p.re == nil {
			return "", false
		}
		first.at[i] = []uint32{uint32(p.prog.Start)}
	}
	queue, seen := []state{first}, make(map[string]bool)
	next := func(s state, r rune) (state, bool) {
		prev := rune(-1)
		if s.text != "" {
			prev = rune(s.text[len(s.text)-1])
		}
		to := state{at: make([][]uint32, len(ps)), text: s.text}
		for i, p := range ps {
			if s.at[i] == nil {
				continue
			}
			after, matched := p.step(s.at[i], prev, r)
			if !matched && len(after) == 0 {
				return to, false
			}
			if !matched {
				to.at[i] = after
			}
		}
		return to, true
	}
	for len(queue) > 0 && len(seen) < mostStates {
		s := queue[0]
		queue = queue[1:]
		if _, ok := next(s, -1); ok {
			return s.text, true
		}
		for _, r := range alphabet {
			to, ok := next(s, r)
			to.text += string(r)
			if key := fmt.Sprint(to.at, syntax.IsWordChar(r)); ok && !seen[key] {
				seen[key] = true
				queue = append(queue, to)
			}
		}
	}
	return "", false
}

// step follows the program over the next rune, or over the end, which is -1.
func (p *pattern) step(at []uint32, prev, next rune) (after []uint32, matched bool) {
	flags := syntax.EmptyOpContext(prev, next)
	todo := slices.Clone(at)
	for i := 0; i < len(todo); i++ {
		if slices.Contains(todo[:i], todo[i]) {
			continue
		}
		switch in := &p.prog.Inst[todo[i]]; in.Op {
		case syntax.InstMatch:
			return nil, true
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^flags == 0 {
				todo = append(todo, in.Out)
			}
		case syntax.InstFail:
		default:
			if next >= 0 && in.MatchRune(next) {
				after = append(after, in.Out)
			}
		}
	}
	slices.Sort(after)
	return slices.Compact(after), false
}

// localpartRunes may stand in the localpart of a user id (Matrix specification, appendix "User identifiers").
const localpartRunes = "abcdefghijklmnopqrstuvwxyz0123456789_.=/+-"

// ids are the ids of a server that begin with a sigil: all of them as a pattern, and the letters they are made of.
func (d *Deployment) ids(sigil, server string) (all *pattern, alphabet string) {
	letters := []rune(localpartRunes + sigil + ":" + strings.ToLower(server))
	slices.Sort(letters)
	return d.pattern("^" + sigil + "[a-z0-9_.=/+-]*:" + regexp.QuoteMeta(server) + "$"), string(slices.Compact(letters))
}
