package diff

import (
	"cmp"
	"fmt"
	"net"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/shell"
)

// told says what changes for people although nothing is lost for good.
func (c *comparison) told(p *plan) {
	for _, f := range c.broken() {
		if f.Mends != "" {
			p.first(f.Name, ": ", c.before()[f.Name], " → ", f.Value, ": ", f.Breaks, "; ", f.Mends)
		}
	}
	for _, b := range c.new.deployment.Bridges {
		split := func(b *deployment.Bridge) bool { return b.Config.At("bridge", "split_portals").True() }
		if was := c.bridgeBefore(b); was != nil && split(b) && !split(was) {
			p.first("split_portals of ", b.Name, " gives each user rooms of their own and can never be taken back: dump the database before, if you are not sure (", c.dump(b), ")")
		}
	}
}

// pairs are the services that both sides start, where they run a program that is known.
func (c *comparison) pairs(do func(old, now *deployment.Service)) {
	for _, now := range c.new.deployment.Services {
		if old := c.formerly(now); !optional(old) && !optional(now) && now.Program != component.Unknown {
			do(old, now)
		}
	}
}

// stateless are the programs that keep nothing of their own.
var stateless = []component.Program{component.Traefik, component.Element, component.Ketesa, component.LiveKit, component.LkJwt, component.Coturn, component.HAProxy}

// emptyValkey reports whether a service is a Valkey that writes nothing down.
func emptyValkey(s *deployment.Service) bool {
	return s.Program == component.Valkey && !slices.ContainsFunc(s.Mounts, func(m deployment.Mount) bool { return !m.ReadOnly && !m.Fleeting })
}

// versions says what comes before another version. A lower minor one is an irreversible change, and another
// major one of PostgreSQL has a step of its own.
func (c *comparison) versions(p *plan) {
	var up []string
	c.pairs(func(old, now *deployment.Service) {
		if old.Image == now.Image || slices.Contains(stateless, now.Program) || emptyValkey(now) || now.Restart.Str() == "no" {
			return
		}
		a, okA := old.Image.Version()
		b, okB := now.Image.Version()
		change := now.Name + " " + imageChange(old.Image, now.Image)
		switch {
		case old.Program != now.Program:
		case !okA || !okB:
			p.first(change, ": which one is newer cannot be told from the tags; an older one may not start on the database")
		case now.Program == component.Postgres && a[0] != b[0], a == b:
		case c.dialects(now):
		case a.Less(b):
			up = append(up, change)
		case a[0] == b[0] && a[1] == b[1]:
			p.first(change, " goes back within a release: what was mended in between, security included, is open again")
		case now.Program == component.Valkey:
			p.first(change, " goes back: an older one may not read what the newer one wrote, and stops at it")
		}
	})
	c.rooms(p)
	if len(up) > 0 {
		p.first("take a backup before the upgrade (RUNBOOK.md, Backup): what a new version does to its database only a backup undoes: ", strings.Join(up, ", "))
	}
}

// rooms says that rooms made from now on are of another version, which bots and bridges of others may not know.
func (c *comparison) rooms(p *plan) {
	c.pairs(func(old, now *deployment.Service) {
		a, okA := old.Image.Version()
		b, okB := now.Image.Version()
		if now.Program != component.Synapse || !okA || !okB {
			return
		}
		for _, s := range c.new.deployment.Synapses {
			if s.Service != now || s.Config.At("default_room_version").Set() {
				continue
			}
			for _, r := range slices.Backward(component.RoomVersions) {
				if a.Less(r.Since) && !b.Less(r.Since) {
					p.then("rooms that are made from now on are of version ", r.Version, " (", r.New, "): where a bot or bridge cannot cope, default_room_version in synapse.extra keeps the old one")
					return
				}
			}
		}
	})
}

// bridgeBefore is what a bridge of the new stack was in the old one; nil where it is new.
func (c *comparison) bridgeBefore(now *deployment.Bridge) *deployment.Bridge {
	was := c.formerly(now.Service)
	for _, b := range c.old.deployment.Bridges {
		if b.Service == was {
			return b
		}
	}
	return nil
}

