package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

var traefikRouterComplete = Rule{
	ID: "traefik-router-complete", Severity: finding.Error,
	Summary:     "every router is enabled, names its service, has tls like the others, an entrypoint that exists, and a priority where two could match",
	Why:         "404 page not found, although the labels look right; or a request that is answered by one service today and by another after the next restart.",
	Fix:         "Write traefik.enable=true, and for every router rule, service, entrypoints, tls and a priority that no other has.",
	Source:      "Traefik pkg/provider/docker, pkg/muxer/http, run with Traefik 3.7",
	ComposeOnly: "its routers come from labels and files; Ingresses and HTTPRoutes have neither priorities nor names of services to forget",
	Check: func(d *deployment.Deployment, r *Reporter) {
		tls := slices.ContainsFunc(d.Routes().Routers, func(o *route.Router) bool { return o.TLS && o.Dropped == "" })
		if d.Front().Name != "Traefik" {
			return
		}
		deaf := make(map[string]bool) // what no request for https:// ever comes to
		for _, o := range d.Routes().Routers {
			deaf[o.Name] = !d.Routes().Hears(o, "443") || apart(d, o)
		}
		twins := twins(d)
		d.LabelProblems(func(p route.Problem, s *deployment.Service) {
			key := "traefik.http.routers." + p.Router + "."
			switch p.Kind {
			case traefik.NotEnabled:
				if d.Proxy().Exposed != nil {
					r.FailMend(p.Message, label(s, "traefik.enable", "true"), p.Sites...)
				} else {
					r.Warn(p.Message+" unless its exposedByDefault is on", s.Label("traefik.enable", "true"), p.Sites...)
				}
			case traefik.Disabled:
				if d.HasRouters() {
					r.Fail(p.Message, s.Label("traefik.enable", "true"), p.Sites...)
				}
			case traefik.MissingService:
				r.Fail(p.Message, s.Label(key+"service", firstService(s)), p.Sites...)
			case traefik.DefaultRule:
				switch fix := s.Label(key+"rule", "Host(`…`)"); {
				case !s.HasLabel(strings.TrimSuffix(key, ".")):
				case d.Front().Service == nil || !d.Proxy().Seen:
					r.Warn(p.Message+", which nobody asks for, unless its own settings name another rule", fix, p.Sites...)
				default:
					r.Fail(p.Message+", which nobody asks for", fix, p.Sites...)
				}
			case route.Tie:
				r.Fail(p.Message, "give one of the two another priority", p.Sites...)
			case route.NoPriority:
				r.Warn(p.Message, s.Label(key+"priority", "…"), p.Sites...)
			case route.TooMany:
				r.NotChecked(p.Message, p.Sites...)
			case traefik.NoTLS:
				if tls && s.HasLabel(strings.TrimSuffix(key, ".")) && !twins[p.Router] && !deaf[p.Router] {
					r.WarnMend(p.Message, label(s, key+"tls", "true"), p.Sites...)
				}
			default:
			}
		})
		for _, o := range d.Routes().Routers {
			if of := d.Service(o.Container); tls && deaf[o.Name] && !o.TLS && !o.PlainHTTP && o.Dropped == "" && !twins[o.Name] && (of == nil || !of.HasLabel("traefik.http.routers."+o.Name)) && leadsHere(d, o) {
				r.Warn(fmt.Sprintf("no request by https comes to the router %s: it has no tls, or the entrypoints of plain HTTP alone", o.Name), "entryPoints and tls as the other routers have them", o.Site)
			}
		}
		names := namesOf(d)
		dropped, uncertified := make(map[string][]*route.Router), make(map[string][]*route.Router)
		for _, router := range d.Routes().Routers {
			checkStatic(r, d, names, router, dropped, uncertified)
		}
		for _, e := range slices.Sorted(maps.Keys(dropped)) {
			key := ".entrypoints"
			severally(r, dropped[e], saidAt(d, key), func(r *Reporter, some []*route.Router) {
				what, them := fmt.Sprintf("router %q is", some[0].Name), "the router"
				if len(some) > 1 {
					what, them = fmt.Sprintf("%d routers are", len(some)), "them"
				}
				r.Fail(fmt.Sprintf("%s on the entrypoint %q, which Traefik does not have; Traefik drops %s", what, e, them),
					entryFix(d, of(d, some[0]), names, "traefik.http.routers."+some[0].Name), routersSay(d, some, key)...)
			})
		}
		for _, c := range slices.Sorted(maps.Keys(uncertified)) {
			key := ".tls.certresolver"
			severally(r, uncertified[c], saidAt(d, key), func(r *Reporter, some []*route.Router) {
				what := fmt.Sprintf("router %q wants its certificate", some[0].Name)
				if len(some) > 1 {
					what = fmt.Sprintf("%d routers want their certificates", len(some))
				}
				r.Warn(fmt.Sprintf("%s from %q, which Traefik does not have; browsers warn of the certificate", what, c),
					of(d, some[0]).Label("traefik.http.routers."+some[0].Name+key, eitherOf(d.Proxy().Resolvers)), routersSay(d, some, key)...)
			})
		}
	},
}

