package prove

import (
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/spec"
)

// Lost names the secrets that were made anew although the stack was rendered with another value that it has to keep, in the
// order in which the spec needs them. made are the names of all that were made.
func Lost(s *spec.Spec, made []string, past *manifest.Manifest) []string {
	anew := make(map[string]bool)
	for _, name := range made {
		anew[name] = true
	}
	remembered := make(map[string]bool)
	for name := range past.Fixed {
		remembered[name] = true
	}
	for name, u := range s.Auth.Upstream {
		remembered["auth.upstream."+name+".id"] = remembered["auth.upstream.id of "+u.ClientID+" at "+u.Issuer]
	}
	var lost []string
	for _, n := range render.Needs(s) {
		// What stood in the code of the program before is no loss.
		inherited := n.Inherit != "" && past.Fixed[n.Name] == deployment.OfForerunner
		if n.Kept && anew[n.Name] && remembered[n.Name] && !inherited {
			lost = append(lost, n.Name)
		}
	}
	return lost
}
