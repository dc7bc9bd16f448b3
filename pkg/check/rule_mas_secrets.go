package check

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// namedByMAS reads a file that MAS's configuration names, by its path in the container. ok is false when it cannot
// be had, of which r is told unless compose-mount-exists tells.
func namedByMAS(r *Reporter, m *deployment.MAS, v source.Value) (text string, ok bool) {
	return namedFile(r, m.Service, deployment.LeafOf(v), v.Str(), v.Path(), "MAS")
}

// namedFile reads a file that a program is told of, by its path in the container; what is the name of the setting that tells it. ok
// is false when it cannot be had, of which r is told unless compose-mount-exists tells.
func namedFile(r *Reporter, s *deployment.Service, v deployment.Leaf, name, what, program string) (text string, ok bool) {
	text, host, reason := s.Deployment().Text(s, path.Join("/", name))
	missing := strings.HasPrefix(reason, deployment.NothingMounted)
	if host != "" && reason != "" {
		_, err := fs.Stat(s.Deployment().FS, host)
		missing = errors.Is(err, fs.ErrNotExist)
		if slices.ContainsFunc(s.Mounts, func(mount deployment.Mount) bool { return missing && mount.Host == host }) {
			return "", false
		}
	}
	switch {
	case missing && host != "":
		r.Fail(fmt.Sprintf("%s names %s, but %s does not exist; %s does not start", what, name, host, program), "correct the path, or make the file", v.Site(""))
	case missing:
		r.Fail(fmt.Sprintf("%s names %s, but %s; %s does not start", what, name, reason, program), s.Lines().Mount("the file", "there"), append([]source.Site{v.Site("")}, s.MountSites(name)...)...)
	case reason != "":
		r.NotChecked(fmt.Sprintf("%s cannot be seen: %s", what, reason), v.Site(""))
	default:
		return text, true
	}
	return "", false
}

var hexKey = regex.Of(`^[0-9A-Fa-f]{64}$`)

var masEncryptionKey = Rule{
	ID: "mas-encryption-key", Severity: finding.Error,
	Summary: "MAS has one encryption key of 64 hex digits, and its file holds nothing else, no line break either",
	Why:     "MAS does not start: \"Missing `encryption` or `encryption_file`\", or \"Content of `encryption_file` must contain hex characters encoding exactly 32 bytes\", which a line break at the end of the file is enough for.",
	Fix:     "openssl rand -hex 32 | tr -d '\\n' makes one. Never change it after the first start: MAS could no longer read its database.",
	Source:  "MAS crates/config/src/sections/secrets.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			secrets := m.Config.At("secrets")
			inline, file := secrets.At("encryption"), secrets.At("encryption_file")
			env, envAt := m.Env("MAS_SECRETS_ENCRYPTION")
			switch {
			case inline.Set() && file.Set():
				r.Fail("both encryption and encryption_file are set; MAS does not start", "keep one of them", inline.Site(""), file.Site("the other"))
			case inline.Set():
				if !hexKey().MatchString(inline.Str()) {
					r.Fail("encryption is not 64 hex digits; MAS does not start", "openssl rand -hex 32", inline.Site(""))
				}
			case file.Set():
				checkEncryptionFile(r, m, file)
			case env != "" && !hexKey().MatchString(env):
				r.Fail("MAS_SECRETS_ENCRYPTION is not 64 hex digits; MAS does not start", "openssl rand -hex 32", envAt.Site(""))
			case env == "" && m.ReadsMore():
				r.NotChecked("the encryption key may stand in another of MAS's configuration files", secrets.Site(""))
			case env == "":
				r.Fail("MAS has no encryption key; MAS does not start", "encryption: 64 hex digits, from openssl rand -hex 32", inline.Site(""))
			}
		}
	},
}

func checkEncryptionFile(r *Reporter, m *deployment.MAS, file source.Value) {
	text, ok := namedByMAS(r, m, file)
	host, _ := m.HostPath(path.Join("/", file.Str()))
	content := source.Site{Pos: source.Pos{File: host}}
	switch {
	case !ok || hexKey().MatchString(text):
	case hexKey().MatchString(strings.TrimSpace(text)):
		r.Fail("the file of the encryption key ends in a line break, which MAS takes for a part of the key; MAS does not start",
			"printf %s \"$(cat "+host+")\" > "+host+".new && mv "+host+".new "+host, file.Site(""), content)
	default:
		r.Fail("the file of the encryption key does not hold 64 hex digits; MAS does not start", "openssl rand -hex 32 | tr -d '\\n' > "+host, file.Site(""), content)
	}
}

