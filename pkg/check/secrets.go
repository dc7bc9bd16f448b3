package check

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// secretKey is where a configuration has a secret: inline, or in a file whose path stands beside it. "*" in
// below is any key or item.
type secretKey struct {
	below, inline, file string
	kind                secretKind
}

// secretKind says what can be told of a secret by looking at it.
type secretKind int

const (
	chosen secretKind = iota // whoever keeps the stack chose it
	formed                   // it has a form that another rule knows, or may not be chosen anew
	given                    // a third party gave it out
)

// Synapse's are those of config/*.py in v1.157.1, MAS's of crates/config/src/sections in v1.22.0, the
// bridges' of the example configurations of v26.08, mautrix-discord v0.7.7 and mautrix-telegram v0.15.3.
var secretKeys = map[string][]secretKey{
	string(image.Synapse): {
		{"", "registration_shared_secret", "registration_shared_secret_path", chosen},
		{"", "macaroon_secret_key", "macaroon_secret_key_path", chosen},
		{"", "form_secret", "form_secret_path", chosen},
		{"", "turn_shared_secret", "turn_shared_secret_path", chosen},
		{"", "worker_replication_secret", "worker_replication_secret_path", chosen},
		{"", "recaptcha_private_key", "recaptcha_private_key_path", given},
		{"", "signing_key", "", formed},
		{"matrix_authentication_service", "secret", "secret_path", chosen},
		{"password_config", "pepper", "", formed},
		{"redis", "password", "password_path", chosen},
		{"email", "smtp_pass", "", given},
		{"database.args", "password", "", chosen},
		{"oidc_providers.*", "client_secret", "client_secret_path", given},
		{"jwt_config", "secret", "", given},
		{"modules.*.config", "shared_secret", "", chosen},
	},
	string(image.MAS): {
		{"matrix", "secret", "secret_file", chosen},
		{"secrets", "encryption", "encryption_file", formed},
		{"secrets.keys.*", "password", "password_file", formed},
		{"database", "password", "password_file", chosen},
		{"passwords.schemes.*", "secret", "secret_file", formed},
		{"upstream_oauth2.providers.*", "client_secret", "client_secret_file", given},
		{"clients.*", "client_secret", "client_secret_file", chosen},
		{"email", "password", "password_file", given},
		{"captcha", "secret_key", "", given},
	},
	"registration": {{"", "as_token", "", chosen}, {"", "hs_token", "", chosen}},
	string(image.BridgeV2): {
		{"appservice", "as_token", "", chosen},
		{"appservice", "hs_token", "", chosen},
		{"provisioning", "shared_secret", "", chosen},
		{"public_media", "signing_key", "", chosen},
		{"direct_media", "server_key", "", formed},
		{"encryption", "pickle_key", "", formed},
		{"network", "api_hash", "", given},
	},
	string(image.Legacy): {
		{"appservice", "as_token", "", chosen},
		{"appservice", "hs_token", "", chosen},
		{"bridge", "avatar_proxy_key", "", chosen},
		{"bridge.provisioning", "shared_secret", "", chosen},
		{"bridge.direct_media", "server_key", "", formed},
	},
	string(image.Python): {
		{"appservice", "as_token", "", chosen},
		{"appservice", "hs_token", "", chosen},
		{"appservice.provisioning", "shared_secret", "", chosen},
		{"telegram", "api_hash", "", given},
		{"telegram", "bot_token", "", given},
	},
}

// held is a secret as a program of the stack is given it.
type held struct {
	what string // in words
	// role is what the secret is for: two places with the same role are copies of one secret.
	role   string
	value  string
	reason string // why the value cannot be seen
	at     source.Value
	file   string // the file that holds it, when that is not the one of at
	kind   secretKind
	reader source.Reader
	script source.Site // where a script gives the password to the database role
}

// unquoted says as what the reader of the secret takes it because it stands there without quotes; "" where it
// is a text.
func (h held) unquoted() string {
	if is := h.at.ReadAs(h.reader); is != "nothing" {
		return is
	}
	return ""
}

// misquoted reports whether the value is a secret that lacks its quotes.
func (d *Deployment) misquoted(v source.Value) bool {
	return slices.ContainsFunc(d.secrets(), func(h held) bool { return h.at.Pos() == v.Pos() && h.unquoted() != "" })
}

func (h held) sites(note string) []source.Site {
	sites := []source.Site{h.at.Site(note)}
	if h.file != "" {
		sites = append(sites, source.Site{Pos: source.Pos{File: h.file}, Note: "it stands in this file"})
	}
	if h.script.File != "" {
		sites = append(sites, h.script)
	}
	return sites
}

