package check

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var bridgeDialect = Rule{
	ID: "bridge-dialect", Severity: finding.Error,
	Summary: "a bridge's configuration has the shape that its image reads",
	Why:     "The bridge ignores what it does not know and stops at what it then misses: \"appservice.database not configured\", \"Legacy bridge config detected, but hacky network config migrator is not set\"; or it rewrites the file and stops at \"invalid permissions level relaybot\".",
	Fix:     "Pin the image to the release that the file was written for, or write the file anew for the image.",
	Source:  "mautrix-go v0.30.0 bridgev2/bridgeconfig/upgrade.go; mautrix-telegram v0.2604.0, mautrix-meta v0.2608.0 CHANGELOG",
	Check: func(d *deployment.Deployment, r *Reporter) {
		misread := make(map[misreading][]*deployment.Bridge)
		var causes []misreading
		for _, b := range d.Bridges {
			tag := b.ImageAt.Site("the image")
			if b.Misread() {
				m := misreadingOf(b)
				if misread[m] == nil {
					causes = append(causes, m)
				}
				misread[m] = append(misread[m], b)
			}
			ver, known := b.Image.Version()
			one := b.About.OneNetwork
			if mode := b.Config.At("network", "mode"); one != nil && mode.Set() && known && !ver.Less(*one) {
				r.Fail(fmt.Sprintf("%s no longer reads network.mode; the bridge connects to %s whatever stands there", b.Image.Tag, b.Component().Title), "remove it; Instagram's image is dock.mau.dev/mautrix/meta:ig-v0.2608.0", mode.Site(""), tag)
				continue
			}
			if other := otherNetwork(b); other != "" {
				_, at := b.Bot()
				r.Warn(fmt.Sprintf("the bot of %s is that of %s, but the image is another network's; people log in to the wrong one", b.Name, other), b.ImageLine(component.Of(other).Tested), tag, at.Site("the bot"))
			}
		}
		for _, m := range causes {
			severally(r, misread[m], sitesOfMisread, m.tell)
		}
	},
}

// misreading is how an image takes a configuration that is written for another one.
type misreading struct {
	is, reads component.Dialect
	// stops says what comes of it; "" where the bridge goes on with what it makes of the file.
	stops string
	// runs is the program that the command names, where that is also one of another image; "" else.
	runs string
}

// rewritten is what a bridge does at its next start that takes over what its forerunner had.
const rewritten = "at its next start it writes the file and the database anew, without what it has no place for, and only a backup leads back"

// refusedWords are the permissions of the Python bridges that bridgev2 does not know (mautrix-telegram v26.04).
var refusedWords = []string{"relaybot", "puppeting", "full"}

func misreadingOf(b *deployment.Bridge) misreading {
	want, _ := b.Image.Dialect()
	m := misreading{is: b.Dialect, reads: want, stops: "it ignores most of it and does not start"}
	if word, ok := b.OtherProgram(); ok {
		m.stops, m.runs = "it does not start, for it has no "+path.Base(word.Text)+" to run", path.Base(word.Text)
		if want != component.Python && want != component.OlderPython {
			m.stops = "it does not start, for it has no module of Python's to run"
		}
		return m
	}
	if want == component.Legacy && b.Dialect == component.OlderPython { // mautrix-signal v0.5.0, CHANGELOG
		m.stops = ""
	}
	if want != component.BridgeV2 {
		return m
	}
	m.stops = "it stops at its start"
	move := b.About.Move
	if move == nil || move.NewConfig {
		return m
	}
	v, known := b.Image.Version()
	if known && !move.Takes(v) || !known && move.Last != (component.Version{}) {
		return m
	}
	m.stops = ""
	for _, level := range b.Config.At("bridge", "permissions").Entries() {
		if slices.Contains(refusedWords, level.Str()) {
			m.stops = fmt.Sprintf("it writes the file anew, and stops at \"invalid permissions level %s\"", level.Str())
		}
	}
	return m
}

