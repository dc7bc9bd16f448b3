package deployment

import (
	"cmp"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// LiveKit is a LiveKit with its configuration, which it reads from the file behind --config (cmd/server/main.go).
type LiveKit struct {
	*Service
	// Config is empty where nothing says anything.
	Config *source.File
	// Hidden says why there may be settings that are not in Config; "" when these are all.
	Hidden string
}

// TokenService is a lk-jwt-service, which is told everything by its environment.
type TokenService struct {
	*Service
	// Registration is that of LIVEKIT_AS_REGISTRATION_FILE; nil where there is none, or it cannot be seen.
	Registration *source.File
}

// Said is a value with its place. Hidden says why it cannot be seen; Text is empty then, and where it is not said at all.
type Said struct {
	Text, Hidden string
	At           source.Site
}

// readLiveKit follows the configuration of a LiveKit.
func (d *Deployment) readLiveKit(s *Service) {
	l := &LiveKit{Service: s, Config: &source.File{}}
	s.ConfigPath = s.ConfigFile()
	body, at := s.Env("LIVEKIT_CONFIG")
	switch {
	case s.ConfigPath != "":
		f, reason, _ := d.Follow(s, s.ConfigPath)
		if l.Hidden = reason; f != nil {
			l.Config, l.Hidden = f, ""
		}
	case s.EnvHidden("LIVEKIT_CONFIG") != "":
		l.Hidden = s.EnvHidden("LIVEKIT_CONFIG")
	case body != "":
		f, problem := source.Parse(at.Pos().File, at.v.Inside(body))
		if problem != nil {
			l.Hidden = "LIVEKIT_CONFIG is no YAML"
			break
		}
		l.Config = f
	case s.Build.Set():
		l.Hidden = "the image, which is built here, may hold it"
	case s.Entrypoint.Set():
		l.Hidden = "its entrypoint may write it"
	}
	for _, w := range s.CommandWords() {
		if name, _, _ := strings.Cut(w.Text, "="); strings.HasPrefix(name, "--") && name != "--config" && name != "--disable-strict-config" {
			l.Hidden = cmp.Or(l.Hidden, "its command says "+name)
		}
	}
	d.LiveKits = append(d.LiveKits, l)
}

// Key is a key of LiveKit's API with its secret.
type Key struct {
	Name, Secret string
	At           source.Site
}

// Keys are those that LiveKit knows: key_file counts before keys (pkg/config/config.go, ValidateKeys). reason says why they
// are not all.
func (l *LiveKit) Keys() (keys []Key, reason string) {
	from := l.Config.At("keys")
	if text, at := l.Env("LIVEKIT_KEYS"); text != "" || l.EnvHidden("LIVEKIT_KEYS") != "" {
		f, problem := source.Parse(at.Pos().File, []byte(text))
		if problem != nil || l.EnvHidden("LIVEKIT_KEYS") != "" {
			return nil, cmp.Or(l.EnvHidden("LIVEKIT_KEYS"), "LIVEKIT_KEYS is no YAML")
		}
		for key, v := range f.Root().Entries() {
			keys = append(keys, Key{key.Str(), v.Str(), at.Site("LiveKit's")})
		}
		return keys, l.Hidden
	}
	if file := l.KeyFile(); file.Set() {
		f, reason, _ := l.d.Follow(l.Service, file.Str())
		if f == nil {
			return nil, reason
		}
		from = f.Root()
	}
	for key, v := range from.Entries() {
		if strings.Contains(v.Str()+key.Str(), "$") {
			return nil, "a key stands behind a variable"
		}
		keys = append(keys, Key{key.Str(), v.Str(), v.Site("LiveKit's")})
	}
	return keys, l.Hidden
}

// KeyFile is the path of the file with the keys, by which it goes where its environment names none.
func (l *LiveKit) KeyFile() source.Value {
	if text, _ := l.Env("LIVEKIT_KEYS"); text != "" || l.EnvHidden("LIVEKIT_KEYS") != "" {
		return source.Value{}
	}
	return l.Config.At("key_file")
}

// Files are the variables that name a file without which it does not start, as far as they can be seen.
func (t *TokenService) Files() (files []Variable) {
	for _, name := range []string{"LIVEKIT_KEY_FILE", "LIVEKIT_KEY_FROM_FILE", "LIVEKIT_SECRET_FROM_FILE", "LIVEKIT_AS_REGISTRATION_FILE"} {
		if v := t.variable(name); v != nil && v.Text != "" && t.EnvHidden(name) == "" {
			files = append(files, *v)
		}
	}
	return files
}

// readTokens follows the registration of a lk-jwt-service.
func (d *Deployment) readTokens(s *Service) {
	t := &TokenService{Service: s}
	if file := t.said("LIVEKIT_AS_REGISTRATION_FILE"); file.Text != "" {
		t.Registration, _, _ = d.Follow(s, file.Text)
	}
	d.Tokens = append(d.Tokens, t)
}

// said is a variable of the service.
func (t *TokenService) said(name string) Said {
	text, at := t.Env(name)
	if hidden := t.EnvHidden(name); hidden != "" {
		return Said{Hidden: hidden, At: at.Site("")}
	}
	return Said{Text: text, At: at.Site("")}
}

// URL is the address of LiveKit that it gives to clients.
func (t *TokenService) URL() Said { return t.said("LIVEKIT_URL") }

// Servers are those whose users may begin calls.
func (t *TokenService) Servers() Said { return t.said("LIVEKIT_FULL_ACCESS_HOMESERVERS") }

// Key is the key of LiveKit's API that it signs with, and Secret its secret (src/config.rs, read_key_secret).
func (t *TokenService) Key() (key, secret Said) {
	if both := t.said("LIVEKIT_KEY_FILE"); both.Text != "" || both.Hidden != "" {
		both = t.file(both)
		name, value, ok := strings.Cut(both.Text, ":")
		if both.Hidden == "" && (!ok || strings.Contains(value, ":")) {
			both.Hidden = "LIVEKIT_KEY_FILE names a file that is not `key: secret`"
		}
		return Said{strings.Trim(name, " \r\n"), both.Hidden, both.At}, Said{strings.Trim(value, " \r\n"), both.Hidden, both.At}
	}
	one := func(name string) Said {
		if from := t.said(name + "_FROM_FILE"); from.Text != "" || from.Hidden != "" {
			from = t.file(from)
			from.Text = strings.Trim(from.Text, " \r\n")
			return from
		}
		return t.said(name)
	}
	return one("LIVEKIT_KEY"), one("LIVEKIT_SECRET")
}

// file is what stands in the file that a variable names.
func (t *TokenService) file(name Said) Said {
	if name.Hidden != "" {
		return name
	}
	text, _, reason := t.d.Text(t.Service, path.Clean(name.Text))
	return Said{text, reason, name.At}
}

// Proxied reports whether Synapse hands requests of clients on to the appservice, as it does to lk-jwt-service.
func (r *Registration) Proxied() bool { return r.At("io.element.msc4512.proxy_url").Set() }

// CallsOf finds the registration by which a Synapse knows a lk-jwt-service: that which has its token, or its address.
func (d *Deployment) CallsOf(t *TokenService) *Registration {
	token := t.said("LIVEKIT_AS_TOKEN").Text
	if t.Registration != nil {
		token = t.Registration.At("as_token").Str()
	}
	for _, s := range d.Synapses {
		for _, r := range s.Registrations {
			u, _, ok := Endpoint(r.At("io.element.msc4512.proxy_url").Str())
			if token != "" && r.At("as_token").Str() == token || ok && d.ServiceAt(u.Hostname()) == t.Service {
				return r
			}
		}
	}
	return nil
}
