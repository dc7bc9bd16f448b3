package diff

import (
	"cmp"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// plan collects what only a person can do: before `docker compose up -d`, and after it.
type plan struct {
	mask          func(string) string
	before, after []string
}

func (p *plan) first(parts ...string) { p.before = append(p.before, p.mask(strings.Join(parts, ""))) }
func (p *plan) then(parts ...string)  { p.after = append(p.after, p.mask(strings.Join(parts, ""))) }

// steps are what only a person can do, in the order to do it. Of what somebody edited until it could not be
// read any more, nothing is concluded.
func (c *comparison) steps(e Effects) (before, after []string) {
	p := &plan{mask: c.Secrets.Mask, before: []string{}}
	old, now := c.old.deployment, c.new.deployment
	if c.moved {
		c.otherTarget(p)
	}
	if !e.First && old.Project != now.Project && !c.new.cluster() {
		p.first("stop the old project, or two databases run on the same data: docker compose -p ", shell.Word(old.Project), " down")
	}
	if a, b := postgres(old), postgres(now); a != nil && b != nil && a.Image.Major() != b.Image.Major() {
		was, is := cmp.Or(a.Image.Major(), a.Image.Tag), cmp.Or(b.Image.Major(), b.Image.Tag)
		p.first("PostgreSQL ", is, " does not start on the data of ", was, ": dump with ", was, ", which still runs, and restore, all as RUNBOOK.md says under Upgrade")
	}
	p.before = append(p.before, c.Root...)
	if name := proxyNetwork(now); name != "" && e.First {
		p.first("the network ", name, " has to exist, with ", frontOf(now), " in it: docker network inspect ", shell.Word(name))
	}
	for _, name := range added(external(old), external(now)) {
		if name != proxyNetwork(now) {
			p.first("the network ", name, " has to exist: docker network inspect ", shell.Word(name))
		}
	}
	if !e.First {
		c.versions(p)
		c.workers(p)
		c.containers(p)
		c.moves(p)
		c.gone(p)
		c.renamed(p)
		c.server(p)
		c.owners(p)
		c.told(p)
		c.proxy(p)
		c.objects(p)
	}
	c.apart(p)
	c.reached(p, e)
	c.openings(p)
	if e.First || len(old.Synapses) > 0 {
		c.site(p)
	}
	moved := !e.First && c.logins(p)
	if e.First || len(old.MASs) > 0 || ownLogin(old) != nil {
		c.upstreams(p)
		c.captcha(p)
		c.mail(p)
		c.invitations(p)
	}
	switch {
	case !now.Migrating(), moved:
	case old.Migrating() && len(e.Services) > 0:
		p.first("first move the users with syn2mas: Migrate in RUNBOOK.md; once that is done, auth.migrated: true takes the place of auth.migration")
	case !old.Migrating() && c.new.cluster():
		p.first("give the stack what it takes over from the old homeserver, such as its signing key, and move the users with syn2mas before anything is applied: RUNBOOK.md, Migrate")
	case !old.Migrating():
		p.first("give the stack what it takes over from the old homeserver, such as its signing key, and render again: RUNBOOK.md, Migrate, step 1")
		p.first("move the users with syn2mas, before MAS is started: the rest of Migrate in RUNBOOK.md")
	}
	c.chart(p)
	if names := c.restarts(e); len(names) > 0 {
		p.then("after the edited files are overwritten: ", c.new.restart(names...))
	}
	c.backups(p)
	if len(old.MASs) > 0 && len(now.MASs) > 0 && slices.ContainsFunc(providers(old), func(p source.Value) bool { return !known(now, p) }) {
		p.then(strings.Replace(c.new.exec(now.MASs[0].Name), " -T", "", 1), " mas-cli config sync --prune: MAS's database still has the provider that is gone")
	}
	// Of a server that goes its volume stays, and by these words the databases of the one in its place could be dropped.
	if len(now.PostgresServers()) > 0 && c.old.operated() == c.new.operated() {
		for _, name := range added(now.Databases(), old.Databases()) {
			p.then("the database ", name, " stays; drop it by hand when nobody needs it any more")
		}
	}
	return p.before, p.after
}

// known reports whether MAS has the provider, by its id.
func known(d *deployment.Deployment, p source.Value) bool {
	return slices.ContainsFunc(providers(d), func(q source.Value) bool { return q.At("id").Str() == p.At("id").Str() })
}

// proxyNetwork is the network that a proxy of another stack finds a rendered one in; "" where there is none.
func proxyNetwork(d *deployment.Deployment) string {
	if n := d.Network("ingress"); n.External.True() {
		return n.Name
	}
	return ""
}

// external are the networks that Compose does not make.
func external(d *deployment.Deployment) []string {
	var names []string
	for _, n := range d.Networks {
		if n.External.True() {
			names = append(names, n.Name)
		}
	}
	return names
}

// Numbered puts a number in front of each step, unless there is only one.
func Numbered(steps []string) []string {
	if len(steps) < 2 {
		return steps
	}
	lines := make([]string, len(steps))
	for i, s := range steps {
		lines[i] = strconv.Itoa(i+1) + ". " + s
	}
	return lines
}

// next is what to do after the render; empty where `up -d` is all of it.
func (d *Diff) next() []string {
	if len(d.Steps) == 0 {
		return nil
	}
	return d.Next
}

// added gives what is in now and not in old.
func added(old, now []string) []string {
	return slices.DeleteFunc(slices.Clone(now), func(s string) bool { return slices.Contains(old, s) })
}

// postgres is the one that stays up; nil where there is none.
func postgres(d *deployment.Deployment) *deployment.Service {
	for _, s := range d.Services {
		if s.Program == component.Postgres && !s.Once && s.Restart.Str() != "no" {
			return s
		}
	}
	return nil
}

// siteOf is the server name whose own site has to serve the discovery files; empty when Synapse does, or the proxy itself.
func siteOf(d *deployment.Deployment) string {
	for _, s := range d.Synapses {
		if base, err := url.Parse(s.Config.At("public_baseurl").Str()); err == nil && !s.Config.At("serve_server_wellknown").True() {
			name := s.Config.At("server_name").Str()
			if name != base.Host && d.Routes().Match("GET", name, "/.well-known/matrix/server").Answer == "" {
				return name
			}
		}
	}
	return ""
}

// site says what the site on the server name's own host has to do.
func (c *comparison) site(p *plan) {
	old, now := siteOf(c.old.deployment), siteOf(c.new.deployment)
	moved := false
	for _, f := range c.broken() {
		moved = moved || f.Name == "hosts.matrix"
	}
	switch {
	case now != "" && (now != old || moved):
		p.first("let the site of ", now, " serve /.well-known/matrix/ (RUNBOOK.md)")
	case now == "" && old != "":
		p.first("let the site of ", old, " serve /.well-known/matrix/ no longer: Synapse does")
	}
}

// upstreams says what to do at the providers that users log in with.
func (c *comparison) upstreams(p *plan) {
	imported := make(map[string]bool)
	for _, f := range c.changed {
		if _, is := c.New[f]; is && strings.HasPrefix(f, "keycloak/") {
			imported[strings.TrimSuffix(path.Base(f), ".json")] = true
			if old := c.old.document(f); old == nil {
				p.first("import ", path.Join(c.Dir, f), " into Keycloak (Clients, Import client): it brings the client secret with it; of a client that is there already, give the secret to `stackgen secrets set` (RUNBOOK.md)")
			} else if !onlySecretNew(old, c.new.document(f)) {
				p.first("change the client in Keycloak as ", path.Join(c.Dir, f), " says, or delete it there and import the file")
			}
		}
	}
	known := make(map[string]bool)
	for _, u := range providers(c.old.deployment) {
		known[client(u)] = true
	}
	moved := slices.ContainsFunc(c.broken(), func(f deployment.Fixed) bool { return f.Name == "auth.public_url" })
	kept := make(map[string]bool)
	for _, u := range providers(c.new.deployment) {
		id := u.At("client_id").Str()
		kept[client(u)] = true
		switch {
		case imported[id]:
		case !known[client(u)] && c.clientFile(id) != "":
			p.first("import ", path.Join(c.Dir, c.clientFile(id)), " into Keycloak at ", u.At("issuer").Str(), " (Clients, Import client): it brings the client secret with it")
		case !known[client(u)]:
			p.first("make the client ", id, " at ", u.At("issuer").Str(), ", and store its secret (RUNBOOK.md)")
		case moved:
			p.first("at ", u.At("issuer").Str(), ", set the redirect URI of the client ", id, " to the one in RUNBOOK.md, or nobody can log in through it")
		}
	}
	for _, u := range providers(c.old.deployment) {
		if !kept[client(u)] {
			p.first("before ", u.At("issuer").Str(), " goes as a way to log in, give another one to whoever has no other: nobody can log in through it afterwards, and its client can be deleted there")
		}
	}
}

// clientFile is the rendered client for Keycloak with that id; "" where there is none.
func (c *comparison) clientFile(id string) string {
	for _, p := range slices.Sorted(maps.Keys(c.New)) {
		if strings.HasPrefix(p, "keycloak/") {
			if f := c.new.document(p); f != nil && f.At("clientId").Str() == id {
				return p
			}
		}
	}
	return ""
}

// document reads a JSON file; nil where there is none, or none that can be read.
func (s side) document(p string) *source.File {
	data, ok := s.tree[p]
	if !ok {
		return nil
	}
	f, problem := source.Parse(p, data)
	if problem != nil {
		return nil
	}
	return f
}

// onlySecretNew: the client is as it was, but for the secret that was not written into the file before. Whoever
// imported it has given Keycloak's own secret to the stack.
func onlySecretNew(old, now *source.File) bool {
	if now == nil || old.At("secret").Exists() {
		return false
	}
	for k, v := range now.Root().Entries() {
		if k.Str() != "secret" && !v.Equal(old.At(k.Str())) {
			return false
		}
	}
	return true
}

func client(p source.Value) string { return p.At("client_id").Str() + " " + p.At("issuer").Str() }

// restarts names the running services that read a file that was edited by hand. Compose does not notice
// that it gets its old content back: the config hash is that of the file as it was rendered.
func (c *comparison) restarts(e Effects) []string {
	var names []string
	for _, s := range c.new.deployment.Services {
		if optional(s) || slices.ContainsFunc(e.Services, func(o Service) bool { return o.Name == s.Name }) {
			continue
		}
		for p, hand := range c.Hand {
			if hand == Edited && !c.own(p) && reads(s, p) && !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}
