package deployment

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// MAS is an authentication service with its configuration.
type MAS struct {
	*Service
	Config *source.File
}

// Nowhere reports whether an address is one to listen on, or of the machine itself, as MAS generates it.
func Nowhere(address string) bool {
	u, _, ok := Endpoint(address)
	return ok && (Loopback(u.Hostname()) || u.Hostname() == "::" || u.Hostname() == "0.0.0.0")
}

// OnHost reports whether an address is one of the machine itself at which a service here is published, so that a browser on
// the host gets there.
func (d *Deployment) OnHost(address string) bool {
	u, port, ok := Endpoint(address)
	n, err := strconv.Atoi(port)
	return ok && err == nil && Loopback(u.Hostname()) && slices.ContainsFunc(d.Services, func(s *Service) bool {
		return slices.ContainsFunc(s.Ports, func(p Port) bool { return p.First <= n && n <= max(p.First, p.Last) })
	})
}

// Base is the address that MAS advertises, where it is one that can be held against other places: of the rest
// mas-public-base-slash says what is wrong.
func (m *MAS) Base() (u *url.URL, at source.Value, ok bool) {
	at = m.Config.At("http", "public_base")
	u, _, ok = Endpoint(at.Str())
	return u, at, ok && !Nowhere(at.Str())
}

// EmailSet reports whether MAS is given a value of its email section, by its configuration, a variable, or a
// place that cannot be seen.
func (m *MAS) EmailSet(key string) bool {
	name := "MAS_EMAIL_" + strings.ToUpper(key)
	val, _ := m.Env(name)
	return m.Config.At("email", key).Set() || val != "" || m.EnvHidden(name) != "" || m.ReadsMore()
}

// databaseParts are the settings that MAS refuses next to a uri.
var databaseParts = []string{"host", "port", "socket", "username", "password", "password_file", "database"}

// DatabaseTwice is the first part of the connection that stands beside a uri; absent when none does.
func (m *MAS) DatabaseTwice() source.Value {
	db := m.Config.At("database")
	for _, key := range databaseParts {
		if v := db.At(key); v.Set() && db.At("uri").Set() {
			return v
		}
	}
	return source.Value{}
}

// Upstreams are the providers through which users log in to MAS.
func (m *MAS) Upstreams() []source.Value {
	return m.Config.At("upstream_oauth2", "providers").Items()
}

// Serves reports whether a request ends at a listener of MAS that has the resource, and arrives there as
// path, which is relative to the listener's prefix.
func (m *MAS) Serves(resource, path string, res route.Result) bool {
	if res.Backend == nil || res.Backend.Container != m.Name || res.Redirect != "" {
		return false
	}
	return slices.ContainsFunc(MasListeners(m), func(l Listener) bool {
		return (l.Port == res.Backend.Port || res.Backend.Port == "") && !l.Loopback &&
			slices.Contains(l.Resources, resource) && res.Path == l.Prefix+path
	})
}

// ReadsMore reports whether MAS reads further configuration files, which it lays over the first: what the first
// does not hold may stand in them.
func (s *Service) ReadsMore() bool {
	if s.Layered {
		return s.partly
	}
	flags := 0
	for _, w := range s.Command() {
		if w == "-c" || w == "--config" || strings.HasPrefix(w, "--config=") {
			flags++
		}
	}
	files, _ := s.Env("MAS_CONFIG")
	return flags > 1 || flags == 0 && strings.Contains(files, ":")
}
