package traefik

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// resolve parses the rule of a router and looks up its middlewares and service.
func (t *table) resolve(r *router) {
	report := func(kind route.ProblemKind, label, ref, msg string, drops bool) {
		if drops && r.Dropped == "" {
			r.Dropped = msg
		}
		if kind == "" {
			return
		}
		if drops {
			msg += "; Traefik drops the router, and its requests fall through to the next"
		}
		t.found.Problems = append(t.found.Problems, route.Problem{Kind: kind, Message: fmt.Sprintf("router %q: %s", r.Name, msg), Sites: []source.Site{r.at(label)}, Container: r.Container, Router: r.Name, Ref: ref})
	}
	if err := r.parse(t.opts.Major); err != nil {
		report(BadRule, "rule", "", fmt.Sprintf("the rule does not parse: %v", err), true)
	} else {
		r.Expr.Walk(func(m *route.Matcher) {
			if m.Never != "" {
				report(NeverMatches, "rule", "", m.Never, false)
			}
		})
		if open := false; r.Expr != nil {
			r.Expr.Walk(func(m *route.Matcher) {
				if open = open || m.Open; m.Open && t.aside(r) {
					m.Eval = func(*route.Request) route.Truth { return route.No }
				}
			})
			if open {
				report(Gap, "rule", "", "its rule holds a variable that is set elsewhere", false)
			}
		}
	}

	own := r.provider()
	if e := t.barred(r); e.bad != "" {
		report(e.kind, "entrypoints", e.ref, e.bad, true)
	}
	c := t.chain(r.Middlewares, own, nil)
	svc, ref := t.service(r.Service, own)
	if svc != nil && svc.Dropped == "" {
		c.join(t.chain(svc.conf.Middlewares, "", nil))
	}
	if svc != nil {
		r.To = svc.Service
		r.Unchecked = svc.unchecked
	}
	r.Steps, r.PlainHTTP = c.steps, !r.TLS && c.toHTTPS
	if c.bad != "" {
		report(c.kind, "middlewares", c.ref, c.bad, true)
	}
	if c.unsure != "" {
		r.Unchecked = fmt.Sprintf("middleware %q stands behind a variable that is set elsewhere", c.unsure)
	}
	if t.unsureOf("routers", r.Name) && r.file == nil {
		r.Unchecked = fmt.Sprintf("router %q stands behind a variable that is set elsewhere", r.Name)
	}
	if len(c.foreign) > 0 {
		r.Unchecked = t.elsewhere("middleware", c.foreign, own)
		report(NotChecked, "middlewares", c.foreign[0], r.Unchecked, false)
	}
	if _, provider := t.split(r.Name); provider != "" && r.file == nil {
		report(BadName, "rule", "", fmt.Sprintf("its name holds an @, so Traefik looks for its service at a provider %q", provider), !strings.Contains(r.Service, "@"))
	}
	switch {
	case ref == "internal":
		r.Unchecked = fmt.Sprintf("%q is Traefik itself", r.Service)
	case svc == nil && t.gapped(r.Service):
		r.Unchecked = fmt.Sprintf("the service of router %q stands behind a variable that is set elsewhere", r.Name)
	case svc == nil && t.open(ref) && strings.Contains(r.Service, "@") && !slip(t, strings.TrimSuffix(r.Service, "@"+t.provider()), ref, t.services):
		// Without a provider in it a service's name is hardly ever meant for one of another stack.
		r.Unchecked = t.elsewhere("service", []string{r.Service}, own)
		report(NotChecked, "service", r.Service, r.Unchecked, false)
	case svc == nil:
		report(UndefinedService, "service", r.Service, fmt.Sprintf("service %q does not exist", r.Service), true)
	case svc.Dropped != "":
		report("", "", "", fmt.Sprintf("service %q is deleted: %s", r.Service, svc.Dropped), true)
	}
	if svc != nil && len(c.foreign) == 0 && c.unsure == "" {
		r.Target = target(svc.Service, c.effects)
	}
	if !r.TLS && !r.PlainHTTP && !t.secured(r) {
		report(NoTLS, "tls", "", "it has no tls; HTTPS does not reach it unless its entrypoint has http.tls", false)
	}
}

