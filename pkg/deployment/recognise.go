package deployment

import (
	"path"
	"slices"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// recognise finds the configuration of a service by the program in its image.
func (d *Deployment) recognise(s *Service) {
	if d.oneShot(s) {
		return
	}
	s.ConfigPath = s.ConfigFile()
	switch s.Program {
	case component.Synapse:
		if f := d.config(s); f != nil {
			syn := &Synapse{Service: s, Config: f}
			d.readRegistrations(syn)
			d.Synapses = append(d.Synapses, syn)
		}
	case component.MAS:
		if f := d.config(s); f != nil {
			d.MASs = append(d.MASs, &MAS{Service: s, Config: f})
		}
	default:
		if s.Component().Bridge != nil {
			d.recogniseBridge(s)
		}
	}
}

func (d *Deployment) recogniseBridge(s *Service) {
	f := d.config(s)
	if f == nil {
		return
	}
	b := &Bridge{Service: s, Config: f}
	b.Dialect, b.Shape = dialectOf(b)
	if _, placed := s.Image.Dialect(); !placed && b.Dialect == component.Python && s.Component().Bridge.Module == "" {
		d.Problems = append(d.Problems, finding.Unchecked("bridge-dialect",
			s.Name+" is a bridge in Python, of which only Telegram's is known; its configuration and registration", b.Shape.Site(""), s.Value.At("image").Site("the image")))
		return
	}
	own, reason, hidden := d.Follow(s, s.flag(path.Join(path.Dir(s.ConfigPath), "registration.yaml"), "-r", "--registration"))
	if b.Own = own; hidden {
		b.Hidden = reason
	}
	d.Bridges = append(d.Bridges, b)
}

// oneShot reports whether a service runs a program's image without being that program: a migration such as
// syn2mas, a worker, or a tool behind a profile next to the service itself.
func (d *Deployment) oneShot(s *Service) bool {
	words := s.Command()
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(words, n) })
	}
	c := s.Component()
	if worker, _ := s.Env(c.WorkerEnv); c.WorkerEnv != "" && worker != "" || has(c.Once...) && (c.Serve == "" || !has(c.Serve)) {
		return true
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
