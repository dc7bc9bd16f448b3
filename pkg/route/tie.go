package route

import (
	"fmt"
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
			if !tie && (a.Explicit && b.Explicit || told[a] || told[b]) || !a.rival(b) || !overlap(a.Expr, b.Expr) {
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
		Kind: Tie, Container: a.Container, Router: a.Name, Sites: []source.Site{a.PrioritySite, b.PrioritySite},
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
		Kind: NoPriority, Container: r.Container, Router: r.Name, Sites: []source.Site{r.Site, o.PrioritySite},
		Message: fmt.Sprintf("router %q has no priority; only the length of its rule, %d, puts it %s %q with %d", r.Name, len(r.Rule), where, o.Name, o.Priority),
	}
}

// rival tells whether it matters which of two routers takes a request that both match.
func (r *Router) rival(o *Router) bool {
	return r.Dropped == "" && o.Dropped == "" && r.TLS == o.TLS && r.PlainHTTP == o.PlainHTTP &&
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
func (e *Expr) alternatives() (list [][]*Expr, ok bool) {
	if e.Op == 0 {
		return [][]*Expr{{e}}, true
	}
	left, okLeft := e.Left.alternatives()
	if !okLeft {
		return nil, false
	}
	right, okRight := e.Right.alternatives()
	if !okRight {
		return nil, false
	}
	if e.Op == '|' {
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

func overlap(a, b *Expr) bool {
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
func satisfiable(all []*Expr) bool {
	return someOf(all, Host, func(v string) *Request { return &Request{Host: strings.ToLower(v)} }) &&
		someOf(all, Method, func(v string) *Request { return &Request{Method: strings.ToUpper(v)} }) &&
		someOf(all, Path, func(v string) *Request { return &Request{Path: v} }) &&
		prefixesMeet(all)
}

// someOf tries every value that the finite matchers of a kind allow against all of that kind.
func someOf(all []*Expr, kind Kind, ask func(string) *Request) bool {
	tried := false
	for _, e := range all {
		if e.Not || e.Never != "" || e.Kind != kind || !e.Finite {
			continue
		}
		tried = true
		for _, v := range e.Named {
			r := ask(v)
			if !slices.ContainsFunc(all, func(o *Expr) bool {
				if o.Kind != kind {
					return false
				}
				got, _ := o.match(r)
				return got == No
			}) {
				return true
			}
		}
	}
	return !tried && !slices.ContainsFunc(all, func(e *Expr) bool { return e.Never != "" && !e.Not })
}

// prefixesMeet compares the literal beginnings of the path matchers.
func prefixesMeet(all []*Expr) bool {
	for i, a := range all {
		for _, b := range all[i+1:] {
			if !prefixesAgree(a, b) || !prefixesAgree(b, a) {
				return false
			}
		}
	}
	return true
}

func prefixesAgree(a, b *Expr) bool {
	if len(a.Prefixes) == 0 || len(b.Prefixes) == 0 || a.Not {
		return true
	}
	if b.Not {
		// All that a allows lies below a prefix that b excludes.
		return !b.Whole || slices.ContainsFunc(a.Prefixes, func(p string) bool {
			return !slices.ContainsFunc(b.Prefixes, func(q string) bool { return strings.HasPrefix(p, q) })
		})
	}
	return slices.ContainsFunc(a.Prefixes, func(p string) bool {
		return slices.ContainsFunc(b.Prefixes, func(q string) bool { return strings.HasPrefix(p, q) || strings.HasPrefix(q, p) })
	})
}
