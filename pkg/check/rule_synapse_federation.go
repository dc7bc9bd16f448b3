package check

import (
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var synapseFederates = Rule{
	ID: "synapse-federates", Severity: finding.Warning,
	Summary: "a Synapse that tells other servers where to come does not shut all of them out",
	Why:     "With an empty federation_domain_whitelist nobody of another server can be invited or found, and no room of another server can be joined: \"Federation denied with …\". Left out, or null, it lets everybody in.",
	Fix:     "Remove federation_domain_whitelist or list the servers; to federate with nobody, remove federation from the listeners as well.",
	Source:  "Synapse 1.163.2 config/federation.py; docs/usage/configuration, federation_domain_whitelist",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			list, at := s.Config.At("federation_domain_whitelist"), s.FederationListener()
			if list.Kind() == source.Sequence && list.Len() == 0 && at.Set() && invites(d, s) {
				r.Fail("federation_domain_whitelist is empty, and other servers are told where Synapse is; it federates with nobody", "remove the line", list.Site(""), at.Site("for other servers"))
			}
		}
	},
}

// invites reports whether something tells other servers where to come. Only then is an empty list no wish.
func invites(d *deployment.Deployment, s *deployment.Synapse) bool {
	return s.Config.At("serve_server_wellknown").True() || s.Server.Set() && d.Routes().Match("GET", s.Server.Str(), serverWellKnown).Answer != ""
}
