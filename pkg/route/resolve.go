package route

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// resolve parses the rule of a router and looks up its middlewares and service.
func (t *Table) resolve(r *Router) {
	report := func(kind ProblemKind, msg string, drops bool) {
		if drops && r.Dropped == "" {
			r.Dropped = msg
		}
		if drops {
			msg += ": Traefik drops the router, its requests fall through to the next"
		}
		t.Problems = append(t.Problems, Problem{Kind: kind, Message: fmt.Sprintf("router %q: %s", r.Name, msg), Sites: []source.Site{r.Site}, Container: r.Container, Router: r.Name})
	}
	syntax := t.opts.Major
	if r.conf.RuleSyntax == "v2" {
		syntax = 2
	}
	var err error
	if r.expr, err = parseRule(r.Rule, syntax); err != nil {
		report(BadRule, fmt.Sprintf("the rule does not parse: %v", err), true)
	} else {
		r.expr.walk(func(m *matcher) {
			if m.never != "" {
				report(NeverMatches, m.never, false)
			}
		})
	}

	c := t.chain(r.Middlewares, nil)
	svc, ref := t.service(r.Service)
	if svc != nil && svc.Dropped == "" {
		inner := t.chain(svc.conf.Middlewares, nil)
		c.join(inner)
	}
	r.steps, r.plainHTTP = c.steps, !r.TLS && c.toHTTPS
	if c.bad != "" {
		report(c.kind, c.bad, true)
	}
	for _, name := range c.foreign {
		report(NotChecked, fmt.Sprintf("middleware %q is defined outside the labels, so it was not checked", name), false)
		r.unchecked = fmt.Sprintf("middleware %q is defined outside the labels", name)
	}
	if _, provider := split(r.Name); provider != "" {
		report(BadName, fmt.Sprintf("its name holds an @, so Traefik looks for its service at a provider %q", provider), !strings.Contains(r.Service, "@"))
	}
	switch {
	case ref == "internal":
		r.unchecked = fmt.Sprintf("%q is Traefik itself", r.Service)
	case ref != "":
		report(NotChecked, fmt.Sprintf("service %q is defined outside the labels, so it was not checked", r.Service), false)
		r.unchecked = fmt.Sprintf("service %q is defined outside the labels", r.Service)
	case svc == nil:
		report(UndefinedService, fmt.Sprintf("service %q does not exist", r.Service), true)
	case svc.Dropped != "":
		report(UndefinedService, fmt.Sprintf("service %q is deleted: %s", r.Service, svc.Dropped), true)
	}
	if !r.TLS && !r.plainHTTP {
		report(NoTLS, "it has no tls, so HTTPS does not reach it unless its entrypoint has http.tls", false)
	}
}

// service finds a service by reference; provider is set when another provider defines it.
func (t *Table) service(name string) (s *Service, provider string) {
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
	steps   []step
	foreign []string
	toHTTPS bool
	// bad says why the list cannot be built.
	bad  string
	kind ProblemKind
}

func (c *chained) join(d chained) {
	c.steps = append(c.steps, d.steps...)
	c.foreign = append(c.foreign, d.foreign...)
	c.toHTTPS = c.toHTTPS || d.toHTTPS
	if c.bad == "" {
		c.bad, c.kind = d.bad, d.kind
	}
}

func (t *Table) chain(names, above []string) (c chained) {
	fail := func(kind ProblemKind, format string, args ...any) {
		c.join(chained{kind: kind, bad: fmt.Sprintf(format, args...)})
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
			fail(UndefinedMiddleware, "middleware %q is deleted: %s", ref, m.Dropped)
		case m.err != "":
			fail(BadMiddleware, "middleware %q: %s", ref, m.err)
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
