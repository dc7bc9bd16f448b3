package route

import "net/url"

// Request is what rules look at: the method in upper case, the host without port in lower case, the path as the
// proxy's rules see it, the query.
type Request struct {
	Method, Host, Path string
	Query              url.Values
}

// Truth is the outcome of a rule: what depends on headers or the client's address cannot be told.
type Truth int8

// The outcomes, such that Yes - t is the opposite of t.
const (
	No Truth = iota
	Maybe
	Yes
)

// TruthOf is Yes or No.
func TruthOf(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// Expr is a parsed rule: a matcher, or two rules joined by Op ('&' or '|'). Negation stands at the matchers
// only, which Invert sees to.
type Expr struct {
	Op          byte
	Left, Right *Expr
	*Matcher
	Not bool
}

// Kind is the part of a request that a matcher looks at.
type Kind int8

// The kinds. Other is a query, a header or the client's address.
const (
	Other Kind = iota
	Host
	Method
	Path
)

// Matcher is one condition of a rule. Eval decides it; what it looks at besides is for telling whether two rules
// can match the same request.
type Matcher struct {
	Text string // as in the rule, for people
	Eval func(*Request) Truth
	Kind Kind
	// Named are the hosts, methods or paths that are written out in it, each of them one that fulfils it.
	Named []string
	// Finite says that nothing but Named fulfils it.
	Finite bool
	// Prefixes is what every path that fulfils it begins with one of; nil when that cannot be told.
	// Whole says that every path that begins so fulfils it.
	Prefixes []string
	Whole    bool
	// Open says that what it asks for stands behind a variable: what is named holds that, and is nobody's to ask for.
	Open bool
	// Never says why a matcher that parses can match nothing that its author meant.
	Never string
}

func (e *Expr) text() string {
	if e.Not {
		return "!" + e.Text
	}
	return e.Text
}

// match evaluates the rule and names the matchers that decided a No or a Maybe.
func (e *Expr) match(r *Request) (Truth, []string) {
	if e.Op == 0 {
		v := e.Eval(r)
		if e.Not {
			v = Yes - v
		}
		if v == Yes {
			return Yes, nil
		}
		return v, []string{e.text()}
	}
	left, whyLeft := e.Left.match(r)
	if e.Op == '&' && left == No || e.Op == '|' && left == Yes {
		return left, whyLeft
	}
	right, whyRight := e.Right.match(r)
	switch {
	case e.Op == '&' && right == No || e.Op == '|' && right == Yes:
		return right, whyRight
	case left == Maybe || right == Maybe:
		var why []string
		if left == Maybe {
			why = append(why, whyLeft...)
		}
		if right == Maybe {
			why = append(why, whyRight...)
		}
		return Maybe, why
	}
	return left, append(whyLeft, whyRight...)
}

// Walk visits every matcher of the rule from left to right; none of a nil one.
func (e *Expr) Walk(visit func(*Matcher)) {
	switch {
	case e == nil:
	case e.Op == 0:
		visit(e.Matcher)
	default:
		e.Left.Walk(visit)
		e.Right.Walk(visit)
	}
}

// Invert gives the opposite of a rule.
func Invert(e *Expr) *Expr {
	switch e.Op {
	case '&':
		return &Expr{Op: '|', Left: Invert(e.Left), Right: Invert(e.Right)}
	case '|':
		return &Expr{Op: '&', Left: Invert(e.Left), Right: Invert(e.Right)}
	}
	return &Expr{Matcher: e.Matcher, Not: !e.Not}
}
