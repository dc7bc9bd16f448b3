package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// syncTimeout is how long clients have Synapse wait for news: Element and most others ask /sync with timeout=30000.
const syncTimeout = 30 * time.Second

var proxyWaitsForSyncs = Rule{
	ID: "proxy-waits-for-syncs", Severity: finding.Warning,
	Summary: "the proxy waits for an answer of Synapse for longer than a sync takes in which nothing happens",
	Why:     "504 Gateway Timeout for each sync without news: clients say that the connection to the server was lost, again and again.",
	Fix:     "Let the proxy wait for more than 30 seconds; Synapse's first answer to a new device may take minutes.",
	Source:  "nginx src/http/modules/ngx_http_proxy_module.c; Caddy modules/caddyhttp/reverseproxy/httptransport.go; gateway-api apis/v1/httproute_types.go; Matrix client-server API, GET /sync",
	Check: func(d *deployment.Deployment, r *Reporter) {
		told := make(map[source.Pos]bool)
		for _, s := range d.Synapses {
			for _, host := range s.Hosts() {
				res := d.Routes().Match("GET", host, "/_matrix/client/v3/sync")
				p := res.Passes
				if p == nil || p.Wait == 0 || p.Wait > syncTimeout || !reaches(res, s.Service, "") || told[p.WaitAt.Pos] {
					continue
				}
				told[p.WaitAt.Pos] = true
				r.Fail(fmt.Sprintf("%s waits %s for an answer of Synapse on %s, and a sync in which nothing happens takes 30 s; each of them is a 504", deciding(d, res), p.Wait, host), "10m in its place", p.WaitAt)
			}
		}
	},
}

var proxyAsksNoPassword = Rule{
	ID: "proxy-asks-no-password", Severity: finding.Error,
	Summary: "the proxy asks clients of Matrix and other servers for no password of its own",
	Why:     "401 for every request: clients and servers send their token in the header in which the proxy wants its password.",
	Fix:     "Take the password off the routes of /_matrix and /.well-known/matrix; of an admin page it may stay.",
	Source:  "RFC 9110, 11.6.2; Matrix client-server API, Using access tokens; server-server API, Request Authentication",
	Check: func(d *deployment.Deployment, r *Reporter) {
		told := make(map[source.Pos]bool)
		for _, s := range d.Synapses {
			for _, host := range s.Hosts() {
				for _, path := range []string{"/_matrix/client/v3/sync", clientWellKnown, serverWellKnown} {
					res := d.Routes().Match("GET", host, path)
					if res.Unknown != "" || !reaches(res, s.Service, "") {
						continue
					}
					guards := d.Guards(res)
					if len(guards) == 0 || told[guards[0].Site.Pos] || slices.ContainsFunc(guards, func(m *route.Middleware) bool {
						return !slices.Contains([]string{"basicauth", "digestauth"}, strings.ToLower(m.Type))
					}) {
						continue
					}
					told[guards[0].Site.Pos] = true
					r.Fail(fmt.Sprintf("%s asks for a password before it lets anybody to %s%s, where clients and other servers have none to give; each request is a 401", deciding(d, res), host, path),
						"take "+guards[0].Name+" off this route", guards[0].Site, routerSite(res, s.Service))
				}
			}
		}
	},
}

// deciding is the proxy that decides about a request.
func deciding(d *deployment.Deployment, res route.Result) string {
	if len(res.Through) > 0 {
		return "the proxy behind " + d.Front().Name
	}
	return d.Front().Name
}

const allowOrigin = "Access-Control-Allow-Origin"

var corsHeaderOnce = Rule{
	ID: "cors-header-once", Severity: finding.Error,
	Summary: "web clients are told once that they may read an answer: by Synapse where it answers, and by the proxy where that does so itself",
	Why:     "Element Web and other clients in a browser find no homeserver, or say that it cannot be reached, while apps on phones work: \"The 'Access-Control-Allow-Origin' header contains multiple values '*, *', but only one is allowed\", or \"No 'Access-Control-Allow-Origin' header is present\".",
	Fix:     "Take the header away where requests go to Synapse, and add it to a /.well-known/matrix/client that the proxy answers itself.",
	Source:  "Synapse http/server.py set_cors_headers; nginx src/http/modules/ngx_http_headers_filter_module.c; Caddy modules/caddyhttp/reverseproxy/reverseproxy.go copyHeader; Matrix client-server API, Web Browser Clients",
	Check: func(d *deployment.Deployment, r *Reporter) {
		told := make(map[source.Pos]bool)
		for _, s := range d.Synapses {
			for _, host := range s.Hosts() {
				for _, path := range []string{"/_matrix/client/versions", "/_matrix/client/v3/sync", clientWellKnown} {
					checkOrigin(r, d, s, d.Routes().Match("GET", host, path), told)
				}
			}
		}
	},
}

func checkOrigin(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, res route.Result, told map[source.Pos]bool) {
	if res.Sends == nil || res.Unknown != "" || len(res.Through) > 0 { // a proxy before it may add the header, or write it anew
		return
	}
	i := slices.IndexFunc(*res.Sends, func(h route.Header) bool { return strings.EqualFold(h.Name, allowOrigin) })
	switch {
	case i >= 0 && (*res.Sends)[i].Value != "" && reaches(res, s.Service, "") && !told[(*res.Sends)[i].Site.Pos]:
		h := (*res.Sends)[i]
		told[h.Site.Pos] = true
		lost := "no web client reaches the server"
		if strings.HasPrefix(res.Asked.Path, "/.well-known/") {
			lost = "no web client finds the server by its name"
		}
		r.Fail(fmt.Sprintf("%s adds %s to the answers of Synapse on %s, which have it already; browsers refuse an answer that has it twice, and %s", d.Front().Name, allowOrigin, res.Asked.Host, lost),
			"remove the line", h.Site)
	case i < 0 && strings.Contains(res.Answer, "m.homeserver") && res.Asked.Path == clientWellKnown && !told[res.Router.Site.Pos]:
		told[res.Router.Site.Pos] = true
		fix := "add_header " + allowOrigin + " *;"
		if d.Front().Name != "nginx" {
			fix = "header " + allowOrigin + " *"
		}
		r.Warn(fmt.Sprintf("%s answers %s%s without %s; web clients may not read it, and find no homeserver by the server name", d.Front().Name, res.Asked.Host, clientWellKnown, allowOrigin), fix, res.Router.Site)
	}
}
