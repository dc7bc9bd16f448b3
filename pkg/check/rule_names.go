package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var composeNameUnique = Rule{
	ID: "compose-name-unique", Severity: finding.Error,
	Summary: "the name by which a service calls another means one service alone",
	Why:     "Docker answers with the address of either, and not always of the same: requests with a secret go to a program that does not know it, \"password authentication failed\", 401 and 404 that come and go. A container name and the aliases of a network count as much as the name of a service, and two keys of one external network are one network.",
	Fix:     "Give the service an alias that no other has, on a network of this stack alone, and use it in every address.",
	Source:  "Docker's embedded DNS (libnetwork); Compose specification, networks.aliases",
	Check: func(d *deployment.Deployment, r *Reporter) {
		// Of two that have one name there is one finding for all who call it.
		type twice struct{ to, other *deployment.Service }
		var order []twice
		calls := make(map[twice][]deployment.Talk)
		for _, t := range d.Talks() {
			for _, other := range d.Named(t.Host) {
				of := twice{t.To, other}
				if other == t.To || other == t.From || other.Image.Repository == t.To.Image.Repository || !hearsBoth(d, t, other) ||
					slices.ContainsFunc(calls[of], func(o deployment.Talk) bool { return o.From == t.From }) {
					continue
				}
				if calls[of] == nil {
					order = append(order, of)
				}
				calls[of] = append(calls[of], t)
			}
		}
		for _, of := range order {
			severally(r, calls[of], func(t deployment.Talk) []source.Site { return []source.Site{t.At("")} }, func(r *Reporter, ts []deployment.Talk) {
				var names []string
				sites := []source.Site{of.other.Site(""), of.to.Site("the one that is meant")}
				for _, t := range ts {
					names, sites = append(names, t.From.Name), append(sites, t.At("the address"))
				}
				call, get := "call", "they get"
				if len(ts) == 1 {
					call, get = "calls", "it gets"
				}
				message := fmt.Sprintf("%s %s %q, by which %s knows %s and %s; %s now the one, now the other", finding.Sentence(deployment.AtMost(names, 3), "and"), call, ts[0].Host, d.Lines.Engine, of.to.Name, of.other.Name, get)
				report := r.Fail
				if !slices.ContainsFunc(ts, func(t deployment.Talk) bool { return inOneNetwork(d, t, of.other) }) {
					message, report = strings.TrimSuffix(message, "now the one, now the other")+"the one whose network Docker asks first", r.Warn
				}
				if len(of.to.Profiles)+len(of.other.Profiles) > 0 {
					message, report = message+", when both run", r.Warn
				}
				report(message, d.Lines.OtherName+" for one of the two", sites...)
			})
		}
	},
}

// hearsBoth reports whether the one who calls is in a network with the one that is meant and in one with the
// other, and both answer to the name there. Two keys may stand for one network.
func hearsBoth(d *deployment.Deployment, t deployment.Talk, other *deployment.Service) bool {
	return reachedAs(d, t.From, t.To, t.Host) && reachedAs(d, t.From, other, t.Host)
}

// inOneNetwork reports whether both answer to the name in one and the same network of the one who calls. In two the answer is
// always that of the same one: libnetwork's Sandbox.ResolveName asks the networks in one order, and takes the first.
func inOneNetwork(d *deployment.Deployment, t deployment.Talk, other *deployment.Service) bool {
	return slices.ContainsFunc(t.From.Networks, func(key string) bool {
		alone := *t.From
		alone.Networks = []string{key}
		return reachedAs(d, &alone, t.To, t.Host) && reachedAs(d, &alone, other, t.Host)
	})
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
