package route

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// comparePriorities reports each pair of live routers that may match the same request and do not lead to the
// same place, where a random one wins or the length of the rules decides. Two regexps that only differ past
// their literal beginning count as overlapping.
func (t *Table) comparePriorities() {
	told := make(map[*Router]bool) // once a router is enough
	for i, a := range t.Routers {
		for _, b := range t.Routers[i+1:] {
			tie := a.Priority == b.Priority
			if !tie && (a.Explicit && b.Explicit || told[a] || told[b]) || !a.rival(b) || !overlap(a.expr, b.expr) {
				continue
			}
			p := compared(a, b, tie)
			t.Problems = append(t.Problems, p)
			told[a], told[b] = told[a] || p.Router == a.Name, told[b] || p.Router == b.Name
		}
	}
}

func compared(a, b *Router, tie bool) Problem {
	p := Problem{
		Kind: Tie, Container: a.Container, Router: a.Name, Sites: []source.Site{a.at("priority"), b.at("priority")},
		Message: fmt.Sprintf("routers %q and %q have the same priority %d and can both match; which one answers changes with every start", a.Name, b.Name, a.Priority),
	}
	if tie {
		return p
	}
	r, o, where := a, b, "before"
	if a.Explicit {
		r, o, where = b, a, "behind"
	}
	return Problem{
		Kind: NoPriority, Container: r.Container, Router: r.Name, Sites: []source.Site{r.Site, o.at("priority")},
		Message: fmt.Sprintf("router %q has no priority; only the length of its rule, %d, puts it %s %q with %d", r.Name, len(r.Rule), where, o.Name, o.Priority),
	}
}

// rival tells whether it matters which of two routers takes a request that both match.
func (r *Router) rival(o *Router) bool {
	return r.Dropped == "" && o.Dropped == "" && r.TLS == o.TLS && r.plainHTTP == o.plainHTTP &&
		r.meets(o) && (r.Service != o.Service || !slices.Equal(r.Middlewares, o.Middlewares))
}

// meets tells whether two routers share an entrypoint; none means all.
func (r *Router) meets(o *Router) bool {
	if len(r.EntryPoints) == 0 || len(o.EntryPoints) == 0 {
		return true
	}
	return slices.ContainsFunc(r.EntryPoints, func(e string) bool { return slices.Contains(o.EntryPoints, e) })
}

// maxAlternatives bounds how far rules are multiplied out to compare them.
const maxAlternatives = 64

// alternatives gives the rule as a list of conjunctions; ok is false when there are too many.
func (e *expr) alternatives() (list [][]*expr, ok bool) {
	if e.op == 0 {
		return [][]*expr{{e}}, true
	}
	left, okLeft := e.left.alternatives()
	if !okLeft {
		return nil, false
	}
	right, okRight := e.right.alternatives()
	if !okRight {
		return nil, false
	}
	if e.op == '|' {
		list = append(left, right...)
		return list, len(list) <= maxAlternatives
	}
	if len(left)*len(right) > maxAlternatives {
		return nil, false
	}
	for _, l := range left {
		for _, r := range right {
			list = append(list, slices.Concat(l, r))
		}
	}
	return list, true
}

func overlap(a, b *expr) bool {
	as, okA := a.alternatives()
	bs, okB := b.alternatives()
	if !okA || !okB {
		return true
	}
	for _, x := range as {
		for _, y := range bs {
			if satisfiable(slices.Concat(x, y)) {
				return true
			}
		}
	}
	return false
}

// satisfiable tells whether a request may fulfil all matchers. It errs on the side of yes.
func satisfiable(all []*expr) bool {
	return someOf(all, []string{"Host", "HostHeader", "HostRegexp"}, []string{"Host", "HostHeader"}, func(v string) *request {
		return &request{host: strings.ToLower(v)}
	}) && someOf(all, []string{"Method"}, []string{"Method"}, func(v string) *request {
		return &request{method: strings.ToUpper(v)}
	}) && someOf(all, []string{"Path", "PathPrefix", "PathRegexp"}, []string{"Path"}, func(v string) *request {
		return &request{path: v}
	}) && prefixesMeet(all)
}

// someOf tries every value that the exact matchers allow against all matchers of that family.
func someOf(all []*expr, family, exact []string, ask func(string) *request) bool {
	tried := false
	for _, e := range all {
		if e.not || e.never != "" || !slices.Contains(exact, e.name) || slices.ContainsFunc(e.args, wild) {
			continue
		}
		tried = true
		for _, v := range e.args {
			r := ask(v)
			if !slices.ContainsFunc(all, func(o *expr) bool {
				if !slices.Contains(family, o.name) {
					return false
				}
				got, _ := o.match(r)
				return got == no
			}) {
				return true
			}
		}
	}
	return !tried && !slices.ContainsFunc(all, func(e *expr) bool { return e.never != "" && !e.not })
}

func wild(v string) bool { return strings.ContainsAny(v, "{}*") }

// prefixesMeet compares the literal beginnings of the path matchers.
func prefixesMeet(all []*expr) bool {
	for i, a := range all {
		for _, b := range all[i+1:] {
			if !prefixesAgree(a, b) || !prefixesAgree(b, a) {
				return false
			}
		}
	}
	return true
}

func prefixesAgree(a, b *expr) bool {
	pa, pb := a.prefixes(), b.prefixes()
	if len(pa) == 0 || len(pb) == 0 || a.not {
		return true
	}
	if b.not {
		// All that a allows lies below a prefix that b excludes.
		excluded := b.name == "PathPrefix" && !slices.ContainsFunc(b.args, wild)
		return !excluded || slices.ContainsFunc(pa, func(p string) bool {
			return !slices.ContainsFunc(pb, func(q string) bool { return strings.HasPrefix(p, q) })
		})
	}
	return slices.ContainsFunc(pa, func(p string) bool {
		return slices.ContainsFunc(pb, func(q string) bool { return strings.HasPrefix(p, q) || strings.HasPrefix(q, p) })
	})
}

// prefixes lists what a path that fulfils the matcher may begin with.
func (e *expr) prefixes() []string {
	switch e.name {
	case "Path", "PathPrefix":
		var list []string
		for _, a := range e.args {
			literal, _, _ := strings.Cut(a, "{")
			list = append(list, literal)
		}
		return list
	case "PathRegexp":
		return []string{literalPrefix(e.args[0])}
	}
	return nil
}

// literalPrefix gives what every match of an anchored regexp begins with.
func literalPrefix(pattern string) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	re = re.Simplify()
	if re.Op != syntax.OpConcat || re.Sub[0].Op != syntax.OpBeginText {
		return ""
	}
	var b strings.Builder
	for _, sub := range re.Sub[1:] {
		if sub.Op != syntax.OpLiteral || sub.Flags&syntax.FoldCase != 0 {
			break
		}
		b.WriteString(string(sub.Rune))
	}
	return b.String()
}
