package check

import (
	"fmt"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

var composeNameUnique = Rule{
	ID: "compose-name-unique", Severity: finding.Error,
	Summary: "the name by which a service calls another means one service alone",
	Why:     "Docker answers with the address of either, and not always of the same: requests with a secret go to a program that does not know it, \"password authentication failed\", 401 and 404 that come and go. A container name and the aliases of a network count as much as the name of a service, and two keys of one external network are one network.",
	Fix:     "Give the service an alias that no other has, on a network of this stack alone, and use it in every address.",
	Source:  "Docker's embedded DNS (libnetwork); Compose specification, networks.aliases",
	Check: func(d *deployment.Deployment, r *Reporter) {
		told := make(map[[3]*deployment.Service]bool)
		for _, t := range d.Talks() {
			for _, other := range d.Named(t.Host) {
				group := [3]*deployment.Service{t.From, t.To, other}
				if other == t.To || other == t.From || told[group] || other.Image.Repository == t.To.Image.Repository || !hearsBoth(d, t, other) {
					continue
				}
				told[group] = true
				message := fmt.Sprintf("%s calls %q, by which %s knows %s and %s; it gets now the one, now the other", t.From.Name, t.Host, d.Lines.Engine, t.To.Name, other.Name)
				fix := d.Lines.OtherName + " for one of the two"
				if len(t.To.Profiles)+len(other.Profiles) > 0 {
					r.Warn(message+", when both run", fix, other.Site(""), t.To.Site("the one that is meant"), t.At("the address"))
					continue
				}
				r.Fail(message, fix, other.Site(""), t.To.Site("the one that is meant"), t.At("the address"))
			}
		}
	},
}

// hearsBoth reports whether the one who calls is in a network with the one that is meant and in one with the
// other, and both answer to the name there. Two keys may stand for one network.
func hearsBoth(d *deployment.Deployment, t deployment.Talk, other *deployment.Service) bool {
	return reachedAs(d, t.From, t.To, t.Host) && reachedAs(d, t.From, other, t.Host)
}

func reachedAs(d *deployment.Deployment, from, to *deployment.Service, name string) bool {
	for _, key := range to.Networks {
		network, _ := d.NetworkName(key)
		for _, mine := range from.Networks {
			if same, _ := d.NetworkName(mine); same == network && to.Answers(name, key) {
				return true
			}
		}
	}
	return false
}
