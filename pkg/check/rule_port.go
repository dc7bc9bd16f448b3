package check

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// listeners are the ports on which the program of a service listens; known is false where its configuration
// does not say.
func (d *Deployment) listeners(s *Service) (ls []listener, known bool) {
	for _, syn := range d.Synapses {
		if syn.Service == s {
			ls = syn.listeners()
		}
	}
	for _, m := range d.MASs {
		if m.Service == s {
			ls = masListeners(m)
		}
	}
	for _, b := range d.Bridges {
		if b.Service == s {
			if port, v := b.port(); port != "0" && !b.fromEnv("appservice.port") {
				ls = []listener{{port: port, value: v}}
			}
		}
	}
	return ls, len(ls) > 0
}

// listens reports whether the program listens on the port, on any address; true where that cannot be seen.
func (d *Deployment) listens(s *Service, port string) bool {
	ls, known := d.listeners(s)
	return !known || slices.ContainsFunc(ls, func(l listener) bool { return l.port == port })
}

// inward reports whether the port is one that Traefik is sent to and that only Synapse's own container reaches:
// traefik-port-listens says so.
func (d *Deployment) inward(s *Synapse, port string) bool {
	return slices.ContainsFunc(s.listeners(), func(l listener) bool { return l.port == port && l.loopback }) &&
		slices.ContainsFunc(d.Routes().Services, func(svc *route.Service) bool {
			return slices.ContainsFunc(svc.Backends, func(b route.Backend) bool { return b.Container == s.Name && s.backendPort(b) == port })
		})
}

// backendPort is the port that Traefik takes: without a label the lowest of EXPOSE in the image's Dockerfile,
// which only Synapse's has.
func (s *Service) backendPort(b route.Backend) string {
	if b.Port == "" && s.Program == image.Synapse {
		return "8008"
	}
	return b.Port
}

// portsOf names ports in words, with the places where they stand.
func portsOf(ls []listener) (text string, sites []source.Site) {
	var ports []string
	for _, l := range ls {
		if at := l.portAt().Site("listens on " + l.port); !slices.Contains(ports, l.port) {
			ports, sites = append(ports, l.port), append(sites, at)
		}
	}
	return strings.Join(ports, ", "), sites
}

var traefikPortListens = Rule{
	ID: "traefik-port-listens", Severity: finding.Error,
	Summary: "the port and scheme that Traefik sends requests to are those on which the program listens",
	Why:     "502 Bad Gateway for every request.",
	Fix:     "Write the port of the listener into loadbalancer.server.port, and leave its tls off: Traefik ends TLS.",
	Source:  "Traefik pkg/provider/docker getPort; Synapse config/server.py; MAS crates/config sections/http.rs; their Dockerfiles",
	Check: func(d *Deployment, r *Reporter) {
		for _, svc := range d.Routes().Services {
			for _, b := range svc.Backends {
				if s := d.service(b.Container); s != nil && s.hasLabel("traefik.http") {
					d.checkBackend(r, s, b)
				}
			}
		}
	},
}

func (d *Deployment) checkBackend(r *Reporter, s *Service, b route.Backend) {
	ls, known := d.listeners(s)
	if !known {
		return
	}
	b.Port = s.backendPort(b)
	key := "traefik.http.services." + b.Service + ".loadbalancer.server."
	open := slices.DeleteFunc(slices.Clone(ls), func(l listener) bool { return l.loopback })
	i := slices.IndexFunc(ls, func(l listener) bool { return l.port == b.Port })
	if i < 0 {
		text, sites := portsOf(open)
		msg := fmt.Sprintf("Traefik sends requests to port %s of %s, which listens on %s; every request is a 502", b.Port, s.Name, orNothing(text))
		if b.Port == "" {
			msg = fmt.Sprintf("the service %q names no port, and the image of %s exposes none; Traefik has nowhere to send requests to", b.Service, s.Name)
		}
		r.Fail(msg, s.label(key+"port", mainPort(open)), append([]source.Site{b.Site}, sites...)...)
		return
	}
	switch l := ls[i]; {
	case l.loopback && s.Program == image.Synapse && !slices.ContainsFunc(open, func(l listener) bool { return l.port == b.Port }):
		r.Fail(fmt.Sprintf("%s listens on port %s for its own container only; every request is a 502", s.Name, b.Port), "bind_addresses: ['0.0.0.0']", l.value.At("bind_addresses").Site(""), b.Site)
	case l.tls && b.Scheme == "http":
		r.Fail(fmt.Sprintf("%s speaks TLS on port %s, but Traefik asks it in plain HTTP; every request is a 502", s.Name, b.Port), "tls: false", l.value.At("tls").Site(""), b.Site)
	case !l.tls && b.Scheme == "https":
		r.Fail(fmt.Sprintf("Traefik speaks TLS to %s, which does not on port %s; every request is a 502", s.Name, b.Port), s.label(key+"scheme", "http"), s.labelSite(key+"scheme", b.Site), l.value.Site("plain HTTP"))
	}
}

