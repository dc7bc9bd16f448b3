package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// writesFront is the script that writes a file in which routes of the proxy stand, with others, it may be; "" where none does.
func writesFront(d *deployment.Deployment) string {
	for _, router := range d.Routes().Routers {
		if by := d.Scripts.Write(router.Site.File); by != "" && router.Site.File != d.File {
			return by
		}
	}
	return ""
}

var traefikPortsPublished = Rule{
	ID: "traefik-ports-published", Severity: finding.Error,
	Summary:     "the proxy listens behind every port that its service publishes: an entrypoint of Traefik, a site of Caddy, a server of nginx",
	Why:         "\"connection refused\" or \"connection reset by peer\" for every address, although Traefik runs and its log is silent.",
	Fix:         "Give the entrypoint the address :PORT that stands on the right of the colon in ports.",
	Source:      "Traefik pkg/config/static/entrypoints.go, pkg/provider/traefik/internal.go; Compose specification, ports",
	ComposeOnly: "the controller that hears port 443 is none of the stack",
	Check: func(d *deployment.Deployment, r *Reporter) {
		front := d.Front()
		for _, p := range front.Dead() {
			if by := writesFront(d); by != "" {
				r.NotChecked("whether "+front.Name+" listens behind the published port "+p.Host+" cannot be seen: "+by+" writes its configuration", p.At.Site(""))
				continue
			}
			report := r.Fail
			if p.Host == "8448" || front.Name == "Caddy" && p.Container == "443" {
				// The one nobody asks who is told of another; without the other Caddy is told to do without https, as behind a tunnel.
				report = r.Warn
			}
			report(fmt.Sprintf("nothing listens behind the published port %s: %s has nothing on %s; every request there is refused", p.Host, front.Name, p.Container),
				"a port on which "+front.Name+" listens, or an address with that port in its configuration", p.At.Site("leads to "+p.Container), front.Service.Site(front.Name))
		}
		if s := d.Proxy().Service; s != nil {
			for _, set := range d.Static(s).Settings {
				if port, entry := d.Proxy().Misled(set); port != "" {
					if entry != "" {
						port += ", on which " + entry + " listens in its container"
					}
					r.Warn(fmt.Sprintf("Traefik sends who asks in plain HTTP to port %s, and nothing of this host is published there; unless something in front leads there, http:// leads nowhere", port), "\":443\", the port outside", set.Site, s.Site("Traefik"))
				}
			}
		}
		dead := d.Proxy().Dead
		if len(dead) == 0 {
			return
		}
		var hosts []string
		var sites []source.Site
		asked, wanted := false, dead[0].Container // by clients
		servers := false                          // by other servers, which may be told of another port
		for _, p := range dead {
			switch {
			case p.Host == "443":
				asked, wanted = true, p.Container
			case p.Host == "8448" && !asked:
				servers, wanted = true, p.Container
			}
			if !slices.Contains(hosts, p.Host) {
				hosts = append(hosts, p.Host)
			}
			sites = append(sites, p.At.Site("leads to "+p.Container))
		}
		listening := d.Proxy().Listening()
		what := fmt.Sprintf("nothing listens behind the published port %s", hosts[0])
		if len(hosts) > 1 {
			what = fmt.Sprintf("nothing listens behind the published ports %s", finding.Sentence(hosts, "and"))
		}
		what += ": Traefik's entrypoints are " + strings.Join(listening, ", ")
		idle, entry := d.Proxy().Idle(), "NAME" // where each has a published port of its own
		if len(idle) > 0 {
			entry = idle[0]
			if i := slices.IndexFunc(idle, func(name string) bool { return strings.Contains(name, "secure") || strings.Contains(name, "https") }); asked && i >= 0 {
				entry = idle[i]
			}
		}
		fix := fmt.Sprintf("--entrypoints.%s.address=:%s, or a port that leads to the one it has", entry, wanted)
		if d.Static(d.Proxy().Service).From == "file" {
			fix = fmt.Sprintf("address: \":%s\" for the entrypoint %s, or a port that leads to the one it has", wanted, entry)
		}
		sites = append(sites, d.Proxy().Service.Site("Traefik"))
		switch {
		case asked, servers && len(idle) > 0:
			r.Fail(what+"; every request there is refused", fix, sites...)
		case servers:
			r.Warn(what+"; other servers that are told of no other port are refused", fix, sites...)
		default:
			r.Warn(what+"; whoever asks there is refused", fix, sites...)
		}
	},
}
