package deployment

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Lacks reports whether a container has an address to listen on only by chance: Docker gives it another one
// unless the compose file says which.
func (s *Service) Lacks(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.IsUnspecified() || addr.IsLoopback() || s.NetworkMode.Set() {
		return false
	}
	for _, a := range s.Attachments {
		for _, fixed := range a.Addresses {
			text, ok := fixed.Text()
			if given, _ := netip.ParseAddr(text); !ok || given == addr {
				return false
			}
		}
	}
	return true
}

// External reports whether the service is on a network that other stacks may be on, too.
func (d *Deployment) External(s *Service) bool {
	return slices.ContainsFunc(s.Networks, func(n string) bool { return d.Network(n).External.Set() })
}

// EveryNetworkShared reports whether the proxy is in all networks of a service: whichever it takes, it reaches.
func (d *Deployment) EveryNetworkShared(s *Service) bool {
	proxy := d.Proxy().Service
	return proxy != nil && !slices.ContainsFunc(s.Networks, func(key string) bool { return !slices.Contains(proxy.Networks, key) })
}

// NetworkSites are the label of a service, those of the others that name the same network and may not be reached either, and
// the networks.
func (d *Deployment) NetworkSites(s *Service, wanted string, sites []source.Site) []source.Site {
	for _, o := range d.Services {
		if l := d.NetworkLabel(o); o != s && wanted != "" && l.Value == wanted && !d.EveryNetworkShared(o) {
			sites = append(sites, l.Site)
		}
	}
	sites = append(sites, s.NetworksAt.Site("its networks"))
	for _, key := range s.Networks {
		if name := d.Network(key).NameAt; name.Set() {
			sites = append(sites, name.Site("the name of "+key))
		}
	}
	return sites
}

// ProxyNetwork is the network of a service in which Traefik is, or most likely is.
func (d *Deployment) ProxyNetwork(s *Service) string {
	best, most := "…", -1
	for _, key := range s.Networks {
		name, _ := d.NetworkName(key)
		if d.Network(key).External.Set() || d.Proxy().Service != nil && slices.Contains(d.Proxy().Service.Networks, key) {
			if n := d.routedIn(key); n > most {
				best, most = name, n
			}
		} else if most < 0 {
			best = name
		}
	}
	return best
}

// routedIn counts the services with labels for Traefik in a network: of several, Traefik is in the one that all of them share.
func (d *Deployment) routedIn(key string) (n int) {
	for _, s := range d.Services {
		if s.HasLabel("traefik.http") && slices.Contains(s.Networks, key) {
			n++
		}
	}
	return n
}

// Talk is one service's way to another, the name and the port that it calls the other by, and the place that says so. To is nil
// where the name is that of a door behind which nothing is known. TLS says that it is an address of https or wss.
type Talk struct {
	From, To   *Service
	Host, Port string
	At         func(note string) source.Site
	TLS        bool
}

// Talks lists who speaks to whom inside the stack.
func (d *Deployment) Talks() []Talk {
	return slices.DeleteFunc(d.Calls(), func(t Talk) bool { return t.To == nil || t.To == t.From })
}

// Calls are the talks, and those that end at a door.
func (d *Deployment) Calls() []Talk {
	var ts []Talk
	say := func(from *Service, at func(string) source.Site, host, port string) {
		if to := d.ServiceAt(host); to != nil || d.Door(host) != nil {
			ts = append(ts, Talk{From: from, To: to, Host: host, Port: port, At: at})
		}
	}
	url := func(from *Service, at source.Value) {
		if u, port, ok := Endpoint(at.Str()); ok {
			before := len(ts)
			if say(from, at.Site, u.Hostname(), port); len(ts) > before {
				ts[before].TLS = u.Scheme == "https" || u.Scheme == "wss"
			}
		}
	}
	processes := func(from *Service, config *source.File) {
		for _, at := range config.At("instance_map").Entries() {
			say(from, at.At("host").Site, at.At("host").Str(), at.At("port").Str())
		}
		if redis := config.At("redis"); redis.At("enabled").True() {
			say(from, redis.At("host").Site, redis.At("host").Str(), cmp.Or(redis.At("port").Str(), "6379"))
		}
	}
	for _, s := range d.Synapses {
		if s.Delegates() {
			url(s.Service, s.Config.At("matrix_authentication_service", "endpoint"))
		}
		for _, reg := range s.Registrations {
			url(s.Service, reg.At("url"))
		}
		processes(s.Service, s.Config)
	}
	for _, w := range d.Workers {
		processes(w.Service, w.Config)
	}
	for _, m := range d.MASs {
		url(m.Service, m.Config.At("matrix", "endpoint"))
	}
	for _, b := range d.Bridges {
		url(b.Service, b.Config.At("homeserver", "address"))
	}
	for _, c := range append(d.Connections(), d.OtherConnections()...) {
		say(c.Service, c.HostAt.Site, c.Host, cmp.Or(c.Port, "5432"))
	}
	for _, s := range d.Services {
		if host, v := s.Env("PGHOST"); host != "" {
			port, _ := s.Env("PGPORT")
			say(s, v.Site, host, cmp.Or(port, "5432"))
		}
	}
	for _, t := range d.told() {
		before := len(ts)
		if say(t.From, t.At, t.Host, t.Port); len(ts) > before {
			ts[before].TLS = t.TLS
		}
	}
	if front := d.Front().Service; front != nil && front.Absent.Why == "" {
		for _, svc := range d.Routes().Services {
			for _, b := range svc.Backends {
				host, port, _ := strings.Cut(b.Address, ":")
				say(front, func(note string) source.Site {
					b.Site.Note = note
					return b.Site
				}, host, port)
			}
		}
	}
	return ts
}

