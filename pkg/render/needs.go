package render

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// Needs lists every secret that the stack of s has, in the order of secrets.yaml: the generated ones, and
// those that only a person can get.
func Needs(s *spec.Spec) []secret.Need {
	var needs []secret.Need
	token := func(names ...string) {
		for _, n := range names {
			needs = append(needs, secret.Need{Name: n, Kind: secret.Token})
		}
	}
	needs = append(needs, secret.Need{
		Name: "synapse.signing_key", Kind: secret.SigningKey, Kept: true, Remembers: "synapse.old_signing_keys",
		Breaks: "other servers know this homeserver by its signing key: they refuse its events until the new key has spread, and rooms may stay broken",
	}, secret.Need{Name: "synapse.old_signing_keys", Kind: secret.OldKeys})
	token("synapse.macaroon_secret_key", "synapse.form_secret")
	if s.Email.User != "" {
		needs = append(needs, secret.Need{
			Name: "email.password", Kind: secret.External,
			Where: "the password of " + s.Email.User + " on the SMTP server " + s.Email.Host, Example: "placeholder-email-password",
		})
	}
	if len(s.Synapse.TURN.URIs) > 0 {
		needs = append(needs, secret.Need{
			Name: "synapse.turn_shared_secret", Kind: secret.External,
			Where: "static-auth-secret in the TURN server's configuration", Example: "placeholder-turn-shared-secret",
		})
	}
	token("auth.matrix_secret")
	needs = append(needs, secret.Need{
		Name: "auth.encryption", Kind: secret.Hex32, Kept: true,
		Breaks: "MAS can no longer read what it has encrypted in its database, and every browser session ends",
	}, secret.Need{Name: "auth.key_rsa", Kind: secret.RSAPEM}, secret.Need{Name: "auth.key_ec", Kind: secret.ECPEM})
	if s.Auth.Pepper {
		needs = append(needs, secret.Need{
			Name: "auth.pepper", Kind: secret.External, Where: "password_config.pepper in the old homeserver.yaml", Example: "placeholder-pepper",
			Breaks: "no password that came from Synapse is right any more",
		})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Auth.Upstream)) {
		u := s.Auth.Upstream[name]
		needs = append(needs, secret.Need{
			Name: "auth.upstream." + name + ".id", Kind: secret.ULID, Kept: true,
			Breaks: "the id is part of the callback URL at " + name + " and of every user's link to it: nobody could log in through it until each is linked again",
		})
		clientSecret := secret.Need{
			Name: "auth.upstream." + name + ".client_secret", Kind: secret.External,
			Where: "the client " + u.ClientID + " of " + u.Issuer, Example: "placeholder-client-secret",
		}
		if keycloak(u) {
			// Keycloak takes the secret of a client that is imported, so nobody has to make the client first.
			clientSecret = secret.Need{
				Name: clientSecret.Name, Kind: secret.Token,
				Where:  "a client that Keycloak has already keeps its own (Clients, " + u.ClientID + ", Credentials): give it to `secrets set`",
				Breaks: "Keycloak keeps the old one, and nobody can log in through " + name + " until the new one stands there, too (Clients, " + u.ClientID + ", Credentials)",
			}
		}
		needs = append(needs, clientSecret)
	}
	needs = append(needs, secret.Need{
		Name: "database.postgres_password", Kind: secret.Token,
		Breaks: "a running cluster keeps the old superuser password, and db-init can no longer log in: set it there by hand (RUNBOOK.md, Rotate) before the next render",
	})
	for _, role := range roles(s) {
		token("database." + role + "_password")
	}
	if len(s.Bridges) > 0 {
		token("doublepuppet.as_token", "doublepuppet.hs_token")
		needs = append(needs, secret.Need{Name: "doublepuppet.sender", Kind: secret.Localpart})
	}
	for _, def := range image.Bridges {
		b, ok := s.Bridges[string(def.Program)]
		if !ok {
			continue
		}
		name := "bridges." + string(def.Program) + "."
		token(name+"as_token", name+"hs_token")
		needs = append(needs, secret.Need{Name: name + "sender", Kind: secret.Localpart})
		token(name + "provisioning_secret")
		d := dialect(def, b)
		if d != image.Python {
			needs = append(needs, secret.Need{Name: name + "direct_media_key", Kind: secret.SigningKey})
		}
		switch d {
		case image.BridgeV2:
			token(name + "public_media_key")
			pickle := secret.Need{
				Name: name + "pickle_key", Kind: secret.Token, Kept: true,
				Breaks: "the bridge can no longer read its encryption keys and does not start (bad mac)",
			}
			// A bridge that has tokens but no such key ran before its move, when the key stood in its code.
			if def.Program.Forerunner() != "" {
				pickle.Inherit, pickle.Beside = image.Moves[def.Program].PickleKey, name+"as_token"
			}
			needs = append(needs, pickle)
		case image.Legacy:
			token(name + "avatar_proxy_key")
		case image.Python:
			if relays(s, b) {
				needs = append(needs, secret.Need{
					Name: name + "bot_token", Kind: secret.External, Where: "@BotFather on Telegram, /newbot: the bot that speaks for those with the permission relay",
					Form: regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]+$`), FormHelp: "it is a number, a colon and letters", Example: "7654321:placeholder-bot-token",
				})
			}
		}
		if def.NeedsAPI {
			needs = append(needs, secret.Need{
				Name: name + "api_id", Kind: secret.External, Where: "https://my.telegram.org, API development tools, App api_id",
				Form: regexp.MustCompile(`^[1-9][0-9]{0,9}$`), FormHelp: "it is a number", Example: "7654321",
			}, secret.Need{
				Name: name + "api_hash", Kind: secret.External, Where: "https://my.telegram.org, API development tools, App api_hash",
				Form: regexp.MustCompile(`^[0-9a-f]{32}$`), FormHelp: "it has 32 hexadecimal digits", Example: strings.Repeat("0", 31) + "1",
			})
		}
	}
	if len(s.Backup.Borgmatic.Repositories) > 0 {
		needs = append(needs, secret.Need{
			Name: "backup.passphrase", Kind: secret.Token,
			Breaks: "the repository keeps its old passphrase, and every backup fails: change it there first (RUNBOOK.md, Rotate)",
		})
	}
	if s.Backup.Borgmatic.Heartbeat != "" {
		needs = append(needs, secret.Need{
			Name: "backup.heartbeat_url", Kind: secret.External, Where: "Uptime Kuma, the push monitor's push URL up to the question mark",
			Form: regexp.MustCompile(`^https?://[^?#\s]+$`), FormHelp: "it is a URL without a query", Example: "https://uptime.example.org/api/push/placeholder",
		})
	}
	return append(needs, named(s, needs)...)
}

