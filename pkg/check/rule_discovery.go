package check

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var authMetadataPaths = []string{
	"/_matrix/client/v1/auth_metadata",
	"/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
	"/_matrix/client/unstable/org.matrix.msc2965/auth_issuer",
}

var authMetadataOnSynapse = Rule{
	ID: "auth-metadata-on-synapse", Severity: finding.Error,
	Summary: "clients get the metadata of the login from Synapse, on every host that serves /_matrix",
	Why:     "Element X and Element Web say that the homeserver cannot be reached or does not support the login: GET /_matrix/client/v1/auth_metadata is a 404 from MAS.",
	Fix:     "Send nothing of /_matrix/client to MAS but login, logout and refresh.",
	Source:  "Synapse rest/client/auth_metadata.py; MAS crates/router/src/endpoints.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Pairs(func(s *deployment.Synapse, _ *deployment.MAS) {
			told := make(map[*route.Router]bool)
			for _, host := range s.Hosts() {
				if !reaches(d.Routes().Match("GET", host, "/_matrix/client/versions"), s.Service, "") {
					continue
				}
				for _, path := range authMetadataPaths {
					res := d.Routes().Match("GET", host, path)
					if res.Unknown != "" || reaches(res, s.Service, path) || told[res.Router] || d.Explained(s.Service, "GET", host, path) {
						continue
					}
					told[res.Router] = res.Router != nil
					r.Fail(fmt.Sprintf("%s%s is answered by %s and not by Synapse; clients find no login", host, path, answererFor(res, s.Service)),
						authMetadataFix(d), routerSite(res, s.Service))
					break
				}
			}
		})
	},
}

// authMetadataFix keeps all from MAS but what is meant for it.
func authMetadataFix(d *deployment.Deployment) string {
	const expression = "^/_matrix/client/[^/]+/(login|logout|refresh)(/.*)?$"
	switch d.Front().Name {
	case "Caddy":
		return "path_regexp " + expression + " for MAS, and all else below /_matrix for Synapse"
	case deployment.Ingress, deployment.Gateway:
		return "the prefixes of login, logout and refresh alone for MAS, and all else below /_matrix for Synapse"
	case "nginx":
		return "location ~ " + expression + " for MAS, and all else below /_matrix for Synapse"
	}
	return "PathRegexp(`" + expression + "`) for MAS, and all else below /_matrix for Synapse"
}

const (
	clientWellKnown = "/.well-known/matrix/client"
	serverWellKnown = "/.well-known/matrix/server"
)

var wellKnownAgrees = Rule{
	ID: "well-known-agrees", Severity: finding.Error,
	Summary: "the well-known files name an https host that leads to Synapse, and Synapse serves those that are routed to it",
	Why:     "Clients that are given the server name find no homeserver (\"Homeserver URL does not appear to be a valid Matrix homeserver\"); other servers cannot reach this one.",
	Fix:     "Set public_baseurl to the https address under which clients reach Synapse, and serve_server_wellknown: true where Synapse is to tell other servers.",
	Source:  "Synapse config/server.py, rest/well_known.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var misled []astray
		for _, s := range d.Synapses {
			if d.HasRouters() && s.Server.Set() {
				misled = append(misled, checkBaseURL(r, d, s)...)
				checkWellKnown(r, d, s)
			}
		}
		for len(misled) > 0 {
			first := misled[0]
			same := func(m astray) bool { return m.path == first.path && m.routers[0].Pos == first.routers[0].Pos }
			var together []astray
			for _, m := range misled {
				if same(m) {
					together = append(together, m)
				}
			}
			misled = slices.DeleteFunc(misled, same)
			severally(r, together, astray.sites, tellAstray)
		}
	},
}

// astray is a public_baseurl where another than its Synapse answers.
type astray struct {
	at               source.Value
	host, path, fix  string
	answers, synapse string
	routers          []source.Site
}

func (m astray) sites() []source.Site { return append([]source.Site{m.at.Site("")}, m.routers...) }

