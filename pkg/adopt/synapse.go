package adopt

import (
	"net/mail"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// synapse reads the homeserver.
func (r *reader) synapse() {
	c, sy := r.syn.Config, &r.spec.Synapse
	sy.Component = r.component(r.syn.Service, component.Synapse)
	sy.Data = r.mediaIn()
	sy.MaxUploadSize = c.At("max_upload_size").Str()
	sy.MediaRetention.Local = c.At("media_retention", "local_media_lifetime").Str()
	sy.MediaRetention.Remote = c.At("media_retention", "remote_media_lifetime").Str()
	if c.At("retention", "enabled").True() {
		sy.Retention.MaxLifetime = c.At("retention", "default_policy", "max_lifetime").Str()
	}
	sy.URLPreview = c.At("url_preview_enabled").True()
	if secret := r.held(r.syn.Service, c.Root(), "turn_shared_secret", "turn_shared_secret_path"); secret != "" {
		if sy.TURN.URIs = texts(c.At("turn_uris")); len(sy.TURN.URIs) > 0 {
			r.secrets["synapse.turn_shared_secret"] = secret
		}
	}
	if extra := c.At("extra_well_known_client_content"); extra.Kind() == source.Mapping {
		r.extra["synapse.well_known_extra"] = extra.Node()
	}
	r.keep("auth.matrix_secret", r.held(r.syn.Service, c.At("matrix_authentication_service"), "secret", "secret_path"))
	macaroons := r.held(r.syn.Service, c.Root(), "macaroon_secret_key", "macaroon_secret_key_path")
	if macaroons == "" && (c.At("allow_guest_access").True() || c.At("email", "smtp_host").Set() || c.At("email", "notif_from").Set()) {
		// Somebody has what Synapse signed with the one that it takes then (synapse/config/key.py of 1.163).
		macaroons = r.held(r.syn.Service, c.Root(), "registration_shared_secret", "registration_shared_secret_path")
	}
	r.keep("synapse.macaroon_secret_key", macaroons)
	r.keep("synapse.form_secret", r.held(r.syn.Service, c.Root(), "form_secret", "form_secret_path"))
	r.signingKeys()
}

// mediaIn is the directory that Synapse keeps its media store in, where that is called as it is rendered; empty where it is not.
func (r *reader) mediaIn() spec.Data {
	store := r.store()
	if m := covering(r.syn.Service, store); m != nil && path.Clean(m.Container) == store { // mounted by itself, and maybe out of what is mounted around it
		around := covering(r.syn.Service, path.Dir(store))
		if around == nil || r.place(m).Path == "" || path.Join(r.place(around).Path, "media_store") != path.Clean(r.place(m).Path) {
			return spec.Data{}
		}
		store = path.Join(path.Dir(store), "media_store")
	}
	m := covering(r.syn.Service, path.Dir(store))
	if m == nil || m.ReadOnly || path.Join(m.Container, "media_store") != store {
		return spec.Data{}
	}
	return r.place(m)
}

func (r *reader) signingKeys() {
	c := r.syn.Config
	file, at := r.syn.SigningKey()
	text := at.Str()
	if file != "" {
		text, _, _ = r.d.Text(r.syn.Service, file)
	}
	if text = strings.TrimSpace(text); text != "" {
		first, _, more := strings.Cut(text, "\n")
		r.secrets["synapse.signing_key"] = strings.TrimSpace(first)
		if more {
			r.note(at.Site("the signing key"), "the file has several signing keys, and the spec one: the first is kept; for the others see synapse.old_signing_keys", "synapse")
		}
	}
	var old []string
	for id, v := range c.At("old_signing_keys").Entries() {
		old = append(old, strings.Join([]string{id.Str(), v.At("key").Str(), v.At("expired_ts").Str()}, " "))
	}
	r.keep("synapse.old_signing_keys", strings.Join(old, "\n"))
}

// texts are those of a list, or the one of a single value.
func texts(v source.Value) []string {
	if v.Kind() == source.Scalar {
		return []string{v.Str()}
	}
	return deployment.ItemTexts(v)
}

// email reads the SMTP server: MAS's, or else Synapse's.
func (r *reader) email() {
	e := &r.spec.Email
	if c := r.masEmail(); c.At("transport").Str() == "smtp" {
		e.Host, e.User, e.Mode, e.From = c.At("hostname").Str(), c.At("username").Str(), c.At("mode").Str(), sender(c.At("from").Str())
		e.Port, _ = c.At("port").Int()
		r.keep("email.password", r.held(r.mas.Service, c, "password", "password_file"))
		return
	}
	c := r.syn.Config.At("email")
	if e.Host = c.At("smtp_host").Str(); e.Host == "" {
		return
	}
	e.User, e.From = c.At("smtp_user").Str(), c.At("notif_from").Str()
	e.Port, _ = c.At("smtp_port").Int()
	switch {
	case c.At("force_tls").True():
		e.Mode = "tls"
	case c.At("require_transport_security").True():
		e.Mode = "starttls"
	case deployment.IsFalse(c.At("enable_tls")) || e.Port == 25 || e.Port == 0:
		e.Mode = "plain"
	default:
		e.Mode = "starttls"
		r.note(c.At("smtp_host").Site(""), "Synapse sent without TLS where the server did not offer it; from now on it sends nothing then (email.mode)", "email")
	}
	if e.Port == 0 {
		e.Port = map[string]int{"tls": 465}[e.Mode]
	}
	if e.Port == 0 {
		e.Port = 25 // Synapse's default
	}
	// Synapse fills in the name of the app, MAS knows no placeholders.
	e.From = strings.NewReplacer("%(app)s", or(c.At("app_name").Str(), "Matrix")).Replace(e.From)
	e.From = sender(e.From)
	r.keep("email.password", c.At("smtp_pass").Str())
}

// sender is an address as people write it: a name without quotes, where it needs none.
func sender(from string) string {
	switch a, err := mail.ParseAddress(from); {
	case err != nil:
	case a.Name == "":
		return a.Address
	case strings.Trim(strings.ToLower(a.Name), "abcdefghijklmnopqrstuvwxyz0123456789 ") == "":
		return a.Name + " <" + a.Address + ">"
	}
	return from
}

func (r *reader) masEmail() source.Value {
	if r.mas == nil {
		return source.Value{}
	}
	return r.mas.Config.At("email")
}

func or(text, def string) string {
	if text == "" {
		return def
	}
	return text
}
