package deployment

import (
	"cmp"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// SecretOf gives a secret that stands inline or in a file whose path stands in the configuration. v is the
// place to show; reason says why the value cannot be seen.
func (d *Deployment) SecretOf(s *Service, at source.Value, inline, file string) (val string, v Leaf, reason string) {
	if v := at.At(inline); v.Set() {
		return v.Str(), LeafOf(v), ""
	}
	v = LeafOf(at.At(file))
	if !v.Set() {
		return "", LeafOf(at.At(inline)), ""
	}
	text, _, reason := d.Text(s, v.Str())
	return strings.TrimSpace(text), v, reason
}

// tokensHeld are the secrets of a registration.
var tokensHeld = []component.Held{{Inline: "as_token"}, {Inline: "hs_token"}}

// Secret is a secret as a program of the stack is given it.
type Secret struct {
	What string // in words
	// Role is what the secret is for: two places with the same role are copies of one secret.
	Role   string
	Value  string
	Reason string // why the value cannot be seen
	At     Leaf
	file   string // the file that holds it, when that is not the one of at
	Origin component.Origin
	Reader source.Reader
	Idle   bool        // what it is for is switched off
	script source.Site // where a script gives the password to the database role
}

// File is the one that holds it.
func (h Secret) File() string { return cmp.Or(h.file, h.At.Pos().File) }

// Unquoted says as what the reader of the secret takes it because it stands there without quotes; "" where it
// is a text.
func (h Secret) Unquoted() string {
	if is := h.At.ReadAs(h.Reader); is != "nothing" {
		return is
	}
	return ""
}

// Misquoted reports whether what stands at a place is a secret that lacks its quotes.
func (d *Deployment) Misquoted(at source.Pos) bool { return d.index.misquoted()[at] }

// Sites are the places of the secret: where it is named, the file that holds it, and the script that hands it on.
func (h Secret) Sites(note string) []source.Site {
	sites := []source.Site{h.At.Site(note)}
	if h.file != "" {
		sites = append(sites, source.Site{Pos: source.Pos{File: h.file}, Note: "it stands in this file"})
	}
	if h.script.File != "" {
		sites = append(sites, h.script)
	}
	return sites
}

// Secrets lists every secret that the configurations hold and that is set.
func (d *Deployment) Secrets() []Secret { return d.secrets() }

func (d *Deployment) collect() (held []Secret) {
	for _, s := range d.Synapses {
		for _, h := range d.secretsIn(s.Service, s.Config, s.Component().Held, source.PyYAML) {
			// Synapse wrote both into each new file, with nothing that uses them.
			switch h.At.Name() {
			case "recaptcha_private_key":
				h.Idle = !s.Config.At("enable_registration_captcha").True()
			case "turn_shared_secret":
				h.Idle = len(s.Config.At("turn_uris").Items()) == 0
			}
			held = append(held, h)
		}
		for _, reg := range s.Registrations {
			owner := reg.Path
			if b := d.BridgeOf(reg); b != nil {
				owner = b.Name
			}
			held = append(held, d.tokens(s.Service, reg.File, owner, source.PyYAML)...)
		}
	}
	for _, m := range d.MASs {
		held = append(held, d.secretsIn(m.Service, m.Config, m.Component().Held, source.SerdeYAML)...)
	}
	for _, b := range d.Bridges {
		for _, h := range d.secretsIn(b.Service, b.Config, b.Keys().Held, source.GoYAML) {
			if path := h.At.Path(); b.FromEnv(path) {
				h.Value, h.At, h.Reason = b.Setting(path)
				h.file = d.FileBehind(b.Service, h.At)
			}
			if component.NoSecret(h.Value) {
				continue
			}
			held = append(held, h)
		}
		if b.Own != nil {
			held = append(held, d.tokens(b.Service, b.Own, b.Name, source.GoYAML)...)
		}
	}
	for _, c := range d.Connections() {
		if c.PasswordAt.Path() == c.At.Path() && c.Password != "" {
			held = append(held, Secret{What: "the database password of " + c.Service.Name, Role: DatabaseRole(c.User), Value: c.Password, At: c.At, Reader: source.GoYAML})
		}
	}
	for _, server := range d.PostgresServers() {
		user, _, password := d.Superuser(server)
		_, at := server.Env("POSTGRES_PASSWORD_FILE")
		if !at.Exists() {
			_, at = server.Env("POSTGRES_PASSWORD")
		}
		if at.Exists() {
			held = append(held, Secret{
				What: "the password of PostgreSQL's superuser", Role: DatabaseRole(user), Value: password.Password, Reason: password.Reason,
				At: at, file: d.FileBehind(server, at), Reader: source.GoYAML,
			})
		}
		made := d.Provisioned(server)
		for i, h := range held {
			user, _ := strings.CutPrefix(h.Role, DatabaseRole(""))
			if role := made.Roles[user]; role.Password == h.Value && role.Site.File != d.File && h.Role == DatabaseRole(user) {
				held[i].script = role.Site
			}
		}
	}
	return held
}

// SharedWithMAS is the Role of the secret that Synapse and MAS have in common.
const SharedWithMAS = "the secret that Synapse and MAS share"

// DatabaseRole is the Role of the password of a role in PostgreSQL.
func DatabaseRole(user string) string { return "database role " + user }

// tokens are the secrets of a registration, which belongs to a bridge or stands for itself.
func (d *Deployment) tokens(s *Service, f *source.File, owner string, reader source.Reader) []Secret {
	hs := d.secretsIn(s, f, tokensHeld, reader)
	for i := range hs {
		hs[i].What = hs[i].At.Name() + " of " + owner
		hs[i].Role = hs[i].What
	}
	return hs
}

func (d *Deployment) secretsIn(s *Service, f *source.File, keys []component.Held, reader source.Reader) []Secret {
	var hs []Secret
	for _, key := range keys {
		for _, parent := range Each(f.Root(), key.Below) {
			h := Secret{Origin: key.Origin, Reader: reader, Idle: IsFalse(parent.At("enabled"))}
			if h.Value, h.At, h.Reason = d.SecretOf(s, parent, key.Inline, key.File); !h.At.Set() {
				continue
			}
			h.What = h.At.Path() + " of " + s.Name
			if h.At.Name() != key.Inline {
				h.file = d.FileBehind(s, h.At)
			}
			switch {
			case key.Below == "matrix_authentication_service", key.Below == "matrix":
				h.Role = SharedWithMAS
			case key.Below == "clients.*" && strings.HasSuffix(parent.At("client_id").Str(), "SYNAPSE"):
				h.Role = SharedWithMAS // the client that was Synapse's before it asked MAS directly
			case key.Below == "database.args":
				h.Role = DatabaseRole(parent.At("user").Str())
			case key.Below == "database":
				h.Role = DatabaseRole(parent.At("username").Str())
			case key.Below == "password_config", key.Below == "passwords.schemes.*":
				h.Role = "the pepper that MAS takes over from Synapse"
			case strings.HasSuffix(key.Inline, "s_token"):
				h.Role = key.Inline + " of " + s.Name
			default:
				h.Role = h.What
			}
			hs = append(hs, h)
		}
	}
	return hs
}

// FileBehind is the file that a path in a configuration leads to; "" when it is no path, or leads nowhere.
func (d *Deployment) FileBehind(s *Service, v Leaf) string {
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
	if _, err := source.ReadFS(s.d.FS, host); err != nil {
		return ""
	}
	return host
}