// tellAstray is one finding for all that the same routers lead astray.
func tellAstray(r *Reporter, all []astray) {
	m := all[0]
	if len(all) == 1 {
		r.Fail(fmt.Sprintf("public_baseurl sends clients to %s, where %s is answered by %s and not by Synapse; no client finds the homeserver", m.host, m.path, m.answers), m.fix, m.sites()...)
		return
	}
	var names []string
	var sites []source.Site
	for _, m := range all {
		names, sites = append(names, m.synapse), append(sites, m.at.Site(""))
	}
	r.Fail(fmt.Sprintf("the public_baseurls of %s send clients where %s is answered by %s and not by Synapse; no client finds the homeservers", finding.Sentence(names, "and"), m.path, m.answers),
		"public_baseurl: https://HOST/, with a host that leads to Synapse", append(sites, m.routers...)...)
}

// checkBaseURL looks at what Synapse tells clients, and gives it where it leads to another.
func checkBaseURL(r *Reporter, d *deployment.Deployment, s *deployment.Synapse) []astray {
	v := s.Config.At("public_baseurl")
	u, _, ok := deployment.Endpoint(v.Str())
	host := s.MatrixHost()
	fix := baseURLFix(d, s)
	switch {
	case v.Set() && !ok:
		r.Fail("public_baseurl is no URL; Synapse does not start", fix, v.Site(""))
		return nil
	case v.Set() && u.Scheme == "http" && (deployment.Loopback(u.Hostname()) || strings.HasSuffix(u.Hostname(), ".localhost")):
		return nil // somebody tries it out on the machine itself, where browsers ask for no TLS
	case v.Set() && u.Scheme != "https":
		report, refused := r.Fail, "which browsers refuse"
		if u.Scheme == "http" && (atHome(u.Hostname()) || d.Routes().Plain()) {
			report, refused = r.Warn, "which pages with https refuse, and from which no Element Web can encrypt"
		}
		report(fmt.Sprintf("public_baseurl begins with %s://; Synapse sends clients to an address without TLS, %s", u.Scheme, refused), "public_baseurl: https://"+u.Host+"/", v.Site(""))
		return nil
	case !v.Set():
		if host := s.Server.Str(); answered(d, s, clientWellKnown) && reaches(d.Routes().Match("GET", host, "/_matrix/client/versions"), s.Service, "/_matrix/client/versions") {
			r.Warn(fmt.Sprintf("public_baseurl is missing, and Synapse answers %s with 404; clients that are given the server name find it only if they then try https://%s itself, as not all do", clientWellKnown, host), fix, v.Site(""))
		} else if answered(d, s, clientWellKnown) {
			r.Fail("public_baseurl is missing; Synapse answers "+clientWellKnown+" with 404, and clients find no homeserver", fix, v.Site(""))
		}
		return nil
	}
	path := strings.TrimSuffix(u.Path, "/") + "/_matrix/client/versions"
	res := d.Routes().Match("GET", host, path)
	if res.Unknown != "" || reaches(res, s.Service, "/_matrix/client/versions") || d.Explained(s.Service, "GET", host, path) {
		return nil
	}
	if res.Backend != nil && s.Is(res.Backend.Container) { // the address is right, and what becomes of the path is not
		fix = "leave the path of requests for Synapse on " + host + " as it is"
	}
	return []astray{{at: v, host: host, path: path, fix: fix, answers: answererFor(res, s.Service), synapse: s.Name, routers: routerSites(res, s.Service)}}
}

// baseURLFix names a host that does lead to Synapse.
func baseURLFix(d *deployment.Deployment, s *deployment.Synapse) string {
	const enough = 50 // of ten thousand hosts, the first ones tell as much as all
	hosts := append([]string{"matrix." + s.Server.Str()}, routedHosts(d, s)...)
	for _, host := range hosts[:min(enough, len(hosts))] {
		if reaches(d.Routes().Match("GET", host, "/_matrix/client/versions"), s.Service, "") {
			return "public_baseurl: https://" + host + "/"
		}
	}
	return "public_baseurl: https://HOST/, with a host that leads to Synapse"
}

// routedHosts are the hosts in the rules of a service's routers.
func routedHosts(d *deployment.Deployment, s *deployment.Synapse) []string {
	var hosts []string
	seen := make(map[string]bool)
	for _, router := range d.Routes().Routers {
		if router.Container == s.Name && router.Dropped == "" {
			for _, host := range router.Hosts() {
				if !seen[host] {
					seen[host], hosts = true, append(hosts, host)
				}
			}
		}
	}
	return hosts
}

// answered reports whether a path on the server name's host comes to Synapse.
func answered(d *deployment.Deployment, s *deployment.Synapse, path string) bool {
	return reaches(d.Routes().Match("GET", s.Server.Str(), path), s.Service, path)
}

