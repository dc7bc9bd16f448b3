package adopt

import "philipp.info/stackgen/pkg/component"

// ingress reads how requests from outside reach the stack: what Traefik is told by the labels of Synapse.
func (r *reader) ingress() {
	in := &r.spec.Ingress
	if in.Traefik.Network = r.d.ProxyNetwork(r.syn.Service); in.Traefik.Network == "…" {
		in.Traefik.Network = ""
	}
	table := r.d.Routes()
	for _, router := range table.Routers {
		if router.Container == r.syn.Name && router.Dropped == "" {
			if len(router.EntryPoints) > 0 && in.Traefik.Entrypoint == "" {
				in.Traefik.Entrypoint = router.EntryPoints[0]
			}
			in.Traefik.CertResolver = or(in.Traefik.CertResolver, router.CertResolver)
		}
	}
	served := table.Match("GET", r.spec.ServerName, "/_matrix/client/versions")
	matrix := served.Backend != nil && served.Backend.Container == r.syn.Name
	in.Apex.Matrix = &matrix
	in.Apex.WellKnown = "external"
	if r.syn.Config.At("serve_server_wellknown").True() {
		in.Apex.WellKnown = "synapse"
	}
}

// element reads Element Web.
func (r *reader) element() {
	if len(r.d.Elements) == 0 {
		return
	}
	e := r.d.Elements[0]
	r.served = true
	r.spec.Element.Component = r.component(e.Service, component.Element)
	if hosts := r.d.HostsOf(e.Service); len(hosts) > 0 {
		r.spec.Hosts.Element = hosts[0]
	}
}
