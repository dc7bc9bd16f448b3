package check

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// listener is one address that a program listens on.
type listener struct {
	port, prefix string
	host         string // of MAS
	resources    []string
	loopback     bool
	tls          bool
	value        source.Value
	bind         source.Value // of MAS: the entry of binds
}

// portAt is the place of the port.
func (l listener) portAt() source.Value {
	for _, v := range []source.Value{l.bind.At("address"), l.bind.At("port"), l.value.At("port")} {
		if v.Set() {
			return v
		}
	}
	return l.value
}

// hostAt is the place of the address.
func (l listener) hostAt() source.Value {
	if v := l.bind.At("host"); v.Set() {
		return v
	}
	return l.portAt()
}

// everywhere is the line with which MAS listens on all addresses.
func (l listener) everywhere() string {
	if l.bind.At("host").Set() {
		return `host: "0.0.0.0"`
	}
	return `address: "[::]:` + l.port + `"`
}

// sites are the places that say where MAS listens: the port, and the prefix where there is one.
func (l listener) sites(note string) []source.Site {
	sites := []source.Site{l.portAt().Site(note)}
	if prefix := l.value.At("prefix"); prefix.Set() {
		sites = append(sites, prefix.Site("its prefix"))
	}
	return sites
}

func masListeners(m *MAS) []listener {
	var ls []listener
	for _, v := range m.Config.At("http", "listeners").Items() {
		var resources []string
		for _, res := range v.At("resources").Items() {
			resources = append(resources, res.At("name").Str())
		}
		prefix := "/" + strings.Trim(v.At("prefix").Str(), "/") + "/"
		if prefix == "//" {
			prefix = "/"
		}
		for _, bind := range v.At("binds").Items() {
			l := listener{prefix: prefix, resources: resources, tls: v.At("tls").Set(), value: v, bind: bind, port: bind.At("port").Str()}
			host := bind.At("host").Str()
			if addr := bind.At("address").Str(); addr != "" {
				i := strings.LastIndexByte(addr, ':')
				host, l.port = strings.Trim(addr[:max(i, 0)], "[]"), addr[i+1:]
			}
			l.host, l.loopback = host, loopback(host)
			ls = append(ls, l)
		}
	}
	// Without an http block MAS listens on these two.
	if !m.Config.At("http").Set() && m.Config.Root().Set() {
		ls = []listener{
			{port: "8080", prefix: "/", resources: []string{"discovery", "human", "oauth", "compat", "graphql", "assets"}, value: m.Config.Root()},
			{port: "8081", prefix: "/", resources: []string{"health"}, loopback: true, value: m.Config.Root()},
		}
	}
	return ls
}

// loopback reports whether an address to listen on is reached from inside the container only.
func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// lacks reports whether a container has an address to listen on only by chance: Docker gives it another one
// unless the compose file says which.
func (s *Service) lacks(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.IsUnspecified() || addr.IsLoopback() || s.Value.At("network_mode").Set() {
		return false
	}
	for _, net := range s.Value.At("networks").Entries() {
		for _, key := range []string{"ipv4_address", "ipv6_address"} {
			text, ok := s.d.expand(net.At(key))
			if given, _ := netip.ParseAddr(text); !ok || given == addr {
				return false
			}
		}
	}
	return true
}

// listeners are all on which Synapse answers HTTP.
func (s *Synapse) listeners() []listener {
	var ls []listener
	for _, v := range s.Config.At("listeners").Items() {
		if kind := v.At("type").Str(); kind == "manhole" || v.At("path").Set() {
			continue
		}
		l := listener{port: v.At("port").Str(), tls: v.At("tls").True(), value: v}
		for _, res := range v.At("resources").Items() {
			for _, n := range res.At("names").Items() {
				l.resources = append(l.resources, n.Str())
			}
		}
		addrs := v.At("bind_addresses").Items()
		if one := v.At("bind_address"); one.Str() != "" {
			addrs = append(addrs, one)
		}
		l.loopback = len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a source.Value) bool { return !loopback(a.Str()) })
		ls = append(ls, l)
	}
	return ls
}

// listenerSites are Synapse's listeners and what they serve, for a finding about one that is missing.
func (s *Synapse) listenerSites() []source.Site {
	list := s.Config.At("listeners")
	sites := []source.Site{list.Site("Synapse's listeners")}
	for _, l := range list.Items() {
		for _, res := range l.At("resources").Items() {
			sites = append(sites, res.At("names").Site("served on port "+l.At("port").Str()))
		}
	}
	return sites
}

// clientListeners are those that serve the client API to other containers.
func (s *Synapse) clientListeners() []listener {
	return slices.DeleteFunc(s.listeners(), func(l listener) bool { return l.loopback || !slices.Contains(l.resources, "client") })
}

// hears reports whether other containers reach Synapse's client API on the port.
func (s *Synapse) hears(port string) bool {
	return slices.ContainsFunc(s.clientListeners(), func(l listener) bool { return l.port == port })
}

// clientAddress is the address under which other containers reach Synapse's client API.
func (s *Synapse) clientAddress() string {
	port := "8008"
	for _, l := range s.clientListeners() {
		if l.port != "" && !l.value.At("tls").True() {
			port = l.port
			break
		}
	}
	return "http://" + s.host() + ":" + port
}

// endpoint takes an HTTP URL apart; port is the scheme's when none stands there.
func endpoint(s string) (u *url.URL, port string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return nil, "", false
	}
	usual, ok := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return u, cmp.Or(u.Port(), usual), ok
}
