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

var addressSchemeFits = Rule{
	ID: "address-scheme-fits", Severity: finding.Error,
	Summary: "where a program is told to ask Synapse or MAS by https, that speaks TLS there",
	Why:     "\"SSL: WRONG_VERSION_NUMBER\", \"tls: first record does not look like a TLS handshake\" or \"received corrupt message of type InvalidContentType\": the one never reaches the other. TLS ends at the proxy; inside of the stack there is none.",
	Fix:     "Write http:// in place of https://.",
	Source:  "Synapse config/server.py, listeners, tls; MAS crates/config sections/http.rs, tls",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, t := range d.Talks() {
			if !t.TLS || t.To.Program != component.Synapse && t.To.Program != component.MAS || d.Front().Service == t.From {
				continue
			}
			asked := d.Inner(t.Host, t.Port)
			ls, known := d.Listeners(t.To)
			if !known || !plain(ls, asked) {
				continue
			}
			r.FailMend(fmt.Sprintf("%s is told to ask %s by https, which speaks plain HTTP on port %s; it never reaches it", t.From.Name, t.To.Name, asked),
				swap(d, t.At(""), "https://"+t.Host, "http://"+t.Host, "http://"+t.Host+":"+t.Port), t.At(""), t.To.Site("plain HTTP"))
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
