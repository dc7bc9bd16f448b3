package compose

import (
	"cmp"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// spans are the ports of a service that others reach from outside; known is false where one is not told here.
func (p *Project) spans(list source.Value) (spans []deployment.PortSpan, known bool) {
	known = true
	for _, v := range list.Items() {
		var host, target, protocol, address string
		if m := v.At("target"); m.Exists() {
			address = v.At("host_ip").Str()
			host, target, protocol = cmp.Or(v.At("published").Str(), m.Str()), m.Str(), v.At("protocol").Str()
		} else {
			text, ok := p.expand(v)
			if !ok {
				known = false
				continue
			}
			text, protocol, _ = strings.Cut(text, "/")
			if i := strings.LastIndexByte(text, ':'); i >= 0 {
				host, target = text[:i], text[i+1:]
				if i := strings.LastIndexByte(host, ':'); i >= 0 {
					address, host = strings.Trim(host[:i], "[]"), host[i+1:]
				}
			} else {
				host, target = text, text
			}
		}
		from, ok1 := numbers(host)
		to, ok2 := numbers(target)
		if !ok1 || !ok2 {
			known = false
			continue
		}
		spans = append(spans, deployment.PortSpan{First: from[0], Last: from[1], To: to[0], Protocol: cmp.Or(protocol, "tcp"), Local: deployment.Loopback(address)})
	}
	return spans, known
}

// exposed are the ports that expose names; a range of them is the first.
func (p *Project) exposed(list source.Value) (ports []int) {
	for _, v := range list.Items() {
		text, _ := p.expand(v)
		text, _, _ = strings.Cut(text, "/")
		if span, ok := numbers(text); ok {
			ports = append(ports, span[0])
		}
	}
	return ports
}

func numbers(text string) (span [2]int, ok bool) {
	a, b, two := strings.Cut(text, "-")
	if !two {
		b = a
	}
	first, err := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	return [2]int{first, last}, err == nil && err2 == nil
}

// ports reads those that have a fixed number on the host.
func (p *Project) ports(s *deployment.Service, list source.Value) {
	for _, v := range list.Items() {
		port := deployment.Port{Protocol: "tcp", At: p.leaf(v)}
		host := ""
		inner, known := port.At.Text()
		s.PortsHidden = s.PortsHidden || !known || strings.Contains(inner, "$")
		if v.Kind() == source.Mapping {
			s.PortsHidden = s.PortsHidden || !v.At("target").Set()
			inner, _ = p.expand(v.At("target"))
		}
		inner, _, _ = strings.Cut(inner, "/")
		inner, _, _ = strings.Cut(inner[strings.LastIndexByte(inner, ':')+1:], "-")
		port.Inner, _ = strconv.Atoi(inner)
		if v.Kind() == source.Mapping {
			host, _ = p.expand(v.At("published"))
			port.IP, _ = p.expand(v.At("host_ip"))
			if proto := v.At("protocol").Str(); proto != "" {
				port.Protocol = proto
			}
		} else {
			text, ok := port.At.Text()
			if !ok {
				continue
			}
			text, proto, found := strings.Cut(text, "/")
			if found {
				port.Protocol = proto
			}
			host = text
			if i := strings.LastIndexByte(text, ':'); i >= 0 {
				host = text[:i]
			} else {
				continue // without a port of the host Docker takes a free one
			}
			if i := strings.LastIndexByte(host, ':'); i >= 0 {
				port.IP, host = strings.Trim(host[:i], "[]"), host[i+1:]
			}
		}
		from, to, isRange := strings.Cut(host, "-")
		if !isRange {
			to = from
		}
		var err, errTo error
		port.First, err = strconv.Atoi(from)
		port.Last, errTo = strconv.Atoi(to)
		if err == nil && errTo == nil {
			s.Ports = append(s.Ports, port)
		}
	}
}