// target is the same for two routers that ask the same servers for the same.
func target(s *route.Service, effects []string) string {
	var b strings.Builder
	for _, to := range s.Backends {
		fmt.Fprintf(&b, "%s:%s:%s ", to.Scheme, to.Container, to.Port)
	}
	return b.String() + strings.Join(effects, " ")
}

// secured tells whether every entrypoint of a router has tls, as far as they can be seen.
func (t *table) secured(r *router) bool {
	seen := false
	for _, e := range t.opts.Entries {
		on := e.Default && len(r.EntryPoints) == 0 || slices.ContainsFunc(r.EntryPoints, func(name string) bool { return strings.EqualFold(name, e.Name) })
		if on && !e.TLS {
			return false
		}
		seen = seen || on
	}
	return seen
}

// barred is what is wrong with the middlewares of all entrypoints that a router is on: Traefik puts them before its own
// (pkg/server/aggregator.go applyModel), and so drops it.
func (t *table) barred(r *router) (c chained) {
	for _, e := range t.opts.Entries {
		if on := e.Default && len(r.EntryPoints) == 0 || slices.ContainsFunc(r.EntryPoints, func(name string) bool { return strings.EqualFold(name, e.Name) }); on {
			if c = t.chain(e.Middlewares, "", nil); c.bad == "" {
				return chained{}
			}
		}
	}
	return c
}

// entries resolves what the entrypoints do to every request.
func (t *table) entries() (all []route.Entry) {
	for _, e := range t.opts.Entries {
		c := t.chain(e.Middlewares, "", nil)
		e.Steps = c.steps
		switch {
		case c.bad != "":
			e.Unchecked = fmt.Sprintf("the entrypoint %q: %s", e.Name, c.bad)
		case c.foreign != nil:
			e.Unchecked = fmt.Sprintf("middleware %q of the entrypoint %q is not defined here", c.foreign[0], e.Name)
		}
		all = append(all, e.Entry)
	}
	return all
}

// open tells whether a provider ("" for Docker) may know more than what was read.
func (t *table) open(provider string) bool {
	switch provider {
	case "":
		return t.opts.Shared
	case "file":
		return !t.opts.FilesSeen
	}
	return true
}

// slip tells whether the name of something that another stack may define is most likely one from here, mistyped.
func slip[T any](t *table, name, provider string, defined map[string]T) bool {
	return provider == "" && t.opts.Slip != nil && t.opts.Slip(name, slices.Collect(maps.Keys(defined)))
}

// elsewhere says who may define what is not defined here, of middlewares or services. It is the same text for all routers
// that use the same, so that it is said once.
func (t *table) elsewhere(what string, refs []string, own string) string {
	var names, who []string
	for _, ref := range refs {
		by := "another stack"
		if _, provider := t.split(ref, own); provider == "file" {
			by = "a file"
		} else if provider != "" {
			by = "the provider " + provider
		}
		if name := fmt.Sprintf("%q", ref); !slices.Contains(names, name) {
			names = append(names, name)
		}
		if !slices.Contains(who, by) {
			who = append(who, by)
		}
	}
	is := " is"
	if len(names) > 1 {
		what, is = what+"s", " are"
	}
	return what + " " + strings.Join(names, ", ") + is + " not defined here: " + strings.Join(who, " or ") + " of the same Traefik may do so"
}

// provider is where a router is defined: "" for labels.
func (r *router) provider() string {
	if r.file != nil {
		return "file"
	}
	return ""
}

// parse reads the rule in the syntax that the router, or else the version of Traefik, asks for.
func (r *router) parse(syntax int) (err error) {
	if r.conf != nil && r.conf.RuleSyntax == "v2" {
		syntax = 2
	}
	r.Expr, err = parseRule(r.Rule, syntax)
	r.Rule = shownGaps.Replace(r.Rule)
	return err
}

// at is the place of one of the router's labels, of its rule where it has no such label.
func (r *router) at(label string) source.Site {
	if r.file != nil {
		if n := r.file.at(label); n != nil {
			return n.site
		}
		return r.Site
	}
	if site := r.from.site("traefik", "http", "routers", r.Name, label); site.Pos != r.from.Site.Pos {
		return site
	}
	return r.Site
}

