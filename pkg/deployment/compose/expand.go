package compose

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// envFile reads the lines NAME=value of an environment file.
func envFile(src string) map[string]string {
	env := make(map[string]string)
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		key, val, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		val = strings.TrimSpace(val)
		if q := val[:min(len(val), 1)]; q == `"` || q == "'" {
			val, _, _ = strings.Cut(val[1:], q)
		} else if i := strings.Index(val, " #"); i >= 0 {
			val = strings.TrimSpace(val[:i])
		}
		env[strings.TrimSpace(key)] = val
	}
	return env
}

// variable knows every form of Compose but those that nest.
var variable = regex.Of(`\$(\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))`)

// expand gives the text of a value as Compose hands it on. ok is false when a variable in it is set
// nowhere in the directory.
func (p *Project) expand(v source.Value) (text string, ok bool) {
	text, ok = v.Str(), true
	if !strings.Contains(text, "$") { // as in nearly every value
		return text, true
	}
	text = variable().ReplaceAllStringFunc(text, func(m string) string {
		if m == "$$" {
			return "$"
		}
		g := variable().FindStringSubmatch(m)
		val, set := p.Env[g[2]+g[5]]
		there := set && (val != "" || !strings.HasPrefix(g[3], ":"))
		switch {
		case strings.HasSuffix(g[3], "+"):
			if !there {
				return ""
			}
			return g[4]
		case strings.HasSuffix(g[3], "-") && !there:
			return g[4]
		case !there && (!set || g[3] != ""):
			ok = false
		}
		return val
	})
	return text, ok
}

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

// listed gives the items of what may be a list or a single value.
func listed(v source.Value) []source.Value {
	if v.Kind() == source.Scalar {
		return []source.Value{v}
	}
	return v.Items()
}

// Unset are the variables in the compose file that are set nowhere here.
func (p *Project) Unset() []string {
	var names []string
	deployment.Scalars(p.File.Root(), func(v source.Value) {
		for _, g := range variable().FindAllStringSubmatch(v.Str(), -1) {
			if name := g[2] + g[5]; name != "" && p.Env[name] == "" {
				names = append(names, name)
			}
		}
	})
	return names
}

var (
	stray = regex.Of(`\$\{(?:[^A-Za-z_]|$)`)
	upper = regex.Of(`^[A-Z][A-Z0-9_]{3,}$`)
)

// interpolations are the dollars in the compose file that Compose makes something of that is not meant, or may not be.
func (p *Project) interpolations() []deployment.Interpolation {
	var all []deployment.Interpolation
	deployment.Scalars(p.File.Root(), func(v source.Value) {
		if !strings.Contains(v.Str(), "$") {
			return
		}
		l := p.leaf(v)
		_, ok := l.Text()
		switch {
		case !ok && !p.bareWord(v):
			all = append(all, deployment.Interpolation{At: l, Kind: deployment.Unset})
		case !ok:
			all = append(all, deployment.Interpolation{At: l, Kind: deployment.Eaten})
		case stray().MatchString(withoutVariables(v.Str())):
			all = append(all, deployment.Interpolation{At: l, Kind: deployment.Unreadable})
		}
	})
	return all
}

// withoutVariables takes the variables out, from the innermost on: a default may hold others.
func withoutVariables(s string) string {
	for range 5 {
		s = variable().ReplaceAllString(s, "")
	}
	return s
}

// bareWord reports whether an unset variable of the value is most likely none: it has no braces and does
// not look like the name of one.
func (p *Project) bareWord(v source.Value) bool {
	return slices.ContainsFunc(variable().FindAllStringSubmatch(v.Str(), -1), func(g []string) bool {
		_, set := p.Env[g[5]]
		return g[5] != "" && !set && !upper().MatchString(g[5])
	})
}
