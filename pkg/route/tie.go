package route

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// comparison holds rules against each other. The pairs of a large stack need some ten thousand steps; budget
// keeps what nobody would write from holding up a check.
type comparison struct{ budget int }

const (
	compareBudget = 20_000_000
	// problemCost makes an end of pairs that are all told.
	problemCost = 40_000
)

// shortestRule is the length of Path(`/`): whoever writes a lower priority comes after every router without one, and wants to.
const shortestRule = 9

// comparePriorities reports each pair of live routers that may match the same request and do not lead to the
// same place, where a random one wins, or the length of one's rule beats the priority that somebody gave the other. Two regexps that only differ past
// their literal beginning count as overlapping. Where the budget ends, one problem says so.
func (t *Table) comparePriorities() {
	told := make(map[*Router]bool) // once a router is enough
	all := make([][][]*Expr, len(t.Routers))
	for i, r := range t.Routers {
		if r.Dropped == "" && r.Expr != nil {
			all[i], _ = r.Expr.alternatives()
		}
	}
	c := &comparison{budget: compareBudget}
	var open []*Router // the first pair of which it is not known
	for i, a := range t.Routers {
		for j, b := range t.Routers[i+1:] {
			tie := a.Priority == b.Priority
			if !tie && (a.Explicit || !b.Explicit || b.Priority < shortestRule || told[a] || told[b]) || !t.rival(a, b) {
				continue
			}
			switch c.overlap(all[i], all[i+1+j]) {
			case No:
			case Maybe:
				if open == nil {
					open = []*Router{a, b}
				}
			default:
				p := compared(a, b, tie)
				t.Problems = append(t.Problems, p)
				told[a], told[b] = told[a] || p.Router == a.Name, told[b] || p.Router == b.Name
				c.budget -= problemCost
			}
		}
	}
	if open != nil {
		a, b := open[0], open[1]
		t.Problems = append(t.Problems, Problem{
			Kind: TooMany, Container: a.Container, Router: a.Name, Sites: []source.Site{a.Site, b.Site},
			Message: fmt.Sprintf("whether routers %q and %q, and others behind them, match the same request was not found out within the time that this may take", a.Name, b.Name),
		})
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
	return Problem{
		Kind: NoPriority, Container: a.Container, Router: a.Name, Sites: []source.Site{a.Site, b.PrioritySite},
		Message: fmt.Sprintf("router %q has no priority; only the length of its rule, %d, puts it before %q with %d", a.Name, len(a.Rule), b.Name, b.Priority),
	}
}

// rival tells whether it matters which of two routers takes a request that both match.
func (t *Table) rival(r, o *Router) bool {
	return r.Dropped == "" && o.Dropped == "" && r.TLS == o.TLS && r.PlainHTTP == o.PlainHTTP && t.meets(r, o) &&
		(r.Service != o.Service || !slices.Equal(r.Middlewares, o.Middlewares)) && (r.Target == "" || r.Target != o.Target)
}

// meets tells whether two routers share an entrypoint. None means all, or those that are the default.
func (t *Table) meets(r, o *Router) bool {
	if t.entries.All != nil {
		return slices.ContainsFunc(t.entries.All, func(e Entry) bool { return r.on(&e) && o.on(&e) })
	}
	if len(r.EntryPoints) == 0 || len(o.EntryPoints) == 0 {
		return true
	}
	return slices.ContainsFunc(r.EntryPoints, func(e string) bool {
		return slices.ContainsFunc(o.EntryPoints, func(other string) bool { return strings.EqualFold(e, other) })
	})
}

// maxAlternatives and maxMatchers bound how far rules are multiplied out to compare them.
const (
	maxAlternatives = 64
	maxMatchers     = 256
)

// alternatives gives the rule as a list of conjunctions; ok is false, and the list nil, when it grows too long.
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
	} else if len(left)*len(right) <= maxAlternatives {
		for _, l := range left {
			for _, r := range right {
				if len(l)+len(r) > maxMatchers {
					return nil, false
				}
				list = append(list, slices.Concat(l, r))
			}
		}
	}
	if len(list) == 0 || len(list) > maxAlternatives {
		return nil, false
	}
	return list, true
}

// overlap tells whether two rules match a common request; Maybe when that is too much to find out. It errs on
// the side of Yes.
func (c *comparison) overlap(as, bs [][]*Expr) Truth {
	if as == nil || bs == nil {
		return Maybe
	}
	for _, x := range as {
		for _, y := range bs {
			meet := c.budget > 0 && c.satisfiable(slices.Concat(x, y))
			if c.budget <= 0 {
				return Maybe
			}
			if meet {
				return Yes
			}
		}
	}
	return No
}

// satisfiable tells whether a request may fulfil all matchers. It errs on the side of yes.
func (c *comparison) satisfiable(all []*Expr) bool {
	return c.someOf(all, Host, func(v string) *Request { return &Request{Host: strings.ToLower(v)} }) &&
		c.someOf(all, Method, func(v string) *Request { return &Request{Method: strings.ToUpper(v)} }) &&
		c.someOf(all, Path, func(v string) *Request { return &Request{Path: v} }) &&
		c.prefixesMeet(all)
}

// someOf tries every value that the finite matchers of a kind allow against all of that kind.
func (c *comparison) someOf(all []*Expr, kind Kind, ask func(string) *Request) bool {
	tried := false
	c.budget -= len(all)
	for _, e := range all {
		if e.Not || e.Never != "" || e.Kind != kind || !e.Finite {
			continue
		}
		tried = true
		for _, v := range e.Named {
			if c.budget <= 0 {
				return true // overlap does not take it for an answer
			}
			r := ask(v)
			if !slices.ContainsFunc(all, func(o *Expr) bool {
				c.budget--
				if o.Kind != kind {
					return false
				}
				if o.Open && !e.Open {
					return true // most likely it stands for something else
				}
				c.budget -= o.cost(v)
				got := o.Eval(r)
				return got == No && !o.Not || got == Yes && o.Not
			}) {
				return true
			}
		}
	}
	return !tried && !slices.ContainsFunc(all, func(e *Expr) bool { return e.Never != "" && !e.Not })
}

// cost is how many steps it takes to hold a value against a matcher, which may be a regexp as long as its text.
func (m *Matcher) cost(v string) int {
	if m.Finite {
		return len(m.Named)
	}
	return 1 + len(m.Text)*len(v)/64
}

// prefixesMeet compares the literal beginnings of the path matchers.
func (c *comparison) prefixesMeet(all []*Expr) bool {
	for i, a := range all {
		for _, b := range all[i+1:] {
			if c.budget -= 1 + 2*len(a.Prefixes)*len(b.Prefixes); c.budget <= 0 {
				return true
			}
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