// service finds a service by a reference from a provider; and says which provider defines it, "" for that of the labels.
func (t *table) service(ref, own string) (s *service, provider string) {
	name, provider := t.split(ref, own)
	return t.services[qualified(name, provider)], provider
}

// split divides a reference into name and provider, "" for that of the labels. Without one it is the provider of who refers.
func (t *table) split(ref string, own ...string) (name, provider string) {
	name, provider, ok := strings.Cut(ref, "@")
	switch {
	case provider == t.provider():
		provider = ""
	case !ok && len(own) > 0:
		provider = own[0]
	}
	return name, provider
}

// qualified is the name under which the table keeps what a provider defines.
func qualified(name, provider string) string {
	if provider == "" {
		return name
	}
	return name + "@" + provider
}

// chained is a list of middlewares as resolved.
type chained struct {
	steps   []route.Step
	effects []string // the names of what changes or answers a request
	foreign []string
	unsure  string // what it does stands behind a variable
	toHTTPS bool
	// bad says why the list cannot be built. It has no kind where another problem says so.
	bad  string
	kind route.ProblemKind
	ref  string
}

func (c *chained) join(d chained) {
	c.steps, c.effects = append(c.steps, d.steps...), append(c.effects, d.effects...)
	c.foreign = append(c.foreign, d.foreign...)
	c.toHTTPS, c.unsure = c.toHTTPS || d.toHTTPS, cmp.Or(c.unsure, d.unsure)
	if c.bad == "" {
		c.bad, c.kind, c.ref = d.bad, d.kind, d.ref
	}
}

func (t *table) chain(names []string, own string, above []string) (c chained) {
	fail := func(kind route.ProblemKind, format string, ref string, args ...any) {
		c.join(chained{kind: kind, ref: ref, bad: fmt.Sprintf(format, append([]any{ref}, args...)...)})
	}
	for _, ref := range names {
		name, provider := t.split(ref, own)
		name = qualified(name, provider)
		m := t.middlewares[name]
		switch {
		case m == nil && t.gapped(name):
			c.unsure = ref
		case m == nil && t.open(provider) && !slip(t, name, provider, t.middlewares):
			c.foreign = append(c.foreign, ref)
		case m == nil:
			fail(UndefinedMiddleware, "middleware %q does not exist", ref)
		case m.Dropped != "":
			fail("", "middleware %q is deleted: %s", ref, m.Dropped)
		case m.err != "":
			fail("", "middleware %q: %s", ref, m.err)
		case slices.Contains(above, name):
			fail(BadMiddleware, "middleware %q contains itself", ref)
		case m.conf.Chain != nil:
			if len(above) > 20 {
				fail(BadMiddleware, "middleware %q is nested too deeply to be checked", ref)
				break
			}
			c.join(t.chain(m.conf.Chain.Middlewares, provider, append(slices.Clone(above), name)))
		case m.unsure:
			c.unsure = ref
		default:
			if m.step != nil {
				c.steps = append(c.steps, m.step)
			}
			if m.step != nil || slices.Contains(guards, m.Type) {
				c.effects = append(c.effects, name)
			}
			c.toHTTPS = c.toHTTPS || m.conf.toHTTPS()
		}
		if c.bad != "" {
			return c
		}
	}
	return c
}

// guards are the types of middlewares that answer some requests themselves.
var guards = []string{"basicauth", "buffering", "circuitbreaker", "digestauth", "errors", "forwardauth", "inflightreq", "ipallowlist", "ipwhitelist", "ratelimit"}

// toHTTPS tells whether the middleware sends every plain HTTP request to HTTPS.
func (m *middlewareLabels) toHTTPS() bool {
	if m.RedirectScheme != nil {
		return m.RedirectScheme.Scheme == "https"
	}
	r := m.RedirectRegex
	return r != nil && strings.HasPrefix(r.Regex, "^http://") && strings.HasPrefix(r.Replacement, "https://")
}