// DockerPools are the networks that Docker takes addresses from unless told otherwise.
var DockerPools = Prefixes("172.16.0.0/12", "192.168.0.0/16")

// Prefixes are the networks and addresses that can be read of the texts, an address as a network of its own.
func Prefixes(texts ...string) []netip.Prefix {
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

// Subnets are the addresses of the network in which Traefik reaches a service, if the compose file says them.
func (d *Deployment) Subnets(s *Service) (list []netip.Prefix, at Leaf) {
	wanted := d.NetworkLabel(s).Value
	for _, key := range s.Networks {
		name, _ := d.NetworkName(key)
		if len(s.Networks) > 1 && name != wanted {
			continue
		}
		at = d.Network(key).Ranges
		list = append(list, Prefixes(d.Network(key).Subnets...)...)
	}
	return list, at
}

// Names are the host names under which other containers of a shared network reach the service.
func (s *Service) Names() []string {
	names := slices.Clone(s.linked)
	if !s.Unnamed {
		names = append([]string{s.Name}, names...)
	}
	for _, l := range []Leaf{s.ContainerName, s.Hostname} {
		if n := l.Str(); n != "" {
			names = append(names, n)
		}
	}
	for _, a := range s.Attachments {
		for _, alias := range a.Aliases {
			name, _ := alias.Text()
			names = append(names, name)
		}
	}
	return names
}

// Host is the name by which others should call the service: an alias, which its owner chose for them, or its own.
func (s *Service) Host() string {
	for _, a := range s.Attachments {
		if len(a.Aliases) > 0 && a.Aliases[0].Set() {
			name, _ := a.Aliases[0].Text()
			return name
		}
	}
	return s.Name
}

// NameSites are the places that give the services names beside their own.
func NameSites(services ...*Service) (sites []source.Site) {
	for _, s := range services {
		for _, a := range s.Attachments {
			if a.AliasesAt.Exists() {
				sites = append(sites, a.AliasesAt.Site("more names of "+s.Name))
			}
		}
	}
	return sites
}

// Answers reports whether the service is found by the name in the network with that key.
func (s *Service) Answers(name, network string) bool {
	own, _ := s.ContainerName.Text()
	return slices.Contains(s.Networks, network) && (name == s.Name && !s.Unnamed || name == own ||
		slices.ContainsFunc(s.Attachments, func(a Attachment) bool {
			return a.Network == network && slices.ContainsFunc(a.Aliases, func(l Leaf) bool {
				alias, _ := l.Text()
				return alias == name
			})
		}))
}

// Shares reports whether the two services have a network in common.
func (s *Service) Shares(t *Service) bool {
	// On the host's network, or another container's, who reaches whom cannot be told.
	if s.NetworkMode.Set() || t.NetworkMode.Set() {
		return true
	}
	return slices.ContainsFunc(s.Networks, func(n string) bool { return slices.Contains(t.Networks, n) })
}

// Adrift reports whether one of the networks of a service is defined nowhere, for which Compose refuses the whole.
func (d *Deployment) Adrift(s *Service) bool {
	return slices.ContainsFunc(s.Networks, func(key string) bool { return key != "default" && !d.Network(key).At.Exists() })
}

// NetworkName is Docker's name of a network; ok is false when it stands behind a variable set elsewhere.
func (d *Deployment) NetworkName(key string) (name string, ok bool) {
	n := d.Network(key)
	return n.Name, n.Known
}

// ShutIn is what makes one of the networks of a service internal when all of them are, or the NetworkPolicy that does not let it out; not set
// when the service may get out.
func (d *Deployment) ShutIn(s *Service) (at Leaf) {
	if at = d.shutByPolicy(s); at.Exists() {
		return at
	}
	if s.NetworkMode.Set() {
		return Leaf{}
	}
	for _, key := range s.Networks {
		n := d.Network(key)
		if at = n.Internal; !at.True() || n.External.Set() && !n.External.False() {
			return Leaf{}
		}
	}
	return at
}
