package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// Pairs calls f for every Synapse that delegates together with every MAS; a stack has one of each.
func (d *Deployment) Pairs(f func(*Synapse, *MAS)) {
	for _, s := range d.Synapses {
		for _, m := range d.MASs {
			if s.Delegates() {
				f(s, m)
			}
		}
	}
}

// ContainerNamed finds the service whose container has that name: the one that is set, or PROJECT-SERVICE-1.
func (d *Deployment) ContainerNamed(name string) *Service {
	for _, s := range d.Services {
		fixed := s.ContainerName
		if fixed.Set() && fixed.Str() == name || !fixed.Set() && (strings.HasSuffix(name, "-"+s.Name+"-1") || strings.HasSuffix(name, "_"+s.Name+"_1")) {
			return s
		}
	}
	return nil
}

// Running gives the services that are the program, also those whose configuration cannot be read.
func (d *Deployment) Running(p component.Program) []*Service {
	return slices.DeleteFunc(slices.Clone(d.Services), func(s *Service) bool { return s.Program != p || d.oneShot(s) })
}

// Stopped reports whether a service has the image of the program and none runs it, which service-runs speaks of.
func (d *Deployment) Stopped(p component.Program) bool {
	return len(d.Running(p)) == 0 && slices.ContainsFunc(d.Services, func(s *Service) bool {
		kind, _, _ := s.Launch()
		return s.Program == p && (s.Absent.Why != "" || kind == Other || kind == Refused)
	})
}

// Service finds the service with that key in the compose file; nil when there is none.
func (d *Deployment) Service(name string) *Service {
	return d.index.services()[name]
}

// ServiceAt finds the service that a host name means inside the stack. The name that Compose gives a container is one,
// and the directory that the project has its name from may be called otherwise here.
func (d *Deployment) ServiceAt(host string) *Service {
	switch all := d.Named(host); {
	case len(all) > 0:
		return all[0]
	case strings.HasSuffix(host, "1") && d.Target == Compose:
		return d.ContainerNamed(host)
	}
	return nil
}

// Named gives the services that a host name may mean inside the stack.
func (d *Deployment) Named(host string) []*Service { return d.index.named()[host] }