func sitesOfMisread(b *deployment.Bridge) []source.Site {
	sites := []source.Site{b.ImageAt.Site("the image")}
	if word, ok := b.OtherProgram(); ok {
		word.Site.Note = "not in this image"
		sites = append(sites, word.Site)
	}
	return append(sites, b.Shape.Site("not read by this image"))
}

// tell is one finding for all bridges whose files are as old, or as new.
func (m misreading) tell(r *Reporter, bridges []*deployment.Bridge) {
	var names []string
	var sites []source.Site
	for _, b := range bridges {
		names, sites = append(names, b.Name), append(sites, sitesOfMisread(b)...)
	}
	but := ", but"
	if m.stops == "" {
		but = ", and"
	}
	fact := fmt.Sprintf("the configuration of %s has %s, as that of %s%s its image reads that of %s; ", names[0], bridges[0].Shape.Path(), m.is.Shape().Words, but, m.reads.Shape().Words)
	if m.runs != "" {
		fact = fmt.Sprintf("%s is started with %s and has the configuration of %s, but its image is that of %s; ", names[0], m.runs, m.is.Shape().Words, m.reads.Shape().Words)
	}
	fix, stops, goes := bridges[0].ImageFor(), m.stops, rewritten
	if len(bridges) > 1 {
		fact = fmt.Sprintf("the configurations of %s are those of %s%s their images read those of %s; ", finding.Sentence(deployment.AtMost(names, 5), "and"), m.is.Shape().Words, but, m.reads.Shape().Words)
		fix, stops, goes = "pin the images to the releases that the files are written for, or write the files in the form of the images' example configurations", "each: "+m.stops, "each: "+rewritten
	}
	if m.stops == "" {
		r.Warn(fact+goes, fix, sites...)
		return
	}
	r.Fail(fact+stops, fix, sites...)
}

// otherNetwork is the bridge out of the same source whose bot this one has; Unknown when it has its own.
func otherNetwork(b *deployment.Bridge) component.Program {
	bot, at := b.Bot()
	for _, c := range b.Component().Siblings() {
		if at.Set() && c.Bridge.Bot == bot {
			return c.Program
		}
	}
	return component.Unknown
}

var bridgeSecretsFixed = Rule{
	ID: "bridge-secrets-fixed", Severity: finding.Error,
	Summary: "a bridge that does not write its configuration back finds every key there that it would make up",
	Why:     "The bridge starts once and never again: \"failed to start Matrix connector: decrypt pickle: the message couldn't be decrypted (bad mac)\", for it made up another pickle_key.",
	Fix:     "Write a value of your own, once; or let the bridge write its configuration (no -n, no :ro) for one start. A key in use must never change.",
	Source:  "mautrix-go v0.30.0 bridgev2/bridgeconfig/upgrade.go; mautrix-discord v0.7.7; mautrix-telegram v0.15.3",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			if v := b.At("encryption.pickle_key"); b.Dialect == component.BridgeV2 && b.Encrypts() && v.Kind() == source.Scalar && v.Str() == "" {
				r.Fail(fmt.Sprintf("pickle_key of %s is empty; the bridge stops (\"CryptoPickleKey not set\")", b.Name), `pickle_key: "…"`, v.Site(""))
			}
			why, at := b.KeepsConfig()
			if why == "" {
				continue
			}
			for _, g := range b.MadeUp() {
				v := b.At(g.Key)
				msg := fmt.Sprintf("%s makes up %s at each start, because %s; %s", b.Name, v.Name(), why, g.Consequence)
				if g.On == "" {
					r.Warn(msg, v.Name()+`: "…", or disable`, v.Site(""), at)
					continue
				}
				r.Fail(msg, v.Name()+`: "…"`, v.Site(""), at)
			}
		}
	},
}

