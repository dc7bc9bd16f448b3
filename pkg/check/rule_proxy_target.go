package check

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var proxyTargetExists = Rule{
	ID: "proxy-target-exists", Severity: finding.Error,
	Summary: "where the proxy sends requests by an address, a service has that name",
	Why:     "502 Bad Gateway for every request; nginx does not even start: \"host not found in upstream\", or, where the name stands behind a variable, \"no resolver defined to resolve\" it.",
	Fix:     "Write the name of the service as it stands in the compose file; localhost is the proxy's own container.",
	Source:  "Docker's embedded DNS server; nginx src/http/ngx_http_upstream.c, run with nginx 1.22; Traefik pkg/server/service, run with Traefik 3.7",
	Check: func(d *deployment.Deployment, r *Reporter) {
		told, looked := make(map[source.Pos]bool), 0
		type lost struct {
			st   *deployment.Stray
			ask  ask
			also []source.Site // where else the proxy asks the same address for the same service
		}
		var all []*lost
		for _, a := range everyAsk(d) {
			res := d.Routes().Match("GET", a.host, a.path)
			if res.Backend == nil || res.Redirect != "" || told[res.Backend.Site.Pos] {
				continue
			}
			st := d.Stray(*res.Backend)
			if st == nil {
				continue
			}
			told[st.Site.Pos] = true
			if res.Router != nil && d.Near(st) == "" && ofAll(d, a) {
				a.meant = nil // the whole site is somebody else's, such as a web page's
			}
			if i := slices.IndexFunc(all, func(l *lost) bool { return l.st.Address == st.Address && l.ask.meant == a.meant }); i >= 0 {
				all[i].also = append(all[i].also, st.Site)
			} else {
				all = append(all, &lost{st: st, ask: a})
			}
		}
		for _, l := range all {
			strayed(r, d, l.st, l.ask, l.also...)
		}
		checkLookups(r, d)
		var nobody []*lost // of one that nobody has there is one finding
		for _, svc := range d.Routes().Services {
			for _, b := range svc.Backends {
				namedElsewhere(r, d, b)
				if st := d.Stray(b); st != nil && !told[b.Site.Pos] && looked < mostStray {
					looked++
					sure := st.Elsewhere == "" && !st.Itself && !st.Joined // in no network of this proxy anybody else can be
					if sure || d.Near(st) != "" {
						told[b.Site.Pos] = true
						if i := slices.IndexFunc(nobody, func(l *lost) bool { return l.st.Address == st.Address && l.st.Shut == st.Shut }); i >= 0 {
							nobody[i].also = append(nobody[i].also, st.Site)
						} else {
							nobody = append(nobody, &lost{st: st})
						}
					}
				}
			}
		}
		for _, l := range nobody {
			strayed(r, d, l.st, l.ask, l.also...)
		}
	},
}

// checkLookups has nginx told whom it asks for a name behind a variable: of /etc/resolv.conf it knows nothing then.
func checkLookups(r *Reporter, d *deployment.Deployment) {
	front := d.Front()
	if !ownNginx(front) { // another image may say it
		return
	}
	type nameless struct {
		name string
		site source.Site
	}
	var all []nameless
	asks := everyAsk(d)
	for _, s := range d.Synapses {
		for _, host := range s.Hosts() {
			asks = append(asks, ask{host, clientWellKnown, s.Service}, ask{host, serverWellKnown, s.Service})
		}
	}
	for _, a := range asks {
		res := d.Routes().Match("GET", a.host, a.path)
		if p := res.Passes; p != nil && p.Unresolved != "" && !slices.ContainsFunc(all, func(n nameless) bool { return n.site.Pos == p.Site.Pos }) {
			all = append(all, nameless{p.Unresolved, p.Site})
		}
	}
	severally(r, all, func(n nameless) []source.Site { return []source.Site{n.site} }, func(r *Reporter, all []nameless) {
		var names []string
		var sites []source.Site
		for _, n := range all {
			if sites = append(sites, n.site); !slices.Contains(names, n.name) {
				names = append(names, n.name)
			}
		}
		text := fmt.Sprintf("nginx looks up %s at each request, and nobody says whom it asks (\"no resolver defined\")", finding.Sentence(names, "and"))
		if front.Service == nil {
			r.Warn(text+"; unless its nginx.conf does, every one is a 502", "resolver 127.0.0.11 valid=10s;", sites...)
			return
		}
		r.Fail(text+"; every one is a 502", "resolver 127.0.0.11 valid=10s;", sites...)
	})
}

// ofAll reports whether the proxy sends a request where it sends all others of that host.
func ofAll(d *deployment.Deployment, a ask) bool {
	asked, other := d.Routes().Match("GET", a.host, a.path), d.Routes().Match("GET", a.host, "/")
	return asked.Backend != nil && other.Backend != nil && asked.Backend.Address == other.Backend.Address && !slices.ContainsFunc(d.Synapses, func(s *deployment.Synapse) bool { return s.MatrixHost() == a.host }) &&
		!slices.ContainsFunc(d.MASs, func(m *deployment.MAS) bool {
			u, _, ok := m.Base()
			return ok && u.Hostname() == a.host
		})
}

// namedElsewhere has a service that has the name by which the proxy asks it in networks alone in which the proxy is not.
func namedElsewhere(r *Reporter, d *deployment.Deployment, b route.Backend) {
	front, s := d.Front().Service, d.Service(b.Container)
	host, _, _ := strings.Cut(b.Address, ":")
	if s == nil || front == nil || host == "" || strings.ContainsAny(host, ".$") || front.MoreNames || front.NetworkMode.Set() || s.NetworkMode.Set() || !s.Shares(front) || !slices.Contains(s.Names(), host) {
		return // traefik-network-shared speaks of the networks
	}
	if slices.ContainsFunc(front.Networks, func(network string) bool { return s.Answers(host, network) }) {
		return
	}
	r.Fail(fmt.Sprintf("%s asks %s, a name that %s has in other networks only; every request is a 502", d.Front().Name, host, s.Name), "the alias in the network of "+front.Name+", too",
		append([]source.Site{b.Site}, deployment.NameSites(s)...)...)
}

