package deployment

import (
	"slices"
	"strconv"

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
			ls = synapseListeners(w.Config.At("worker_listeners"))
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
	return ls, len(ls) > 0
}

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

// BackendPort is the port that Traefik takes: without a label the lowest of EXPOSE in the image's Dockerfile,
// which only Synapse's has.
func (s *Service) BackendPort(b route.Backend) string {
	if b.Port == "" && s.Program == component.Synapse {
		return strconv.Itoa(s.Component().Port)
	}
	return b.Port
}