// Extras gives the `extra` of every section that may name secrets.
func Extras(s *spec.Spec) []source.Value {
	sections := [][]string{{"synapse"}, {"auth"}, {"compose"}, {"backup", "borgmatic"}}
	for _, def := range image.Bridges {
		sections = append(sections, []string{"bridges", string(def.Program)})
	}
	var extras []source.Value
	for _, section := range sections {
		if extra := s.At(append(section, "extra")...); extra.Set() {
			extras = append(extras, extra)
		}
	}
	return extras
}

// named are the secrets that an extra names as {secret: NAME} and that are not among the needs: only who
// wrote the spec knows what they are.
func named(s *spec.Spec, needs []secret.Need) []secret.Need {
	known := make(map[string]bool)
	for _, n := range needs {
		known[n.Name] = true
	}
	var own []secret.Need
	for _, extra := range Extras(s) {
		for _, v := range extra.Refs() {
			name, _ := v.Ref()
			if known[name] {
				continue
			}
			known[name] = true
			n := secret.Need{Name: name, Kind: secret.External, Where: "whoever gave out what " + v.Path() + " in the spec is to be", Example: "placeholder-" + name}
			if near := secret.Nearest(name, needs); near != "" {
				n.Where += "; or write " + near + " there, if that is meant"
			}
			own = append(own, n)
		}
	}
	return own
}

// roles lists the databases of the stack, each owned by a role of the same name.
func roles(s *spec.Spec) []string {
	names := []string{"synapse", "mas"}
	for _, def := range image.Bridges {
		if _, ok := s.Bridges[string(def.Program)]; ok {
			names = append(names, string(def.Program))
		}
	}
	return names
}

// dialect follows the tag, whatever mirror the image comes from; spec.Load has refused tags without one.
func dialect(def image.BridgeDefaults, b spec.Bridge) image.Dialect {
	ref := b.Ref(def.Program)
	ref.Repository = image.Tested[def.Program].Repository
	d, _ := ref.Dialect()
	return d
}

func keycloak(u spec.Upstream) bool { return strings.Contains(u.Issuer, "/realms/") }
