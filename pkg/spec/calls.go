package spec

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Calls are calls over MatrixRTC.
type Calls struct {
	// NodeIP is the address of this host that clients reach, or one of IPv4 and one of IPv6 with a comma between them.
	// Default: LiveKit asks a STUN server what it is.
	NodeIP string `yaml:"node_ip,omitempty"`
	// TCPPort of the host for calls from networks that let no UDP out. Default: 7881.
	TCPPort int `yaml:"tcp_port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// UDPPort of the host for calls. Default: 7882.
	UDPPort int `yaml:"udp_port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// LiveKit carries the calls.
	LiveKit LiveKit `yaml:"livekit,omitempty"`
	// JWT is lk-jwt-service. Its configuration, onto which extra is laid, is its environment.
	JWT JWT `yaml:"jwt,omitempty"`
}

// LiveKit carries the calls.
type LiveKit struct {
	Component `yaml:",inline"`
}

// JWT is lk-jwt-service.
type JWT struct {
	Component `yaml:",inline"`
}

// Coturn is a relay for calls. Its extra has options of turnserver.conf by their names, an option that stands alone as true.
type Coturn struct {
	Component `yaml:",inline"`
	// ExternalIP is the address of this host that clients reach. Default: the image asks a name server what it is.
	ExternalIP string `yaml:"external_ip,omitempty"`
	// Port that clients ask, over TCP and UDP. Default: 3478.
	Port int `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// MinPort is the first of the UDP ports that are relayed over, one for each side of a call. Default: 49152.
	MinPort int `yaml:"min_port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// MaxPort is the last of them. Default: 20 more than min_port.
	MaxPort int `yaml:"max_port,omitempty" jsonschema:"minimum=1,maximum=65535"`
}

// RTCFoci is the key of /.well-known/matrix/client below which clients find LiveKit.
const RTCFoci = "org.matrix.msc4143.rtc_foci"

// RTCHost is the host under which clients ask for calls; "" where the spec has none.
func (s *Spec) RTCHost() string { return s.hostOf("calls", s.Hosts.RTC, "rtc") }

// TurnHost is the host of coturn; "" where the spec has none.
func (s *Spec) TurnHost() string { return s.hostOf("turn", s.Hosts.Turn, "turn") }

func (s *Spec) hostOf(section, host, label string) string {
	if !s.At(section).Exists() {
		return ""
	}
	return cmp.Or(host, label+"."+s.ServerName)
}

// CallPorts are the ports of the host for calls, with their defaults.
func (s *Spec) CallPorts() (tcp, udp int) {
	return cmp.Or(s.Calls.TCPPort, 7881), cmp.Or(s.Calls.UDPPort, 7882)
}

// TurnPorts are the ports of coturn, with their defaults.
func (s *Spec) TurnPorts() (listening, first, last int) {
	first = cmp.Or(s.Turn.MinPort, 49152)
	return cmp.Or(s.Turn.Port, component.Of(component.Coturn).Port), first, cmp.Or(s.Turn.MaxPort, min(first+20, 65535))
}

// checkExtraHost checks the host of a section that not every spec has.
func (s *Spec) checkExtraHost(d *decoder, section, key, host, what string) (at source.Value, ok bool) {
	at = s.At("hosts", key)
	switch {
	case host == "":
		return s.At(section), true
	case !s.At(section).Exists():
		d.fail(at, fmt.Sprintf("hosts.%s is the host of %s, and the spec has none; nothing would answer there", key, what), fmt.Sprintf("write `%s: {}`, or remove the line", section))
		return at, false
	}
	return at, s.checkHost(d, host, "hosts", key)
}

func (s *Spec) checkCalls(d *decoder, named bool) {
	at, ok := s.checkExtraHost(d, "calls", "rtc", s.Hosts.RTC, "calls")
	if host := s.RTCHost(); ok && named && host != "" {
		login, _ := url.Parse(s.Auth.PublicURL)
		fix := "hosts: {rtc: calls." + s.ServerName + "}"
		switch {
		case host == s.ElementHost():
			d.fail(at, "calls are on the host of Element Web, which answers for all of it; no call comes about", fix)
		case login != nil && host == login.Host && strings.Trim(login.Path, "/") == "":
			d.fail(at, "calls are on the host that MAS has for itself; no call comes about", fix)
		}
	}
	v := s.At("calls", "node_ip")
	for text := range strings.SplitSeq(s.Calls.NodeIP, ",") {
		s.checkAddress(d, v, text, "LiveKit would tell clients to send there", "node_ip: 203.0.113.7")
	}
	if v := s.At("synapse", "well_known_extra", RTCFoci); v.Exists() && s.At("calls").Exists() {
		d.fail(v, "`calls` says itself where LiveKit is, and another list of the same would stand beside it", "remove the lines")
	}
}

