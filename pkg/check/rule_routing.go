package check

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var compatPaths = []struct{ method, path string }{
	{"GET", "/_matrix/client/v3/login"},
	{"POST", "/_matrix/client/v3/login"},
	{"OPTIONS", "/_matrix/client/v3/login"},
	{"GET", "/_matrix/client/v3/login/sso/redirect"},
	{"GET", "/_matrix/client/v3/login/sso/redirect/oidc-x"},
	{"POST", "/_matrix/client/v3/logout"},
	{"POST", "/_matrix/client/v3/logout/all"},
	{"POST", "/_matrix/client/v3/refresh"},
	{"POST", "/_matrix/client/r0/login"},
	{"POST", "/_matrix/client/unstable/logout"},
}

// notCompatPaths belong to Synapse: the first is one that every client asks for, the others look like the ones above,
// and the expression of MAS's own documentation takes them (docs/setup/reverse-proxy.md).
var notCompatPaths = []struct{ method, path string }{
	{"GET", "/_matrix/client/v3/sync"},
	{"PUT", "/_matrix/client/v3/user/@a:example.org/account_data/login"},
	{"PUT", "/_matrix/client/v3/user/@a:example.org/account_data/refresh_settings"},
	{"PUT", "/_matrix/client/v3/rooms/%21r%3Aexample.org/state/logout"},
	{"POST", "/_matrix/client/v3/logout_devices"},
	{"GET", "/_matrix/client/v3/loginx"},
}

var compatRouterWins = Rule{
	ID: "compat-router-wins", Severity: finding.Error,
	Summary: "login, logout and refresh of every client API version reach MAS on every host that serves /_matrix, and nothing else does",
	Why:     "Older clients cannot log in: M_UNRECOGNIZED (404) from Synapse. Or, with too wide a rule, account data and state events named like that vanish in MAS.",
	Fix:     "A router for all hosts with PathRegexp(`^/_matrix/client/[^/]+/(login|logout|refresh)(/.*)?$`) and a priority above Synapse's.",
	Source:  "MAS docs/setup/reverse-proxy.md, crates/router/src/endpoints.rs; Synapse rest/client/login.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Pairs(func(s *deployment.Synapse, m *deployment.MAS) {
			if !routed(r, d) {
				return
			}
			seen := make(map[source.Pos]bool)
			for _, host := range s.Hosts() {
				// A host that does not serve /_matrix at all needs no logins; apex-matrix-routed looks at that.
				res := d.Routes().Match("GET", host, "/_matrix/client/versions")
				if res.Unknown != "" && res.Router != nil {
					r.NotChecked(res.Unknown, routerSite(res, s.Service))
				}
				if !reaches(res, s.Service, "") {
					continue
				}
				checkCompat(r, d, m, host, seen)
			}
		})
	},
}

// checkCompat looks at one host. Of the routers that take too much, seen are those that are told already.
func checkCompat(r *Reporter, d *deployment.Deployment, m *deployment.MAS, host string, seen map[source.Pos]bool) {
	fix := compatFix(d, m)
	for _, p := range compatPaths {
		res := d.Routes().Match(p.method, host, p.path)
		switch {
		case res.Unknown != "":
			r.NotChecked(res.Unknown, routerSite(res, m.Service))
			return
		case d.Explained(m.Service, p.method, host, p.path):
			return
		case !reaches(res, m.Service, "") && res.Router != nil && seen[res.Router.Site.Pos]:
			return // told of another host
		case !reaches(res, m.Service, ""): // which of its listeners is what mas-compat-listener looks at
			if res.Router != nil {
				seen[res.Router.Site.Pos] = true
			}
			r.Fail(fmt.Sprintf("%s %s%s is answered by %s and not by MAS; older clients cannot log in (M_UNRECOGNIZED)", p.method, host, p.path, answerer(res)),
				fix, compatSites(res, m.Service)...)
			return
		}
	}
	for i, p := range notCompatPaths {
		res := d.Routes().Match(p.method, host, p.path)
		if res.Backend == nil || res.Backend.Container != m.Name || seen[res.Router.Site.Pos] {
			continue
		}
		seen[res.Router.Site.Pos] = true
		msg := fmt.Sprintf("%s %s%s is sent to MAS, which does not know it; it belongs to Synapse", p.method, host, p.path)
		if i == 0 {
			r.Fail(msg, fix, routerSite(res, m.Service))
		} else {
			r.Warn(msg+". MAS's own documentation gives an expression that does so, and no client is known to ask for such a path", fix, routerSite(res, m.Service))
		}
		return
	}
}

// compatSites are the routers of a request with that of MAS which was meant for it: the one whose rule names the
// nearest path.
func compatSites(res route.Result, s *deployment.Service) []source.Site {
	sites := routerSites(res, s)
	if len(sites) > 1 {
		return sites
	}
	const meant = "^/_matrix/client/[^/]+/(login|logout|refresh)(/.*)?$"
	var near source.Site
	best := len(meant) / 2
	for _, a := range res.Tried {
		if far := farFrom(a.Why, meant); a.Router.Container == s.Name && !a.Matched && far < best {
			near, best = a.Router.Site, far
		}
	}
	if best < len(meant)/2 {
		sites = append(sites, near)
	}
	return sites
}

