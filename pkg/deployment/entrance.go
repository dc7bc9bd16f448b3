package deployment

import (
	"slices"
	"strings"
)

// Entrance is a way into the proxy of the stack: an entrypoint of Traefik, an address on which nginx or Caddy listens. Name is
// as the route table has it, Port the one in its container. Published says that a port of the host leads there.
type Entrance struct {
	Name, Port string
	Published  bool
}

// Entrances are the ways into the proxy; nil where it is not in the stack, or they or its published ports cannot all be seen, or
// nobody needs them: it is on the host's network. published is how many ports of the host lead to it.
func (f *Front) Entrances() (list []Entrance, published int) {
	if f.Service == nil || f.Unseen != "" {
		return nil, 0
	}
	ports, host, ok := f.Service.publishes()
	if !ok || host || f.Service.NetworkMode.Set() {
		return nil, 0
	}
	inner := make(map[string]string)
	if f.Name == "Traefik" {
		p := f.Service.d.Proxy()
		if !p.Seen {
			return nil, 0
		}
		_, inner = p.entryPoints()
	}
	for _, name := range f.table.Names() {
		port, has := inner[name]
		if !has {
			port = strings.TrimPrefix(name, ":")
		}
		list = append(list, Entrance{name, port, slices.ContainsFunc(ports, func(p Published) bool { return p.Container == port })})
	}
	return list, len(ports)
}

// Behind reports whether another proxy stands before this one, or nothing: no port of the host leads to it but those of the loopback,
// and no network gives it an address of the house.
func (f *Front) Behind() bool {
	if f.Service == nil {
		return false
	}
	ports, host, ok := f.Service.publishes()
	if ways, _ := f.Entrances(); len(ports) == 0 && len(ways) == 0 {
		return false // how anybody comes in cannot be seen
	}
	return ok && !host && !slices.ContainsFunc(ports, func(p Published) bool { return !p.Local }) && !slices.ContainsFunc(f.Service.Networks, func(key string) bool {
		driver := f.Service.d.Network(key).Driver
		return driver != "" && driver != "bridge" && driver != "overlay"
	})
}

// Meets reports whether others than the stack's own containers may reach the service: over a network that is not the stack's alone,
// or one in which containers have addresses of the house.
func (s *Service) Meets() bool {
	return slices.ContainsFunc(s.Networks, func(key string) bool {
		n := s.d.Network(key)
		return n.External.Set() || n.NameAt.Set() || n.Driver != "" && n.Driver != "bridge"
	})
}
