package deployment

import (
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Stray is a server that a proxy sends requests to by an address which is that of no service.
type Stray struct {
	route.Backend
	// Itself says that the proxy's own container is meant, where nothing else listens.
	Itself bool
	// Elsewhere says why it may be there, and is not seen here; "" where nobody has the name.
	Elsewhere string
	// Shut says that it is a door behind which nobody is, which a rule of its own tells.
	Shut bool
	// Joined says that the proxy is where others may have the name whose files are not here.
	Joined bool
}

// Stray looks behind the address of a server; nil where it is that of a service, or cannot be told.
func (d *Deployment) Stray(b route.Backend) *Stray {
	if b.Address == "" || b.Container == "" || d.Service(b.Container) != nil || strings.ContainsAny(b.Container, "${}%/()*[]\x00") {
		return nil
	}
	st := &Stray{Backend: b}
	_, err := netip.ParseAddr(b.Container)
	front := d.Front().Service
	loopback := Loopback(b.Container) || b.Container == "0.0.0.0"
	door := d.Door(b.Container)
	switch {
	case door != nil && door.Elsewhere == "":
		st.Shut = true
	case door != nil:
		st.Elsewhere = door.Elsewhere
	case loopback && front != nil && !front.NetworkMode.Set() && !d.housed(front):
		st.Itself = true
	case loopback:
		st.Elsewhere = "it is a program on the machine or in a container that shares the proxy's network"
	case err == nil || strings.Contains(b.Container, "."):
		st.Elsewhere = "it is none of the stack's services"
	default:
		st.Joined = front == nil || front.NetworkMode.Set() || front.MoreNames || d.External(front)
	}
	return st
}

// housed reports whether other containers are, or may be, in the network of a service's own.
func (d *Deployment) housed(s *Service) bool {
	return slices.ContainsFunc(d.Services, func(o *Service) bool {
		kind, name, _ := strings.Cut(o.NetworkMode.Str(), ":")
		return kind == "service" && name == s.Name || kind == "container"
	})
}

// Near is the name of a service that differs from the one that a proxy asks for by typing slips only; "" where there is none.
func (d *Deployment) Near(st *Stray) string {
	if st.Itself || st.Elsewhere != "" {
		return ""
	}
	return d.NearName(st.Container)
}

// NearName is the name of a service that differs from another one by typing slips only; "" where there is none.
func (d *Deployment) NearName(name string) string {
	var names []string
	for _, s := range d.Services {
		names = append(names, s.Names()...)
	}
	return finding.Nearest(name, names)
}

// Swap gives the edit that writes one word of a line anew, where it stands there once; nil where it does not.
func (d *Deployment) Swap(at source.Site, old, now string) []source.Edit {
	f := d.file(at.File)
	if f == nil {
		return nil
	}
	return f.Swap(at.Line, old, now)
}
