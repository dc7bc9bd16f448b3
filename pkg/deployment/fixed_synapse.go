package deployment

import (
	"cmp"
	"strconv"
	"strings"
)

// forEver is the lifetime of what is never deleted.
const forEver = "no limit"

// lifetimes are the settings that make Synapse delete what is older; where a setting is missing, unset holds.
// Read in config/repository.py, config/retention.py, config/server.py of Synapse v1.157.1.
var lifetimes = []struct {
	name, key, on string // on is the setting without which this one does nothing
	unset         string
	breaks, mends string
}{
	{
		"synapse.media_retention.local", "media_retention.local_media_lifetime", "", forEver,
		"pictures and files of your own users that nobody has looked at for that long are deleted, everywhere and for good", "",
	},
	{
		"synapse.media_retention.remote", "media_retention.remote_media_lifetime", "", forEver,
		"media of other servers that nobody has looked at for that long is deleted", "it is fetched again as long as its own server has it: keep it longer if you do not rely on that",
	},
	{
		"synapse.retention.max_lifetime", "retention.default_policy.max_lifetime", "retention.enabled", forEver,
		"older messages are deleted for good, in every room without a policy of its own", "",
	},
	{
		"synapse.retention.allowed_lifetime_max", "retention.allowed_lifetime_max", "retention.enabled", forEver,
		"older messages are deleted for good, in rooms whose policy would keep them longer", "",
	},
	{"synapse.redaction_retention_period", "redaction_retention_period", "", "7d", "what was redacted before that is deleted for good", ""},
	{"synapse.forgotten_room_retention_period", "forgotten_room_retention_period", "", forEver, "rooms that all users of this server have left and forgotten are deleted for good", ""},
	{"synapse.delete_stale_devices_after", "delete_stale_devices_after", "", forEver, "devices that were not used for that long are logged out and deleted, with the encryption keys that only they have", ""},
}

func (d *Deployment) fixSynapse(x *fixer, s *Synapse) {
	name := s.Config.At("server_name")
	x.add(Fixed{
		Name: "server_name", Value: name.Str(), At: LeafOf(name),
		Breaks: "Synapse does not start on a database with users of another name, and every user, room and link belongs to the old one",
	})
	key, _, _ := d.SecretOf(s.Service, s.Config.Root(), "signing_key", "signing_key_path")
	x.add(Fixed{
		Name: "synapse.signing_key", Value: publicKey(key), Secret: true, Open: d.Migrating(), At: LeafOf(s.Config.At("signing_key_path")),
		Instead: "if it is the key of a homeserver that moves in here: `auth.migration: true` for as long as it does",
		Breaks:  "other servers know this homeserver by its key: they refuse its events until the new one has spread, and rooms may stay broken",
	})
	x.version("synapse.version", s.Service,
		"Synapse stops on a database that a newer one has changed too far, and what was mended since, security included, is open again")
	d.fixDatabase(x, "synapse.database", s.Service, "Synapse starts with an empty one: no user, room or message is there, and other servers are told so")
	media := s.Config.At("media_store_path")
	x.add(Fixed{
		Name: "synapse.media_store", Value: s.place(media.Str()), At: LeafOf(media),
		Breaks: "no picture or file that was sent before is found there",
	})
	public := s.Config.At("public_baseurl")
	x.add(Fixed{
		Name: "hosts.matrix", Value: strings.TrimRight(public.Str(), "/"), At: LeafOf(public),
		Breaks: "clients that are logged in keep asking the old address, where nothing answers any more",
		Mends:  "let users change the homeserver's address in their client, or log in again with their recovery key at hand",
	})
	for _, l := range lifetimes {
		v := s.setting(l.key)
		value := l.unset
		switch {
		case l.on != "" && !s.setting(l.on).True():
			value = forEver
		case v.Set():
			value = v.Str()
		case v.Exists(): // null
			value = forEver
		}
		x.add(Fixed{Name: l.name, Value: value, At: LeafOf(v), Breaks: l.breaks, Mends: l.mends, lost: shorter})
	}
}

// shorter compares two lifetimes. One that cannot be read is left to Synapse.
func shorter(was, is string) bool {
	a, okA := lifetime(was)
	b, okB := lifetime(is)
	return okA && okB && b >= 0 && (a < 0 || b < a)
}

// units are Synapse's, in milliseconds (config/_base.py, parse_duration).
var units = map[byte]int64{'s': 1000, 'm': 60_000, 'h': 3_600_000, 'd': 86_400_000, 'w': 7 * 86_400_000, 'y': 365 * 86_400_000}

// lifetime is in milliseconds, -1 for what lasts for ever.
func lifetime(text string) (int64, bool) {
	if text == forEver {
		return -1, true
	}
	if text == "" {
		return 0, false
	}
	unit, known := units[text[len(text)-1]]
	if known {
		text = text[:len(text)-1]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n * cmp.Or(unit, 1), err == nil && n >= 0 && n < 1<<40
}
