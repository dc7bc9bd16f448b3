package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var serverNameAgrees = Rule{
	ID: "server-name-agrees", Severity: finding.Error,
	Summary: "one server_name in Synapse, MAS, every bridge and every registration",
	Why:     "MAS provisions users on another server than Synapse has, bridges stop with \"Application service cannot masquerade as this user\", or ghosts cannot register.",
	Fix:     "Write Synapse's server_name everywhere. It is what follows the colon in a user id, not the host of the API.",
	Source:  "MAS crates/syn2mas checks.rs; Synapse handlers/register.py; mautrix-go bridgev2/matrix",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			name := s.Config.At("server_name")
			if !name.Set() || unfilled(name.Str()) {
				continue
			}
			for _, m := range d.MASs {
				env, _ := m.Env("MAS_MATRIX_HOMESERVER")
				if v := m.Config.At("matrix", "homeserver"); !v.Set() && env == "" && !m.ReadsMore() {
					r.FailMend("MAS has no matrix.homeserver; "+withoutHomeserver(m), unless(len(d.Synapses) != 1, say(v, name.Str())), v.Site(""), name.Site("Synapse's"))
				}
			}
			all, differing := d.Naming(s, name.Str())
			for _, group := range differing {
				reportNaming(r, group, name, all)
			}
		}
	},
}

// report says of one place what it differs in, of all that name a server.
func reportNaming(r *Reporter, n *deployment.Naming, name source.Value, all int) {
	first, odd := n.Places[0], len(n.Places) == all // all places agree but Synapse's
	is := fmt.Sprintf("%s is %q", first.What, n.Server)
	switch {
	case n.Server == "":
		reportAstray(r, n.Places, name)
		return
	case len(n.Places) == 1:
		// Where another place agrees with Synapse, this is the one that is wrong.
		fix := mend{text: first.Fix}
		if whole := say(first.V, name.Str()); whole.text == first.Fix && !odd {
			fix = whole
		}
		r.FailMend(fmt.Sprintf("%s, but Synapse's server_name is %q; %s", is, name.Str(), first.Consequence), fix, first.V.Site(""), name.Site("Synapse's"))
		return
	}
	var sites []source.Site
	for _, p := range n.Places {
		sites = append(sites, p.V.Site("on "+n.Server))
	}
	if odd {
		r.Fail(fmt.Sprintf("Synapse's server_name is %q, but all %d other places that name the server say %q; %s", name.Str(), len(n.Places), n.Server, first.Consequence),
			"server_name: "+n.Server, append([]source.Site{name.Site("Synapse's")}, sites...)...)
		return
	}
	r.Fail(fmt.Sprintf("%s in %d places, but Synapse's server_name is %q; %s", strings.Replace(is, first.What, "the server", 1), len(n.Places), name.Str(), first.Consequence),
		"write "+name.Str()+" there", append(sites, name.Site("Synapse's"))...)
}

// reportAstray tells the namespaces that are on no known server, those of one registration at once.
func reportAstray(r *Reporter, places []deployment.Mention, name source.Value) {
	for len(places) > 0 {
		file := places[0].V.Site("").Pos.File
		var alike []deployment.Mention
		places = slices.DeleteFunc(slices.Clone(places), func(p deployment.Mention) bool {
			same := p.V.Site("").Pos.File == file
			if same {
				alike = append(alike, p)
			}
			return same
		})
		severally(r, alike, func(p deployment.Mention) []source.Site { return []source.Site{p.V.Site("")} }, func(r *Reporter, alike []deployment.Mention) {
			first := alike[0]
			message, sites := fmt.Sprintf("%s is not on %s; %s", first.What, name.Str(), first.Consequence), []source.Site{first.V.Site("")}
			for _, p := range alike[1:] {
				sites = append(sites, p.V.Site("nor is this"))
			}
			switch n := len(alike); {
			case n == 2:
				message = fmt.Sprintf("%s and another one are not on %s; %s", first.What, name.Str(), first.Consequence)
			case n > 2:
				message = fmt.Sprintf("%s and %d more are not on %s; %s", first.What, n-1, name.Str(), first.Consequence)
			}
			r.Fail(message, first.Fix, append(sites, name.Site("Synapse's"))...)
		})
	}
}

// withoutHomeserver is what comes of it: MAS takes its default only where there is a section for it.
func withoutHomeserver(m *deployment.MAS) string {
	if !m.Config.At("matrix").Set() {
		return "MAS does not start (missing field `matrix`)"
	}
	return "it goes by its default, localhost:8008, shows that on its pages, and syn2mas stops"
}
