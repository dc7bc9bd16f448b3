package deployment

import (
	"cmp"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// Fixed is a value that a deployment has to keep once it has run.
type Fixed struct {
	Name   string
	Value  string // public, or a digest when the value itself is secret
	Secret bool   // the value comes from a secret, and Value is not for people
	Breaks string // what changing it breaks
	// Mends is what to do about it where nothing is lost for good: such a change is told and not refused.
	Mends string
	// Instead is what to do when the old value is not to be put back, where there is something.
	Instead string
	// Open: it is being taken over from elsewhere, and may become another one.
	Open bool
	At   Leaf

	lost func(was, is string) bool // whether the change breaks anything; nil where every change does
}

// fixer collects what a deployment has to keep.
type fixer struct {
	all   []Fixed
	names map[string]bool
}

// add keeps the first value of a name: of several workers, each says the same.
func (x *fixer) add(f Fixed) {
	if f.Value != "" && !x.names[f.Name] {
		x.names[f.Name] = true
		x.all = append(x.all, f)
	}
}

// Fixed lists what the deployment has to keep, as far as the files show it.
func (d *Deployment) Fixed() []Fixed {
	x := &fixer{names: make(map[string]bool)}
	for _, s := range d.Synapses {
		d.fixSynapse(x, s)
	}
	for _, m := range d.MASs {
		d.fixMAS(x, m)
	}
	for _, b := range d.Bridges {
		d.fixBridge(x, b)
	}
	for _, e := range d.Elements {
		x.add(Fixed{
			Name: "hosts.element", Value: strings.Join(d.HostsOf(e.Service), " "), At: e.Self,
			Breaks: "a browser keeps a login and its keys by the host that the page came from",
			Mends:  "say to users where Element Web is now, and that they have to log in again there, with their recovery key at hand",
		})
	}
	for _, s := range d.PostgresServers() {
		x.add(Fixed{
			Name: "database.version", Value: s.Image.Major(), At: s.ImageAt,
			Breaks: "a PostgreSQL does not start on the data of another major version: dump first and restore afterwards, as RUNBOOK.md says under Upgrade",
		})
		superuser, _, _ := d.Superuser(s)
		x.add(Fixed{
			Name: "database.superuser", Value: superuser, At: s.EnvAt,
			Breaks: "POSTGRES_USER counts only when a cluster is made: in this one there is no such role, and nobody can log in as it",
		})
		for _, m := range s.Mounts {
			if strings.HasPrefix(m.Container, "/var/lib/postgresql") && !m.ReadOnly {
				x.add(Fixed{
					Name: "database.data", Value: m.apart(cmp.Or(m.Host, m.Source)), At: m.At,
					Breaks: "PostgreSQL makes a new, empty cluster in a place without one, and every service starts as if nobody had ever used it",
				})
			}
		}
	}
	for _, b := range d.Backups() {
		for _, period := range []string{"hourly", "daily", "weekly", "monthly"} {
			if keeps(b) {
				v := b.Option("keep_" + period)
				x.add(Fixed{
					Name: "backup.keep." + period, Value: cmp.Or(v.Str(), "0"), At: LeafOf(v), lost: fewer,
					Breaks: "the next run deletes the archives that it no longer keeps, in every repository",
				})
			}
		}
	}
	return x.all
}

// keeps reports whether a backup deletes anything: without any of its keep options borgmatic does not.
func keeps(b *Backup) bool {
	for _, period := range []string{"secondly", "minutely", "hourly", "daily", "weekly", "monthly", "yearly", "within"} {
		if b.Option("keep_" + period).Set() {
			return true
		}
	}
	return false
}

func fewer(was, is string) bool {
	a, errA := strconv.Atoi(was)
	b, errB := strconv.Atoi(is)
	return errA == nil && errB == nil && (b < a && b >= 0 || a < 0 && b >= 0)
}

func (d *Deployment) fixMAS(x *fixer, m *MAS) {
	key, at, _ := d.SecretOf(m.Service, m.Config.At("secrets"), "encryption", "encryption_file")
	x.add(Fixed{
		Name: "auth.encryption", Value: digest("auth.encryption", key), Secret: true, At: at,
		Breaks: "MAS can no longer read the secrets of the clients that registered themselves, and every browser session ends",
	})
	d.fixSchemes(x, m)
	for _, p := range m.Config.At("upstream_oauth2", "providers").Items() {
		x.add(Fixed{
			Name: "auth.upstream.id of " + p.At("client_id").Str() + " at " + p.At("issuer").Str(), Value: p.At("id").Str(), Secret: true, At: LeafOf(p.At("id")),
			Breaks: "the id is part of the callback URL and of every user's link: nobody can log in through this provider until each is linked again",
		})
	}
	x.version("auth.version", m.Service, "MAS has no way back in its database: on one that a newer release has changed it only warns, and may fail on what it does not know")
	d.fixDatabase(x, "auth.database", m.Service, "MAS starts with an empty one: nobody has an account there")
	public := m.Config.At("http", "public_base")
	x.add(Fixed{
		Name: "auth.public_url", Value: public.Str(), At: LeafOf(public),
		Breaks: "the address is the issuer of every session of clients that log in with OpenID Connect, such as Element X, and the redirect URI at each provider begins with it",
		Mends:  "say to users that they have to log in again, with their recovery key at hand; keep the DNS name of the old address for links that they have",
	})
	on := m.Config.At("passwords", "enabled")
	x.add(Fixed{
		Name: "auth.passwords", Value: strconv.FormatBool(!on.Set() || on.True()), At: LeafOf(on), lost: off,
		Breaks: "whoever has no link to a provider cannot log in any more; the passwords are kept",
		Mends:  "before, let every user log in through a provider once (existing_users: link), or give them another way in",
	})
}

func off(was, is string) bool { return was == "true" && is != "true" }

// mark is the name under which the manifest has what a bridge must not lose, whatever its service is called: its program's, or where
// there are several of one program, the service's.
func (d *Deployment) mark(b *Bridge) string {
	for _, other := range d.Bridges {
		if other != b && (other.Known() == b.Known() || other.Name == b.Known()) {
			return b.Name
		}
	}
	return b.Known()
}

func (d *Deployment) fixBridge(x *fixer, b *Bridge) {
	mark := d.mark(b)
	name := "bridges." + mark + "."
	id := b.Config.At("appservice", "id")
	x.add(Fixed{Name: name + "id", Value: id.Str(), At: LeafOf(id), Breaks: "Synapse's database has the bot and every ghost as users of the old id"})
	bot, at := b.Bot()
	x.add(Fixed{
		Name: name + "bot", Value: bot, At: LeafOf(at),
		Breaks: "the old bot is the one in the rooms, and an encrypting bridge whose bot has another device than before throws its encryption keys away",
	})
	ghosts := b.At(b.Keys().Ghosts)
	x.add(Fixed{
		Name: name + "username_template", Value: ghosts.Str(), At: LeafOf(ghosts),
		lost:   func(was, is string) bool { return remoteID.Replace(was) != remoteID.Replace(is) },
		Breaks: "the ghosts that exist are called after the old one, and are no longer the bridge's",
	})
	key, keyAt := b.pickleKey(mark)
	x.add(Fixed{Name: name + "pickle_key", Value: key, Secret: true, At: keyAt, Breaks: b.pickleBreaks()})
	breaks := "a newer release may have changed the bridge's database; then this one stops (\"Downgrading the bridge is not supported\", exit code 15)"
	if p := b.About.Move; b.Dialect != component.BridgeV2 && p != nil {
		breaks = "the bridge rewrites its database when it is upgraded, and from " + p.First.String() + " on into tables that this one does not know; it does not find its users and rooms any more"
	}
	x.version(name+"version", b.Service, breaks)
	d.fixDatabase(x, name+"database", b.Service, "the bridge starts with an empty one: nobody is logged in, and it makes new rooms beside the old ones")
	if b.Dialect == component.BridgeV2 {
		split := b.Config.At("bridge", "split_portals")
		x.add(Fixed{
			Name: name + "split_portals", Value: strconv.FormatBool(split.True()), At: LeafOf(split), lost: off,
			Breaks: "the database was split when it was on; mautrix-go from v0.30 on does not start without it (exit code 32)",
		})
	}
	level := "off"
	switch e := b.Encryption(); {
	case e.At("require").True() && b.Encrypts():
		level = "required"
	case b.Encrypts():
		level = "on"
	}
	x.add(Fixed{
		Name: name + "encryption", Value: level, At: LeafOf(b.Encryption().At("allow")), lost: func(was, is string) bool { return was != "off" && is == "off" || is == "required" },
		Breaks: map[string]string{
			"off":      "rooms that are encrypted stay so, and the bridge reads and writes nothing in them any more",
			"required": "the bridge drops what is written in rooms that are not encrypted",
		}[level],
		Mends: map[string]string{
			"off":      "turn it on again, or tell users that such rooms end here",
			"required": "before, turn encryption on in each of its rooms",
		}[level],
	})
}

// remoteID writes what stands for the remote user's id as bridgev2 does, whatever the dialect.
var remoteID = strings.NewReplacer("{userid}", "{{.}}", "{{ . }}", "{{.}}")

// OfForerunner is the Value of a pickle key that stood in the bridge's code before its move to bridgev2.
const OfForerunner = "the constant of the bridge before bridgev2"

// oldPickleKey is the constant of the bridge before bridgev2; "" where it had none.
func (b *Bridge) oldPickleKey() string {
	if m := b.About.Move; m != nil {
		return m.PickleKey
	}
	return ""
}

// pickleKey stands for what the bridge's encryption keys are encrypted with.
func (b *Bridge) pickleKey(mark string) (string, Leaf) {
	constant := b.oldPickleKey()
	text, v, _ := b.Setting("encryption.pickle_key")
	switch {
	case constant != "" && (b.Dialect != component.BridgeV2 && b.Encrypts() || text == constant):
		return OfForerunner, v
	case b.Dialect != component.BridgeV2, text == "generate": // the bridge makes one up, and writes it here
		return "", v
	}
	return digest("bridges."+mark+".pickle_key", text), v
}

func (b *Bridge) pickleBreaks() string {
	breaks := "the bridge can no longer read its encryption keys and does not start (bad mac)"
	if b.oldPickleKey() != "" {
		breaks += "; for a database that its forerunner made, the key is the constant that `stackgen rules irreversible-change` names"
	}
	return breaks
}

// fixDatabase keeps the name of the service's database.
func (d *Deployment) fixDatabase(x *fixer, name string, s *Service, breaks string) {
	db, at := d.DatabaseOf(s)
	x.add(Fixed{Name: name, Value: db, At: at, Breaks: breaks})
	for _, c := range d.Connections() {
		if c.Service == s {
			x.add(Fixed{
				Name: strings.TrimSuffix(name, "database") + "database.role", Value: c.User, At: c.UserAt,
				Breaks: "the tables belong to the role from before, and the other may not read them",
				Mends:  "hand them over before: make the role (docker compose run --rm db-init), and in that database REASSIGN OWNED BY the old one TO the new one",
			})
		}
	}
}

// DatabaseOf is the name of the PostgreSQL database that the service uses, and where that stands; "" when it cannot be told.
func (d *Deployment) DatabaseOf(s *Service) (string, Leaf) {
	for _, c := range d.Connections() {
		if c.Service == s {
			return cmp.Or(c.Db, c.User), c.At
		}
	}
	return "", Leaf{}
}

// version keeps the tag of a service's image. What has no version, such as latest, is not compared. Within one
// minor version, no program changes its database in a way that matters.
func (x *fixer) version(name string, s *Service, breaks string) {
	read := func(tag string) (component.Version, bool) {
		return component.Ref{Repository: s.Image.Repository, Tag: tag}.Version()
	}
	if _, ok := read(s.Image.Tag); !ok {
		return
	}
	x.add(Fixed{
		Name: name, Value: s.Image.Tag, At: s.ImageAt, Breaks: breaks + "; only a backup from before leads back",
		lost: func(was, is string) bool {
			a, okA := read(was)
			b, okB := read(is)
			a[2], b[2] = 0, 0
			return okA && okB && b.Less(a)
		},
	})
}

// publicKey gives the public half of Synapse's signing key, which every other server is given; "" when the
// text is no such key. The first line is the one that signs.
func publicKey(text string) string {
	keys, _ := component.VerifyKeys(text)
	if len(keys) == 0 {
		return ""
	}
	return keys[0].ID + " " + keys[0].Key
}

// stretched is how often a value that somebody may have made up is hashed: to guess one from the manifest is to
// cost more than to read it in the file that lies beside.
const stretched = 200_000

// digest stands for a secret in the manifest, by which it can be recognised but not be found. The name keeps
// equal secrets of two names apart.
func digest(name, value string) string {
	if value == "" {
		return ""
	}
	seen := make(map[rune]bool)
	for _, r := range value {
		seen[r] = true
	}
	if len(value) < 32 || len(seen) < 10 {
		key, err := pbkdf2.Key(sha256.New, value, []byte("stackgen "+name), stretched, sha256.Size)
		if err != nil {
			return ""
		}
		return "pbkdf2:" + hex.EncodeToString(key)
	}
	sum := sha256.Sum256([]byte("stackgen " + name + "\x00" + value))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Broken gives those of now that had another value before, by name, where that breaks something.
func Broken(before map[string]string, now []Fixed) []Fixed {
	var broken []Fixed
	for _, f := range now {
		was, known := before[f.Name]
		if known && !f.Open && was != f.Value && (f.lost == nil || f.lost(was, f.Value)) {
			broken = append(broken, f)
		}
	}
	return broken
}

// Taken gives those of now that had another value before and may have, by name.
func Taken(before map[string]string, now []Fixed) []Fixed {
	return slices.DeleteFunc(slices.Clone(now), func(f Fixed) bool {
		was, known := before[f.Name]
		return !f.Open || !known || was == f.Value || f.lost != nil && !f.lost(was, f.Value)
	})
}

// Values gives the values by name, as the manifest keeps them.
func Values(fixed []Fixed) map[string]string {
	values := make(map[string]string)
	for _, f := range fixed {
		values[f.Name] = f.Value
	}
	return values
}
