package adopt

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// ingress reads how requests from outside reach the stack.
func (r *reader) ingress() {
	front, in := r.d.Front(), &r.spec.Ingress
	switch {
	case r.labelled():
		r.traefik()
	case r.managed() != nil:
		t := &r.spec.Ingress.Traefik
		t.Managed, t.Component = true, r.component(front.Service, component.Traefik)
		t.Email = r.managed().At("certificatesResolvers", render.Resolver, "acme", "email").Str()
	case front.Name != "Traefik" && front.Service == nil:
		r.outside()
	case front.Name == "Caddy" && r.labels("caddy"):
		in.Kind, in.Caddy.Form, in.Caddy.Network = "caddy", "labels", r.proxyNetwork()
	default: // a proxy of the stack is kept as it is, and finds Synapse by its name; of another nothing is seen
		in.Kind, in.Port = "none", r.loopback()
	}
	table, apex := r.d.Routes(), &r.spec.Ingress.Apex
	serves := r.syn.Config.At("serve_server_wellknown").True()
	to := func(path string) bool {
		if r.spec.Ingress.Kind == "nginx" && r.d.Chosen.Managed && !slices.Contains(r.d.SiteHosts(), r.spec.ServerName) {
			return false // its first server answers for every other host, too
		}
		res := table.Match("GET", r.spec.ServerName, path)
		return res.Backend != nil && r.homeserver(res.Backend.Container)
	}
	if len(table.Routers) == 0 || in.Kind == "none" && r.d.Chosen.Managed { // nothing is known of it but what Synapse does
		if apex.WellKnown = "external"; serves {
			apex.WellKnown = "synapse"
		}
		return
	}
	matrix := to("/_matrix/client/versions")
	apex.Matrix = &matrix
	// Synapse has the file for clients where public_baseurl is written. Where it served that alone it serves both from now on,
	// rather than none: other servers had no file to go by.
	const server = "/.well-known/matrix/server"
	client := r.syn.Config.At("public_baseurl").Set() && to("/.well-known/matrix/client")
	res := table.Match("GET", r.spec.ServerName, server)
	others := res.Answer != "" || res.Redirect != "" || res.Backend != nil && !r.homeserver(res.Backend.Container)
	if apex.WellKnown = "external"; serves && to(server) || client && !others && !r.d.Chosen.Managed {
		apex.WellKnown = "synapse"
	}
}

// traefik reads what Traefik is told by the labels of Synapse.
func (r *reader) traefik() {
	in := &r.spec.Ingress.Traefik
	in.Network = r.proxyNetwork()
	table := r.d.Routes()
	routers := table.Routers
	if r.d.Proxy().Major == 2 {
		in.RuleSyntax = "v2"
	}
	if client := table.Match("GET", r.syn.MatrixHost(), "/_matrix/client/versions").Door(); client != nil {
		for _, name := range client.Middlewares {
			if strings.Contains(name, "@") && !r.defines(name) {
				in.Middlewares = append(in.Middlewares, name)
			}
		}
		routers = append([]*route.Router{client}, routers...)
	}
	for _, router := range routers {
		if router.Container == r.door().Name && router.Dropped == "" {
			if len(router.EntryPoints) > 0 && in.Entrypoint == "" {
				in.Entrypoint = router.EntryPoints[0]
			}
			in.CertResolver = or(in.CertResolver, router.CertResolver)
		}
	}
	for _, router := range routers {
		if router.Container == r.door().Name && router.Dropped == "" && len(router.EntryPoints) > 0 && !slices.Contains(router.EntryPoints, in.Entrypoint) && r.federates(router) {
			in.FederationEntrypoint = router.EntryPoints[0]
		}
	}
}

// federates reports whether a router is for other servers: by what it asks for, as its entrypoint may be another stack's.
func (r *reader) federates(router *route.Router) bool {
	hosts := router.Hosts()
	known := len(hosts) == 0 || slices.Contains(hosts, r.syn.MatrixHost()) || slices.Contains(hosts, r.spec.ServerName)
	return known && router.TLS && !router.PlainHTTP && (!strings.Contains(router.Rule, "Path") ||
		slices.ContainsFunc([]string{"/_matrix/federation", "/_matrix/`", "/_matrix`"}, func(path string) bool { return strings.Contains(router.Rule, path) }))
}

