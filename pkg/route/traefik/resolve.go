package traefik

import (
	"fmt"
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
	}

	c := t.chain(r.Middlewares, nil)
	svc, ref := t.service(r.Service)
	if svc != nil && svc.Dropped == "" {
		inner := t.chain(svc.conf.Middlewares, nil)
		c.join(inner)
	}
	if svc != nil {
		r.To = svc.Service
	}
	r.Steps, r.PlainHTTP = c.steps, !r.TLS && c.toHTTPS
	if c.bad != "" {
		report(c.kind, "middlewares", c.ref, c.bad, true)
	}
	for _, name := range c.foreign {
		report(NotChecked, "middlewares", name, fmt.Sprintf("middleware %q is defined outside the labels, so it was not checked", name), false)
		r.Unchecked = fmt.Sprintf("middleware %q is defined outside the labels", name)
	}
	if _, provider := split(r.Name); provider != "" {
		report(BadName, "rule", "", fmt.Sprintf("its name holds an @, so Traefik looks for its service at a provider %q", provider), !strings.Contains(r.Service, "@"))
	}
	switch {
	case ref == "internal":
		r.Unchecked = fmt.Sprintf("%q is Traefik itself", r.Service)
	case ref != "":
		report(NotChecked, "service", r.Service, fmt.Sprintf("service %q is defined outside the labels, so it was not checked", r.Service), false)
		r.Unchecked = fmt.Sprintf("service %q is defined outside the labels", r.Service)
	case svc == nil:
		report(UndefinedService, "service", r.Service, fmt.Sprintf("service %q does not exist", r.Service), true)
	case svc.Dropped != "":
		report("", "", "", fmt.Sprintf("service %q is deleted: %s", r.Service, svc.Dropped), true)
	}
	if !r.TLS && !r.PlainHTTP {
		report(NoTLS, "tls", "", "it has no tls; HTTPS does not reach it unless its entrypoint has http.tls", false)
	}
}

// parse reads the rule in the syntax that the router, or else the version of Traefik, asks for.
func (r *router) parse(syntax int) (err error) {
	if r.conf != nil && r.conf.RuleSyntax == "v2" {
		syntax = 2
	}
	r.Expr, err = parseRule(r.Rule, syntax)
	return err
}

// at is the place of one of the router's labels, of its rule where it has no such label.
func (r *router) at(label string) source.Site {
	if site := r.from.site("traefik", "http", "routers", r.Name, label); site.Pos != r.from.Site.Pos {
		return site
	}
	return r.Site
}

// service finds a service by reference; provider is set when another provider defines it.
func (t *table) service(name string) (s *service, provider string) {
	name, provider = split(name)
	if provider != "" {
		return nil, provider
	}
	return t.services[name], ""
}

// split divides a reference into name and provider, "" for Docker's own.
func split(ref string) (name, provider string) {
	name, provider, _ = strings.Cut(ref, "@")
	if provider == "docker" {
		provider = ""
	}
	return name, provider
}

// chained is a list of middlewares as resolved.
type chained struct {
	steps   []route.Step
	foreign []string
	toHTTPS bool
	// bad says why the list cannot be built. It has no kind where another problem says so.
	bad  string
	kind route.ProblemKind
	ref  string
}

func (c *chained) join(d chained) {
	c.steps = append(c.steps, d.steps...)
	c.foreign = append(c.foreign, d.foreign...)
	c.toHTTPS = c.toHTTPS || d.toHTTPS
	if c.bad == "" {
		c.bad, c.kind, c.ref = d.bad, d.kind, d.ref
	}
}

func (t *table) chain(names, above []string) (c chained) {
	fail := func(kind route.ProblemKind, format string, ref string, args ...any) {
		c.join(chained{kind: kind, ref: ref, bad: fmt.Sprintf(format, append([]any{ref}, args...)...)})
	}
	for _, ref := range names {
		name, provider := split(ref)
		m := t.middlewares[name]
		switch {
		case provider != "":
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
			c.join(t.chain(m.conf.Chain.Middlewares, append(slices.Clone(above), name)))
		default:
			if m.step != nil {
				c.steps = append(c.steps, m.step)
			}
			c.toHTTPS = c.toHTTPS || m.conf.toHTTPS()
		}
		if c.bad != "" {
			return c
		}
	}
	return c
}

// toHTTPS tells whether the middleware sends every plain HTTP request to HTTPS.
func (m *middlewareLabels) toHTTPS() bool {
	if m.RedirectScheme != nil {
		return m.RedirectScheme.Scheme == "https"
	}
	r := m.RedirectRegex
	return r != nil && strings.HasPrefix(r.Regex, "^http://") && strings.HasPrefix(r.Replacement, "https://")
}
