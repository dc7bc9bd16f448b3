package check

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// portsOf names ports in words, with the places where they stand.
func portsOf(ls []deployment.Listener) (text string, sites []source.Site) {
	var ports []string
	for _, l := range ls {
		if at := l.PortAt().Site("listens on " + l.Port); !slices.Contains(ports, l.Port) {
			ports, sites = append(ports, l.Port), append(sites, at)
		}
	}
	return strings.Join(ports, ", "), sites
}

var traefikPortListens = Rule{
	ID: "traefik-port-listens", Severity: finding.Error,
	Summary:     "the port and scheme that Traefik sends requests to are those on which the program listens",
	Why:         "502 Bad Gateway for every request.",
	Fix:         "Write the port of the listener into loadbalancer.server.port, or behind the name of the service, and leave its tls off: Traefik ends TLS.",
	Source:      "Traefik pkg/provider/docker getPort; Synapse config/server.py; MAS crates/config sections/http.rs; their Dockerfiles",
	ComposeOnly: "requests come by a Service: kubernetes-service-leads",
	Check: func(d *deployment.Deployment, r *Reporter) {
		told := make(map[source.Pos]bool)
		var unheard []route.Backend
		for _, svc := range d.Routes().Services {
			led := slices.ContainsFunc(d.Routes().Routers, func(router *route.Router) bool { return router.To == svc })
			for _, b := range svc.Backends {
				if b.Port == "" && !led {
					continue // Traefik makes one of a container that says nothing of services, whether a router leads there or not
				}
				if s := d.Service(b.Container); s != nil && (b.Address != "" || s.HasLabel("traefik.http")) {
					unheard = append(unheard, checkBackend(r, d, s, b)...)
					told[b.Site.Pos] = true
				}
			}
		}
		// Where an address has variables in it, only a request tells what it is.
		for _, a := range everyAsk(d) {
			res := d.Routes().Match("GET", a.host, a.path)
			b := res.Backend
			if b == nil || b.Address == "" || told[b.Site.Pos] {
				continue
			}
			isWorker := slices.ContainsFunc(d.Workers, func(w *deployment.Worker) bool { return w.Name == b.Container })
			if s := d.Service(b.Container); s != nil && (!isWorker || len(res.Through) == 0) { // else worker-answers tells
				told[b.Site.Pos] = true
				unheard = append(unheard, checkBackend(r, d, s, *b)...)
			}
		}
		for len(unheard) > 0 {
			first := unheard[0]
			var together []route.Backend
			unheard = slices.DeleteFunc(unheard, func(b route.Backend) bool {
				same := b.Container == first.Container && b.Address == first.Address && b.Port == first.Port
				if same {
					together = append(together, b)
				}
				return same
			})
			severally(r, together, func(b route.Backend) []source.Site { return []source.Site{b.Site} }, func(r *Reporter, bs []route.Backend) { tellUnheard(r, d, bs) })
		}
	},
}

// tellUnheard is one finding for all places that ask a service at the same port, on which it does not listen.
func tellUnheard(r *Reporter, d *deployment.Deployment, bs []route.Backend) {
	b, s := bs[0], d.Service(bs[0].Container)
	ls, _ := d.Listeners(s)
	open := slices.DeleteFunc(slices.Clone(ls), func(l deployment.Listener) bool { return l.Loopback })
	text, listening := portsOf(open)
	var sites []source.Site
	for _, o := range bs {
		sites = append(sites, o.Site)
	}
	sites = append(sites, listening...)
	if socket, ok := strings.CutPrefix(b.Port, deployment.Socket); ok {
		r.Fail(fmt.Sprintf("%s sends requests to %s, a socket that is %s in the container of %s, which listens on %s; every request is a 502", d.Front().Name, b.Address, socket, s.Name, text),
			"the path of a socket on which "+s.Name+" listens", sites...)
		return
	}
	fix := atPort(d, b, mainPort(open))
	certain := fix.edits != nil && len(open) == 1
	all := mend{fix.text, func() (edits []source.Edit) {
		for _, o := range bs {
			edits = append(edits, atPort(d, o, mainPort(open)).edits()...)
		}
		return edits
	}}
	r.FailMend(fmt.Sprintf("%s sends requests to port %s of %s, which listens on %s; every request is a 502", d.Front().Name, b.Port, s.Name, orNothing(text)), unless(!certain, all), sites...)
}

