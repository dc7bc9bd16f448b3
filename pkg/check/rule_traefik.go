package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// label gives a label as a line of the service, in the style that its labels are written in.
func (s *Service) label(key, value string) string {
	value = strings.ReplaceAll(value, "$", "$$")
	if s.Value.At("labels").Kind() == source.Sequence {
		return "- " + source.Quote(key+"="+value)
	}
	return key + ": " + source.Quote(value)
}

// hasLabel reports whether a service has a label, or one below it.
func (s *Service) hasLabel(key string) bool {
	return s.d.container(s).Has(key)
}

// problems calls f for every problem that Traefik has with the labels, with the service that it is about.
func (d *Deployment) labelProblems(f func(p route.Problem, s *Service)) {
	for _, p := range d.Routes().Problems {
		if s := d.service(p.Container); s != nil {
			f(p, s)
		}
	}
}

var traefikRouterComplete = Rule{
	ID: "traefik-router-complete", Severity: finding.Error,
	Summary: "every router is enabled, names its service, has tls like the others, an entrypoint that exists, and a priority where two could match",
	Why:     "404 page not found, although the labels look right; or a request that is answered by one service today and by another after the next restart.",
	Fix:     "Write traefik.enable=true, and for every router rule, service, entrypoints, tls and a priority that no other has.",
	Source:  "Traefik pkg/provider/docker, pkg/muxer/http, run with Traefik 3.7",
	Check: func(d *Deployment, r *Reporter) {
		tls := slices.ContainsFunc(d.Routes().Routers, func(o *route.Router) bool { return o.TLS && o.Dropped == "" })
		twins := d.twins()
		d.labelProblems(func(p route.Problem, s *Service) {
			key := "traefik.http.routers." + p.Router + "."
			switch p.Kind {
			case traefik.NotEnabled:
				if d.proxy.exposed != nil {
					r.Fail(p.Message, s.label("traefik.enable", "true"), p.Sites...)
				} else {
					r.Warn(p.Message+" unless its exposedByDefault is on", s.label("traefik.enable", "true"), p.Sites...)
				}
			case traefik.Disabled:
				if d.hasRouters() {
					r.Fail(p.Message, s.label("traefik.enable", "true"), p.Sites...)
				}
			case traefik.MissingService:
				r.Fail(p.Message, s.label(key+"service", firstService(s)), p.Sites...)
			case traefik.DefaultRule:
				if s.hasLabel(strings.TrimSuffix(key, ".")) {
					r.Fail(p.Message+", which nobody asks for", s.label(key+"rule", "Host(`…`)"), p.Sites...)
				}
			case route.Tie:
				r.Fail(p.Message, "give one of the two another priority", p.Sites...)
			case route.NoPriority:
				r.Warn(p.Message, s.label(key+"priority", "…"), p.Sites...)
			case route.TooMany:
				r.NotChecked(p.Message, p.Sites...)
			case traefik.NoTLS:
				if tls && s.hasLabel(strings.TrimSuffix(key, ".")) && !twins[p.Router] {
					r.Warn(p.Message, s.label(key+"tls", "true"), p.Sites...)
				}
			default:
			}
		})
		for _, router := range d.Routes().Routers {
			d.checkStatic(r, router)
		}
	},
}

// firstService is one of the services that a container defines.
func firstService(s *Service) string {
	for _, l := range s.d.container(s).Labels {
		if words := strings.Split(l.Key, "."); len(words) > 3 && strings.EqualFold(words[2], "services") {
			return words[3]
		}
	}
	return s.Name
}

// twins are the routers of which another one takes with tls what they take without, by name.
func (d *Deployment) twins() map[string]bool {
	type taken struct{ rule, service string }
	withTLS, twins := make(map[taken]bool), make(map[string]bool)
	for _, o := range d.Routes().Routers {
		if o.TLS && o.Dropped == "" {
			withTLS[taken{o.Rule, o.Service}] = true
		}
	}
	for _, o := range slices.Backward(d.Routes().Routers) { // of two with one name the first counts
		twins[o.Name] = withTLS[taken{o.Rule, o.Service}]
	}
	return twins
}

// checkStatic holds a router against Traefik's own settings. Where they cannot be seen, a name that differs
// by a typing slip from what the other routers say is a wrong one.
func (d *Deployment) checkStatic(r *Reporter, router *route.Router) {
	if router.Dropped != "" {
		return
	}
	s, key := d.service(router.Container), "traefik.http.routers."+router.Name
	for _, e := range router.EntryPoints {
		others := d.others(func(o *route.Router) []string { return o.EntryPoints }, e)
		switch near := nearest(e, others); {
		case d.proxy.entryPoints != nil && !d.proxy.entryPoints[strings.ToLower(e)]:
			r.Fail(fmt.Sprintf("router %q is on the entrypoint %q, which Traefik does not have; Traefik drops the router", router.Name, e),
				s.label(key+".entrypoints", eitherOf(d.proxy.entryPoints)), s.labelSite(key+".entrypoints", router.Site), d.proxy.service.Value.Site("Traefik"))
		case d.proxy.entryPoints == nil && near != "":
			r.Warn(fmt.Sprintf("router %q is on the entrypoint %q, the others on %q; Traefik drops a router whose entrypoint does not exist", router.Name, e, near),
				s.label(key+".entrypoints", near), s.labelSite(key+".entrypoints", router.Site))
		}
	}
	c := router.CertResolver
	near := nearest(c, d.others(func(o *route.Router) []string { return []string{o.CertResolver} }, c))
	switch known := d.proxy.resolvers != nil; {
	case c == "" || known && d.proxy.resolvers[strings.ToLower(c)]:
	case known:
		r.Warn(fmt.Sprintf("router %q wants its certificate from %q, which Traefik does not have; browsers warn of the certificate", router.Name, c),
			s.label(key+".tls.certresolver", eitherOf(d.proxy.resolvers)), s.labelSite(key+".tls.certresolver", router.Site), d.proxy.service.Value.Site("Traefik"))
	case near != "":
		r.Warn(fmt.Sprintf("router %q wants its certificate from %q, the others from %q; where Traefik has no such resolver, browsers warn of the certificate", router.Name, c, near),
			s.label(key+".tls.certresolver", near), s.labelSite(key+".tls.certresolver", router.Site))
	}
}

func eitherOf(names map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(names)), " or ")
}

// labelSite is the place of a label, or else a place given.
func (s *Service) labelSite(key string, otherwise source.Site) source.Site {
	if l := labelOf(s.d.container(s).Labels, key); l.Key != "" {
		return l.Site
	}
	return otherwise
}

// others are the names that at least two routers use and that are not the one given.
func (d *Deployment) others(names func(*route.Router) []string, not string) []string {
	count := make(map[string]int)
	for _, o := range d.Routes().Routers {
		for _, n := range names(o) {
			count[n]++
		}
	}
	if count[not] > 1 {
		return nil
	}
	var list []string
	for n, uses := range count {
		if uses > 1 && n != "" {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}
