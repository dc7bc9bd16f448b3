package render

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// Joined is a network of others that a service is in: what the compose file calls it, its name to Docker, and what the service
// is called in it besides.
type Joined struct {
	Key, Name string
	Aliases   []string
}

// ingressKey is what the compose file calls the network of the proxy.
const ingressKey = "ingress"

// joined are the networks of others that a service is to be in. That of the proxy is one of them where it has aliases there, or
// would not be in it otherwise.
func (st *Stack) joined(list []spec.Network) (all []Joined) {
	for _, n := range list {
		key := n.Name
		switch {
		case n.Name == st.Ingress.Network && n.Name != "":
			key = ingressKey
		case slices.Contains(st.networkKeys(), key):
			key += "-outside"
		}
		n := Joined{Key: key, Name: n.Name, Aliases: n.Aliases}
		if key == ingressKey { // which comes first where a service is in it anyway
			all = slices.Insert(all, 0, n)
			continue
		}
		all = append(all, n)
	}
	return all
}

// networkKeys are what the compose file calls the networks of the stack itself.
func (st *Stack) networkKeys() []string {
	keys := []string{"stack", ingressKey, "turn", "metrics"}
	for _, r := range st.Valkeys() {
		keys = append(keys, r.Name)
	}
	return keys
}

// Networks are those of others that services are in besides that of the proxy, each once.
func (st *Stack) Networks() (all []Joined) {
	for _, s := range st.Services {
		for _, n := range s.Networks {
			if n.Key != ingressKey {
				all = append(all, Joined{Key: n.Key, Name: n.Name})
			}
		}
	}
	slices.SortFunc(all, func(a, b Joined) int { return strings.Compare(a.Key, b.Key) })
	return slices.CompactFunc(all, func(a, b Joined) bool { return a.Key == b.Key })
}

// Others are the networks of others that a service is in, but for that of the proxy where it is in that anyway.
func (st *Stack) Others(service string) (others []Joined) {
	proxied := slices.Contains([]string{"synapse", "mas", "element", "livekit", "lk-jwt", "ketesa", "traefik"}, service) ||
		slices.ContainsFunc(st.Containers, func(c Container) bool { return c.Name == service && c.Proxied })
	for _, n := range st.Services[service].Networks {
		if n.Key != ingressKey || !proxied {
			others = append(others, n)
		}
	}
	return others
}

// InNetwork is what a service has in the proxy's network, as a YAML flow mapping: where a proxy asks for it by name, that is
// the name on the stack's own network, because another stack may have a mas, too. A Traefik that goes by labels asks
// Docker for its address. LiveKit, which is in no other network, asks for lk-jwt-service so. What others call it comes on top.
func (st *Stack) InNetwork(service string) string {
	var names []string
	if service == "lk-jwt" || st.Ingress.Managed || st.Ingress.Kind != "traefik" && st.Ingress.Network != "" {
		names = append(names, st.internal(service))
	}
	for _, n := range st.Services[service].Networks {
		if n.Key == ingressKey {
			names = append(names, n.Aliases...)
		}
	}
	return Joined{Aliases: names}.As()
}

// As is what the compose file says of a service in the network.
func (n Joined) As() string {
	if len(n.Aliases) == 0 {
		return "{}"
	}
	quoted := make([]string, len(n.Aliases))
	for i, name := range n.Aliases {
		quoted[i] = source.Quote(name)
	}
	return "{aliases: [" + strings.Join(quoted, ", ") + "]}"
}