// dialects reports whether a bridge is of another dialect than before.
func (c *comparison) dialects(now *deployment.Service) bool {
	return slices.ContainsFunc(c.new.deployment.Bridges, func(b *deployment.Bridge) bool {
		old := c.bridgeBefore(b)
		return b.Service == now && old != nil && old.Dialect != b.Dialect
	})
}

// moves says how a bridge of another dialect becomes one of bridgev2.
func (c *comparison) moves(p *plan) {
	for _, now := range c.new.deployment.Bridges {
		old := c.bridgeBefore(now)
		move := moveOf(now.Program)
		if old == nil || move == nil || old.Program != now.Program || old.Dialect == now.Dialect || now.Dialect != component.BridgeV2 {
			continue
		}
		if v, ok := now.Image.Version(); ok && !move.Takes(v) {
			p.first(fmt.Sprintf("%s %s does not take the database of %s over: v%s to v%s do; run one of those in between", now.Name, now.Image.Tag, old.Image.Tag, move.First, move.Last))
		}
		p.first("stop ", now.Name, ", which becomes another program on the same database (it takes over that of ", move.From, " and later); two of them must not run at once: ", c.new.stop(now.Name))
		p.first("dump its database, for there is no other way back: ", c.dump(old))
		p.then("see it take the database over (\"Successfully migrated legacy database\"): ", c.new.logs(now.Name))
		bot := "@" + now.Config.At("appservice", "bot", "username").Str() + ":" + now.Config.At("homeserver", "domain").Str()
		for _, say := range move.After {
			p.then(now.Name, ": ", strings.ReplaceAll(say, "{bot}", bot))
		}
		if relays(old) {
			p.then(now.Name, ": the old relaybot is not taken over: log in as its bot (`login bot` and its token), and `set-relay` in each room; bridge.relay.default_relays in extra lets users do that themselves")
		}
	}
}

// moveOf is how the bridge became one of bridgev2; nil where it always was.
func moveOf(p component.Program) *component.Move {
	if b := component.Of(p).Bridge; b != nil {
		return b.Move
	}
	return nil
}

// relays reports whether the Python bridge lets people use its relaybot.
func relays(b *deployment.Bridge) bool {
	for _, level := range b.Config.At("bridge", "permissions").Entries() {
		if level.Str() == "relaybot" {
			return true
		}
	}
	return b.Config.At("telegram", "bot_token").Set()
}

// dump is the command that dumps the database of a bridge.
func (c *comparison) dump(b *deployment.Bridge) string {
	server, user, db := "postgres", "postgres", b.Name
	if s := postgres(c.old.deployment); s != nil {
		server = s.Name
		user, _, _ = c.old.deployment.Superuser(s)
	}
	if name, _ := c.old.deployment.DatabaseOf(b.Service); name != "" {
		db = name
	}
	return c.old.exec(server) + " pg_dump -U " + shell.Word(user) + " -Fc " + shell.Word(db) + " > " + shell.Word(db+".dump")
}

// renamed says that Compose does not know a service by its new name: what runs by the old one has to go first.
func (c *comparison) renamed(p *plan) {
	for _, now := range c.new.deployment.Services {
		if was := c.formerly(now); was != nil && was.Name != now.Name && c.new.cluster() {
			p.first(was.Name, " is called ", now.Name, " from now on, and the cluster takes it for another one: both would run on the same database. ", c.old.stop(was.Name))
		} else if was != nil && was.Name != now.Name {
			p.first(was.Name, " is called ", now.Name, " from now on, and Compose takes it for another service: without --remove-orphans both would run on the same data")
		}
	}
}