// apart reports whether a router is on entrypoints of its own, of which nothing can be seen: no router with tls is on one of
// them, none is called like those for people, and it may well be one for plain HTTP from inside.
func apart(d *deployment.Deployment, r *route.Router) bool {
	public := func(name string) bool {
		name = strings.ToLower(name)
		return strings.HasPrefix(name, "web") || strings.HasPrefix(name, "http")
	}
	return len(r.EntryPoints) > 0 && len(d.Routes().Names()) == 0 && !slices.ContainsFunc(r.EntryPoints, public) && !slices.ContainsFunc(d.Routes().Routers, func(o *route.Router) bool {
		return o.TLS && (len(o.EntryPoints) == 0 || slices.ContainsFunc(o.EntryPoints, func(name string) bool {
			return slices.ContainsFunc(r.EntryPoints, func(own string) bool { return strings.EqualFold(own, name) })
		}))
	})
}

// of is the service whose labels a router stands on, else Traefik's.
func of(d *deployment.Deployment, o *route.Router) *deployment.Service {
	return cmp.Or(d.Service(o.Container), d.Proxy().Service)
}

// saidAt gives the place at which a router says what the key does.
func saidAt(d *deployment.Deployment, key string) func(*route.Router) []source.Site {
	return func(o *route.Router) []source.Site {
		return []source.Site{of(d, o).LabelSite("traefik.http.routers."+o.Name+key, o.Site)}
	}
}

// routersSay are those of several routers, and Traefik's.
func routersSay(d *deployment.Deployment, some []*route.Router, key string) (sites []source.Site) {
	for _, o := range some {
		sites = append(sites, saidAt(d, key)(o)...)
	}
	return append(sites, d.Proxy().Service.Site("Traefik"))
}

// leadsHere reports whether a router sends requests to a service of the stack.
func leadsHere(d *deployment.Deployment, o *route.Router) bool {
	return o.To != nil && slices.ContainsFunc(o.To.Backends, func(b route.Backend) bool { return d.Service(b.Container) != nil })
}

// firstService is one of the services that a container defines.
func firstService(s *deployment.Service) string {
	for _, l := range s.Deployment().Container(s).Labels {
		if words := strings.Split(l.Key, "."); len(words) > 3 && strings.EqualFold(words[2], "services") {
			return words[3]
		}
	}
	return s.Name
}

// twins are the routers of which another one takes with tls what they take without, by name.
func twins(d *deployment.Deployment) map[string]bool {
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
// What Traefik does not have is gathered: several routers that name it are one finding.
func checkStatic(r *Reporter, d *deployment.Deployment, names staticNames, router *route.Router, dropped, uncertified map[string][]*route.Router) {
	if router.Dropped != "" {
		return
	}
	s, key := of(d, router), "traefik.http.routers."+router.Name
	if s == nil {
		return
	}
	some := slices.ContainsFunc(router.EntryPoints, d.Proxy().HasEntryPoint)
	for _, e := range router.EntryPoints {
		others := others(names.entryPoints, e)
		switch near := finding.Nearest(e, others); {
		case d.Proxy().EntryPoints == nil && near == "" || d.Proxy().HasEntryPoint(e):
		case d.Proxy().EntryPoints != nil && some: // the router lives on by the others (pkg/config/runtime/runtime_http.go)
			r.Warn(fmt.Sprintf("router %q is on the entrypoint %q, which Traefik does not have; it is reached by its others alone", router.Name, e),
				entryFix(d, s, names, key), s.LabelSite(key+".entrypoints", router.Site), d.Proxy().Service.Site("Traefik"))
		case d.Proxy().EntryPoints != nil:
			dropped[e] = append(dropped[e], router)
		default:
			r.Warn(fmt.Sprintf("router %q is on the entrypoint %q, the others on %q; Traefik drops a router whose entrypoint does not exist", router.Name, e, near),
				s.Label(key+".entrypoints", near), s.LabelSite(key+".entrypoints", router.Site))
		}
	}
	c := router.CertResolver
	near := finding.Nearest(c, others(names.resolvers, c))
	switch known := d.Proxy().Resolvers != nil; {
	case c == "" || known && d.Proxy().Resolvers[strings.ToLower(c)]:
	case known:
		uncertified[c] = append(uncertified[c], router)
	case near != "":
		r.Warn(fmt.Sprintf("router %q wants its certificate from %q, the others from %q; where Traefik has no such resolver, browsers warn of the certificate", router.Name, c, near),
			s.Label(key+".tls.certresolver", near), s.LabelSite(key+".tls.certresolver", router.Site))
	}
}

// entryFix is the entrypoint that most routers have; where there is none, what there are.
func entryFix(d *deployment.Deployment, s *deployment.Service, names staticNames, key string) string {
	usual := ""
	for _, name := range slices.Sorted(maps.Keys(names.entryPoints)) {
		if d.Proxy().HasEntryPoint(name) && (usual == "" || names.entryPoints[name] > names.entryPoints[usual]) {
			usual = name
		}
	}
	if usual == "" {
		return "one of the entrypoints that it has: " + eitherOf(d.Proxy().EntryPoints)
	}
	return s.Label(key+".entrypoints", usual)
}

func eitherOf(names map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(names)), " or ")
}

// staticNames are the names of Traefik's own settings that routers use, and how many of them do.
type staticNames struct{ entryPoints, resolvers map[string]int }

func namesOf(d *deployment.Deployment) staticNames {
	n := staticNames{make(map[string]int), make(map[string]int)}
	for _, o := range d.Routes().Routers {
		for _, e := range o.EntryPoints {
			n.entryPoints[e]++
		}
		n.resolvers[o.CertResolver]++
	}
	return n
}

// others are the names that at least two routers use and that are not the one given.
func others(count map[string]int, not string) []string {
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
