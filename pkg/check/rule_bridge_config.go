package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// dialectWords name the shapes of a configuration in a sentence.
var dialectWords = map[image.Dialect]string{
	image.BridgeV2: "the present Go bridges (bridgev2)",
	image.Legacy:   "the older Go bridges (before bridgev2, and Discord v0.7)",
	image.Python:   "the Python bridges (Telegram up to v0.15)",
}

var bridgeDialect = Rule{
	ID: "bridge-dialect", Severity: finding.Error,
	Summary: "a bridge's configuration has the shape that its image reads",
	Why:     "The bridge ignores what it does not know and stops at what it then misses: \"appservice.database not configured\", \"Legacy bridge config detected, but hacky network config migrator is not set\"; or it rewrites the file and stops at \"invalid permissions level relaybot\".",
	Fix:     "Pin the image to the release that the file was written for, or write the file anew for the image.",
	Source:  "mautrix-go v0.30.0 bridgev2/bridgeconfig/upgrade.go; mautrix-telegram v0.2604.0, mautrix-meta v0.2608.0 CHANGELOG",
	Check: func(d *Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			tag := b.Value.At("image").Site("the image")
			if want, _ := b.Image.Dialect(); b.misread() {
				consequence := "it ignores most of it and does not start"
				if want == image.BridgeV2 {
					consequence = "it does not start, or rewrites the file first"
				}
				r.Fail(fmt.Sprintf("the configuration of %s is one of %s, but its image reads that of %s; %s", b.Name, dialectWords[b.Dialect], dialectWords[want], consequence),
					b.imageFor(), tag, b.shape.Site("not read by this image"))
			}
			ver, known := b.Image.Version()
			if mode := b.Config.At("network", "mode"); b.isMeta() && mode.Set() && known && !ver.Less(image.Version{0, 2608, 0}) {
				network := "Facebook Messenger"
				if b.Program == image.Instagram {
					network = "Instagram"
				}
				r.Fail(fmt.Sprintf("%s no longer reads network.mode; the bridge connects to %s whatever stands there", b.Image.Tag, network), "remove it; Instagram's image is dock.mau.dev/mautrix/meta:ig-v0.2608.0", mode.Site(""), tag)
				continue
			}
			if other := b.otherNetwork(); other != "" {
				_, at := b.bot()
				r.Warn(fmt.Sprintf("the bot of %s is that of %s, but the image is another network's; people log in to the wrong one", b.Name, other), "image: "+image.Tested[other].String(), tag, at.Site("the bot"))
			}
		}
	},
}

// imageFor is the line with an image that reads the file. Only Telegram has been more than one program.
func (b *Bridge) imageFor() string {
	ref := b.Image
	switch {
	case b.Program == image.Telegram && b.Dialect == image.Python:
		ref.Tag, ref.Digest = "v0.15.3", ""
	case b.Program == image.Telegram && b.Dialect == image.BridgeV2:
		ref.Tag, ref.Digest = image.Tested[image.Telegram].Tag, ""
	default:
		return "write the file in the form of the image's example configuration"
	}
	return "image: " + ref.String()
}

func (b *Bridge) isMeta() bool { return b.Program == image.Meta || b.Program == image.Instagram }

// otherNetwork is the bridge out of the same source whose bot this one has; Unknown when it has its own.
func (b *Bridge) otherNetwork() image.Program {
	bot, at := b.bot()
	for _, def := range image.Bridges {
		if at.Set() && b.isMeta() && def.Program != b.Program && def.Bot == bot {
			return def.Program
		}
	}
	return image.Unknown
}

// generatedKey is a key that a bridge makes up when it is absent or "generate", with what depends on it: the
// key that turns it on, or "" when nothing has to.
type generatedKey struct{ key, on, consequence string }

var generated = map[image.Dialect][]generatedKey{
	image.BridgeV2: {
		{"encryption.pickle_key", "encryption.allow", "it cannot read its own keys at the second start and stops (\"decrypt pickle: … bad mac\")"},
		{"direct_media.server_key", "direct_media.enabled", "media that was sent before cannot be fetched after a restart"},
		{"public_media.signing_key", "public_media.enabled", "links to media end with the next restart"},
		{"provisioning.shared_secret", "", "who uses its provisioning API is shut out after a restart"},
	},
	image.Legacy: {
		{"bridge.direct_media.server_key", "bridge.direct_media.enabled", "media that was sent before cannot be fetched after a restart"},
		{"bridge.avatar_proxy_key", "bridge.public_address", "avatars of relayed people end with the next restart"},
		{"bridge.provisioning.shared_secret", "", "who uses its provisioning API is shut out after a restart"},
	},
	image.Python: {
		{"appservice.provisioning.shared_secret", "", "who uses its provisioning API is shut out after a restart"},
	},
}

