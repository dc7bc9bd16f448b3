package deployment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// settleServer sets the name that the other rules hold the files against: Synapse's own, unless all other files
// agree on another one. Then server-name-agrees says so once, and the others say what would still be wrong.
func (d *Deployment) settleServer(s *Synapse) {
	s.Server = s.Config.At("server_name")
	if !s.Server.Set() {
		return
	}
	all, differing := d.Naming(s, s.Server.Str())
	if len(differing) != 1 || differing[0].Server == "" || len(differing[0].Places) != all || all < 2 {
		return
	}
	if i := slices.IndexFunc(differing[0].Places, func(m Mention) bool { return m.V.Str() == differing[0].Server }); i >= 0 {
		s.Server = differing[0].Places[i].V
	}
}

// Naming are the places that name one server, which is not Synapse's.
type Naming struct {
	Server string
	Places []Mention
}

// Mention is a value that names the server of the stack.
type Mention struct {
	V                      source.Value
	What, Consequence, Fix string
}

// Naming gives the number of places that name a server, and those that do not name Synapse's: one cause is one
// finding, so those of the same server are together, and with them the namespaces that are on it.
func (d *Deployment) Naming(s *Synapse, server string) (all int, differing []*Naming) {
	add := func(p Mention, text string) {
		if !p.V.Set() {
			return
		}
		if all++; text == server {
			return
		}
		i := slices.IndexFunc(differing, func(n *Naming) bool { return n.Server == text })
		if i < 0 {
			i, differing = len(differing), append(differing, &Naming{Server: text})
		}
		differing[i].Places = append(differing[i].Places, p)
	}
	for _, m := range d.MASs {
		v := m.Config.At("matrix", "homeserver")
		add(Mention{v, "MAS's matrix.homeserver", "people log in, but MAS's pages show another server, and syn2mas stops", "homeserver: " + server}, v.Str())
	}
	for _, b := range d.Bridges {
		v := b.Config.At("homeserver", "domain")
		add(Mention{v, "the bridge's homeserver.domain", "the bridge does not start", "domain: " + server}, v.Str())
	}
	for _, reg := range s.Registrations {
		for _, u := range reg.At("namespaces", "users").Items() {
			v, on := u.At("regex"), ""
			p := Mention{v, fmt.Sprintf("the namespace %q", v.Str()), "the appservice's users cannot be registered", "end the expression in " + regexp.QuoteMeta(":"+server)}
			for _, n := range differing {
				if n.Server != "" && OnServer(v.Str(), n.Server) {
					on = n.Server
				}
			}
			if OnServer(v.Str(), server) {
				on = server
			}
			add(p, on)
		}
	}
	return all, differing
}

// OnServer reports whether the expression of a namespace can match users of the server. A dot that is not
// escaped still matches, and an expression without a server matches those of any: Synapse matches prefixes.
func OnServer(expr, server string) bool {
	plain := strings.ReplaceAll(strings.TrimSuffix(expr, "$"), `\`, "")
	if strings.HasSuffix(plain, ":"+server) {
		return true
	}
	i := strings.LastIndexByte(expr, ':')
	if i < 0 || i > 0 && expr[i-1] == '?' {
		return true
	}
	tail, err := regexp.Compile("^(?:" + expr[i+1:] + ")")
	return err != nil || tail.MatchString(server)
}
