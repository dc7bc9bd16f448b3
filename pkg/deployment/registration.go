package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// MissingFile is a path in a configuration that leads to no file.
type MissingFile struct {
	Value  source.Value
	Reason string

	Hidden, Broken bool // outside of what can be seen; there, but with a finding of its own
}

// Registration is an appservice registration as Synapse reads it.
type Registration struct {
	*source.File
	Listed source.Value // the entry of app_service_config_files
	Meant  *Service     // the service that it may be of, where it leads into Synapse's own container; nil where none is here
}

func (d *Deployment) readRegistrations(s *Synapse) {
	for _, item := range s.Config.At("app_service_config_files").Items() {
		f, reason, hidden := d.Follow(s.Service, item.Str())
		if f == nil {
			host, _ := s.HostPath(item.Str())
			s.Missing = append(s.Missing, MissingFile{Value: item, Reason: reason, Hidden: hidden, Broken: d.Faulty(host)})
			continue
		}
		r := &Registration{File: f, Listed: item}
		s.Registrations = append(s.Registrations, r)
		if r.everyone() {
			d.DoublePuppets = append(d.DoublePuppets, r)
		}
	}
}

// everyone reports whether the registration claims all users of its server, as one for double puppeting does, and is none
// of an appservice that watches them: that claims others for itself, or has an address and says nothing of puppets.
func (r *Registration) everyone() bool {
	own := slices.ContainsFunc(r.At("namespaces", "users").Items(), func(v source.Value) bool {
		return !IsFalse(v.At("exclusive")) && !strings.HasPrefix(strings.TrimPrefix(v.At("regex").Str(), "^"), "@.*:")
	})
	named := strings.Contains(strings.ToLower(r.At("id").Str()+r.At("sender_localpart").Str()+r.Path), "puppet")
	if r.Proxied() || r.At("io.element.msc4502.scopes").Set() {
		return false
	}
	if _, _, addressed := Endpoint(r.At("url").Str()); addressed && (own || !named) {
		return false
	}
	return slices.ContainsFunc(r.At("namespaces", "users").Items(), func(v source.Value) bool {
		return strings.HasPrefix(strings.TrimPrefix(v.At("regex").Str(), "^"), "@.*:")
	})
}

// BridgeOf finds the bridge that a registration which a Synapse lists belongs to: by its token, and if no bridge has that, by the
// id or by the bridge's name, so that a finding about either of them can be made.
func (d *Deployment) BridgeOf(r *Registration) *Bridge { return d.index.bridges()[r] }

// RegistrationOf finds Synapse's copy of a bridge's registration.
func (d *Deployment) RegistrationOf(b *Bridge) *Registration { return d.index.registrations()[b] }

// Registers reports whether the file is a registration with that as_token.
func (d *Deployment) Registers(name, token string) bool {
	f := d.file(name)
	if f == nil {
		src, err := source.ReadFS(d.FS, name)
		if err != nil {
			return false
		}
		f, _ = source.Parse(name, src)
	}
	return f != nil && f.At("as_token").Str() == token && f.At("namespaces").Set()
}

// BridgeRegistrations calls f for every registration of a bridge that a Synapse lists.
func (d *Deployment) BridgeRegistrations(f func(*Synapse, *Registration, *Bridge)) {
	for _, s := range d.Synapses {
		for _, reg := range s.Registrations {
			if b := d.BridgeOf(reg); b != nil && !slices.Contains(d.DoublePuppets, reg) {
				f(s, reg, b)
			}
		}
	}
}