var bridgeDatabaseOwn = Rule{
	ID: "bridge-database-own", Severity: finding.Error,
	Summary: "every bridge has a database of its own",
	Why:     "The bridge stops: \"the database is owned by megabridge/mautrix-…\", or \"the database contains foreign tables (found state_groups_state, likely belonging to Synapse)\".",
	Fix:     "Create a database for each bridge and name it in its URI.",
	Source:  "go.mau.fi/util v0.10.0 dbutil; mautrix-go v0.30.0 bridgev2/matrix/mxmain",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			checkDriver(r, b)
			for _, c := range d.Connections() {
				if c.Service != b.Service {
					continue
				}
				if other := d.SameDatabase(c); other != nil {
					r.Fail(fmt.Sprintf("%s uses the database %s of %s; it refuses foreign tables and does not start", b.Name, c.Db, other.Service.Name),
						"name a database of its own in the URI, such as "+b.Name, c.At.Site(""), other.At.Site(other.Service.Name+"'s"))
				}
			}
		}
	},
}

// drivers are the database drivers in the Go bridges: go.mau.fi/util v0.10.0 dbutil/litestream, lib/pq.
var drivers = []string{"postgres", "sqlite3-fk-wal", "sqlite3-fk-wal-fullsync", "litestream", "sqlite3"}

// checkDriver has a Go bridge know the driver that its configuration names.
func checkDriver(r *Reporter, b *deployment.Bridge) {
	uri := b.Keys().Database
	v := b.At(strings.TrimSuffix(uri, ".uri") + ".type")
	if at := b.At(uri); strings.HasPrefix(v.Str(), "sqlite") && strings.HasPrefix(at.Str(), "postgres") && !b.Misread() {
		r.Fail(fmt.Sprintf("the database of %s is of the type %s, and its uri is one of PostgreSQL; it looks for a file of that name and does not start", b.Name, v.Str()), "type: postgres", v.Site(""), at.Site("the uri"))
		return
	}
	if !strings.HasSuffix(uri, ".uri") || b.Misread() || !v.IsString() || slices.Contains(drivers, v.Str()) || b.FromEnv(v.Path()) {
		return
	}
	r.Fail(fmt.Sprintf("%s has no database driver called %s; it does not start (unknown driver)", b.Name, v.Str()), "type: "+cmp.Or(finding.Nearest(v.Str(), drivers), "postgres"), v.Site(""))
}

var doublePuppetServers = Rule{
	ID: "double-puppet-servers", Severity: finding.Warning,
	Summary: "a bridge does not look for its own homeserver among the others for double puppeting",
	Why:     "What the bridge does in your name takes the way through the proxy, is slower, and fails while the proxy does; next to MAS its logins end there.",
	Fix:     "Remove your own server from the mapping; the bridge uses homeserver.address for it.",
	Source:  "mautrix docs, Double puppeting; mautrix-go v0.30.0 bridgev2/matrix/doublepuppet.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			var detours []detour
			for _, b := range d.Bridges {
				if v := b.At(b.Keys().PuppetServers).At(s.Server.Str()); v.Set() {
					detours = append(detours, detour{b, v})
				}
			}
			severally(r, detours, detour.sites, tellDetours)
		}
	},
}

// detour is a bridge that goes to its own homeserver by the address at value.
type detour struct {
	bridge *deployment.Bridge
	value  source.Value
}

func (d detour) sites() []source.Site {
	return []source.Site{d.value.Site(""), d.bridge.Config.At("homeserver", "address").Site("used without it")}
}

func tellDetours(r *Reporter, detours []detour) {
	first := detours[0]
	if len(detours) == 1 {
		r.WarnMend(fmt.Sprintf("%s goes through %s to puppet users of its own server; that takes the way through the proxy", first.bridge.Name, first.value.Str()), remove(first.value, "remove it"), first.sites()...)
		return
	}
	var names []string
	var sites []source.Site
	for _, d := range detours {
		names, sites = append(names, d.bridge.Name), append(sites, d.value.Site(""))
	}
	fix := mend{"remove it in each", func() (edits []source.Edit) {
		for _, d := range detours {
			own := d.value.Gone()
			if own == nil {
				return nil // in part would be no mend
			}
			edits = append(edits, own...)
		}
		return edits
	}}
	r.WarnMend(finding.Sentence(deployment.AtMost(names, 5), "and")+" go through the public address to puppet users of their own server; that takes the way through the proxy", fix, sites...)
}