// defines reports whether the labels of the stack define a middleware themselves.
func (r *reader) defines(middleware string) bool {
	name, _, _ := strings.Cut(middleware, "@")
	return slices.ContainsFunc(r.d.Services, func(s *deployment.Service) bool {
		return slices.ContainsFunc(s.Labels, func(l traefik.Label) bool {
			return strings.HasPrefix(strings.ToLower(l.Key), "traefik.http.middlewares."+strings.ToLower(name)+".")
		})
	})
}

// labelled reports whether Traefik is told by labels of the stack what goes to Synapse.
func (r *reader) labelled() bool {
	return r.d.Front().Name == "Traefik" && r.labels("traefik.http.routers.")
}

// managed is the configuration of a Traefik in the stack that stackgen rendered; nil where it is another one, which is kept as
// it is.
func (r *reader) managed() *source.File {
	s := r.d.Proxy().Service
	if s == nil || !r.d.Chosen.Managed {
		return nil
	}
	f, _, _ := r.d.Follow(s, "/etc/traefik/traefik.yml")
	if f == nil || f.Path != render.TraefikFile {
		return nil
	}
	return f
}

// labels reports whether Synapse has labels that begin so.
func (r *reader) labels(lead string) bool {
	return slices.ContainsFunc(r.door().Labels, func(l traefik.Label) bool { return strings.HasPrefix(strings.ToLower(l.Key), lead) })
}

// outside reads what was rendered for a proxy of another stack, or on the host.
func (r *reader) outside() {
	in := &r.spec.Ingress
	in.Kind = strings.ToLower(r.d.Front().Name)
	network := r.proxyNetwork()
	in.Port = r.loopback()
	if in.Kind == "nginx" {
		in.Nginx.Network = network
		return
	}
	in.Caddy.Network = network
	for _, router := range r.d.Routes().Routers {
		if router.Site.File == r.d.File {
			in.Caddy.Form = "labels"
		}
	}
}

// admin reads the page for administrators, where an allow-list says who reaches Synapse's admin API. Without one it is kept as
// it is.
func (r *reader) admin() {
	a := r.administered()
	if a == nil {
		return
	}
	r.spec.Admin.Component = r.component(a.Service, component.Ketesa)
	r.spec.Admin.AllowFrom = r.d.AdminsFrom(r.syn)
	if hosts := r.hostsOf(a.Service); len(hosts) > 0 {
		r.spec.Hosts.Admin = hosts[0]
	}
}

// administered is the interface that the spec has; nil where there is none, or none that a spec may have.
func (r *reader) administered() *deployment.Admin {
	if len(r.d.Admins) == 0 || len(r.d.AdminsFrom(r.syn)) == 0 {
		return nil
	}
	return r.d.Admins[0]
}

// hostsOf are the public hosts of a page.
func (r *reader) hostsOf(s *deployment.Service) []string {
	hosts := r.d.HostsOf(s)
	for _, router := range r.d.Routes().Routers {
		if router.To != nil && len(router.To.Backends) > 0 && router.To.Backends[0].Container == s.Name {
			hosts = append(hosts, router.Hosts()...)
		}
	}
	for _, host := range r.d.SiteHosts() { // a router of Caddy has no host of its own
		if to := r.d.Routes().Match("GET", host, "/").Backend; to != nil && to.Container == s.Name {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// element reads Element Web.
func (r *reader) element() {
	if len(r.d.Elements) == 0 {
		return
	}
	e := r.d.Elements[0]
	r.served["element"] = true
	r.spec.Element.Component = r.component(e.Service, component.Element)
	if hosts := r.hostsOf(e.Service); len(hosts) > 0 {
		r.spec.Hosts.Element = hosts[0]
	}
}
