package traefik

import (
	"regexp/syntax"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

// describe says of a matcher what can be told without a request.
func (m *matcher) describe() {
	wild := slices.ContainsFunc(m.args, func(a string) bool { return strings.ContainsAny(a, "{}*") })
	switch m.name {
	case "Host", "HostHeader":
		m.Kind, m.Named, m.Finite = route.Host, m.args, !wild
	case "HostRegexp":
		m.Kind = route.Host
	case "Method":
		m.Kind, m.Named, m.Finite = route.Method, m.args, !wild
	case "Path", "PathPrefix":
		m.Kind, m.Named = route.Path, m.args
		m.Finite, m.Whole = m.name == "Path" && !wild, m.name == "PathPrefix" && !wild
		for _, a := range m.args {
			literal, _, _ := strings.Cut(a, "{")
			m.Prefixes = append(m.Prefixes, literal)
		}
	case "PathRegexp":
		m.Kind, m.Prefixes = route.Path, []string{literalPrefix(m.args[0])}
	}
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
