package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var proxyPortPublished = Rule{
	ID: "proxy-port-published", Severity: finding.Error,
	Summary:     "an entrypoint of Traefik, a server of nginx or a site of Caddy by which alone people or other servers come to the stack is behind a published port",
	Why:         "\"connection refused\" from outside, although the proxy runs, listens and has the right routes: its container's port is not one of the host.",
	Fix:         "Write the port into ports of the proxy, such as \"8448:8448\".",
	Source:      "Compose specification, ports; Traefik pkg/config/static/entrypoints.go; Matrix specification, server-server API, resolving server names",
	ComposeOnly: "the controller that hears port 443 is none of the stack",
	Check: func(d *deployment.Deployment, r *Reporter) {
		front := d.Front()
		list, published := front.Entrances()
		if len(list) == 0 || front.Service.Absent.Why != "" || len(front.Dead())+len(d.Proxy().Dead) > 0 {
			return // a published port behind which nobody is was most likely meant
		}
		if published == 0 {
			return // a tunnel or another proxy leads to it, or a file that is not here publishes its ports
		}
		told := make(map[string]bool)
		for _, a := range requested(d) {
			open, shut, router := entrances(d, list, a)
			if open || shut == nil || told[shut.Name] || shut.Port == "8448" && strings.HasPrefix(a.path, "/_matrix/federation/") {
				continue
			}
			told[shut.Name] = true
			what := fmt.Sprintf("requests for %s%s come in by port %s of %s, which is not published", a.host, a.path, shut.Port, front.Name)
			fix := front.Service.Lines().Port(shut.Port, shut.Port, "tcp")
			sites := []source.Site{portsSite(front.Service), router}
			switch {
			case front.Service.Meets():
				r.Warn(what+"; unless another container of its network asks there, every one is refused", fix, sites...)
			default:
				r.Fail(what+"; every one is refused", fix, sites...)
			}
		}
		for _, s := range d.Synapses {
			checkFederationEntrance(r, d, s, list, told)
		}
	},
}

// entrances looks for the ways by which a request comes to who is meant: whether one of them is published, and the one that is not,
// the one for HTTPS first, with the router of it.
func entrances(d *deployment.Deployment, list []deployment.Entrance, a ask) (open bool, shut *deployment.Entrance, router source.Site) {
	for i, e := range list {
		res := d.Routes().MatchOn(e.Name, "GET", a.host, a.path)
		if e.Published && res.Unknown != "" {
			return true, nil, router
		}
		if !reaches(res, a.meant, "") || res.Router == nil {
			continue
		}
		if e.Published {
			return true, nil, router
		}
		if shut == nil || e.Port == "443" {
			shut, router = &list[i], res.Router.Site
		}
	}
	return false, shut, router
}

// checkFederationEntrance looks at port 8448, where other servers ask unless they are told of another one.
func checkFederationEntrance(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, list []deployment.Entrance, told map[string]bool) {
	i := slices.IndexFunc(list, func(e deployment.Entrance) bool { return e.Port == "8448" })
	if i < 0 || list[i].Published || told[list[i].Name] {
		return
	}
	front, host := d.Front(), s.Server.Str()
	for _, name := range s.Hosts() {
		res := d.Routes().MatchOn(list[i].Name, "GET", name, "/_matrix/federation/v1/version")
		if !reaches(res, s.Service, "") || res.Router == nil {
			continue
		}
		well := d.Routes().Match("GET", host, serverWellKnown)
		// Who is told of another port by a file does not ask here.
		if well.Answer != "" || well.Unknown != "" || answered(d, s, serverWellKnown) || well.Backend != nil && !s.Is(well.Backend.Container) {
			return
		}
		r.Warn(fmt.Sprintf("%s waits for other servers on port 8448, which is not published, and nothing here tells them of another one; unless %s%s or an SRV record elsewhere does, they reach nobody", front.Name, host, serverWellKnown),
			front.Service.Lines().Port("8448", "8448", "tcp"), portsSite(front.Service), res.Router.Site)
		return
	}
}

// portsSite is where a service publishes its ports, or else the service.
func portsSite(s *deployment.Service) source.Site {
	if s.PortsAt.Set() {
		return s.PortsAt.Site("")
	}
	return s.Site("")
}