// checkBackend gives a server that is asked by an address at which its service does not listen: tellUnheard says so of several at once.
func checkBackend(r *Reporter, d *deployment.Deployment, s *deployment.Service, b route.Backend) (unheard []route.Backend) {
	ls, known := d.Listeners(s)
	if !known {
		return nil
	}
	named := b.Port != ""
	if b.Port = s.BackendPort(b); b.Port == "" && !s.ExposesNone() {
		r.NotChecked(fmt.Sprintf("the service %q names no port, and which one the image of %s exposes is not known", b.Service, s.Name), b.Site)
		return nil
	}
	key := "traefik.http.services." + b.Service + ".loadbalancer.server."
	open := slices.DeleteFunc(slices.Clone(ls), func(l deployment.Listener) bool { return l.Loopback })
	i := slices.IndexFunc(ls, func(l deployment.Listener) bool { return l.Port == b.Port })
	if i < 0 && named && b.Address != "" {
		return []route.Backend{b}
	}
	if i < 0 {
		text, sites := portsOf(open)
		msg := fmt.Sprintf("%s sends requests to port %s of %s, which listens on %s; every request is a 502", d.Front().Name, b.Port, s.Name, orNothing(text))
		switch {
		case !named && b.Port != "":
			of := "that the image of " + s.Name + " exposes"
			if !s.ImageLeads(b.Port) {
				of = "of those that are published and exposed"
			}
			msg = fmt.Sprintf("the service %q names no port; Traefik takes the lowest %s, %s, and %s listens on %s; every request is a 502", b.Service, of, b.Port, s.Name, orNothing(text))
		case !named:
			msg = fmt.Sprintf("the service %q names no port, and the image of %s exposes none; Traefik has nowhere to send requests to", b.Service, s.Name)
		}
		fix := unless(len(open) != 1, label(s, key+"port", mainPort(open)))
		if b.Address != "" {
			fix = unless(len(open) != 1, atPort(d, b, mainPort(open)))
		}
		r.FailMend(msg, fix, append([]source.Site{b.Site}, sites...)...)
		return nil
	}
	switch l := ls[i]; {
	case l.Loopback && s.Program == component.Synapse && !slices.ContainsFunc(open, func(l deployment.Listener) bool { return l.Port == b.Port }):
		r.Fail(fmt.Sprintf("%s listens on port %s for its own container only; every request is a 502", s.Name, b.Port), "bind_addresses: ['0.0.0.0']", l.Value.At("bind_addresses").Site(""), b.Site)
	case l.Tls && b.Scheme == "http":
		r.Fail(fmt.Sprintf("%s speaks TLS on port %s, but %s asks it in plain HTTP; every request is a 502", s.Name, b.Port, d.Front().Name), "tls: false", l.Value.At("tls").Site(""), b.Site)
	case l.Loopback && s.Program == component.Unknown && !slices.ContainsFunc(open, func(l deployment.Listener) bool { return l.Port == b.Port }):
		r.Fail(fmt.Sprintf("%s listens on port %s for its own container only; every request is a 502", s.Name, b.Port), l.HostAt().Name()+": 0.0.0.0", l.HostAt().Site(""), b.Site)
	case !l.Tls && b.Scheme == "https":
		fix := s.Label(key+"scheme", "http")
		if b.Address != "" {
			fix = "http:// in place of https://"
		}
		r.Fail(fmt.Sprintf("%s speaks TLS to %s, which does not on port %s; every request is a 502", d.Front().Name, s.Name, b.Port), fix, s.LabelSite(key+"scheme", b.Site), l.Value.Site("plain HTTP"))
	}
	return nil
}

// atPort is the address of a server with another port, where it names the port of the service itself.
func atPort(d *deployment.Deployment, b route.Backend, port string) mend {
	host, was, ok := strings.Cut(b.Address, ":")
	fix := mend{host + ":" + port, func() []source.Edit { return d.Swap(b.Site, b.Address, host+":"+port) }}
	return unless(!ok || was != b.Port, fix)
}

// mainPort is that of the listener which serves most.
func mainPort(ls []deployment.Listener) string {
	ls = slices.DeleteFunc(slices.Clone(ls), deployment.Listener.Socket)
	if len(ls) == 0 {
		return "…"
	}
	return slices.MaxFunc(ls, func(a, b deployment.Listener) int { return cmp.Compare(len(a.Resources), len(b.Resources)) }).Port
}

func orNothing(text string) string {
	if text == "" {
		return "no port that others reach"
	}
	return text
}

