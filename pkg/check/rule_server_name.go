package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var serverNameAgrees = Rule{
	ID: "server-name-agrees", Severity: finding.Error,
	Summary: "one server_name in Synapse, MAS, every bridge and every registration",
	Why:     "MAS provisions users on another server than Synapse has, bridges stop with \"Application service cannot masquerade as this user\", or ghosts cannot register.",
	Fix:     "Write Synapse's server_name everywhere. It is what follows the colon in a user id, not the host of the API.",
	Source:  "MAS crates/syn2mas checks.rs; Synapse handlers/register.py; mautrix-go bridgev2/matrix",
	Check: func(d *Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			name := s.Config.At("server_name")
			if !name.Set() {
				continue
			}
			for _, m := range d.MASs {
				env, _ := m.Env("MAS_MATRIX_HOMESERVER")
				if v := m.Config.At("matrix", "homeserver"); !v.Set() && env == "" && !m.readsMore() {
					r.Fail("MAS has no matrix.homeserver; "+m.withoutHomeserver(), "homeserver: "+name.Str(), v.Site(""), name.Site("Synapse's"))
				}
			}
			all, differing := d.named(s, name.Str())
			for _, group := range differing {
				group.report(r, name, len(differing) == 1 && len(group.places) == all)
			}
		}
	},
}

// settleServer sets the name that the other rules hold the files against: Synapse's own, unless all other files
// agree on another one. Then server-name-agrees says so once, and the others say what would still be wrong.
func (d *Deployment) settleServer(s *Synapse) {
	s.server = s.Config.At("server_name")
	if !s.server.Set() {
		return
	}
	all, differing := d.named(s, s.server.Str())
	if len(differing) != 1 || differing[0].server == "" || len(differing[0].places) != all || all < 2 {
		return
	}
	if i := slices.IndexFunc(differing[0].places, func(m mention) bool { return m.v.Str() == differing[0].server }); i >= 0 {
		s.server = differing[0].places[i].v
	}
}

// naming are the places that name one server, which is not Synapse's.
type naming struct {
	server string
	places []mention
}

// mention is a value that names the server of the stack.
type mention struct {
	v                      source.Value
	what, consequence, fix string
}

// named gives the number of places that name a server, and those that do not name Synapse's: one cause is one
// finding, so those of the same server are together, and with them the namespaces that are on it.
func (d *Deployment) named(s *Synapse, server string) (all int, differing []*naming) {
	add := func(p mention, text string) {
		if !p.v.Set() {
			return
		}
		if all++; text == server {
			return
		}
		i := slices.IndexFunc(differing, func(n *naming) bool { return n.server == text })
		if i < 0 {
			i, differing = len(differing), append(differing, &naming{server: text})
		}
		differing[i].places = append(differing[i].places, p)
	}
	for _, m := range d.MASs {
		v := m.Config.At("matrix", "homeserver")
		add(mention{v, "MAS's matrix.homeserver", "people log in, but MAS's pages show another server, and syn2mas stops", "homeserver: " + server}, v.Str())
	}
	for _, b := range d.Bridges {
		v := b.Config.At("homeserver", "domain")
		add(mention{v, "the bridge's homeserver.domain", "the bridge does not start", "domain: " + server}, v.Str())
	}
	for _, reg := range s.Registrations {
		for _, u := range reg.At("namespaces", "users").Items() {
			v, on := u.At("regex"), ""
			p := mention{v, fmt.Sprintf("the namespace %q", v.Str()), "the appservice's users cannot be registered", "end the expression in " + regexp.QuoteMeta(":"+server)}
			for _, n := range differing {
				if n.server != "" && onServer(v.Str(), n.server) {
					on = n.server
				}
			}
			if onServer(v.Str(), server) {
				on = server
			}
			add(p, on)
		}
	}
	return all, differing
}

// report says of one place what it differs in. odd says that all places agree but Synapse's.
func (n *naming) report(r *Reporter, name source.Value, odd bool) {
	first := n.places[0]
	is := fmt.Sprintf("%s is %q", first.what, n.server)
	switch {
	case n.server == "":
		for _, p := range n.places {
			r.Fail(fmt.Sprintf("%s is not on %s; %s", p.what, name.Str(), p.consequence), p.fix, p.v.Site(""), name.Site("Synapse's"))
		}
		return
	case len(n.places) == 1:
		r.Fail(fmt.Sprintf("%s, but Synapse's server_name is %q; %s", is, name.Str(), first.consequence), first.fix, first.v.Site(""), name.Site("Synapse's"))
		return
	}
	var sites []source.Site
	for _, p := range n.places {
		sites = append(sites, p.v.Site("on "+n.server))
	}
	if odd {
		r.Fail(fmt.Sprintf("Synapse's server_name is %q, but all %d other places that name the server say %q; %s", name.Str(), len(n.places), n.server, first.consequence),
			"server_name: "+n.server, append([]source.Site{name.Site("Synapse's")}, sites...)...)
		return
	}
	r.Fail(fmt.Sprintf("%s in %d places, but Synapse's server_name is %q; %s", strings.Replace(is, first.what, "the server", 1), len(n.places), name.Str(), first.consequence),
		"write "+name.Str()+" there", append(sites, name.Site("Synapse's"))...)
}

// withoutHomeserver is what comes of it: MAS takes its default only where there is a section for it.
func (m *MAS) withoutHomeserver() string {
	if !m.Config.At("matrix").Set() {
		return "MAS does not start (missing field `matrix`)"
	}
	return "it goes by its default, localhost:8008, shows that on its pages, and syn2mas stops"
}

// onServer reports whether the expression of a namespace can match users of the server. A dot that is not
// escaped still matches, and an expression without a server matches those of any: Synapse matches prefixes.
func onServer(expr, server string) bool {
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
