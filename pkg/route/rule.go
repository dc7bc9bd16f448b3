package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vulcand/predicate"
)

// truth is the outcome of a rule: what depends on headers or the client's address cannot be told.
type truth int8

const (
	no truth = iota
	maybe
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// expr is a parsed rule: a matcher, or two rules joined by op. Negation stands at the matchers only.
type expr struct {
	op          byte // '&', '|', or 0 for a matcher
	left, right *expr
	*matcher
	not bool
}

// matcher is one call such as Host(`example.org`).
type matcher struct {
	name string
	args []string
	eval func(*request) truth
	// never says why a matcher that parses can match nothing that its author meant.
	never string
}

func (e *expr) String() string {
	s := e.name + "(`" + strings.Join(e.args, "`, `") + "`)"
	if e.not {
		return "!" + s
	}
	return s
}

// match evaluates the rule and names the matchers that decided a no or a maybe.
func (e *expr) match(r *request) (truth, []string) {
	if e.op == 0 {
		v := e.eval(r)
		if e.not {
			v = yes - v
		}
		if v == yes {
			return yes, nil
		}
		return v, []string{e.String()}
	}
	left, whyLeft := e.left.match(r)
	if e.op == '&' && left == no || e.op == '|' && left == yes {
		return left, whyLeft
	}
	right, whyRight := e.right.match(r)
	switch {
	case e.op == '&' && right == no || e.op == '|' && right == yes:
		return right, whyRight
	case left == maybe || right == maybe:
		var why []string
		if left == maybe {
			why = append(why, whyLeft...)
		}
		if right == maybe {
			why = append(why, whyRight...)
		}
		return maybe, why
	}
	return left, append(whyLeft, whyRight...)
}

// Hosts are the names that stand in Host of the rule, in its order.
func (r *Router) Hosts() []string {
	var hosts []string
	if r.expr != nil {
		r.expr.walk(func(m *matcher) {
			if strings.EqualFold(m.name, "Host") {
				hosts = append(hosts, m.args...)
			}
		})
	}
	return hosts
}

func (e *expr) walk(visit func(*matcher)) {
	if e.op == 0 {
		visit(e.matcher)
		return
	}
	e.left.walk(visit)
	e.right.walk(visit)
}

func invert(e *expr) *expr {
	switch e.op {
	case '&':
		return &expr{op: '|', left: invert(e.left), right: invert(e.right)}
	case '|':
		return &expr{op: '&', left: invert(e.left), right: invert(e.right)}
	}
	return &expr{matcher: e.matcher, not: !e.not}
}

type builder func(m *matcher) error

// syntaxes holds one parser per rule syntax. Matcher names come in four spellings, as in Traefik.
var syntaxes = map[int]predicate.Parser{2: newParser(matchersV2), 3: newParser(matchersV3)}

func newParser(builders map[string]builder) predicate.Parser {
	functions := map[string]any{}
	for name, build := range builders {
		f := func(args ...string) (*expr, error) {
			m := &matcher{name: name, args: args}
			if len(args) == 0 {
				return nil, fmt.Errorf("%s has no value", name)
			}
			if slices.Contains(args, "") {
				return nil, fmt.Errorf("%s has an empty value", name)
			}
			if err := build(m); err != nil {
				return nil, err
			}
			return &expr{matcher: m}, nil
		}
		lower := strings.ToLower(name)
		for _, spelling := range []string{name, lower, strings.ToUpper(name), strings.ToUpper(lower[:1]) + lower[1:]} {
			functions[spelling] = f
		}
	}
	p, _ := predicate.NewParser(predicate.Def{ // never fails
		Operators: predicate.Operators{
			AND: func(a, b *expr) *expr { return &expr{op: '&', left: a, right: b} },
			OR:  func(a, b *expr) *expr { return &expr{op: '|', left: a, right: b} },
			NOT: invert,
		},
		Functions: functions,
	})
	return p
}

// parseRule parses a rule in the syntax of a major version of Traefik.
func parseRule(rule string, major int) (e *expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, err = nil, fmt.Errorf("%v", r)
		}
	}()
	v, err := syntaxes[major].Parse(rule)
	if err != nil {
		return nil, plainError(err)
	}
	e, ok := v.(*expr)
	if !ok || e == nil {
		return nil, errors.New("it is not a rule")
	}
	return e, nil
}

// plainError drops the stack trace that predicate's errors carry, and says who knows a foreign matcher.
func plainError(err error) error {
	msg, _, _ := strings.Cut(err.Error(), "\n")
	if name, ok := strings.CutPrefix(msg, "unsupported function: "); ok {
		_, v2 := matchersV2[name]
		_, v3 := matchersV3[name]
		switch {
		case v2:
			return fmt.Errorf("unknown matcher %s, which only Traefik 2 has", name)
		case v3:
			return fmt.Errorf("unknown matcher %s, which Traefik 3 brought", name)
		}
		return fmt.Errorf("unknown matcher %s", name)
	}
	return errors.New(msg)
}