// federationPort looks whether other servers find Synapse on port 8448 of the server name's host, where they ask
// without a file that sends them elsewhere; and reports it where that cannot be told.
func federationPort(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, option source.Value) bool {
	const path = "/_matrix/federation/v1/version"
	res := d.Routes().Match("GET", net.JoinHostPort(s.Server.Str(), "8448"), path)
	if res.Closed != "" || res.Unknown != "" || !reaches(res, s.Service, path) {
		return res.Unknown != "" && res.Router != nil
	}
	if res.Entry != "" {
		return true
	}
	i := slices.IndexFunc(res.Router.EntryPoints, func(e string) bool {
		return strings.Contains(strings.ToLower(e), "fed") || strings.Contains(e, "8448")
	})
	if i >= 0 {
		r.NotChecked(fmt.Sprintf("%s, and by its name the entrypoint %s may be meant for other servers", res.Note, res.Router.EntryPoints[i]), option.Site(""), res.Router.Site)
	}
	return i >= 0
}

// checkWellKnown looks at who serves the two files on the server name's host.
func checkWellKnown(r *Reporter, d *deployment.Deployment, s *deployment.Synapse) {
	name, option := s.Server, s.Config.At("serve_server_wellknown")
	host := name.Str()
	server, client := d.Routes().Match("GET", host, serverWellKnown), d.Routes().Match("GET", host, clientWellKnown)
	if client.Answer != "" && client.Unknown == "" {
		checkClientAnswer(r, d, s, client)
	}
	switch {
	case d.Explained(s.Service, "GET", host, serverWellKnown), server.Unknown != "":
	case server.Answer != "":
		checkServerAnswer(r, d, s, server)
	case answered(d, s, serverWellKnown) && !option.True() && federationPort(r, d, s, option):
	case answered(d, s, serverWellKnown) && !option.True():
		report, unless := r.Fail, ""
		switch {
		case atHome(host):
			report = r.Warn // no other server looks for it from elsewhere
		case !strings.Contains(server.Router.Rule+server.Router.Name, "well-known"): // a route for everything says nothing of what is meant
			report, unless = r.Warn, ", unless an SRV record sends them here"
		}
		report(host+serverWellKnown+" is sent to Synapse, which does not serve it; other servers look for this one on port 8448"+unless, "serve_server_wellknown: true", option.Site(""), server.Router.Site)
	case !answered(d, s, serverWellKnown) && option.True() && host != s.MatrixHost():
		r.Warn(fmt.Sprintf("Synapse would serve %s%s, but that is answered by %s; the option has no effect", host, serverWellKnown, answerer(server)),
			routeFix(d, host, s.Service, clientWellKnown, serverWellKnown), append([]source.Site{option.Site("")}, routerSites(server, s.Service)...)...)
	}
	if serves := func(l deployment.Listener) bool { return slices.Contains(l.Resources, "federation") }; option.True() && len(s.Listeners()) > 0 && !slices.ContainsFunc(s.Listeners(), serves) {
		r.Warn("Synapse tells other servers to come here, but none of its listeners serves federation; they get a 404, unless a worker answers them",
			"names: [client, federation]", append([]source.Site{option.Site("")}, s.ListenerSites()...)...)
	}
	if client.Answer != "" || host == s.MatrixHost() || reaches(client, s.Service, clientWellKnown) || d.Explained(s.Service, "GET", host, clientWellKnown) {
		return
	}
	if client.Router == nil && answered(d, s, serverWellKnown) {
		r.Warn(fmt.Sprintf("Synapse answers %s%s, but nobody %s; clients that are given the server name find no homeserver, unless another site there serves it", host, serverWellKnown, clientWellKnown),
			routeFix(d, host, s.Service, clientWellKnown, serverWellKnown), server.Router.Site, name.Site("the server name"))
		return
	}
	from := "elsewhere"
	if client.Unread != "" {
		from = "a file that is not read (" + client.Unread + ")"
	}
	r.NotChecked(fmt.Sprintf("%s%s comes from %s: it has to name https://%s", host, clientWellKnown, from, s.MatrixHost()), append([]source.Site{name.Site("")}, wellKnownSites(client)...)...)
}

func wellKnownSites(res route.Result) []source.Site {
	if res.Router == nil {
		return nil
	}
	return []source.Site{res.Router.Site}
}