var masPathRouting = Rule{
	ID: "mas-path-routing", Severity: finding.Error,
	Summary: "public_base, router, StripPrefix and listener prefix fit: MAS is asked for the paths it serves",
	Why:     "The login page is a 404, or comes without its scripts and styles.",
	Fix:     "Either strip the path in Traefik and give the listener no prefix, or keep it and give the listener that prefix; and redirect the bare path.",
	Source:  "MAS crates/cli/src/server.rs build_router, crates/config sections/http.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Pairs(func(_ *deployment.Synapse, m *deployment.MAS) {
			u, base, ok := m.Base()
			if !ok || unheard(m) || !routed(r, d) {
				return
			}
			root := strings.TrimSuffix(u.Path, "/") + "/"
			for _, p := range []struct{ path, resource string }{
				{".well-known/openid-configuration", "discovery"},
				{"authorize", "oauth"},
				{"oauth2/token", "oauth"},
				{"account/", "human"},
				{"assets/x.js", "assets"},
				{"graphql", "graphql"},
			} {
				if res := d.Routes().Match("GET", u.Hostname(), root+p.path); !masServes(r, d, m, res, p.resource, base, u, p.path) {
					return
				}
			}
			if root != "/" {
				checkBare(r, d, m, base, u, strings.TrimSuffix(root, "/"))
			}
			checkIssuerRoute(r, d, m, u)
		})
	},
}

// checkIssuer looks for MAS's discovery document where its issuer is, when that is not its public_base.
func checkIssuerRoute(r *Reporter, d *deployment.Deployment, m *deployment.MAS, base *url.URL) {
	v := m.Config.At("http", "issuer")
	u, _, ok := deployment.Endpoint(v.Str())
	if !ok || deployment.Nowhere(v.Str()) || u.Host == base.Host && strings.Trim(u.Path, "/") == strings.Trim(base.Path, "/") {
		return
	}
	document := u.JoinPath(".well-known/openid-configuration")
	// Where the URL has no path at all, the joined one has no slash before it.
	res := d.Routes().Match("GET", document.Hostname(), "/"+strings.TrimPrefix(document.Path, "/"))
	if res.Unknown != "" || m.Serves("discovery", ".well-known/openid-configuration", res) {
		return
	}
	fix := "issuer: " + base.String() + ", or no issuer, which is the same"
	message := fmt.Sprintf("MAS's issuer is %s, whose discovery document is answered by %s", v.Str(), answerer(res))
	if res.Backend == nil {
		r.Warn(message+"; clients that look for it there cannot log in, unless another site serves it", fix, v.Site(""))
		return
	}
	r.Fail(message+" and not by MAS; clients that look for it there cannot log in", fix, append([]source.Site{v.Site("")}, routerSites(res, m.Service)...)...)
}

func masServes(r *Reporter, d *deployment.Deployment, m *deployment.MAS, res route.Result, resource string, base source.Value, u *url.URL, path string) bool {
	where := u.Hostname() + strings.TrimSuffix(u.Path, "/") + "/" + path
	switch {
	case res.Unknown != "":
		r.NotChecked(res.Unknown, routerSite(res, m.Service))
	case d.Explained(m.Service, "GET", u.Hostname(), strings.TrimSuffix(u.Path, "/")+"/"+path):
	case res.Backend == nil || res.Backend.Container != m.Name:
		fix := fmt.Sprintf("a router for Host(`%s`)%s to MAS", u.Hostname(), below(u))
		if d.Front().Name != "Traefik" {
			fix = routeFix(d, u.Hostname(), m.Service, strings.TrimSuffix(u.Path, "/")+"/")
		}
		r.Fail(fmt.Sprintf("%s belongs to MAS, but is answered by %s; nobody can log in", where, answerer(res)),
			fix, append(routerSites(res, m.Service), base.Site("what MAS advertises"))...)
	case !m.Serves(resource, path, res):
		sites := []source.Site{routerSite(res, m.Service), portSite(res), base.Site("what MAS advertises")}
		sites = append(sites, d.MiddlewareSites(res.Router)...)
		fix := prefixFix(d, res, u)
		if inside, outside := m.Listening(resource); len(inside)+len(outside) == 0 {
			sites, fix = slices.Insert(sites, 0, m.Widest().Site("")), "- name: "+resource
		}
		for _, l := range deployment.MasListeners(m) {
			sites = append(sites, l.Sites(fmt.Sprintf("serves %s on port %s below %s", strings.Join(l.Resources, ", "), l.Port, l.Prefix))...)
		}
		consequence := "the login page is a 404"
		if resource == "assets" {
			consequence = "the login page comes without its scripts and styles"
		}
		r.Fail(fmt.Sprintf("%s arrives at MAS as %s on port %s, where no listener serves %s; %s", where, res.Path, res.Backend.Port, resource, consequence),
			fix, sites...)
	default:
		return true
	}
	return false
}

