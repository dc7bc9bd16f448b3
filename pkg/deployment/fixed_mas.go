package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// Migrating reports whether users are still to be moved from a Synapse to MAS: the service that does it is there.
func (d *Deployment) Migrating() bool {
	return slices.ContainsFunc(d.Services, func(s *Service) bool { return s.Program == component.MAS && slices.Contains(s.Command(), "syn2mas") })
}

// fixSchemes keeps MAS's ways to hash passwords. Every hash in its database names one by its version: a user whose
// version is gone, or stands for something else, gets 500 at the login (MAS crates/handlers/src/passwords.rs).
func (d *Deployment) fixSchemes(x *fixer, m *MAS) {
	at := m.Config.At("passwords", "schemes")
	if m.ReadsMore() || !at.Set() && IsFalse(m.Config.At("passwords", "enabled")) {
		return
	}
	const breaks = "every user whose password was hashed with a scheme that is gone or changed cannot log in with it any more (500)"
	list := []string{"1 argon2id"} // MAS's default
	for i, s := range at.Items() {
		if i == 0 {
			list = nil
		}
		words := s.At("version").Str() + " " + s.At("algorithm").Str()
		if s.At("unicode_normalization").True() {
			words += " normalized"
		}
		list = append(list, words)
		name := "auth.passwords.schemes " + s.At("version").Str() + " secret"
		text, v, _ := d.SecretOf(m.Service, s, "secret", "secret_file")
		x.add(Fixed{Name: name, Value: digest(name, text), Secret: true, Breaks: breaks, Open: d.Migrating(), At: v})
	}
	slices.Sort(list)
	x.add(Fixed{
		Name: "auth.passwords.schemes", Value: strings.Join(list, ", "), Breaks: breaks, Open: d.Migrating(), At: LeafOf(at), lost: fewerParts,
		Instead: "`auth.migrated: true` keeps both ways of a stack whose users came from Synapse",
	})
}

// fewerParts reports whether a list lacks a part that it had.
func fewerParts(was, is string) bool {
	now := strings.Split(is, ", ")
	for part := range strings.SplitSeq(was, ", ") {
		if !slices.Contains(now, part) {
			return true
		}
	}
	return false
}
