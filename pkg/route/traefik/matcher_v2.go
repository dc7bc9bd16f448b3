package traefik

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

var matchersV2 = map[string]builder{
	"Host":          hostV2,
	"HostHeader":    hostV2,
	"HostRegexp":    templatesV2,
	"Path":          templatesV2,
	"PathPrefix":    templatesV2,
	"Method":        methodV2,
	"Headers":       pairsV2,
	"HeadersRegexp": pairsV2,
	"Query":         queryV2,
	"ClientIP":      clientIP,
}

func hostV2(m *matcher) error {
	for _, a := range m.args {
		if err := ascii(m, a); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(m.args, unfilled().MatchString) {
		return m.filledLater()
	}
	m.Eval = func(r *route.Request) route.Truth {
		return route.TruthOf(slices.ContainsFunc(m.args, func(a string) bool { return sameHost(r.Host, strings.ToLower(a)) }))
	}
	return nil
}

func templatesV2(m *matcher) error {
	host := m.name == "HostRegexp"
	var res []*regexp.Regexp
	for _, a := range m.args {
		if host {
			if err := ascii(m, a); err != nil {
				return err
			}
		} else if a[0] != '/' {
			return fmt.Errorf("%s does not begin with a slash", m.Text)
		}
		re, err := template(a, host, m.name == "PathPrefix")
		if err != nil {
			return fmt.Errorf("%s: %w", m.Text, err)
		}
		res = append(res, re)
	}
	m.Eval = func(r *route.Request) route.Truth {
		value := r.Path
		if host {
			value = r.Host
		}
		return route.TruthOf(slices.ContainsFunc(res, func(re *regexp.Regexp) bool { return re.MatchString(value) }))
	}
	return nil
}

// template compiles {name} and {name:regexp} placeholders. Only a prefix is left open at its end.
func template(s string, host, prefix bool) (*regexp.Regexp, error) {
	var b strings.Builder
	anything := "[^/]+"
	if host {
		b.WriteString("(?i)")
		anything = "[^.]+"
	}
	b.WriteByte('^')
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			if depth++; depth == 1 {
				b.WriteString(regexp.QuoteMeta(s[start:i]))
				start = i + 1
			}
		case '}':
			if depth--; depth < 0 {
				return nil, errors.New("unbalanced braces")
			} else if depth == 0 {
				name, pattern, ok := strings.Cut(s[start:i], ":")
				if !ok {
					pattern = anything
				}
				if name == "" || pattern == "" {
					return nil, errors.New("a placeholder lacks its name or regexp")
				}
				if _, err := regexp.Compile(pattern); err != nil {
					return nil, err
				}
				b.WriteString("(?:" + pattern + ")")
				start = i + 1
			}
		}
	}
	if depth != 0 {
		return nil, errors.New("unbalanced braces")
	}
	b.WriteString(regexp.QuoteMeta(s[start:]))
	if !prefix {
		b.WriteByte('$')
	}
	return regexp.Compile(b.String())
}

func methodV2(m *matcher) error {
	m.Eval = func(r *route.Request) route.Truth {
		return route.TruthOf(slices.ContainsFunc(m.args, func(a string) bool { return strings.ToUpper(a) == r.Method }))
	}
	return nil
}

func pairsV2(m *matcher) error {
	if len(m.args)%2 != 0 {
		return fmt.Errorf("%s has a key without a value", m.name)
	}
	return undetermined(m)
}

// queryV2 takes key=value and key=, where the first value of the key counts and no value accepts any.
func queryV2(m *matcher) error {
	var want []string
	for _, a := range m.args {
		want = append(want, strings.SplitN(a, "=", 2)...)
	}
	if len(want)%2 != 0 {
		return fmt.Errorf("%s has a key without a value", m.name)
	}
	var res []*regexp.Regexp
	for i := 1; i < len(want); i += 2 {
		if braces().MatchString(want[i]) || strings.ContainsAny(want[i-1], "{}") {
			m.Eval = func(*route.Request) route.Truth { return route.Maybe }
			return nil
		}
		pattern := "^" + regexp.QuoteMeta(want[i]) + "$"
		if want[i] == "" {
			pattern = ""
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return err
		}
		res = append(res, re)
	}
	m.Eval = func(r *route.Request) route.Truth {
		for i, re := range res {
			if !firstMatches(r.Query, want[2*i], re) {
				return route.No
			}
		}
		return route.Yes
	}
	return nil
}

func firstMatches(q url.Values, key string, re *regexp.Regexp) bool {
	values := q[key]
	return len(values) > 0 && re.MatchString(values[0])
}