// secrets lists every secret that the configurations hold and that is set.
func (d *Deployment) secrets() []held {
	if d.held != nil {
		return d.held
	}
	for _, s := range d.Synapses {
		d.held = append(d.held, d.secretsIn(s.Service, s.Config, string(image.Synapse), source.PyYAML)...)
		for _, reg := range s.Registrations {
			owner := reg.Path
			if b := d.bridgeOf(reg); b != nil {
				owner = b.Name
			}
			d.held = append(d.held, d.tokens(s.Service, reg.File, owner, source.PyYAML)...)
		}
	}
	for _, m := range d.MASs {
		d.held = append(d.held, d.secretsIn(m.Service, m.Config, string(image.MAS), source.SerdeYAML)...)
	}
	for _, b := range d.Bridges {
		for _, h := range d.secretsIn(b.Service, b.Config, string(b.Dialect), source.GoYAML) {
			if path := h.at.Path(); b.fromEnv(path) {
				h.value, h.at, h.reason = b.setting(path)
				h.file = d.fileBehind(b.Service, h.at)
			}
			d.held = append(d.held, h)
		}
		if b.Own != nil {
			d.held = append(d.held, d.tokens(b.Service, b.Own, b.Name, source.GoYAML)...)
		}
	}
	for _, c := range d.clients() {
		if c.passwordAt.Path() == c.at.Path() && c.password != "" {
			d.held = append(d.held, held{what: "the database password of " + c.service.Name, role: databaseRole(c.user), value: c.password, at: c.at, reader: source.GoYAML})
		}
	}
	for _, server := range d.servers() {
		user, _, password := d.superuser(server)
		_, at := server.Env("POSTGRES_PASSWORD_FILE")
		if !at.Exists() {
			_, at = server.Env("POSTGRES_PASSWORD")
		}
		if at.Exists() {
			d.held = append(d.held, held{
				what: "the password of PostgreSQL's superuser", role: databaseRole(user), value: password.password, reason: password.reason,
				at: at, file: d.fileBehind(server, at), reader: source.GoYAML,
			})
		}
		made := d.provisioned(server)
		for i, h := range d.held {
			user, _ := strings.CutPrefix(h.role, databaseRole(""))
			if role := made.roles[user]; role.password == h.value && role.site.File != d.Compose.Path && h.role == databaseRole(user) {
				d.held[i].script = role.site
			}
		}
	}
	return d.held
}

const sharedWithMAS = "the secret that Synapse and MAS share"

func databaseRole(user string) string { return "database role " + user }

// tokens are the secrets of a registration, which belongs to a bridge or stands for itself.
func (d *Deployment) tokens(s *Service, f *source.File, owner string, reader source.Reader) []held {
	hs := d.secretsIn(s, f, "registration", reader)
	for i := range hs {
		hs[i].what = hs[i].at.Name() + " of " + owner
		hs[i].role = hs[i].what
	}
	return hs
}

func (d *Deployment) secretsIn(s *Service, f *source.File, table string, reader source.Reader) []held {
	var hs []held
	for _, key := range secretKeys[table] {
		for _, parent := range each(f.Root(), key.below) {
			h := held{kind: key.kind, reader: reader}
			if h.value, h.at, h.reason = d.secretOf(s, parent, key.inline, key.file); !h.at.Set() {
				continue
			}
			h.what = h.at.Path() + " of " + s.Name
			if h.at.Name() != key.inline {
				h.file = d.fileBehind(s, h.at)
			}
			switch {
			case key.below == "matrix_authentication_service", key.below == "matrix":
				h.role = sharedWithMAS
			case key.below == "database.args":
				h.role = databaseRole(parent.At("user").Str())
			case key.below == "database":
				h.role = databaseRole(parent.At("username").Str())
			case key.below == "password_config", key.below == "passwords.schemes.*":
				h.role = "the pepper that MAS takes over from Synapse"
			case strings.HasSuffix(key.inline, "s_token"):
				h.role = key.inline + " of " + s.Name
			default:
				h.role = h.what
			}
			hs = append(hs, h)
		}
	}
	return hs
}

// fileBehind is the file that a path in a configuration leads to; "" when it is no path, or leads nowhere.
func (d *Deployment) fileBehind(s *Service, v source.Value) string {
	text := v.Str()
	if _, val, ok := strings.Cut(text, "="); ok {
		text = val
	}
	if !strings.HasPrefix(text, "/") {
		return ""
	}
	host, reason := s.HostPath(text)
	if reason != "" {
		return ""
	}
	if d.files[host] == nil {
		return ""
	}
	return host
}

// each gives the values at a dotted path, in which "*" stands for every key or item.
func each(v source.Value, dotted string) []source.Value {
	if dotted == "" {
		return []source.Value{v}
	}
	key, rest, _ := strings.Cut(dotted, ".")
	if key != "*" {
		return each(v.At(key), rest)
	}
	var vs []source.Value
	for _, item := range v.Items() {
		vs = append(vs, each(item, rest)...)
	}
	for _, val := range v.Entries() {
		vs = append(vs, each(val, rest)...)
	}
	return vs
}
