package render

import (
	"cmp"
	"fmt"
	"slices"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/spec"
)

// Endpoint is a service with a port that it listens on.
type Endpoint struct {
	Service string
	Port    int
}

// proxied are the services that a proxy may ask, in the order of their ports.
var proxied = []string{"synapse", "mas", "element", "livekit", "lk-jwt", "ketesa"}

func (st *Stack) resolveIngress(s *spec.Spec) {
	st.Ingress.Kind = s.IngressKind()
	switch st.Ingress.Kind {
	case "traefik":
		if st.Ingress.Managed = s.Managed(); st.Ingress.Managed {
			st.Ingress.Title, st.Traefik.CertResolver = "Traefik", Resolver
			return
		}
		st.Ingress.Title, st.Ingress.Network = "Traefik", cmp.Or(s.Ingress.Traefik.Network, "traefik")
		if s.OnKubernetes() { // routes are made of the labels of Traefik
			st.Ingress.Title = "the Ingress controller"
			if s.Kubernetes.Gateway.Name != "" {
				st.Ingress.Title = "the Gateway"
			}
		}
	case "caddy":
		st.Ingress.Title, st.Ingress.Network, st.Ingress.Labels = "Caddy", s.Ingress.Caddy.Network, s.Ingress.Caddy.Form == "labels"
	case "nginx":
		st.Ingress.Title, st.Ingress.Network = "nginx", s.Ingress.Nginx.Network
	default:
		st.Ingress.Title = "the proxy"
	}
	if st.Ingress.Network != "" {
		return
	}
	st.Ingress.Ports = make(map[Endpoint]int)
	first := cmp.Or(s.Ingress.Port, component.Of(component.Synapse).Port)
	for i, service := range proxied {
		if service == "synapse" && len(s.Synapse.Workers) > 0 {
			service = "haproxy"
		}
		program, _ := component.OfService(service)
		st.Ingress.Ports[Endpoint{service, program.Port}] = first + i
	}
	for _, n := range s.Containers() {
		for _, r := range containerRoutes(s, n) { // not as they are written, which nobody can see in what is rendered
			at := Endpoint{n.Name, r.Port}
			if st.Ingress.Ports[at] == 0 {
				st.Ingress.Ports[at] = first + len(st.Ingress.Ports)
			}
		}
	}
}

// MetricsPort is that of Synapse's metrics, as its own documentation has it.
const MetricsPort = 9000

// Managed are expressions for the users that bridges have, which administrators leave alone.
func (st *Stack) Managed() (users []string) {
	for _, b := range st.Bridges {
		for _, n := range b.Registration.Users {
			users = append(users, n.Regex)
		}
	}
	return users
}

// Published are the ports of a service for a proxy on the host, as Compose publishes them; none for a proxy in a container.
func (st *Stack) Published(service string) (ports []string) {
	for _, r := range st.Routes() {
		port := st.Ingress.Ports[Endpoint{service, r.Port}]
		if text := fmt.Sprintf("127.0.0.1:%d:%d", port, r.Port); r.Service == service && port != 0 && !slices.Contains(ports, text) {
			ports = append(ports, text)
		}
	}
	return ports
}

// Reached is a service with its port of the loopback address.
type Reached struct {
	Service string
	Port    int
}

// Reaches are the published ports by service, in the order of the ports.
func (st *Stack) Reaches() (list []Reached) {
	for _, r := range st.Routes() {
		if port := st.Ingress.Ports[Endpoint{r.Service, r.Port}]; port != 0 && !slices.Contains(list, Reached{r.Service, port}) {
			list = append(list, Reached{r.Service, port})
		}
	}
	slices.SortFunc(list, func(a, b Reached) int { return a.Port - b.Port })
	return list
}
