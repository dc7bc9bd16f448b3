package check

import (
	"fmt"
	"slices"
	"strconv"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var metricsPrivate = Rule{
	ID: "metrics-private", Severity: finding.Warning,
	Summary: "what Synapse and MAS tell Prometheus is neither published nor routed",
	Why:     "Anybody reads how many users there are, when they are active, which servers they talk to and what versions run; Synapse's own documentation asks to keep the port closed.",
	Fix:     "Let Prometheus ask in a network of its own, and publish nothing but on 127.0.0.1.",
	Source:  "Synapse docs/metrics-howto.md; MAS docs/reference/configuration.md (http.listeners)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, l := range s.Config.At("listeners").Items() {
				if l.At("type").Str() == "metrics" && s.Config.At("enable_metrics").True() {
					checkMetrics(r, d, s.Service, l.At("port"))
				}
			}
		}
		for _, m := range d.MASs {
			for _, l := range deployment.MasListeners(m) {
				if slices.Contains(l.Resources, "prometheus") && !slices.Contains(l.Resources, "human") {
					checkMetrics(r, d, m.Service, l.Value.At("binds", "0", "port"))
				}
			}
		}
	},
}

// checkMetrics looks for a way from outside to a port that tells metrics.
func checkMetrics(r *Reporter, d *deployment.Deployment, s *deployment.Service, port source.Value) {
	number, err := strconv.Atoi(port.Str())
	if err != nil {
		return
	}
	title := component.Of(s.Program).Title
	for _, p := range s.Ports {
		if inside := p.Inner <= number && number <= p.Inner+p.Last-p.First; inside && !deployment.Loopback(p.IP) {
			r.Fail(fmt.Sprintf("the metrics of %s on port %d are published to whoever reaches this host", title, number), "127.0.0.1 before the port, or no ports at all", p.At.Site(""), port.Site("tells metrics"))
		}
	}
	for _, router := range d.Routes().Routers {
		if router.To == nil || router.Dropped != "" {
			continue
		}
		leads := slices.ContainsFunc(router.To.Backends, func(b route.Backend) bool { return s.Is(b.Container) && s.BackendPort(b) == port.Str() })
		if leads && len(d.Guards(route.Result{Router: router})) == 0 {
			r.Fail(fmt.Sprintf("router %q leads to the metrics of %s on port %d", router.Name, title, number), "remove the router, or send it to another port", router.Site, port.Site("tells metrics"))
		}
	}
}
