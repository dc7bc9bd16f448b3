package check

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var metricsScraped = Rule{
	ID: "metrics-scraped", Severity: finding.Warning,
	Summary: "where a Prometheus is told to ask Synapse or MAS, that program tells metrics",
	Why:     "The target is down, and its graphs stay empty: \"connection refused\", \"no such host\", or 404.",
	Fix:     "Write the name of the service with the port of its listener for metrics, the path that this has, and enable_metrics: true for Synapse.",
	Source:  "Synapse 1.163.2 docs/metrics-howto.md, app/_base.py listen_metrics; MAS docs/reference/configuration.md (http.listeners, telemetry.metrics); Prometheus docs, configuration",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, f := range d.Scrapes() {
			for _, job := range f.At("scrape_configs").Items() {
				for _, group := range job.At("static_configs").Items() {
					for _, target := range group.At("targets").Items() {
						checkScrape(r, d, job, target)
					}
				}
			}
		}
	},
}

// checkScrape has a target that does not answer a Prometheus.
func checkScrape(r *Reporter, d *deployment.Deployment, job, target source.Value) {
	host, port, err := net.SplitHostPort(target.Str())
	if err != nil || deferred(target.Str()) {
		return
	}
	path := "/metrics"
	if v := job.At("metrics_path"); v.Set() {
		path = v.Str()
	}
	to := d.ServiceAt(host)
	if to == nil {
		if near := d.NearName(host); near != "" && !strings.ContainsAny(host, ".:") {
			r.Warn(fmt.Sprintf("Prometheus asks %s, a name that no service here has; its graphs stay empty", host), near+":"+port, target.Site(""))
		}
		return
	}
	for _, s := range d.Synapses {
		if s.Service == to && !s.Partial() {
			checkScrapeOfSynapse(r, s, port, path, job, target)
		}
	}
	for _, m := range d.MASs {
		if m.Service != to || m.ReadsMore() {
			continue
		}
		ls := deployment.MasListeners(m)
		tells := slices.DeleteFunc(slices.Clone(ls), func(l deployment.Listener) bool { return !slices.Contains(l.Resources, "prometheus") })
		switch i := slices.IndexFunc(tells, func(l deployment.Listener) bool { return l.Port == port }); {
		case i < 0:
			text, sites := portsOf(tells)
			r.Warn(fmt.Sprintf("Prometheus asks port %s of %s, where MAS tells no metrics; it does on %s", port, to.Name, orNothing(text)), host+":PORT", append([]source.Site{target.Site("")}, sites...)...)
		case tells[i].Loopback:
			r.Warn(fmt.Sprintf("MAS tells metrics on port %s to its own container only; Prometheus does not reach it", port), tells[i].Everywhere(), tells[i].HostAt().Site(""), target.Site("asked here"))
		case strings.TrimSuffix(tells[i].Prefix, "/")+"/metrics" != path:
			r.Warn(fmt.Sprintf("Prometheus asks MAS for %s, and metrics are at %s", path, strings.TrimSuffix(tells[i].Prefix, "/")+"/metrics"), "metrics_path: "+strings.TrimSuffix(tells[i].Prefix, "/")+"/metrics", job.At("metrics_path").Site(""), target.Site(""))
		case m.Config.At("telemetry", "metrics", "exporter").Str() != "prometheus":
			v := m.Config.At("telemetry", "metrics", "exporter")
			r.Warn("Prometheus asks MAS for metrics, which it gathers only with the exporter prometheus", "telemetry: {metrics: {exporter: prometheus}}", v.Site(""), target.Site("asked here"))
		}
	}
}

func checkScrapeOfSynapse(r *Reporter, s *deployment.Synapse, port, path string, job, target source.Value) {
	const own = "/_synapse/metrics"
	var told []string
	at := s.Config.At("listeners").Site("Synapse's listeners")
	found, served := false, false
	for _, l := range s.Config.At("listeners").Items() {
		bare := l.At("type").Str() == "metrics"
		resource := slices.ContainsFunc(l.At("resources").Items(), func(res source.Value) bool {
			return slices.Contains(deployment.ItemTexts(res.At("names")), "metrics")
		})
		if !bare && !resource {
			continue
		}
		told = append(told, l.At("port").Str())
		if l.At("port").Str() == port {
			found, at, served = true, l.At("port").Site("tells metrics"), bare || path == own
		}
	}
	inside := slices.IndexFunc(s.Listeners(), func(l deployment.Listener) bool { return l.Port == port && l.Loopback })
	switch on := s.Config.At("enable_metrics"); {
	case found && inside >= 0:
		l := s.Listeners()[inside]
		r.Warn(fmt.Sprintf("Synapse tells metrics on port %s to its own container only; Prometheus does not reach it", port), `bind_addresses: ["0.0.0.0"]`, l.Value.At("bind_addresses").Site(""), target.Site("asked here"))
	case !found:
		r.Warn(fmt.Sprintf("Prometheus asks port %s of %s, where Synapse tells no metrics; it does on %s", port, s.Name, orNothing(strings.Join(told, ", "))), "a listener of the type metrics on that port", target.Site(""), at)
	case !served:
		r.Warn(fmt.Sprintf("Prometheus asks Synapse for %s, and metrics are at %s", path, own), "metrics_path: "+own, job.At("metrics_path").Site(""), target.Site(""))
	case !on.True():
		r.WarnMend("Prometheus asks Synapse for metrics, which it gathers only with enable_metrics", set(on, "true"), on.Site(""), target.Site("asked here"))
	}
}
