package compare

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// side is one of the deployments, with what is said in it.
type side struct {
	*deployment.Deployment
	of    map[*deployment.Service]string // what the service is called on both sides
	ours  bool                           // it is what takes the place of the other
	alone []*deployment.Service          // that the other side has not
	facts map[id]fact

	programs map[string]component.Program // by whom

	used   map[string]bool // the files that are compared by what they say
	unseen []string
}

// whom is the common name of a service: its program, for a bridge with the network.
func (s *side) whom(svc *deployment.Service) string { return s.of[svc] }

// role is what a service does in a stack, whatever it is called; "" for one that is not known.
func (s *side) role(svc *deployment.Service) string {
	for _, b := range s.Bridges {
		if b.Service == svc {
			return "bridge " + b.Known()
		}
	}
	switch {
	case slices.Contains(s.PostgresServers(), svc):
		return "postgres"
	case svc.Program == component.Postgres && s.connected(svc): // what its environment says may not be to be seen
		return "postgres"
	case svc.Program == component.Postgres:
		if slices.ContainsFunc(s.Jobs(), func(j deployment.Job) bool { return j.Service == svc }) {
			return "database job"
		}
		return ""
	case svc.Program == component.MAS && slices.Contains(svc.Command(), "syn2mas"):
		return "syn2mas"
	case slices.ContainsFunc(s.Workers, func(w *deployment.Worker) bool { return w.Service == svc }):
		return ""
	case svc.Component().Bridge != nil:
		return "bridge " + string(svc.Program)
	case svc.Program != component.Unknown:
		return string(svc.Program)
	}
	return ""
}

// connected reports whether a program of the stack has its database on a server.
func (s *side) connected(server *deployment.Service) bool {
	return slices.ContainsFunc(s.Connections(), func(c deployment.Connection) bool { return c.Service != server && s.ServiceAt(c.Host) == server })
}

// likeness are the ways in which services of both sides are told to be the same one, the surest first.
var likeness = []func(s *side, svc *deployment.Service) string{
	func(s *side, svc *deployment.Service) string { // one whose name is that of a rendered service, and which is kept beside it
		name, kept := strings.CutSuffix(svc.Name, "-kept")
		if s.ours && !kept {
			return ""
		}
		return "kept " + name
	},
	func(s *side, svc *deployment.Service) string { // the very bridge, where there are several of one program
		for _, b := range s.Bridges {
			if b.Service == svc {
				return "bridge " + b.Known() + " " + b.Config.At("appservice", "id").Str()
			}
		}
		return ""
	},
	func(s *side, svc *deployment.Service) string {
		if role := s.role(svc); role != "" {
			return role + " " + svc.Name
		}
		return ""
	},
	(*side).role,
	func(s *side, svc *deployment.Service) string {
		if s.role(svc) != "" {
			return ""
		}
		return "named " + svc.Name
	},
	func(s *side, svc *deployment.Service) string {
		if s.role(svc) != "" || !svc.ContainerName.Set() {
			return ""
		}
		return "named " + svc.ContainerName.Str()
	},
	func(s *side, svc *deployment.Service) string {
		if s.role(svc) != "" || svc.Image.Repository == "" {
			return ""
		}
		return "image " + path.Base(svc.Image.Repository) + " " + strings.Join(svc.Command(), " ")
	},
}

// pair finds for each service the one that takes its place, and gives both one name.
func (c *comparison) pair() {
	taken := make(map[string]bool)
	call := func(old, ours *deployment.Service) {
		svc, s := old, c.old
		if svc == nil {
			svc, s = ours, c.ours
		}
		name := s.role(svc)
		if name == "" {
			name = "service " + svc.Name
		}
		if taken[name] {
			name += " " + svc.Name
		}
		taken[name] = true
		c.order = append(c.order, name)
		if old != nil {
			c.old.of[old] = name
		}
		if ours != nil {
			c.ours.of[ours] = name
		}
	}
	for _, like := range likeness {
		there := make(map[string][]*deployment.Service)
		for _, svc := range c.ours.Services {
			if key := like(c.ours, svc); key != "" && c.ours.of[svc] == "" {
				there[key] = append(there[key], svc)
			}
		}
		for _, svc := range c.old.Services {
			key := like(c.old, svc)
			if found := there[key]; key != "" && c.old.of[svc] == "" && len(found) > 0 {
				there[key] = found[1:]
				call(svc, found[0])
			}
		}
	}
	for _, svc := range c.old.Services {
		if c.old.of[svc] == "" {
			call(svc, nil)
			c.old.alone = append(c.old.alone, svc)
		}
	}
	for _, svc := range c.ours.Services {
		if c.ours.of[svc] == "" {
			call(nil, svc)
			c.ours.alone = append(c.ours.alone, svc)
		}
	}
}
