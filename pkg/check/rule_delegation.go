package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var authDelegationComplete = Rule{
	ID: "auth-delegation-complete", Severity: finding.Error,
	Summary: "MAS and Synapse's matrix_authentication_service stand together, or neither does",
	Why:     "With only one of them, every request with a token fails with 503 \"Unable to introspect the access token\", or there are two ways to log in that know nothing of each other: a token from MAS is M_UNKNOWN_TOKEN for Synapse.",
	Fix:     "Add the service that is missing, or switch matrix_authentication_service on.",
	Source:  "Synapse config/mas.py, rest/client/login.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		services := d.Running(component.MAS)
		// One that may only read Synapse tries a move to it.
		services = slices.DeleteFunc(services, func(s *deployment.Service) bool {
			return slices.ContainsFunc(d.MASs, func(m *deployment.MAS) bool {
				return m.Service == s && m.Config.At("matrix", "kind").Str() == "synapse_read_only"
			})
		})
		// One whose configuration cannot be read may be the one that leaves logins to MAS.
		delegated := len(d.Synapses) < len(d.Running(component.Synapse)) || slices.ContainsFunc(d.Synapses, (*deployment.Synapse).Delegates)
		for _, s := range d.Synapses {
			block := s.Config.At("matrix_authentication_service")
			switch {
			case s.Delegates() && d.Stopped(component.MAS):
			case s.Delegates() && len(services) == 0:
				masElsewhere(r, d, block)
			case !delegated && len(services) > 0 && s.Msc3861().Len() == 0:
				r.Fail("MAS is part of the stack, but Synapse does not leave logins to it; Synapse knows none of the tokens that MAS gives out",
					"matrix_authentication_service: {enabled: true, endpoint: …, secret: …}", block.At("enabled").Site(""), services[0].Site("MAS"))
			}
		}
		for _, m := range d.MASs {
			if len(d.Running(component.Synapse)) == 0 && !d.Stopped(component.Synapse) {
				r.NotChecked("the Synapse that MAS works for is outside of the stack", m.Config.At("matrix").Site(""))
			}
		}
	},
}

// masElsewhere looks for the MAS that no service of the stack is.
func masElsewhere(r *Reporter, d *deployment.Deployment, block source.Value) {
	v := block.At("endpoint")
	u, _, ok := deployment.Endpoint(v.Str())
	if ok {
		switch s := d.ServiceAt(u.Hostname()); {
		case s != nil && s.Program == component.Unknown:
			r.NotChecked(fmt.Sprintf("%s, to which Synapse leaves logins, runs an image that stackgen does not know", s.Name), v.Site(""), s.ImageAt.Site("the image"))
			return
		case s == nil && strings.Contains(u.Hostname(), "."):
			r.NotChecked("the MAS at "+u.Redacted()+" is outside of the stack", v.Site(""))
			return
		case s == nil && !r.partial:
			r.Warn(fmt.Sprintf("Synapse leaves logins to MAS, but no service of the stack is one; unless %s is in another stack of the same network, every request with a token fails with 503", u.Hostname()),
				"a service with the image "+component.Of(component.MAS).Tested.String(), block.At("enabled").Site(""), d.ServicesAt.Site("the services"))
			return
		}
	}
	r.Lack("Synapse leaves logins to MAS, but no service of the stack is one; every request with a token fails with 503",
		"a service with the image "+component.Of(component.MAS).Tested.String(), block.At("enabled").Site(""), d.ServicesAt.Site("the services"))
}

var synapseNoMSC3861 = Rule{
	ID: "synapse-no-msc3861", Severity: finding.Error,
	Summary: "experimental_features.msc3861 is gone: Synapse 1.157 and later refuse it",
	Why:     "Synapse does not start: \"experimental_features.msc3861 was removed. Use the matrix_authentication_service configuration instead.\"",
	Fix:     "Move endpoint and secret to matrix_authentication_service, and remove msc3861 with all that stands below it.",
	Source:  "Synapse config/experimental.py, docs/upgrade.md (1.157)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			v, first := s.Msc3861(), component.Version{1, 157, 0}
			_, tagged := s.Image.Version()
			switch {
			case v.Len() == 0:
			case !tagged && before(s, first):
				r.NotChecked(fmt.Sprintf("which release of Synapse is in %s is not known; experimental_features.msc3861 was removed in 1.157", s.Image.String()), v.Site(""), s.ImageAt.Site(""))
			case !before(s, first):
				r.Fail("experimental_features.msc3861 was removed in Synapse 1.157; Synapse does not start", "remove msc3861 with all that stands below it, and use matrix_authentication_service",
					v.Site(""), s.ImageAt.Site("the image"))
			}
		}
	},
}
