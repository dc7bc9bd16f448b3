package adopt

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/spec"
)

// owner is the user whom the fewest services differ from: "" where each program has its own.
func (r *reader) owner() string {
	best, least := "", r.strangers("")
	for _, s := range r.d.Services {
		if user := r.user(s); user != "" && s.Program != component.Unknown {
			if n := r.strangers(user); n < least {
				best, least = user, n
			}
		}
	}
	return best
}

// strangers are how many services run as somebody else than they would in a stack of that owner. A Valkey has no user of its own
// in a spec.
func (r *reader) strangers(owner string) (n int) {
	for _, s := range r.d.Services {
		user := r.user(s)
		if user == "" || s.Program == component.Unknown || s.Absent.Why != "" || user == or(owner, byImage(s)) {
			continue
		}
		if n++; s.Program == component.Valkey {
			n += len(r.d.Services)
		}
	}
	return n
}

// byImage is whom a program is rendered as.
func byImage(s *deployment.Service) string {
	c := s.Component()
	return or(c.Rendered, c.UserOf(s.Image))
}

// user is whom a service is to run as: whom the compose file says, or of those who keep something whom the image knows. "" where
// it is the same to everybody, and for root, whose rights no program here needs.
func (r *reader) user(s *deployment.Service) string {
	user := s.RunsAs()
	if keeps := s == r.syn.Service || s == r.server(); user == "" && keeps && !s.UserAt.Set() {
		return byImage(s)
	}
	return user
}

// networks are those of other stacks that a service is in, besides the one in which the proxy finds it.
func (r *reader) networks(s *deployment.Service, proxied bool) (list []spec.Network) {
	for _, key := range s.Networks {
		name, known := r.d.NetworkName(key)
		if !r.d.Network(key).External.Set() || !known {
			continue
		}
		n := spec.Network{Name: name}
		for _, a := range s.Attachments {
			for _, alias := range a.Aliases {
				if text, known := alias.Text(); a.Network == key && known && text != "" && !r.idle(s, text) {
					n.Aliases = append(n.Aliases, text)
				}
			}
		}
		if name != r.proxyNetwork() || len(n.Aliases) > 0 || r.d.Chosen.Managed && !proxied {
			list = append(list, n)
		}
	}
	return list
}

// idle reports whether an alias needs not be said: it is a name that stackgen gives every service or, where somebody else wrote
// it, one that the service has anyway.
func (r *reader) idle(s *deployment.Service, alias string) bool {
	if r.d.Chosen.Managed {
		return strings.Contains(alias, "-stack-")
	}
	return alias == s.Name || alias == s.ContainerName.Str()
}

// proxied are the programs that the proxy leads to.
var proxied = []component.Program{component.Synapse, component.MAS, component.Element, component.LiveKit, component.LkJwt, component.Ketesa, component.Traefik}

// proxyNetwork is the network that the proxy of another stack finds the stack in; "" where it finds it elsewhere.
func (r *reader) proxyNetwork() string {
	network := r.d.ProxyNetwork(r.door())
	front := r.d.Front()
	switch {
	case network == "…":
		return ""
	case r.labelled(), front.Name == "Caddy" && r.labels("caddy"):
		return network
	case front.Name != "Traefik" && front.Service == nil && r.loopback() == 0:
		return network
	}
	return ""
}

// runs reads as whom a program of the spec runs, and in which networks of others.
func (r *reader) runs(c *spec.Component, s *deployment.Service, p component.Program) {
	c.User = r.user(s)
	if !spec.Alone(p) {
		c.Networks = r.networks(s, slices.Contains(proxied, p) && (p != component.Synapse || s == r.door()))
	}
}
