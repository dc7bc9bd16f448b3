package render

import (
	"fmt"

	"philipp.info/stackgen/pkg/source"
)

// Reached is a service with its port of the loopback address.
type Reached struct {
	Service string
	Port    int
}

// proxied are the services that a proxy may ask, in the order of their ports.
var proxied = []string{"synapse", "mas", "element", "livekit", "lk-jwt"}

// InNetwork is what a service has in the proxy's network, as a YAML flow mapping: where a proxy asks for it by name, that is
// the name on the stack's own network, because another stack may have a mas, too. A Traefik that goes by labels asks
// Docker for its address. LiveKit, which is in no other network, asks for lk-jwt-service so.
func (st *Stack) InNetwork(service string) string {
	if service != "lk-jwt" && !st.Ingress.Managed && (st.Ingress.Kind == "traefik" || st.Ingress.Network == "") {
		return "{}"
	}
	return "{aliases: [" + source.Quote(st.internal(service)) + "]}"
}

// Published is the port of a service for a proxy on the host, as Compose publishes it; empty for a proxy in a container.
func (st *Stack) Published(service string) string {
	for _, r := range st.Routes() {
		if port := st.Ingress.Ports[service]; port != 0 && r.Service == service {
			return fmt.Sprintf("127.0.0.1:%d:%d", port, r.Port)
		}
	}
	return ""
}

// Reaches are the published ports by service, in the order of the table.
func (st *Stack) Reaches() (list []Reached) {
	for _, service := range proxied {
		if st.Published(service) != "" {
			list = append(list, Reached{service, st.Ingress.Ports[service]})
		}
	}
	return list
}
