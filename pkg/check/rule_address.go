package check

import (
	"fmt"
	"slices"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var addressAnswers = Rule{
	ID: "address-answers", Severity: finding.Error,
	Summary:     "where an appservice, a bot or a container of one's own is told to ask a program of the stack, that listens",
	Why:         "\"Connection refused\": an appservice waits for Synapse for ever, and a bot logs in nowhere.",
	Fix:         "Write the port on which the program listens; inside the stack no proxy is in between.",
	Source:      "Synapse config/server.py; MAS crates/config sections/http.rs; heisenbridge 1.15.4 __main__.py; maubot 0.6.0 example-config.yaml",
	ComposeOnly: "others are asked at the ports of their Service there: kubernetes-service-leads",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, t := range d.Talks() {
			if t.From.Program != component.Unknown || t.To.Program == component.Unknown || t.To.Program == component.Postgres || !t.From.Shares(t.To) {
				continue // database-credentials-match and compose-network-shared speak of those
			}
			ls, known := d.Listeners(t.To)
			port := d.Inner(t.Host, t.Port)
			open := slices.DeleteFunc(slices.Clone(ls), func(l deployment.Listener) bool { return l.Loopback })
			if !known || slices.ContainsFunc(open, func(l deployment.Listener) bool { return l.Port == port }) || d.Front().Service == t.From {
				continue
			}
			text, sites := portsOf(open)
			r.Fail(fmt.Sprintf("%s is told to ask %s on port %s, and it listens on %s; nobody answers", t.From.Name, t.To.Name, t.Port, orNothing(text)),
				unlessOne(len(open) == 1, mainPort(open)), append([]source.Site{t.At("")}, sites...)...)
		}
	},
}

// unlessOne is a port, or that one has to be chosen.
func unlessOne(one bool, port string) string {
	if one {
		return "port " + port
	}
	return "the port of one of its listeners"
}