var forwardedHeaders = Rule{
	ID: "forwarded-headers", Severity: finding.Warning,
	Summary:     "Synapse and MAS take the client's address from the proxy's headers",
	Why:         "Every user seems to come from the proxy's address: one who mistypes a password a few times locks all others out by rate limiting, and sessions show no address.",
	Fix:         "Write x_forwarded: true on the listener, and the proxy's networks into MAS's trusted_proxies.",
	Source:      "Synapse config/server.py; MAS crates/config sections/http.rs default_trusted_proxies",
	ComposeOnly: "from which addresses the controller asks is known in the cluster alone",
	Check: func(d *deployment.Deployment, r *Reporter) {
		mute := make(map[source.Pos]bool)
		for _, a := range requested(d) {
			if slices.ContainsFunc(d.Synapses, func(s *deployment.Synapse) bool { return s.Service == a.meant && s.MatrixHost() != a.host }) {
				continue // few of its requests come in by another host
			}
			res := d.Routes().Match("GET", a.host, a.path)
			if p := res.Passes; p != nil && !p.Forwards && ownNginx(d.Front()) && res.Backend != nil && a.meant.Is(res.Backend.Container) && !mute[p.Site.Pos] {
				mute[p.Site.Pos] = true
				r.Fail(fmt.Sprintf("%s does not tell %s where a request comes from; rate limits meet everybody at once", d.Front().Name, a.meant.Name), "proxy_set_header X-Forwarded-For $remote_addr;", p.Site)
			}
		}
		for _, svc := range d.Routes().Services {
			for _, b := range svc.Backends {
				for _, s := range d.Synapses {
					for _, l := range s.Listeners() {
						if s.Name == b.Container && l.Port == s.BackendPort(b) && !l.Value.At("x_forwarded").True() && !l.Socket() {
							r.FailMend("Synapse takes no notice of the client's address behind the proxy; rate limits meet everybody at once", set(l.Value.At("x_forwarded"), "true"),
								l.Value.At("x_forwarded").Site(""), b.Site)
						}
					}
				}
				for _, m := range d.MASs {
					if m.Name == b.Container {
						checkTrusted(r, d, m, b)
					}
				}
			}
		}
		if len(d.Routes().Services) == 0 {
			return
		}
		for _, w := range d.Workers {
			for _, l := range w.Config.At("worker_listeners").Items() {
				names := deployment.Each(l, "resources.*.names.*")
				asked := slices.ContainsFunc(names, func(v source.Value) bool { return slices.Contains([]string{"client", "federation", "media"}, v.Str()) })
				if asked && l.At("port").Set() && !l.At("x_forwarded").True() && !w.Partial() {
					r.FailMend(w.Name+" takes no notice of the client's address behind the proxy; rate limits meet everybody at once", set(l.At("x_forwarded"), "true"), l.At("x_forwarded").Site(""), w.Site(""))
				}
			}
		}
	},
}

// trustedByDefault are the networks whose proxies MAS believes. 10.0.0.0/10 is what the program has, although
// its documentation says /8.
var trustedByDefault = deployment.Prefixes("192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/10", "127.0.0.0/8", "fd00::/8", "::1/128")

// checkTrusted holds the trusted proxies against the network in which Traefik reaches MAS.
func checkTrusted(r *Reporter, d *deployment.Deployment, m *deployment.MAS, b route.Backend) {
	if strings.HasPrefix(b.Port, deployment.Socket) {
		return // which gives no address
	}
	v := m.Config.At("http", "trusted_proxies")
	trusted := trustedByDefault
	if v.Set() {
		trusted = deployment.Prefixes(deployment.ItemTexts(v)...)
	}
	subnets, at := d.Subnets(m.Service)
	known := len(subnets) > 0
	if !known {
		subnets = deployment.DockerPools
	}
	for _, subnet := range subnets {
		if slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Bits() <= subnet.Bits() && p.Contains(subnet.Addr()) }) {
			continue
		}
		// Who lists a part of Docker's networks may know which one it is.
		if !known && slices.ContainsFunc(trusted, partOfPool) {
			r.NotChecked("the addresses of the network that MAS shares with the proxy cannot be seen", v.Site(""))
			return
		}
		sites := []source.Site{v.Site("")}
		if known {
			sites = append(sites, at.Site("the network"))
		}
		// A list of one's own takes the place of what MAS trusts by default.
		item := source.Quote(subnet.String())
		r.FailMend(fmt.Sprintf("MAS does not trust proxies in %s, where %s comes from; it takes the proxy's address for every user's", subnet, d.Front().Name),
			unless(!known || !v.Set() || len(subnets) > 1, mend{"- " + item, func() []source.Edit { return v.With(item) }}), append(sites, b.Site)...)
		return
	}
}

func partOfPool(p netip.Prefix) bool {
	return slices.ContainsFunc(deployment.DockerPools, func(pool netip.Prefix) bool { return pool.Bits() < p.Bits() && pool.Contains(p.Addr()) })
}
