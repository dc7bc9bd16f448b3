package check

import (
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// lostHost is FailMend for an address whose host is none of the service that is meant. A name that leads out of the deployment is not
// checked, one behind which nobody is has a rule of its own, and one that nothing here has may be made elsewhere where names come from more than these files.
func (r *Reporter) lostHost(d *deployment.Deployment, host, message string, fix mend, sites ...source.Site) {
	switch door := d.Door(host); {
	case d.Target == deployment.Compose:
		r.FailMend(message, fix, sites...)
	case door != nil && door.Elsewhere != "":
		r.NotChecked("the Service "+door.Name+" leads out of these manifests: "+door.Elsewhere, sites[0], door.At.Site("the Service"))
	case door != nil && len(door.To) == 0: // kubernetes-service-leads says so
	case door != nil || d.ServiceAt(host) != nil || deployment.Loopback(host):
		r.FailMend(message, fix, sites...)
	default:
		r.WarnMend(message+", unless a Service of that name is made elsewhere", fix, sites...)
	}
}

// calls is the name by which others find a service.
func calls(s *deployment.Service) string {
	if s.Unnamed {
		return s.Host()
	}
	return s.Name
}
