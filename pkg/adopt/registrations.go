package adopt

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// registrations has Synapse read those that no rendered bridge and no other rendered appservice has: each is copied as it is.
func (r *reader) registrations() {
	taken := r.taken()
	_, jwt := r.callers()
	for _, reg := range r.syn.Registrations {
		if jwt != nil && r.d.CallsOf(jwt) == reg || r.understood(reg) {
			continue
		}
		if b := r.d.BridgeOf(reg); b != nil && taken[programOf(b)] == b || slices.Index(r.d.DoublePuppets, reg) == 0 && len(taken) > 0 {
			continue
		}
		from := r.registrationFile(reg)
		r.files[from] = reg.Src
		r.spec.Synapse.Registrations = append(r.spec.Synapse.Registrations, from)
	}
	for _, m := range r.syn.Missing {
		r.note(m.Value.Site(""), "a registration cannot be seen, and Synapse would not know its appservice any more: "+m.Reason, "synapse")
	}
}

// registrationFile gives a registration a name that no rendered one has, nor another file beside them.
func (r *reader) registrationFile(reg *deployment.Registration) string {
	ext := path.Ext(reg.Path)
	base := strings.TrimSuffix(path.Base(reg.Path), ext)
	_, jwt := r.callers()
	others := map[string]bool{"homeserver.yaml": true, "log.config": true, "doublepuppet.yaml": len(r.taken()) > 0, "lk-jwt.yaml": jwt != nil, r.spec.ServerName + ".signing.key": true}
	for c := range component.Bridges() {
		others[string(c.Program)+".yaml"] = r.taken()[c.Program] != nil
	}
	for name := range r.spec.Appservices {
		others[name+".yaml"] = true
	}
	name := base + ext
	for n := 2; others[name] || r.files["files/config/matrix/"+name] != nil; n++ {
		name = fmt.Sprintf("%s-%d%s", base, n, ext)
	}
	return "files/config/matrix/" + name
}
