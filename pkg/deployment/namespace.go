package deployment

import (
	"encoding/binary"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// Pattern is the expression of a namespace as Synapse takes it: Python's re.match, which holds it against the
// start of an id, whatever follows.
type Pattern struct {
	Re   *regexp.Regexp // nil when it cannot be told what the expression matches
	prog *syntax.Prog
	lead string // what every id that it matches begins with
	Bad  bool   // Python refuses it, too
}

var (
	// pythonOnly is what Python's re has and Go's does not: assertions, back references, possessive repetition.
	pythonOnly = regex.Of(`\(\?(?:[=!>#(]|<[=!]|P=)|\\[1-9ZuUN]|[*+?}]\+|\{\d{4,}`)
	// goOnly is what Python's re refuses: other escapes, names without P, flags that it does not know or that
	// do not stand at the beginning.
	goOnly = regex.Of(`(?:^|[^\\])(?:\\\\)*\\[CEFGHIJKLMOPQRTVXYceghijklmopqyz]|\(\?(?:<\w|[a-z]*U|[a-z]*-[a-z]*\))|.\(\?[a-z]+\)`)
)

// Pattern compiles an expression once.
func (d *Deployment) Pattern(expr string) *Pattern {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.patterns[expr]
	if p == nil {
		p = compile(expr)
		d.patterns[expr] = p
	}
	return p
}

func compile(expr string) *Pattern {
	p := &Pattern{}
	if _, err := syntax.Parse(expr, syntax.Perl); err != nil || goOnly().MatchString(expr) {
		p.Bad = goOnly().MatchString(expr) || !pythonOnly().MatchString(expr)
		return p
	}
	tree, err := syntax.Parse("^(?:"+expr+")", syntax.Perl)
	if err == nil {
		p.prog, err = syntax.Compile(tree.Simplify())
	}
	if err == nil {
		p.Re, _ = regexp.Compile("^(?:" + expr + ")")
		p.lead = leadOf(p.prog)
	}
	return p
}

// leadOf is the text that every match of an expression begins with, as far as it has no choice.
func leadOf(prog *syntax.Prog) string {
	var lead strings.Builder
	for at := prog.Start; ; {
		i := &prog.Inst[at]
		switch {
		case i.Op == syntax.InstNop || i.Op == syntax.InstCapture || i.Op == syntax.InstEmptyWidth:
		case i.Op == syntax.InstRune1 || i.Op == syntax.InstRune && len(i.Rune) == 1 && syntax.Flags(i.Arg)&syntax.FoldCase == 0:
			lead.WriteRune(i.Rune[0])
		default:
			return lead.String()
		}
		at = int(i.Out)
	}
}

// Claim is one namespace of a registration.
type Claim struct {
	*Pattern
	Regex     source.Value
	Exclusive bool
}

// Claims lists the namespaces of a kind (users, aliases) whose expression Synapse can read.
func (d *Deployment) Claims(reg *Registration, kind string) []Claim {
	var cs []Claim
	for _, ns := range reg.At("namespaces", kind).Items() {
		v := ns.At("regex")
		if p := d.Pattern(v.Str()); v.Set() && !p.Bad {
			cs = append(cs, Claim{Pattern: p, Regex: v, Exclusive: !IsFalse(ns.At("exclusive"))})
		}
	}
	return cs
}

// Claimed gives the namespace that holds the id, an exclusive one if there is one.
func Claimed(cs []Claim, id string) (found *Claim) {
	for i, c := range cs {
		if c.Re != nil && c.Re.MatchString(id) && (found == nil || c.Exclusive) {
			found = &cs[i]
		}
	}
	return found
}

// Search walks through several expressions at once. Those of bridges need a few hundred steps for a pair;
// budget keeps what nobody would write from holding up a check.
type Search struct{ Budget int }

// progress is how far a text has come in each expression; nil after its match.
type progress struct {
	at   [][]uint32
	text string
}

// Common gives the shortest id that every one of the patterns matches. The last of them says what an id is.
func (s *Search) Common(alphabet string, ps ...*Pattern) (id string, ok bool) {
	first := progress{at: make([][]uint32, len(ps))}
	for i, p := range ps {
		if p.Re == nil {
			return "", false
		}
		first.at[i] = []uint32{uint32(p.prog.Start)}
		for _, o := range ps[:i] {
			if !strings.HasPrefix(p.lead, o.lead) && !strings.HasPrefix(o.lead, p.lead) {
				return "", false
			}
		}
	}
	queue, seen := []progress{first}, make(map[string]bool)
	for len(queue) > 0 && s.Budget > 0 {
		from := queue[0]
		queue = queue[1:]
		if _, ok := s.next(from, -1, ps); ok {
			return from.text, true
		}
		for _, r := range alphabet {
			to, ok := s.next(from, r, ps)
			if !ok {
				continue
			}
			if key := to.key(); !seen[key] {
				seen[key] = true
				queue = append(queue, to)
			}
		}
	}
	return "", false
}

// key tells how far a text has come, and whether it ends in a word, from how far others have.
func (p progress) key() string {
	var key []byte
	for _, at := range p.at {
		for _, place := range at {
			key = binary.AppendUvarint(key, uint64(place)+1)
		}
		key = append(key, 0)
	}
	last, _ := utf8.DecodeLastRuneInString(p.text)
	return string(strconv.AppendBool(key, syntax.IsWordChar(last)))
}

// next goes on by a rune, or by the end, which is -1; ok is false when one of the patterns does not.
func (s *Search) next(from progress, r rune, ps []*Pattern) (to progress, ok bool) {
	prev := rune(-1)
	if from.text != "" {
		prev, _ = utf8.DecodeLastRuneInString(from.text)
	}
	to.at = make([][]uint32, len(ps))
	for i, p := range ps {
		if from.at[i] == nil {
			continue
		}
		after, matched := s.step(p.prog, from.at[i], prev, r)
		if !matched && len(after) == 0 {
			return to, false
		}
		if !matched {
			to.at[i] = after
		}
	}
	if r >= 0 {
		to.text = from.text + string(r)
	}
	return to, true
}

func (s *Search) step(prog *syntax.Prog, at []uint32, prev, next rune) (after []uint32, matched bool) {
	flags := syntax.EmptyOpContext(prev, next)
	seen := make([]bool, len(prog.Inst))
	todo := slices.Clone(at)
	for i := 0; i < len(todo); i++ {
		if seen[todo[i]] {
			continue
		}
		seen[todo[i]] = true
		switch in := &prog.Inst[todo[i]]; in.Op {
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
	s.Budget -= len(todo) + len(seen)/64
	slices.Sort(after)
	return slices.Compact(after), false
}

// localpartRunes may stand in the localpart of a user id (Matrix specification, appendix "User identifiers").
const localpartRunes = "abcdefghijklmnopqrstuvwxyz0123456789_.=/+-"

// Ids are the ids of a server that begin with a sigil: all of them as a pattern, and the letters they are made of.
func (d *Deployment) Ids(sigil, server string) (all *Pattern, alphabet string) {
	letters := []rune(localpartRunes + sigil + ":" + strings.ToLower(server))
	slices.Sort(letters)
	return d.Pattern("^" + sigil + "[a-z0-9_.=/+-]*:" + regexp.QuoteMeta(server) + "$"), string(slices.Compact(letters))
}