func below(u *url.URL) string {
	if strings.Trim(u.Path, "/") == "" {
		return ""
	}
	return fmt.Sprintf(" && PathPrefix(`%s`)", u.Path)
}

// prefixFix goes by what arrives at MAS: with or without the path of public_base.
func prefixFix(d *deployment.Deployment, res route.Result, u *url.URL) string {
	bare := "/" + strings.Trim(u.Path, "/")
	if bare != "/" && strings.HasPrefix(res.Path, bare+"/") {
		return fmt.Sprintf("strip %s in %s and give the listener no prefix, or prefix: %s/ on the listener with its port in the router", bare, d.Front().Name, bare)
	}
	switch d.Front().Name {
	case "Caddy":
		return "handle in place of handle_path, and no uri strip_prefix; or no prefix on the listener"
	case deployment.Ingress, deployment.Gateway:
		return "no rewrite of the path, or no prefix on the listener"
	case "nginx":
		return "proxy_pass without a path behind the port, or no prefix on the listener"
	}
	return "remove StripPrefix from the router, or the prefix from the listener; and send the router to that listener's port"
}

// checkBare looks at the path without its slash, which MAS itself does not know.
func checkBare(r *Reporter, d *deployment.Deployment, m *deployment.MAS, base source.Value, u *url.URL, bare string) {
	res := d.Routes().Match("GET", u.Hostname(), bare)
	to, err := url.Parse(res.Redirect)
	if res.Unknown != "" || err == nil && to.Hostname() == u.Hostname() && to.Path == bare+"/" || d.Explained(m.Service, "GET", u.Hostname(), bare) {
		return
	}
	// With a listener that has no prefix, a stripped bare path is its root.
	if m.Serves("human", "", res) {
		return
	}
	msg := fmt.Sprintf("%s%s without the slash is answered by %s; whoever types the address by hand sees a 404", u.Hostname(), bare, answerer(res))
	if res.Redirect != "" {
		msg = fmt.Sprintf("%s%s without the slash is sent on to %s; whoever types the address by hand ends there", u.Hostname(), bare, res.Redirect)
	}
	fix := fmt.Sprintf("match Path(`%s`) too and redirect it to https://%s%s/", bare, u.Host, bare)
	switch d.Front().Name {
	case "Caddy":
		fix = fmt.Sprintf("redir %s %s/ 308", bare, bare)
	case "nginx":
		fix = fmt.Sprintf("location = %s { return 308 %s/; }", bare, bare)
	}
	r.Warn(msg, fix,
		slices.Concat([]source.Site{routerSite(res, m.Service), base.Site("")}, d.MiddlewareSites(res.Router))...)
}

var apexMatrixRouted = Rule{
	ID: "apex-matrix-routed", Severity: finding.Error,
	Summary: "the server name's own host sends /_matrix to Synapse when it is not the API's host",
	Why:     "Element X, which asks the server name's host first, finds no homeserver; and with Synapse's own /.well-known/matrix/server no other server can reach this one.",
	Fix:     "A router with Host(`<server_name>`) && PathPrefix(`/_matrix/`) to Synapse.",
	Source:  "Synapse rest/well_known.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			name := s.Server
			if name.Str() == "" || name.Str() == s.MatrixHost() || !routed(r, d) {
				continue
			}
			served := s.Config.At("serve_server_wellknown").True()
			for _, path := range []string{"/_matrix/client/versions", "/_matrix/federation/v1/version", "/_matrix/key/v2/server"} {
				res := d.Routes().Match("GET", name.Str(), path)
				if res.Unknown != "" {
					r.NotChecked(res.Unknown, routerSite(res, s.Service))
					break
				}
				if reaches(res, s.Service, path) || d.Explained(s.Service, "GET", name.Str(), path) || !served && discovers(d, name.Str()) {
					continue
				}
				msg := fmt.Sprintf("%s%s is answered by %s and not by Synapse; Element X finds no homeserver", name.Str(), path, answererFor(res, s.Service))
				fix := routeFix(d, name.Str(), s.Service, "/_matrix/")
				sites := append(routerSites(res, s.Service), name.Site("the server name"))
				if served && d.Target == deployment.Kubernetes && res.Router == nil {
					r.Warn(msg+", and no other server reaches this one, unless routes that are not here lead to it", fix, append(sites, s.Config.At("serve_server_wellknown").Site("sends other servers there"))...)
				} else if served {
					r.Fail(msg+", and no other server reaches this one", fix, append(sites, s.Config.At("serve_server_wellknown").Site("sends other servers there"))...)
				} else if res.Router != nil && !byDefault(res.Router, name.Str()) { // else that host is elsewhere, of which well-known-agrees says what it has to serve
					r.Warn(msg+" unless the site there serves /.well-known/matrix/client", fix, sites...)
				}
				break
			}
		}
	},
}

// discovers reports whether a proxy has a text of its own for the discovery file of a host, as HAProxy does in the ESS chart.
func discovers(d *deployment.Deployment, host string) bool {
	res := d.Routes().Match("GET", host, "/.well-known/matrix/client")
	return res.Answer != "" || strings.Contains(res.Refused+res.Unknown, "http-request return status 200")
}