var bridgeSecretsFixed = Rule{
	ID: "bridge-secrets-fixed", Severity: finding.Error,
	Summary: "a bridge that does not write its configuration back finds every key there that it would make up",
	Why:     "The bridge starts once and never again: \"failed to start Matrix connector: decrypt pickle: the message couldn't be decrypted (bad mac)\", for it made up another pickle_key.",
	Fix:     "Write a value of your own, once; or let the bridge write its configuration (no -n, no :ro) for one start. A key in use must never change.",
	Source:  "mautrix-go v0.30.0 bridgev2/bridgeconfig/upgrade.go; mautrix-discord v0.7.7; mautrix-telegram v0.15.3",
	Check: func(d *Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			if v := b.at("encryption.pickle_key"); b.Dialect == image.BridgeV2 && b.encrypts() && v.Kind() == source.Scalar && v.Str() == "" {
				r.Fail(fmt.Sprintf("pickle_key of %s is empty; the bridge stops (\"CryptoPickleKey not set\")", b.Name), `pickle_key: "…"`, v.Site(""))
			}
			why, at := b.keepsConfig()
			if why == "" {
				continue
			}
			for _, g := range b.madeUp() {
				v := b.at(g.key)
				msg := fmt.Sprintf("%s makes up %s at each start, because %s; %s", b.Name, v.Name(), why, g.consequence)
				if g.on == "" {
					r.Warn(msg, v.Name()+`: "…", or disable`, v.Site(""), at)
					continue
				}
				r.Fail(msg, v.Name()+`: "…"`, v.Site(""), at)
			}
		}
	},
}

// madeUp are the keys that the bridge uses and nobody has given it.
func (b *Bridge) madeUp() []generatedKey {
	var keys []generatedKey
	for _, g := range generated[b.Dialect] {
		v, on := b.at(g.key), b.at(g.on)
		used := g.on == "" || on.True() || strings.HasPrefix(on.Str(), "http")
		if used && !b.fromEnv(g.key) && (!v.Set() || v.Str() == "generate") {
			keys = append(keys, g)
		}
	}
	return keys
}

var bridgeDatabaseOwn = Rule{
	ID: "bridge-database-own", Severity: finding.Error,
	Summary: "every bridge has a database of its own",
	Why:     "The bridge stops: \"the database is owned by megabridge/mautrix-…\", or \"the database contains foreign tables (found state_groups_state, likely belonging to Synapse)\".",
	Fix:     "Create a database for each bridge and name it in its URI.",
	Source:  "go.mau.fi/util v0.10.0 dbutil; mautrix-go v0.30.0 bridgev2/matrix/mxmain",
	Check: func(d *Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			b.checkDriver(r)
			for _, c := range d.clients() {
				if other := d.sameDatabase(c); c.service == b.Service && other != nil {
					r.Fail(fmt.Sprintf("%s uses the database %s of %s; it refuses foreign tables and does not start", b.Name, c.db, other.service.Name),
						"name a database of its own in the URI, such as "+b.Name, c.at.Site(""), other.at.Site(other.service.Name+"'s"))
				}
			}
		}
	},
}

// drivers are the database drivers in the Go bridges: go.mau.fi/util v0.10.0 dbutil/litestream, lib/pq.
var drivers = []string{"postgres", "sqlite3-fk-wal", "sqlite3-fk-wal-fullsync", "litestream", "sqlite3"}

// checkDriver has a Go bridge know the driver that its configuration names.
func (b *Bridge) checkDriver(r *Reporter) {
	uri := b.keys().database
	v := b.at(strings.TrimSuffix(uri, ".uri") + ".type")
	if !strings.HasSuffix(uri, ".uri") || b.misread() || !v.IsString() || slices.Contains(drivers, v.Str()) || b.fromEnv(v.Path()) {
		return
	}
	r.Fail(fmt.Sprintf("%s has no database driver called %s; it does not start (unknown driver)", b.Name, v.Str()), "type: "+cmp.Or(nearest(v.Str(), drivers), "postgres"), v.Site(""))
}

// sameDatabase gives the client that has the client's database, too, and is listed before it. MAS is left to
// mas-database-own.
func (d *Deployment) sameDatabase(c client) *client {
	for _, o := range d.clients() {
		switch {
		case o.service == c.service:
			return nil
		case d.oneDatabase(o, c) && o.service.Program != image.MAS && c.service.Program != image.MAS:
			return &o
		}
	}
	return nil
}

var doublePuppetServers = Rule{
	ID: "double-puppet-servers", Severity: finding.Warning,
	Summary: "a bridge does not look for its own homeserver among the others for double puppeting",
	Why:     "What the bridge does in your name takes the way through the proxy, is slower, and fails while the proxy does; next to MAS its logins end there.",
	Fix:     "Remove your own server from the mapping; the bridge uses homeserver.address for it.",
	Source:  "mautrix docs, Double puppeting; mautrix-go v0.30.0 bridgev2/matrix/doublepuppet.go",
	Check: func(d *Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, b := range d.Bridges {
				if v := b.at(b.keys().puppetServers).At(s.server.Str()); v.Set() {
					r.Warn(fmt.Sprintf("%s goes through %s to puppet users of its own server; that takes the way through the proxy", b.Name, v.Str()), "remove it", v.Site(""), b.Config.At("homeserver", "address").Site("used without it"))
				}
			}
		}
	},
}