// mostStray is how many servers elsewhere are compared with the names of the services: each with all.
const mostStray = 100

// ask is a request that one of the stack's own programs is there for.
type ask struct {
	host, path string
	meant      *deployment.Service
}

// requested are the requests that have to come to Synapse and MAS.
func requested(d *deployment.Deployment) (list []ask) {
	for _, s := range d.Synapses {
		for _, host := range s.Hosts() {
			for _, path := range []string{"/_matrix/client/versions", "/_matrix/federation/v1/version", "/_matrix/media/v3/config"} {
				list = append(list, ask{host, path, s.Service})
			}
		}
	}
	for _, m := range d.MASs {
		if u, _, ok := m.Base(); ok {
			list = append(list, ask{u.Hostname(), strings.TrimSuffix(u.Path, "/") + "/oauth2/token", m.Service})
		}
		for _, s := range d.Synapses {
			for _, host := range s.Hosts() {
				list = append(list, ask{host, "/_matrix/client/v3/login", m.Service})
			}
		}
	}
	return list
}

// everyAsk are these, what is asked for calls, and the first page of each host that was rendered for a proxy elsewhere.
func everyAsk(d *deployment.Deployment) []ask {
	list := requested(d)
	for _, t := range d.Tokens {
		if u, err := url.Parse(t.URL().Text); err == nil && u.Hostname() != "" {
			list = append(list, ask{host: u.Hostname(), path: strings.TrimSuffix(u.Path, "/") + "/rtc"})
		}
	}
	for _, s := range d.Synapses {
		for _, item := range s.Config.At("matrix_rtc", "transports").Items() {
			if u, _, ok := deployment.Endpoint(item.At("livekit_service_url").Str()); ok {
				list = append(list, ask{host: u.Hostname(), path: strings.TrimSuffix(u.Path, "/") + "/sfu/get"})
			}
		}
	}
	for _, host := range d.SiteHosts() {
		list = append(list, ask{host: host, path: "/"})
	}
	return list
}

func strayed(r *Reporter, d *deployment.Deployment, st *deployment.Stray, a ask, also ...source.Site) {
	if st.Shut {
		return
	}
	near := d.Near(st)
	if by := d.Scripts.Fill(st.Site.File, st.Container); by != "" {
		r.NotChecked(fmt.Sprintf("%s may put another name in the place of %s in %s", by, st.Container, st.Site.File), st.Site)
		return
	}
	what := d.Front().Name + " sends requests"
	if a.host != "" {
		what += fmt.Sprintf(" for %s%s", a.host, a.path)
	}
	what += " to " + st.Address
	places := append([]source.Site{st.Site}, also...)
	sites := slices.Clone(places)
	meant := cmp.Or(d.Service(near), a.meant)
	if i := slices.IndexFunc(d.Services, func(s *deployment.Service) bool { return slices.Contains(s.Names(), near) }); i >= 0 {
		meant = d.Services[i]
	}
	if meant != nil {
		sites = append(sites, meant.Site("the service"))
	}
	fix := mend{text: "the name of the service"}
	switch {
	case near != "":
		fix = mend{strings.Replace(st.Address, st.Container, near, 1), func() (edits []source.Edit) {
			for _, at := range places {
				edits = append(edits, d.Swap(at, st.Container, near)...)
			}
			return edits
		}}
	case meant != nil:
		fix = mend{text: meant.Host() + ":" + meant.Outer(portFor(d, meant))}
	}
	switch {
	case st.Elsewhere != "" && onHost(d, st) && a.meant != nil && a.meant.SpansKnown && !a.meant.NetworkMode.Set():
		port := "publishes none"
		if all := a.meant.Spans; len(all) > 0 {
			port = fmt.Sprintf("is published at %d", all[0].First)
			sites = append(sites, a.meant.PortsAt.Site(""))
		}
		r.Warn(fmt.Sprintf("%s, where nothing of this stack is published: %s %s; unless another program there hands them on, every one is a 502", what, a.meant.Name, port), "a port of 127.0.0.1 at which "+a.meant.Name+" is published", sites...)
	case st.Elsewhere != "":
		r.NotChecked(what+": "+st.Elsewhere, sites[0])
	case st.Itself:
		r.FailMend(what+", which is its own container, where nothing else listens; every one is a 502", fix, sites...)
	case st.Joined:
		elsewhere := "a container of another stack has it"
		if d.Target == deployment.Kubernetes {
			elsewhere = "one of that name is made elsewhere"
		}
		r.WarnMend(what+", a name that no service here has; unless "+elsewhere+", every one is a 502", fix, sites...)
	case r.partial && near == "": // it may be the name of a service that was not read
		r.Lack(what+", a name that no service has; every one is a 502", fix.text, sites...)
	default:
		r.FailMend(what+", a name that no service has; every one is a 502", fix, sites...)
	}
}

// onHost reports whether a proxy that runs on the machine asks the machine itself.
func onHost(d *deployment.Deployment, st *deployment.Stray) bool {
	return d.Front().Service == nil && d.Target == deployment.Compose && deployment.Loopback(st.Container)
}

// portFor is the port that a service listens on for what others ask of it.
func portFor(d *deployment.Deployment, s *deployment.Service) string {
	ls, _ := d.Listeners(s)
	return mainPort(slices.DeleteFunc(slices.Clone(ls), func(l deployment.Listener) bool { return l.Loopback }))
}
