package check

import (
	"fmt"
	"slices"
	"strconv"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

var publishedPortListens = Rule{
	ID: "published-port-listens", Severity: finding.Warning,
	Summary:     "behind each published port of Synapse, MAS, lk-jwt-service and the pages for browsers the program listens",
	Why:         "\"Connection reset by peer\" or \"connection refused\" from outside, although the container runs: other servers ask 8448, where nothing listens.",
	Fix:         "Publish the port of a listener, or remove the line where a proxy stands in front.",
	Source:      "Compose specification, ports; Synapse config/server.py; MAS crates/config sections/http.rs",
	ComposeOnly: "what a Service publishes is what kubernetes-service-leads looks at",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Services {
			if !slices.Contains([]component.Program{component.Synapse, component.MAS, component.Element, component.Ketesa, component.LkJwt}, s.Program) {
				continue // a bridge may have more ports than one
			}
			ls, known := d.Listeners(s)
			list, all := s.Spans, s.SpansKnown
			if !known || !all || s.NetworkMode.Set() {
				continue
			}
			for _, p := range list {
				// A range is published for something else.
				if p.Protocol != "tcp" || p.First != p.Last {
					continue
				}
				port := strconv.Itoa(p.To)
				i := slices.IndexFunc(ls, func(l deployment.Listener) bool { return l.Port == port })
				text, _ := portsOf(slices.DeleteFunc(slices.Clone(ls), func(l deployment.Listener) bool { return l.Loopback }))
				switch {
				case i < 0:
					r.Fail(fmt.Sprintf("port %s of %s is published, and it listens on %s; nothing answers there", port, s.Name, orNothing(text)), "remove the line, or publish a port of a listener", s.PortsAt.Site(""))
				case ls[i].Loopback && !slices.ContainsFunc(ls, func(l deployment.Listener) bool { return l.Port == port && !l.Loopback }):
					r.Fail(fmt.Sprintf("port %s of %s is published, and it listens there for its own container only; nothing answers", port, s.Name), "remove the line", s.PortsAt.Site(""), ls[i].Value.Site("the listener"))
				}
			}
		}
	},
}
