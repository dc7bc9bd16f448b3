package diff

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// charts are the workloads of the chart of Element Server Suite, with the values that go into their pods (what helm template of ess-helm
// 26.8 makes of each value that is rendered), and those below them that do not.
var charts = []struct {
	name    string
	program component.Program
	by, but []string
}{
	{
		"ess-synapse-main", component.Synapse,
		[]string{"serverName", "synapse", "elementWeb", "matrixRTC"},
		[]string{"synapse.ingress.additionalPaths", "synapse.media.storage"},
	},
	{"ess-matrix-authentication-service", component.MAS, []string{"serverName", "matrixAuthenticationService"}, nil},
	{"ess-element-web", component.Element, []string{"serverName", "synapse.ingress.host", "matrixRTC.enabled"}, nil},
	{"ess-matrix-rtc-authorisation-service", component.LkJwt, []string{"serverName", "matrixRTC.ingress"}, nil},
	{"ess-haproxy", component.HAProxy, []string{"synapse.ingress.host", "elementWeb", "matrixRTC", "wellKnownDelegation"}, nil},
}

// charted are the services of the chart whose pods helm makes anew for other values. The pods of Synapse bear the digest of the whole
// Secret with the registrations, too: helm makes them anew for whatever is another there, once it has anything to do.
func (c *comparison) charted() (services []Service) {
	old, now := c.old.deployment.Chart, c.new.deployment.Chart
	if !old.Exists() || !now.Exists() || !slices.Contains(c.changed, now.File().Path) {
		return nil
	}
	secret := slices.ContainsFunc(c.changed, func(p string) bool { return strings.HasPrefix(p, "Secret/ess/") })
	w := &walk{mask: c.Secrets.Mask, named: c.Secrets.Named}
	w.compare("", old, now)
	under := func(key string) func(string) bool {
		return func(of string) bool { return key == of || strings.HasPrefix(key, of+".") }
	}
	runs := func(s side, part string) bool {
		v := s.deployment.Chart.At(part)
		return v.Exists() && v.At("enabled").Str() != "false"
	}
	for _, of := range charts {
		var why []string
		for _, v := range w.found {
			switch {
			case !slices.ContainsFunc(of.by, under(v.Key)) || slices.ContainsFunc(of.but, under(v.Key)):
			case configHash().MatchString(v.Key):
				why = append(why, "what the Secret ess holds")
			default:
				why = append(why, v.Key)
			}
		}
		if secret && of.program == component.Synapse && len(why) == 0 {
			why = append(why, "what the Secret ess holds")
		}
		kept, _ := component.OfESS(of.program)
		if len(why) == 0 || kept.Values != "" && (!runs(c.old, kept.Values) || !runs(c.new, kept.Values)) {
			continue
		}
		if len(why) > maxEntries {
			why = append(why[:maxEntries-1], "more")
		}
		services = append(services, Service{
			Name: of.name, Action: Recreated, Why: []string{c.Secrets.Mask("by helm: " + strings.Join(slices.Compact(why), ", "))},
			Affects: component.Of(of.program).Affects, Downtime: "seconds",
		})
	}
	return services
}
