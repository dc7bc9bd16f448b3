package adopt

import (
	"slices"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// listeners lays onto the rendered one what Synapse's serves, and adds those that are for somebody inside the stack, such
// as of metrics. The ports of the others are for clients and workers, which now come in by the rendered one.
func (r *reader) listeners(over, ours *source.Node) *source.Node {
	rendered := ours.Get("listeners")
	if rendered == nil || len(rendered.Items) != 1 {
		return over
	}
	list := &source.Node{Kind: source.Sequence, Items: []*source.Node{rendered.Items[0]}}
	differs := false
	for _, l := range r.syn.Config.At("listeners").Items() {
		names := served(l)
		switch {
		case slices.Contains(names, "client"):
			// Synapse serves what is there for clients with the rest of it, in whatever order it is named.
			if all := append(slices.Clone(names), "client", "federation"); !differs && len(unique(names)) != 2 || len(unique(all)) != 2 {
				list.Items[0] = rendered.Items[0].Clone()
				list.Items[0].Set("resources", l.At("resources").Node())
				differs = true
			}
		case l.At("tls").True():
			r.note(l.Site(""), "a listener with a certificate of its own is not taken over: the proxy stands in front of the rendered one", "synapse")
		case l.At("type").Str() == "metrics" || slices.Contains(names, "metrics") || slices.Contains(names, "health"):
			list.Items = append(list.Items, l.Node())
			differs = true
		}
	}
	if !differs {
		return over
	}
	if over == nil {
		over = &source.Node{Kind: source.Mapping}
	}
	over.Set("listeners", list)
	return over
}

// served are the names of what a listener serves.
func served(listener source.Value) (names []string) {
	for _, res := range listener.At("resources").Items() {
		names = append(names, deployment.ItemTexts(res.At("names"))...)
	}
	return names
}

func unique(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