// mainPort is that of the listener which serves most.
func mainPort(ls []listener) string {
	if len(ls) == 0 {
		return "…"
	}
	return slices.MaxFunc(ls, func(a, b listener) int { return cmp.Compare(len(a.resources), len(b.resources)) }).port
}

func orNothing(text string) string {
	if text == "" {
		return "no port that others reach"
	}
	return text
}

var forwardedHeaders = Rule{
	ID: "forwarded-headers", Severity: finding.Warning,
	Summary: "Synapse and MAS take the client's address from the proxy's headers",
	Why:     "Every user seems to come from the proxy's address: one who mistypes a password a few times locks all others out by rate limiting, and sessions show no address.",
	Fix:     "Write x_forwarded: true on the listener, and the proxy's networks into MAS's trusted_proxies.",
	Source:  "Synapse config/server.py; MAS crates/config sections/http.rs default_trusted_proxies",
	Check: func(d *Deployment, r *Reporter) {
		for _, svc := range d.Routes().Services {
			for _, b := range svc.Backends {
				for _, s := range d.Synapses {
					for _, l := range s.listeners() {
						if s.Name == b.Container && l.port == s.backendPort(b) && !l.value.At("x_forwarded").True() {
							r.Fail("Synapse takes no notice of the client's address behind the proxy; rate limits meet everybody at once", "x_forwarded: true",
								l.value.At("x_forwarded").Site(""), b.Site)
						}
					}
				}
				for _, m := range d.MASs {
					if m.Name == b.Container {
						d.checkTrusted(r, m, b)
					}
				}
			}
		}
	},
}

// trustedByDefault are the networks whose proxies MAS believes. 10.0.0.0/10 is what the program has, although
// its documentation says /8.
var trustedByDefault = prefixes("192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/10", "127.0.0.0/8", "fd00::/8", "::1/128")

// dockerPools are the networks that Docker takes addresses from unless told otherwise.
var dockerPools = prefixes("172.16.0.0/12", "192.168.0.0/16")

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		if p, err := netip.ParsePrefix(text); err == nil {
			list = append(list, p.Masked())
		} else if a, err := netip.ParseAddr(text); err == nil {
			list = append(list, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return list
}

// checkTrusted holds the trusted proxies against the network in which Traefik reaches MAS.
func (d *Deployment) checkTrusted(r *Reporter, m *MAS, b route.Backend) {
	v := m.Config.At("http", "trusted_proxies")
	trusted := trustedByDefault
	if v.Set() {
		trusted = prefixes(itemTexts(v)...)
	}
	subnets, at := d.subnets(m.Service)
	known := len(subnets) > 0
	if !known {
		subnets = dockerPools
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
		r.Fail(fmt.Sprintf("MAS does not trust proxies in %s, where Traefik comes from; it takes the proxy's address for every user's", subnet), `- "`+subnet.String()+`"`, append(sites, b.Site)...)
		return
	}
}

func partOfPool(p netip.Prefix) bool {
	return slices.ContainsFunc(dockerPools, func(pool netip.Prefix) bool { return pool.Bits() < p.Bits() && pool.Contains(p.Addr()) })
}

// subnets are the addresses of the network in which Traefik reaches a service, if the compose file says them.
func (d *Deployment) subnets(s *Service) (list []netip.Prefix, at source.Value) {
	wanted := labelOf(d.container(s).Labels, "traefik.docker.network").Value
	for _, key := range s.Networks {
		name, _ := d.networkName(key)
		if len(s.Networks) > 1 && name != wanted {
			continue
		}
		at = d.Compose.At("networks", key, "ipam", "config")
		for _, c := range at.Items() {
			list = append(list, prefixes(c.At("subnet").Str())...)
		}
	}
	return list, at
}
