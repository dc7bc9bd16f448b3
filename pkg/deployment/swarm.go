package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// Labels are those of a service in one of the places that they can stand in, and how they are written there.
type Labels struct {
	At   Leaf
	List []traefik.Label
	// Line is a label as a line of them, Edit what makes it one of them; nil where it cannot be told.
	Line func(key, value string) string
	Edit func(key, value string) []source.Edit
}

// settleSwarm finds out which labels Traefik reads: those of containers, or those of the services of a Swarm, which stand below deploy. A
// Traefik of another stack is taken for one of a Swarm where no container has labels for it.
func (d *Deployment) settleSwarm() {
	here := func(s *Service) bool { return s.Absent.Why == "" }
	deployed := slices.IndexFunc(d.Services, func(s *Service) bool { return s.Deployed != nil && here(s) })
	if deployed < 0 {
		return
	}
	proxy := d.Proxy()
	contained := slices.IndexFunc(d.Services, func(s *Service) bool { return here(s) && slices.ContainsFunc(s.Labels, forTraefik) })
	docker := proxy.provides("docker")
	if d.Swarm = proxy.inSwarm(); !d.Swarm && (proxy.Service == nil || !proxy.Seen && !docker) {
		d.Swarm = contained < 0
	}
	switch {
	case !d.Swarm:
		d.passedOver = "the labels of " + d.Services[deployed].Name + " stand below deploy, where Traefik looks in a Swarm alone, and are not read"
		return
	case contained >= 0 && !docker:
		d.passedOver = "the labels of " + d.Services[contained].Name + " stand at its container, where Traefik does not look in a Swarm, and are not read"
	}
	for _, s := range d.Services {
		if s.Deployed != nil {
			s.Labels, s.LabelsAt, s.LabelLine, s.LabelEdit = s.Deployed.List, s.Deployed.At, s.Deployed.Line, s.Deployed.Edit
		} else if !docker || proxy.Major == 2 {
			s.Labels = slices.DeleteFunc(slices.Clone(s.Labels), forTraefik)
		}
	}
}

func forTraefik(l traefik.Label) bool { return strings.HasPrefix(strings.ToLower(l.Key), "traefik.") }

// provides reports whether a Traefik has the provider of that name.
func (t *Proxy) provides(name string) bool {
	for key, val := range t.settings {
		if rest, ok := strings.CutPrefix(key, "providers."+name); ok && (rest == "" && val != "false" || strings.HasPrefix(rest, ".")) {
			return true
		}
	}
	return false
}

// inSwarm reports whether a Traefik reads the labels of services of a Swarm: Traefik 3 by a provider of its own, Traefik 2 by a setting of Docker's.
func (t *Proxy) inSwarm() bool {
	return t.Major > 2 && t.provides("swarm") || slices.Contains([]string{"true", "1"}, strings.ToLower(t.settings["providers.docker.swarmmode"]))
}

// NetworkLabel is the label by which a service says in which network Traefik finds it; with its key alone where there is none.
func (d *Deployment) NetworkLabel(s *Service) traefik.Label {
	const docker, swarm = "traefik.docker.network", "traefik.swarm.network"
	if l := LabelOf(d.Container(s).Labels, docker); l.Key != "" || !d.Swarm || d.Proxy().Major == 2 {
		return traefik.Label{Key: docker, Value: l.Value, Gapped: l.Gapped, Site: l.Site}
	}
	l := LabelOf(d.Container(s).Labels, swarm)
	return traefik.Label{Key: swarm, Value: l.Value, Gapped: l.Gapped, Site: l.Site}
}