var masSigningKeys = Rule{
	ID: "mas-signing-keys", Severity: finding.Error,
	Summary: "MAS has an RSA key to sign with, every key can be read, and no two keys have one kid",
	Why:     "MAS does not start because of a key it cannot read; or it starts without an RSA key, and every client whose scope has openid gets 500 from the token endpoint, \"The signing key is invalid\" in the log.",
	Fix:     "openssl genrsa 3072 makes one: name the file as key_file below secrets.keys.",
	Source:  "MAS crates/config/src/sections/secrets.rs, crates/keystore; docs/reference/configuration.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			keys, whole := signingKeys(r, m)
			first := make(map[string]signingKey)
			for _, k := range keys {
				if other, ok := first[k.kid]; ok {
					r.Fail("two signing keys have the same kid; whoever checks a signature may take the wrong one", "give one of them another kid, or remove it", k.kidAt.Site(""), other.kidAt.Site("the other"))
				}
				first[k.kid] = k
			}
			secrets := m.Config.At("secrets")
			if whole && !m.ReadsMore() && !slices.ContainsFunc(keys, func(k signingKey) bool { return k.rsa }) {
				r.Fail("MAS has no RSA key to sign with; every client with the scope openid gets 500 from the token endpoint", "key_file: the path of a file from openssl genrsa 3072", secrets.At("keys").Site(""))
			}
		}
	},
}

// signingKey is a key of MAS as far as it can be told: kid is a digest of the key where none is written, as
// MAS does it, too.
type signingKey struct {
	kid       string
	rsa       bool
	at, kidAt source.Value
}

// signingKeys reads all keys; whole is false when one of them cannot be had, of which r is told.
func signingKeys(r *Reporter, m *deployment.MAS) (keys []signingKey, whole bool) {
	whole = true
	add := func(k signingKey, text string, locked bool) {
		digest, isRSA, encrypted, ok := readKey(text)
		switch {
		case encrypted && !locked:
			r.Fail("this key is encrypted, and MAS is given no password for it; MAS does not start", "password_file: the path of its password", k.at.Site(""))
		case !encrypted && !ok:
			r.Fail("this is no private key that MAS can read; MAS does not start", "a key in PEM, as openssl genrsa makes it", k.at.Site(""))
		case encrypted:
			r.NotChecked("the key is encrypted: its kind cannot be seen", k.at.Site(""))
		}
		if k.rsa = isRSA; k.kid == "" {
			k.kid, k.kidAt = digest, k.at
		}
		if whole = whole && ok; k.kid != "" {
			keys = append(keys, k)
		}
	}
	for _, v := range m.Config.At("secrets", "keys").Items() {
		inline, file, password, passwordFile := v.At("key"), v.At("key_file"), v.At("password"), v.At("password_file")
		k := signingKey{kid: v.At("kid").Str(), kidAt: v.At("kid"), at: inline}
		text, ok := inline.Str(), inline.Set()
		switch {
		case inline.Set() == file.Set():
			r.Fail("a signing key needs one of key and key_file; MAS does not start", "key_file: the path of a key in PEM", v.Site(""))
			ok = false
		case password.Set() && passwordFile.Set():
			r.Fail("both password and password_file are set; MAS does not start", "keep one of them", password.Site(""), passwordFile.Site("the other"))
		case file.Set():
			k.at = file
			text, ok = namedByMAS(r, m, file)
		}
		if whole = whole && ok; ok {
			add(k, text, password.Set() || passwordFile.Set())
		}
	}
	dir := m.Config.At("secrets", "keys_dir")
	if !dir.Set() {
		return keys, whole
	}
	host, reason := m.HostPath(path.Join("/", dir.Str()))
	entries, err := fs.ReadDir(m.Deployment().FS, host)
	switch {
	case strings.HasPrefix(reason, deployment.NothingMounted):
		r.Fail("keys_dir: "+reason+"; MAS does not start", m.Lines().Mount("the directory of the keys", "there"), dir.Site(""))
		return keys, false
	case reason != "" || err != nil:
		r.NotChecked("the directory of the signing keys cannot be seen", dir.Site(""))
		return keys, false
	}
	for _, e := range entries {
		if text, _, reason := m.Deployment().Text(m.Service, path.Join("/", dir.Str(), e.Name())); reason == "" {
			add(signingKey{at: dir}, text, false)
		}
	}
	return keys, whole
}

// readKey tells what a private key in PEM or DER is. crypto/x509 does not know the curve secp256k1, which MAS
// does.
func readKey(text string) (digest string, isRSA, encrypted, ok bool) {
	der := []byte(text)
	if block, _ := pem.Decode(der); block != nil {
		if block.Type == "ENCRYPTED PRIVATE KEY" {
			return "", false, true, false
		}
		der = block.Bytes
	}
	digest = fmt.Sprintf("%x", sha256.Sum256(der))
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		_, isRSA = key.(*rsa.PrivateKey)
		_, isEC := key.(*ecdsa.PrivateKey)
		return digest, isRSA, false, isRSA || isEC
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return digest, true, false, true
	}
	_, err := x509.ParseECPrivateKey(der)
	return digest, false, false, err == nil || onSecp256k1(der)
}

var secp256k1 = asn1.ObjectIdentifier{1, 3, 132, 0, 10}

func onSecp256k1(der []byte) bool {
	oid, err := asn1.Marshal(secp256k1)
	var outer asn1.RawValue
	rest, wrong := asn1.Unmarshal(der, &outer)
	return err == nil && wrong == nil && len(rest) == 0 && strings.Contains(string(outer.Bytes), string(oid))
}
