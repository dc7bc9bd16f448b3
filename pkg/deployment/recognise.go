package deployment

import (
	"path"
	"slices"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// recognise finds the configuration of a service by the program in its image.
func (d *Deployment) recognise(s *Service) {
	if d.oneShot(s) {
		return
	}
	switch s.Program {
	case image.Synapse:
		s.ConfigPath = s.synapseConfigPath()
		if f := d.config(s); f != nil {
			syn := &Synapse{Service: s, Config: f}
			d.readRegistrations(syn)
			d.Synapses = append(d.Synapses, syn)
		}
	case image.MAS:
		s.ConfigPath = s.MasConfigPath()
		if f := d.config(s); f != nil {
			d.MASs = append(d.MASs, &MAS{Service: s, Config: f})
		}
	case image.Signal, image.WhatsApp, image.Telegram, image.Discord, image.Meta, image.Instagram:
		s.ConfigPath = s.flag("/data/config.yaml", "-c", "--config")
		if f := d.config(s); f != nil {
			b := &Bridge{Service: s, Config: f}
			own, reason, hidden := d.Follow(s, s.flag(path.Join(path.Dir(s.ConfigPath), "registration.yaml"), "-r", "--registration"))
			if b.Own = own; hidden {
				b.Hidden = reason
			}
			b.Dialect, b.Shape = dialectOf(b)
			d.Bridges = append(d.Bridges, b)
		}
	default:
	}
}

// oneShot reports whether a service runs a program's image without being that program: a migration such as
// syn2mas, a worker, or a tool behind a profile next to the service itself.
func (d *Deployment) oneShot(s *Service) bool {
	words := s.Command()
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(words, n) })
	}
	switch s.Program {
	case image.Synapse:
		if worker, _ := s.Env("SYNAPSE_WORKER"); worker != "" || has("generate", "migrate_config", "migrate-config", "synapse.app.generic_worker", "register_new_matrix_user") {
			return true
		}
	case image.MAS:
		if !has("server") && has("syn2mas", "config", "database", "manage", "doctor", "templates", "worker") {
			return true
		}
	default:
	}
	if s.Value.At("profiles").Len() == 0 {
		return false
	}
	return slices.ContainsFunc(d.Services, func(o *Service) bool {
		return o.Program == s.Program && o.Value.At("profiles").Len() == 0
	})
}

// config reads the configuration of a service; nil and a finding when it cannot be had. What is not there
// is an error, what lies outside of the directory was not looked at.
func (d *Deployment) config(s *Service) *source.File {
	f, reason, hidden := d.Follow(s, s.ConfigPath)
	found := finding.Finding{Rule: "compose-mount-exists", Severity: finding.Error}
	what := "the configuration of " + s.Name + ", " + s.ConfigPath + " in its container, "
	switch {
	case f == nil && hidden:
		found = finding.Unchecked(found.Rule, what+"cannot be seen: "+reason, s.configSites()...)
	case f == nil:
		if host, _ := s.HostPath(s.ConfigPath); d.Broken[host] {
			return nil
		}
		found.Message = what + "cannot be read: " + reason + "; the service does not start"
		found.Fix, found.Sites = "mount the file there", s.configSites()
	case f.Root().Kind() != source.Mapping:
		found.Message = what + "holds no settings; the service does not start"
		found.Fix = "write the configuration"
		found.Sites = []source.Site{{Pos: source.Pos{File: f.Path}}, s.Value.Site("")}
	default:
		return f
	}
	d.Problems = append(d.Problems, found)
	return nil
}
