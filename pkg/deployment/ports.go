package deployment

import (
	"net/netip"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Port is a port of the host that a service takes, or a range of them.
type Port struct {
	Service     *Service
	ip          string // empty for all addresses
	First, last int
	protocol    string
	Value       source.Value
}

// Ports reads the ports of a service that have a fixed number on the host.
func (s *Service) Ports() []Port {
	var ps []Port
	for _, v := range s.Value.At("ports").Items() {
		p := Port{Service: s, protocol: "tcp", Value: v}
		host := ""
		if v.Kind() == source.Mapping {
			host, _ = s.D.Expand(v.At("published"))
			p.ip, _ = s.D.Expand(v.At("host_ip"))
			if proto := v.At("protocol").Str(); proto != "" {
				p.protocol = proto
			}
		} else {
			text, ok := s.D.Expand(v)
			if !ok {
				continue
			}
			text, proto, found := strings.Cut(text, "/")
			if found {
				p.protocol = proto
			}
			host = text
			if i := strings.LastIndexByte(text, ':'); i >= 0 {
				host = text[:i]
			} else {
				continue // without a port of the host Docker takes a free one
			}
			if i := strings.LastIndexByte(host, ':'); i >= 0 {
				p.ip, host = strings.Trim(host[:i], "[]"), host[i+1:]
			}
		}
		from, to, isRange := strings.Cut(host, "-")
		if !isRange {
			to = from
		}
		var err, errTo error
		p.First, err = strconv.Atoi(from)
		p.last, errTo = strconv.Atoi(to)
		if err == nil && errTo == nil {
			ps = append(ps, p)
		}
	}
	return ps
}

// Clashes reports whether two ports cannot be taken at the same time.
func (p Port) Clashes(o Port) bool {
	return p.protocol == o.protocol && p.First <= o.last && o.First <= p.last && (everywhere(p.ip) || everywhere(o.ip) || p.ip == o.ip)
}

func everywhere(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err != nil || a.IsUnspecified()
}
