package traefik

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vulcand/predicate"

	"philipp.info/stackgen/pkg/route"
)

// matcher is one call such as Host(`example.org`).
type matcher struct {
	route.Matcher
	name string
	args []string
}

type builder func(m *matcher) error

// syntaxes holds one parser per rule syntax. Matcher names come in four spellings, as in Traefik.
var syntaxes = map[int]predicate.Parser{2: newParser(matchersV2), 3: newParser(matchersV3)}

func newParser(builders map[string]builder) predicate.Parser {
	functions := map[string]any{}
	for name, build := range builders {
		f := func(args ...string) (*route.Expr, error) {
			m := &matcher{name: name, args: args}
			m.Text = name + "(`" + strings.Join(args, "`, `") + "`)"
			if len(args) == 0 {
				return nil, fmt.Errorf("%s has no value", name)
			}
			if slices.ContainsFunc(args, hasGap) {
				if err := build(m); errors.As(err, new(countError)) {
					return nil, err
				}
				m.open()
				return &route.Expr{Matcher: &m.Matcher}, nil
			}
			if slices.Contains(args, "") {
				return nil, fmt.Errorf("%s has an empty value", name)
			}
			if err := build(m); err != nil {
				return nil, err
			}
			m.describe()
			return &route.Expr{Matcher: &m.Matcher}, nil
		}
		lower := strings.ToLower(name)
		for _, spelling := range []string{name, lower, strings.ToUpper(name), strings.ToUpper(lower[:1]) + lower[1:]} {
			functions[spelling] = f
		}
	}
	p, _ := predicate.NewParser(predicate.Def{ // never fails
		Operators: predicate.Operators{
			AND: func(a, b *route.Expr) *route.Expr { return &route.Expr{Op: '&', Left: a, Right: b} },
			OR:  func(a, b *route.Expr) *route.Expr { return &route.Expr{Op: '|', Left: a, Right: b} },
			NOT: route.Invert,
		},
		Functions: functions,
	})
	return p
}

// parseRule parses a rule in the syntax of a major version of Traefik.
func parseRule(rule string, major int) (e *route.Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, err = nil, fmt.Errorf("%v", r)
		}
	}()
	v, err := syntaxes[major].Parse(rule)
	if err != nil && hasGap(rule) { // the variable may hold all that is missing
		m := &matcher{Matcher: route.Matcher{Text: rule}}
		m.open()
		return &route.Expr{Matcher: &m.Matcher}, nil
	}
	if err != nil {
		return nil, plainError(err)
	}
	e, ok := v.(*route.Expr)
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
