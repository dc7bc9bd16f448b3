package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var serviceReachesInternet = Rule{
	ID: "service-reaches-internet", Severity: finding.Error,
	Summary: "whoever talks to the internet is on a network that leads there",
	Why:     "\"no such host\", \"network is unreachable\": a network with internal: true has no way out. A bridge never logs in to its network, MAS finds no provider, Synapse no other server.",
	Fix:     "Put the service on a second network that is not internal.",
	Source:  "Compose specification, networks, internal; Docker's bridge driver",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			if at := d.ShutIn(b.Service); at.Set() && !proxied(b.Service) && !b.At("network.proxy").Set() {
				r.Fail(fmt.Sprintf("%s is %s, and never reaches its own network on the internet", b.Name, shut(d)), d.Lines.WayOut, b.NetworksAt.Site(""), at.Site("shut in"))
			}
		}
		for _, m := range d.MASs {
			at := d.ShutIn(m.Service)
			if !at.Set() || proxied(m.Service) {
				continue
			}
			if c := m.Config.At("captcha", "service"); c.Set() {
				r.Fail(fmt.Sprintf("%s is %s, and asks %s whether an answer is right; nobody can make an account", m.Name, shut(d), c.Str()), d.Lines.WayOut, m.NetworksAt.Site(""), at.Site("shut in"), c.Site("outside"))
			}
			for _, p := range m.Upstreams() {
				if u, _, ok := deployment.Endpoint(p.At("issuer").Str()); ok && d.ServiceAt(u.Hostname()) == nil && !deployment.IsFalse(p.At("enabled")) {
					r.Fail(fmt.Sprintf("%s is %s, and its provider %s is outside; nobody can log in through it", m.Name, shut(d), u.Hostname()), d.Lines.WayOut, m.NetworksAt.Site(""), at.Site("shut in"), p.At("issuer").Site("outside"))
					break
				}
			}
		}
		for _, s := range d.Synapses {
			at, list := d.ShutIn(s.Service), s.Config.At("federation_domain_whitelist")
			alone := list.Kind() == source.Sequence && list.Len() == 0
			if f := s.FederationListener(); at.Set() && f.Set() && !alone && !proxied(s.Service) {
				r.Warn(fmt.Sprintf("%s is %s; it answers other servers and never reaches them", s.Name, shut(d)), d.Lines.WayOut, s.NetworksAt.Site(""), at.Site("shut in"), f.Site("for other servers"))
			}
		}
	},
}

// shut is how a service is kept from the internet.
func shut(d *deployment.Deployment) string {
	if d.Target == deployment.Kubernetes {
		return "let out by no NetworkPolicy of those that select it"
	}
	return "on internal networks alone"
}

// proxied reports whether a service is told of a proxy through which it goes out.
func proxied(s *deployment.Service) bool {
	return slices.ContainsFunc(s.Environment(), func(w deployment.Word) bool {
		name, _, _ := strings.Cut(strings.ToUpper(w.Text), "=")
		return slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}, name)
	})
}
