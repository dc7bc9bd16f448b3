package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
)

var privatePaths = []string{
	"/_synapse/admin/v1/server_version", "/_synapse/mas/query_user", "/_synapse/mas/provision_user",
	"/_synapse/metrics", "/_synapse/replication",
}

// servesPrivate reports whether a Synapse may answer a path: that for MAS only beside one, and metrics and replication, where
// its configuration cannot be read, on a listener of which nothing is known.
func servesPrivate(d *deployment.Deployment, s *deployment.Service, path string) bool {
	i := slices.IndexFunc(d.Synapses, func(syn *deployment.Synapse) bool { return syn.Service == s })
	switch {
	case strings.HasPrefix(path, "/_synapse/mas/"):
		return i >= 0 && d.Synapses[i].Delegates() || len(d.Running(component.MAS)) > 0
	case strings.HasPrefix(path, "/_synapse/admin/"):
		return true
	}
	return i >= 0
}

// guard is the first of them; nil where there is none.
func guard(d *deployment.Deployment, res route.Result) *route.Middleware {
	if all := d.Guards(res); len(all) > 0 {
		return all[0]
	}
	return nil
}

// atHome reports whether a host is a name that the internet's DNS cannot have (RFC 6761, 6762, 8375; .internal; one without a
// dot), or an address of a private network.
func atHome(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
	}
	if strings.ContainsAny(host, "_{<$") {
		return false // a mark in the place of some name
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return slices.Contains([]string{"localhost", "local", "lan", "home", "internal", "intranet", "test", "invalid", host}, last) || strings.HasSuffix(host, ".home.arpa")
}

var internalAPIsPrivate = Rule{
	ID: "internal-apis-private", Severity: finding.Error,
	Summary: "Synapse's admin API, the API for MAS, metrics and replication are not routed from outside",
	Why:     "Anyone on the internet can try the admin API, and create or delete users with nothing but the shared secret.",
	Fix:     "Limit Synapse's router to PathPrefix(`/_matrix/`) and PathPrefix(`/_synapse/client/`). For administrators: a router of its own for PathPrefix(`/_synapse/admin/`), behind an allow-list of the networks that they come from.",
	Source:  "Synapse docs/reverse_proxy.md, rest/synapse/client/__init__.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Running(component.Synapse) {
			if !routed(r, d) {
				return
			}
			seen := make(map[string]bool)
			var listed *route.Middleware // by which administrators are let in
			for _, host := range d.HostsOf(s) {
				for _, path := range privatePaths {
					if !servesPrivate(d, s, path) {
						continue
					}
					res := d.Routes().Match("GET", host, path)
					if res.Unknown != "" && !seen[res.Unknown] {
						seen[res.Unknown] = true
						r.NotChecked(res.Unknown, routerSite(res, s))
					}
					if res.Unknown != "" || res.Router != nil && res.Router.Default || res.Backend == nil || !s.Is(res.Backend.Container) || seen[res.Router.Name] {
						continue
					}
					guards := d.Guards(res)
					i := slices.IndexFunc(guards, func(m *route.Middleware) bool { return m.Allows != nil && (len(guards) == 1 || m.Stranger() == "") })
					if i >= 0 && res.Redirect == "" && res.Refused == "" {
						seen[res.Router.Name], listed = checkListed(r, guards[i], host, path), guards[i]
						continue
					}
					if len(guards) > 0 {
						seen[res.Router.Name] = true
						r.NotChecked(fmt.Sprintf("the middleware %s decides who gets to %s%s", guards[0].Name, host, path), guards[0].Site)
						continue
					}
					if res.Redirect != "" || res.Refused != "" {
						continue
					}
					seen[res.Router.Name] = true
					report, from := r.Fail, "from outside"
					if atHome(host) || d.Front().Behind() {
						report, from = r.Warn, "for whoever reaches the proxy"
					}
					hosts := res.Router.Hosts()
					if !slices.Contains(hosts, host) { // an expression, or no name at all
						hosts = []string{host}
					}
					fix := routesFix(d, hosts, s, "/_matrix/", "/_synapse/client/")
					if len(s.Assembled) > 0 { // the ESS chart routes all of it unless it is told otherwise
						report, fix = r.Warn, "in the values of the chart, synapse: {ingress: {additionalPaths: [{path: /_synapse/admin, availability: blocked}]}}"
					}
					report(fmt.Sprintf("%s%s is reachable %s; it is meant for the inside only", host, path, from), fix, res.Router.Site)
				}
			}
			if listed != nil {
				checkMASAdmin(r, d, listed)
			}
		}
	},
}
