package deployment

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/route"
)

// Listeners are the ports on which the program of a service listens; known is false where its configuration
// does not say.
func (d *Deployment) Listeners(s *Service) (ls []Listener, known bool) {
	for _, syn := range d.Synapses {
		if syn.Service == s {
			ls = syn.Listeners()
		}
	}
	for _, w := range d.Workers {
		if w.Service == s {
			ls = w.housed(synapseListeners(w.Config.At("worker_listeners")))
		}
	}
	for _, m := range d.MASs {
		if m.Service == s {
			ls = MasListeners(m)
		}
	}
	for _, b := range d.Bridges {
		if b.Service == s {
			if port, v := b.Port(); port != "0" && !b.FromEnv("appservice.port") {
				ls = []Listener{{Port: port, Value: v}}
			}
		}
	}
	if len(ls) == 0 {
		ls = append(d.pageListeners(s), d.besideListeners(s)...)
	}
	return ls, len(ls) > 0
}

// pageListeners are those of the programs for calls, and of the pages for browsers; none where they may be told of others.
func (d *Deployment) pageListeners(s *Service) []Listener {
	port, value := "", s.ImageAt.v
	if c := s.Component(); c != nil {
		port = strconv.Itoa(c.Port)
	}
	switch s.Program {
	case component.LkJwt:
		for _, name := range []string{"LIVEKIT_JWT_BIND", "LIVEKIT_JWT_PORT"} {
			if text, _ := s.Env(name); text != "" || s.EnvHidden(name) != "" {
				return nil
			}
		}
	case component.LiveKit:
		i := slices.IndexFunc(d.LiveKits, func(l *LiveKit) bool { return l.Service == s && l.Hidden == "" })
		if i < 0 {
			return nil
		}
		if v := d.LiveKits[i].Config.At("port"); v.Set() {
			port, value = v.Str(), v
		}
		if !isNumber(port) {
			return nil
		}
	case component.Element:
		text, at := s.Env("ELEMENT_WEB_PORT")
		own := slices.ContainsFunc(s.Mounts, func(m Mount) bool { return Under(m.Container, "/etc/nginx") && !m.Fleeting })
		if own || s.EnvHidden("ELEMENT_WEB_PORT") != "" || text != "" && !isNumber(text) {
			return nil
		}
		if port = cmp.Or(text, "80"); text != "" { // docker-entrypoint.d of its image
			value = at.v
		}
	case component.Ketesa:
	default:
		return nil
	}
	return []Listener{{Port: port, Value: value}}
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// Listens reports whether the program listens on the port, on any address; true where that cannot be seen.
func (d *Deployment) Listens(s *Service, port string) bool {
	ls, known := d.Listeners(s)
	return !known || slices.ContainsFunc(ls, func(l Listener) bool { return l.Port == port })
}

// Inward reports whether the port is one that Traefik is sent to and that only Synapse's own container reaches:
// traefik-port-listens says so.
func (d *Deployment) Inward(s *Synapse, port string) bool {
	return slices.ContainsFunc(s.Listeners(), func(l Listener) bool { return l.Port == port && l.Loopback }) &&
		slices.ContainsFunc(d.Routes().Services, func(svc *route.Service) bool {
			return slices.ContainsFunc(svc.Backends, func(b route.Backend) bool { return b.Container == s.Name && s.BackendPort(b) == port })
		})
}

// BackendPort is the port that Traefik takes: without a label the lowest of those that the container publishes or exposes, and of
// EXPOSE in the image's Dockerfile; "" where there is none, or where it is not known.
func (s *Service) BackendPort(b route.Backend) string {
	if b.Port != "" {
		return b.Port
	}
	port := s.imagePort()
	if !s.SpansKnown || port == 0 && !s.ExposesNone() {
		return ""
	}
	for _, p := range s.Spans {
		port = lower(port, p.To)
	}
	for _, p := range s.Exposed {
		port = lower(port, p)
	}
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

// lower is the lower one of two ports, of which 0 is none.
func lower(p, q int) int {
	if p == 0 || q != 0 && q < p {
		return q
	}
	return p
}

// ImageLeads reports whether Traefik takes, without a label, a port that the image exposes.
func (s *Service) ImageLeads(port string) bool { return strconv.Itoa(s.imagePort()) == port }

// imagePort is the lowest port of EXPOSE in the image's Dockerfile; 0 where that has none, or where it is not known.
func (s *Service) imagePort() int {
	switch s.Program {
	case component.Synapse:
		if s.OwnImage() || s.Mirrored() {
			return s.Component().Port
		}
	case component.LkJwt:
		return s.Component().Port
	case component.Element:
		// nginx's image exposes 80, and nginx-unprivileged, on which it is built since the spring of 2025, 8080, whatever
		// ELEMENT_WEB_PORT is (element-web#30016).
		v, numbered := s.Image.Version()
		switch {
		case numbered && v.Less(component.Version{1, 11, 90}), path.Base(s.Image.Repository) == "riot-web":
			return 80
		case numbered && !v.Less(component.Version{1, 12, 0}), s.Image.Tag == "" || s.Image.Tag == "latest":
			return s.Component().Port
		}
	}
	return 0
}

// ExposesNone reports whether the image of a service is known to expose no port: those of MAS, LiveKit and the bridges.
func (s *Service) ExposesNone() bool {
	return s.Program == component.MAS || s.Program == component.LiveKit || s.Component().Bridge != nil
}