// server says that the databases have to come along to another server.
func (c *comparison) server(p *plan) {
	where := func(d *deployment.Deployment) string {
		for _, conn := range d.Connections() {
			switch s := d.ServiceAt(conn.Host); {
			case conn.Service.Program != component.Synapse:
			case s != nil:
				return "this stack"
			default:
				return net.JoinHostPort(conn.Host, cmp.Or(conn.Port, "5432"))
			}
		}
		return ""
	}
	if from, to := where(c.old.deployment), where(c.new.deployment); from != "" && to != "" && from != to {
		p.first("bring the databases from ", from, " to ", to, " while everything but PostgreSQL is stopped (pg_dump there and pg_restore here, RUNBOOK.md): nothing else does, and every program would begin with an empty one")
	}
}

// gone says what to do before a bridge goes.
func (c *comparison) gone(p *plan) {
	for _, b := range c.old.deployment.Bridges {
		if service(c.new.deployment, b.Name) == nil && c.later(b.Service) == nil {
			p.first("before ", b.Name, " goes for good, let its users log out (`logout` to the bot): its rooms stay, and nobody answers in them; with its own line back in the spec it goes on as before")
		}
	}
}

// owners says which data belongs to the user that a service had before.
func (c *comparison) owners(p *plan) {
	dirs := make(map[string][]string)
	var order []string
	for _, now := range c.new.deployment.Services {
		old := c.formerly(now)
		if optional(old) || optional(now) {
			continue
		}
		user := now.UserAt.Str()
		if user == old.UserAt.Str() || user == "" {
			continue
		}
		if c.new.cluster() && now.Program == component.Postgres && !now.Once {
			p.first("what ", now.Name, " has kept so far belongs to the user from before, and PostgreSQL starts as no other one: dump and restore (RUNBOOK.md), or leave the user as it was")
		}
		for _, m := range now.Mounts {
			if m.Host == "" || m.ReadOnly || !slices.ContainsFunc(old.Mounts, func(o deployment.Mount) bool { return o.Host == m.Host }) {
				continue
			}
			if dirs[user] == nil {
				order = append(order, user)
			}
			if dir := shell.Word(path.Join(c.Dir, m.Host)); !slices.Contains(dirs[user], dir) {
				dirs[user] = append(dirs[user], dir)
			}
		}
	}
	for _, user := range order {
		p.first("what was written so far belongs to the user from before: docker compose down && sudo chown -R ", shell.Word(user), " ", strings.Join(dirs[user], " "))
	}
}

// backups says what to do about the repositories.
func (c *comparison) backups(p *plan) {
	list := func(t side) (repos []string, dirs []string) {
		for name := range t.tree {
			if !strings.HasPrefix(name, "borgmatic.d/") {
				continue
			}
			if f := t.file(name); f != nil {
				for _, r := range f.At("repositories").Items() {
					repos = append(repos, r.At("path").Str())
				}
				// The stack's own directory comes first.
				if sources := f.At("source_directories").Items(); len(sources) > 0 {
					dirs = append(dirs, sources[0].Str())
				}
			}
		}
		return repos, dirs
	}
	old, from := list(c.old)
	now, to := list(c.new)
	for _, repo := range added(old, now) {
		p.then("make the repository ", repo, " and keep its passphrase elsewhere (RUNBOOK.md, Backup)")
	}
	for _, repo := range added(now, old) {
		p.then("nothing is backed up to ", repo, " any more; its archives stay as they are")
	}
	switch {
	case len(now) > 0 && len(old) == 0:
		p.then("let this host start borgmatic every night: RUNBOOK.md, Backup, has the file for cron")
	case len(old) > 0 && len(now) == 0:
		p.then("no backup is made any more: take borgmatic out of what starts it, or it fails every night")
	}
	if len(now) == 0 || len(old) == 0 {
		return
	}
	for _, dir := range added(from, to) {
		p.first("the backup takes the stack from ", dir, ": move it there, or nothing of it is backed up")
	}
	if a, b := c.old.deployment.Project, c.new.deployment.Project; a != b {
		p.then("archives from before are called ", a, "-…: borgmatic prunes only those of the new name, so delete the old ones by hand in time")
	}
}
