package adopt

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// registrations has Synapse read those that no rendered bridge has: each is copied as it is, and appended to the list.
func (p *project) registrations(tree *source.Node) {
	taken := p.taken()
	list := &source.Node{Kind: source.Sequence}
	for _, reg := range p.syn.Registrations {
		if b := p.d.BridgeOf(reg); b != nil && taken[programOf(b)] == b || slices.Index(p.d.DoublePuppets, reg) == 0 && len(taken) > 0 {
			continue
		}
		if name := p.copied(reg); name != "" {
			list.Items = append(list.Items, source.Made("!!str", "/config/"+name))
		}
	}
	if len(list.Items) > 0 {
		p.put(tree, []string{"synapse", "extra", "+app_service_config_files"}, list)
	}
	for _, m := range p.syn.Missing {
		p.note(m.Value.Site(""), "a registration cannot be seen, and Synapse would not know its appservice any more: "+m.Reason, "synapse")
	}
}

// copied gives a registration a name beside the rendered ones.
func (p *project) copied(reg *deployment.Registration) string {
	base := strings.TrimSuffix(path.Base(reg.Path), path.Ext(reg.Path))
	name := base
	for n := 2; ; n++ {
		to, from := "config/matrix/"+name+".yaml", "files/config/matrix/"+name+".yaml"
		if p.files.draft.Files[from] == nil && !p.files.rendered(to) {
			p.files.draft.Files[from] = reg.Src
			p.put(p.files.tree, []string{"compose", "files", to}, source.Made("!!str", from))
			return name + ".yaml"
		}
		name = fmt.Sprintf("%s-%d", base, n)
	}
}
