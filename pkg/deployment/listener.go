package deployment

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Listener is one address that a program listens on. Port is a number, or Socket with the path of one.
type Listener struct {
	Port, Prefix string
	Host         string // of MAS
	Resources    []string
	Loopback     bool
	Tls          bool
	Value        source.Value
	bind         source.Value // of MAS: the entry of binds
	hostAt       source.Value // of a program beside the stack: the address
}

// Socket stands before the path of a UNIX socket where others have a port.
const Socket = "unix:"

// Socket reports whether it is a UNIX socket.
func (l Listener) Socket() bool { return strings.HasPrefix(l.Port, Socket) }

// PortAt is the place of the port, or of the path of the socket.
func (l Listener) PortAt() source.Value {
	for _, v := range []source.Value{l.bind.At("address"), l.bind.At("port"), l.bind.At("socket"), l.Value.At("port"), l.Value.At("path")} {
		if v.Set() {
			return v
		}
	}
	return l.Value
}

// HostAt is the place of the address.
func (l Listener) HostAt() source.Value {
	if l.hostAt.Path() != "" {
		return l.hostAt
	}
	if v := l.bind.At("host"); v.Set() {
		return v
	}
	return l.PortAt()
}

// Everywhere is the line with which MAS listens on all addresses.
func (l Listener) Everywhere() string {
	if l.bind.At("host").Set() {
		return `host: "0.0.0.0"`
	}
	return `address: "[::]:` + l.Port + `"`
}

// Sites are the places that say where MAS listens: the port, and the prefix where there is one.
func (l Listener) Sites(note string) []source.Site {
	sites := []source.Site{l.PortAt().Site(note)}
	if prefix := l.Value.At("prefix"); prefix.Set() {
		sites = append(sites, prefix.Site("its prefix"))
	}
	return sites
}

// MasListeners are the addresses that MAS listens on; where its configuration names none, those that it has then.
func MasListeners(m *MAS) []Listener {
	var ls []Listener
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
			l := Listener{Prefix: prefix, Resources: resources, Tls: v.At("tls").Set(), Value: v, bind: bind, Port: bind.At("port").Str()}
			if socket := bind.At("socket"); socket.Set() {
				l.Port = Socket + socket.Str()
			}
			host := bind.At("host").Str()
			if addr := bind.At("address").Str(); addr != "" {
				i := strings.LastIndexByte(addr, ':')
				host, l.Port = strings.Trim(addr[:max(i, 0)], "[]"), addr[i+1:]
			}
			l.Host, l.Loopback = host, Loopback(host)
			ls = append(ls, l)
		}
	}
	// Without an http block MAS listens on these two.
	if !m.Config.At("http").Set() && m.Config.Root().Set() {
		ls = []Listener{
			{Port: strconv.Itoa(m.Component().Port), Prefix: "/", Resources: []string{"discovery", "human", "oauth", "compat", "graphql", "assets"}, Value: m.Config.Root()},
			{Port: strconv.Itoa(m.Component().HealthPort), Prefix: "/", Resources: []string{"health"}, Loopback: true, Value: m.Config.Root()},
		}
	}
	return m.housed(ls)
}

// Loopback reports whether an address to listen on is reached from inside the container only.
func Loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// Listeners are all on which Synapse answers HTTP.
func (s *Synapse) Listeners() []Listener {
	return s.housed(synapseListeners(s.Config.At("listeners")))
}

// housed are the listeners of a service that may be on the network of the host: then no address of it is its own alone.
func (s *Service) housed(ls []Listener) []Listener {
	for i := range ls {
		ls[i].Loopback = ls[i].Loopback && s.NetworkMode.Str() != "host"
	}
	return ls
}

func synapseListeners(list source.Value) []Listener {
	var ls []Listener
	for _, v := range list.Items() {
		if v.At("type").Str() == "manhole" {
			continue
		}
		l := Listener{Port: v.At("port").Str(), Tls: v.At("tls").True(), Value: v}
		if socket := v.At("path"); socket.Set() {
			l.Port = Socket + socket.Str()
		}
		for _, res := range v.At("resources").Items() {
			for _, n := range res.At("names").Items() {
				l.Resources = append(l.Resources, n.Str())
			}
		}
		addrs := v.At("bind_addresses").Items()
		if one := v.At("bind_address"); one.Str() != "" {
			addrs = append(addrs, one)
		}
		l.Loopback = len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a source.Value) bool { return !Loopback(a.Str()) })
		ls = append(ls, l)
	}
	return ls
}

// ListenerSites are Synapse's listeners and what they serve, for a finding about one that is missing.
func (s *Synapse) ListenerSites() []source.Site {
	list := s.Config.At("listeners")
	sites := []source.Site{list.Site("Synapse's listeners")}
	for _, l := range list.Items() {
		for _, res := range l.At("resources").Items() {
			sites = append(sites, res.At("names").Site("served on port "+l.At("port").Str()))
		}
	}
	return sites
}

// clientListeners are those that serve the client API to other containers, on a port.
func (s *Synapse) clientListeners() []Listener {
	return slices.DeleteFunc(s.Listeners(), func(l Listener) bool { return l.Loopback || l.Socket() || !slices.Contains(l.Resources, "client") })
}

// Hears reports whether other containers reach Synapse's client API on the port.
func (s *Synapse) Hears(port string) bool {
	return slices.ContainsFunc(s.clientListeners(), func(l Listener) bool { return l.Port == port })
}

// ClientAddress is the address under which other containers reach Synapse's client API.
func (s *Synapse) ClientAddress() string {
	port := strconv.Itoa(s.Component().Port)
	for _, l := range s.clientListeners() {
		if l.Port != "" && !l.Value.At("tls").True() {
			port = l.Port
			break
		}
	}
	return "http://" + s.Host() + ":" + s.Outer(port)
}

// Endpoint takes an HTTP URL apart; port is the scheme's when none stands there.
func Endpoint(s string) (u *url.URL, port string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return nil, "", false
	}
	usual, ok := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return u, cmp.Or(u.Port(), usual), ok
}

// Facing are the resources of MAS that clients and Synapse ask for, all but those for the inside.
var Facing = []string{"discovery", "human", "oauth", "compat", "graphql", "assets"}

// Widest is the list of resources of the listener that has the most of what others ask for; the list of
// listeners where none has any.
func (m *MAS) Widest() source.Value {
	ls := slices.DeleteFunc(MasListeners(m), func(l Listener) bool {
		return !slices.ContainsFunc(Facing, func(name string) bool { return slices.Contains(l.Resources, name) })
	})
	if len(ls) == 0 {
		return m.Config.At("http", "listeners")
	}
	return slices.MaxFunc(ls, func(a, b Listener) int { return cmp.Compare(len(a.Resources), len(b.Resources)) }).Value.At("resources")
}

// Listening gives the listeners with the resource: those on a loopback address, and the others.
func (m *MAS) Listening(resource string) (inside, outside []Listener) {
	for _, l := range MasListeners(m) {
		switch {
		case !slices.Contains(l.Resources, resource):
		case l.Loopback:
			inside = append(inside, l)
		default:
			outside = append(outside, l)
		}
	}
	return inside, outside
}