// checkAddress refuses what is no address that somebody elsewhere could send to.
func (s *Spec) checkAddress(d *decoder, v source.Value, text, breaks, fix string) {
	if !v.Set() {
		return
	}
	ip, err := netip.ParseAddr(strings.TrimSpace(text))
	switch {
	case err != nil || ip.Zone() != "" || strings.TrimSpace(text) != text:
		d.fail(v, fmt.Sprintf("%s is %s, which is no IP address; calls would stay silent", v.Path(), quote(text)), fix)
	case ip.IsUnspecified() || ip.IsLoopback() || ip.IsMulticast() || ip.IsLinkLocalUnicast():
		d.fail(v, fmt.Sprintf("%s is %s, which nobody else can reach; %s, and calls would stay silent", v.Path(), text, breaks), fix)
	}
}

func (s *Spec) checkTurn(d *decoder) {
	s.checkExtraHost(d, "turn", "turn", s.Hosts.Turn, "a relay")
	s.checkAddress(d, s.At("turn", "external_ip"), s.Turn.ExternalIP, "coturn would tell clients to send there", "external_ip: 203.0.113.7")
	if !s.At("turn").Exists() {
		return
	}
	if uris := s.At("synapse", "turn"); uris.Set() {
		d.fail(uris, "synapse.turn names the TURN server of somebody else, and `turn` renders one; Synapse has one secret for all of them", "remove one of the two", s.At("turn").Site("the other"))
	}
	if _, first, last := s.TurnPorts(); last <= first {
		at := s.At("turn", "max_port")
		if !at.Exists() {
			at = s.At("turn", "min_port")
		}
		d.fail(at, fmt.Sprintf("turn relays from port %d to %d, which leaves no two for the sides of a call", first, last), fmt.Sprintf("min_port: 49152, and max_port: %d", 49172))
	}
	for key, v := range s.At("turn", "extra").Entries() {
		name := strings.TrimLeft(key.Str(), "+-")
		if strings.ContainsAny(name, " \t=#\"") || name == "" {
			d.fail(key, quote(key.Str())+" is no name of an option; coturn would read another one, or none", "user-quota: 12")
		}
		for _, item := range append(v.Items(), v) {
			if item.Kind() == source.Mapping || strings.ContainsAny(item.Str(), "\n\r") {
				d.fail(item, item.Path()+" is no value of an option, which is one line", "write a number or a text")
			}
		}
	}
}

// taken are ports of the host.
type taken struct {
	protocol    string
	first, last int
	at          source.Value
	of          string
}

// checkPorts refuses two programs on one port of the host, of which the second would not start.
func (s *Spec) checkPorts(d *decoder) {
	var ports []taken
	add := func(protocol string, first, last int, of string, path ...string) {
		ports = append(ports, taken{protocol, first, last, s.At(path...), of})
	}
	if kind := s.IngressKind(); kind != "traefik" && s.Ingress.Caddy.Network+s.Ingress.Nginx.Network == "" {
		first := cmp.Or(s.Ingress.Port, component.Of(component.Synapse).Port)
		add("tcp", first, first+5, "those for the proxy", "ingress", "port")
	}
	if s.Managed() {
		add("tcp", 80, 80, "the one of Traefik for HTTP", "ingress", "traefik", "managed")
		add("tcp", 443, 443, "the one of Traefik", "ingress", "traefik", "managed")
	}
	if s.At("calls").Exists() {
		tcp, udp := s.CallPorts()
		add("tcp", tcp, tcp, "the one of LiveKit", "calls", "tcp_port")
		add("udp", udp, udp, "the one of LiveKit", "calls", "udp_port")
	}
	if s.At("turn").Exists() {
		port, first, last := s.TurnPorts()
		add("tcp", port, port, "the one of coturn", "turn", "port")
		add("udp", port, port, "the one of coturn", "turn", "port")
		add("udp", first, last, "those that coturn relays over", "turn", "min_port")
	}
	for i, p := range ports {
		for _, q := range ports[:i] {
			if p.protocol != q.protocol || p.first > q.last || q.first > p.last {
				continue
			}
			at, other := p, q
			if !at.at.Exists() {
				at, other = q, p
			}
			d.fail(at.at, fmt.Sprintf("port %d of this host over %s is to be %s and %s; the second would not start", max(p.first, q.first), p.protocol, at.of, other.of),
				"another number, or remove the line for the default", other.at.Site("the other"))
		}
	}
}
