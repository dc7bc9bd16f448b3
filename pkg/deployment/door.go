package deployment

import (
	"net/url"
	"slices"
	"strconv"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Target is what a deployment runs on.
type Target int

// The targets. Compose is Docker Compose, with a Swarm as well.
const (
	Compose Target = iota
	Kubernetes
)

// String is the target as people call it.
func (t Target) String() string { return [...]string{"Compose", "Kubernetes"}[t] }

// Door is a name under which services are found although it is none of theirs, and that may have other ports than they: a Service
// of Kubernetes.
type Door struct {
	Name      string
	Namespace string
	Hosts     []string // all names of it
	At        Leaf     // the door as a whole
	To        []*Service
	ToAt      Leaf // what says to whom it leads
	Ports     []DoorPort
	// Direct says that its ports count for nothing: who asks for the name is told the addresses of the containers.
	Direct bool
	// Elsewhere says why it leads to nothing of the deployment; "" where it is meant to.
	Elsewhere string
}

// DoorPort is a port of a door, and the one of the container that it leads to; Inner is "" where Named is the name of a port that
// no container of those behind the door has.
type DoorPort struct {
	Port, Inner, Named string
	Called             string // the name of the port itself
	At                 Leaf
}

// Keyless is a key that a container is to be given of a Secret or ConfigMap that does not have it.
type Keyless struct {
	Service *Service
	Key     string
	At      Leaf // what names it
	Of      string
	OfAt    Leaf
	Keys    []string // that there are
}

// Misfit is what two places of the manifests say that does not go together. Unsure says that something else in the cluster may make it
// right.
type Misfit struct {
	Fact, Fix string
	Sites     []source.Site
	Unsure    bool
}

// What the proxy of a cluster is called in a sentence.
const (
	Ingress = "the Ingress"
	Gateway = "the Gateway"
)

// Routed is the proxy of a deployment that says itself how requests are routed. Unseen says why not all of that can be seen.
type Routed struct {
	Name, Unseen string
	Table        *route.Table
}

// Door is the one that has the host name; nil where none has.
func (d *Deployment) Door(host string) *Door {
	for _, door := range d.Doors {
		if slices.Contains(door.Hosts, host) {
			return door
		}
	}
	return nil
}

// Leads gives the port of a door; false where it has none of that number.
func (o *Door) Leads(port string) (DoorPort, bool) {
	i := slices.IndexFunc(o.Ports, func(p DoorPort) bool { return p.Port == port })
	if i < 0 {
		return DoorPort{}, false
	}
	return o.Ports[i], true
}

// SameSpace reports whether a name without its namespace means the door for a service.
func (d *Deployment) SameSpace(o *Door, s *Service) bool {
	return o.Namespace == "" || s.Namespace == "" || o.Namespace == s.Namespace
}

// Inner is the port of the container that a port of a host name leads to: the same one, but behind a door that says otherwise.
func (d *Deployment) Inner(host, port string) string {
	door := d.Door(host)
	if door != nil && !isNumber(port) { // the name of one, as a record of DNS has it
		if i := slices.IndexFunc(door.Ports, func(p DoorPort) bool { return p.Called == port }); i >= 0 {
			return door.Ports[i].Inner
		}
	}
	if door == nil || door.Direct {
		return port
	}
	if len(door.To) == 0 {
		return port
	}
	if p, ok := door.Leads(port); ok && p.Inner != "" && d.Listens(door.To[0], p.Inner) {
		return p.Inner
	}
	return d.rightful(door.To[0], port) // a rule of its own says what is wrong with the door
}

// Outer is the port under which others ask for one of a service by its Host: the same one, unless a door has another.
func (s *Service) Outer(port string) string {
	if door := s.d.Door(s.Host()); door != nil && !door.Direct {
		for _, p := range door.Ports {
			if p.Inner == port {
				return p.Port
			}
		}
	}
	return port
}

// rightful is the port on which the program of a service is meant to be asked; the one given where that is not known.
func (d *Deployment) rightful(s *Service, port string) string {
	ls, known := d.Listeners(s)
	if !known {
		return port
	}
	usual := strconv.Itoa(s.Component().Port)
	ls = slices.DeleteFunc(ls, Listener.Socket)
	if len(ls) == 0 || slices.ContainsFunc(ls, func(l Listener) bool { return l.Port == usual }) {
		return usual
	}
	return ls[0].Port
}

// Endpoint is the function of that name, with the port at which the container is asked.
func (d *Deployment) Endpoint(s string) (u *url.URL, port string, ok bool) {
	if u, port, ok = Endpoint(s); ok {
		port = d.Inner(u.Hostname(), port)
	}
	return u, port, ok
}
