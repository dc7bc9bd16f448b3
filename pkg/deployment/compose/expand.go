package compose

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose/project"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// leaf is a value with its variables filled in.
func (p *Project) leaf(v source.Value) deployment.Leaf {
	text, ok := p.expand(v)
	return deployment.Filled(v, text, ok)
}

// list is a value of which Compose takes several, or one.
func (p *Project) list(v source.Value) deployment.List {
	l := deployment.List{Leaf: p.leaf(v)}
	for _, item := range v.Items() {
		l.Items = append(l.Items, p.leaf(item))
	}
	return l
}

// written is a value of a compose file as it stands there, with its variables filled in.
func written(v project.Variable) deployment.Leaf {
	return deployment.Filled(v.At, v.Text, len(v.Unset) == 0)
}

// Unset are the variables in the compose files that are set nowhere here, each once.
func (p *Project) Unset() []string {
	var names []string
	for _, v := range p.Variables {
		for _, name := range v.Unset {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

var (
	stray = regex.Of(`\$\{(?:[^A-Za-z_]|$)`)
	upper = regex.Of(`^[A-Z][A-Z0-9_]{3,}$`)
)

// interpolations are the dollars in the compose files that Compose makes something of that is not meant, or may not be.
func (p *Project) interpolations() []deployment.Interpolation {
	var all []deployment.Interpolation
	for _, v := range p.Variables {
		if len(v.Unset) > 0 && !slices.ContainsFunc(v.Unset, func(name string) bool { return !slices.Contains([]string{"HOME", "PWD", "USER"}, name) }) {
			continue // every shell sets them
		}
		i := deployment.Interpolation{At: written(v)}
		for _, name := range v.Unset {
			if sayable(v, name) {
				i.Names = append(i.Names, name)
			}
		}
		switch {
		case len(v.Unset) > 0 && bareWord(v):
			i.Kind = deployment.Eaten
		case len(v.Unset) > 0:
			i.Kind = deployment.Unset
		case v.Invalid && stray().MatchString(withoutVariables(v.At.Str())):
			i.Kind = deployment.Unreadable
		default:
			continue // what else is invalid, the judge says
		}
		all = append(all, i)
	}
	for _, v := range p.Marked {
		all = append(all, deployment.Interpolation{Kind: deployment.Marked, At: deployment.Filled(v, "", false)})
	}
	return all
}

var (
	shouted = regex.Of(`^[A-Z][A-Z0-9_]+$`)
	whole   = regex.Of(`^(?:[A-Za-z_][A-Za-z0-9_.-]*=)?\$(?:[A-Z0-9_]+|\{[A-Z0-9_]+(?::?[?-][^}]*)?\})$`)
)

// sayable reports whether a variable can be named: it looks like one, and is no part of a secret with a $ in it.
func sayable(v project.Variable, name string) bool {
	return shouted().MatchString(name) && (whole().MatchString(v.At.Str()) || !v.At.Secret() && !v.At.NamesSecret())
}

// withoutVariables is a text without its variables, and without what beside it Compose can read.
func withoutVariables(s string) string {
	s = strings.ReplaceAll(s, "$$", "")
	for _, u := range project.Uses(s) {
		if !u.Invalid() {
			s = strings.Replace(s, u.Text, "", 1)
		}
	}
	return s
}

// handedOn is a variable alone, in capitals, however short: TZ=$TZ.
var handedOn = regex.Of(`^[A-Z][A-Z0-9_]*=\$[A-Z][A-Z0-9_]*$`)

// bareWord reports whether an unset variable of the value is most likely none: it has no braces and does
// not look like the name of one.
func bareWord(v project.Variable) bool {
	return slices.ContainsFunc(project.Uses(v.At.Str()), func(u project.Use) bool {
		return u.Bare() != "" && slices.Contains(v.Unset, u.Bare()) && !upper().MatchString(u.Bare()) && !handedOn().MatchString(v.At.Str())
	})
}
