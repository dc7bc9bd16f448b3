package check

import (
	"crypto/ed25519"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Fixed is a value that a deployment has to keep once it has run.
type Fixed struct {
	Name   string
	Value  string // public, or a digest when the value itself is secret
	Secret bool   // the value comes from a secret, and Value is not for people
	Breaks string // what changing it breaks
	At     source.Value
}

// Fixed lists what the deployment has to keep, as far as the files show it.
func (d *Deployment) Fixed() []Fixed {
	var all []Fixed
	add := func(name string, v source.Value, breaks string) {
		if v.Set() {
			all = append(all, Fixed{Name: name, Value: v.Str(), Breaks: breaks, At: v})
		}
	}
	secret := func(name, value string, v source.Value, breaks string) {
		if value != "" {
			all = append(all, Fixed{Name: name, Value: value, Secret: true, Breaks: breaks, At: v})
		}
	}
	for _, s := range d.Synapses {
		add("server_name", s.Config.At("server_name"),
			"Synapse does not start on a database with users of another name, and every user, room and link belongs to the old one")
		key, _, _ := d.secretOf(s.Service, s.Config.Root(), "signing_key", "signing_key_path")
		secret("synapse.signing_key", publicKey(key), s.Config.At("signing_key_path"),
			"other servers know this homeserver by its key: they refuse its events until the new one has spread, and rooms may stay broken")
	}
	for _, m := range d.MASs {
		key, at, _ := d.secretOf(m.Service, m.Config.At("secrets"), "encryption", "encryption_file")
		secret("auth.encryption", digest("auth.encryption", key), at,
			"MAS can no longer read what it has encrypted in its database, and every browser session ends")
		for _, p := range m.Config.At("upstream_oauth2", "providers").Items() {
			secret("auth.upstream.id of "+p.At("client_id").Str()+" at "+p.At("issuer").Str(), p.At("id").Str(), p.At("id"),
				"the id is part of the callback URL and of every user's link: nobody can log in through this provider until each is linked again")
		}
	}
	for _, b := range d.Bridges {
		name := "bridges." + b.Name + "."
		add(name+"id", b.Config.At("appservice", "id"),
			"Synapse's database has the bot and every ghost as users of the old id")
		add(name+"username_template", b.at(b.keys().ghosts),
			"the ghosts that exist are called after the old one, and are no longer the bridge's")
		text, key, _ := b.setting("encryption.pickle_key")
		if text == "generate" { // the bridge makes one up, and writes it here
			text = ""
		}
		secret(name+"pickle_key", digest(name+"pickle_key", text), key,
			"the bridge can no longer read its encryption keys and does not start (bad mac)")
	}
	return all
}

// publicKey gives the public half of Synapse's signing key, which every other server is given; "" when the
// text is no such key. The first line is the one that signs.
func publicKey(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	f := strings.Fields(line)
	if len(f) != 3 {
		return ""
	}
	seed, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(f[2], "="))
	if err != nil || len(seed) != ed25519.SeedSize {
		return ""
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return f[0] + ":" + f[1] + " " + base64.RawStdEncoding.EncodeToString(public)
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

// Broken gives those of now that had another value before, by name.
func Broken(before map[string]string, now []Fixed) []Fixed {
	var broken []Fixed
	for _, f := range now {
		if was, known := before[f.Name]; known && was != f.Value {
			broken = append(broken, f)
		}
	}
	return broken
}

// Values gives the values by name, as the manifest keeps them.
func Values(fixed []Fixed) map[string]string {
	values := make(map[string]string)
	for _, f := range fixed {
		values[f.Name] = f.Value
	}
	return values
}
