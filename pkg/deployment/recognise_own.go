package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// recogniseOwn finds Synapse, MAS and PostgreSQL in images of another name, such as a build of somebody's own, by what only
// they are given: their configuration where they look for it, or the place where the cluster lies.
func (d *Deployment) recogniseOwn() {
	own := make(map[build]component.Program)
	for _, p := range []component.Program{component.Synapse, component.MAS, component.Postgres} {
		var told, seem []*Service
		for _, s := range d.Services {
			if s.Program != component.Unknown || s.Borgmatic() || s.Restart.Str() == "no" || s.Absent.Why != "" || d.Awaited(s) {
				continue
			}
			switch is, sure := d.isOwn(s, p); {
			case is && sure:
				told = append(told, s)
			case is:
				seem = append(seem, s)
			}
		}
		// What only sees the files of a program may be a backup.
		if named := slices.ContainsFunc(d.Services, func(s *Service) bool { return s.Program == p }); !named && len(told) == 0 && len(seem) == 1 {
			told = seem
		}
		for _, s := range told {
			own[s.build()] = p
		}
	}
	for _, s := range d.Services {
		p, ok := own[s.build()]
		if !ok || s.Program != component.Unknown || s.Image.Repository == "" {
			continue
		}
		s.Program = p
		c := s.Component()
		tested, _ := c.Tested.Version()
		// The releases of a program before those that are rendered for can be told from no other numbers.
		if v, ok := s.Image.Version(); !ok || v.Less(c.Oldest) || tested.Less(v) {
			s.Image.Numbered = true
		}
	}
}

// build is what two services have in common that run one image: its name or, where it is built here, what it is built on and by
// which file. Different programs are built on one base.
type build struct{ repository, by string }

func (s *Service) build() build {
	b := build{repository: s.Image.Repository}
	if s.Build.Set() && s.BuildUnread == "" {
		b.by = s.ImageAt.Pos().File
	}
	return b
}

// isOwn tells a program by what it is given; sure, when that is a variable or a word of the program, and not its files alone.
func (d *Deployment) isOwn(s *Service, p component.Program) (is, sure bool) {
	c := component.Of(p)
	if p == component.Postgres {
		given := slices.ContainsFunc(s.Variables, func(v Variable) bool {
			return slices.Contains([]string{"POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_HOST_AUTH_METHOD"}, v.Name)
		})
		return given && slices.ContainsFunc(s.Mounts, func(m Mount) bool { return Under(m.Container, "/var/lib/postgresql") }), true
	}
	if p == component.Synapse && s.runsWorker() {
		return true, true
	}
	file := c.Config.File
	for _, name := range []string{c.Config.Env, c.Config.EnvDir} {
		if text, _ := s.Env(name); name != "" && text != "" {
			sure = true
		}
	}
	if sure {
		file = s.configFile(c.Config)
	} else if words := strings.Join(s.Command(), " "); strings.Contains(words, c.Runs) && c.Runs != "" {
		file, sure = s.flag(file, c.Config.Flags...), true
	}
	host, reason := s.HostPath(s.Inside(file))
	src, err := source.ReadFS(d.FS, host)
	if reason != "" || err != nil {
		return false, sure
	}
	f, problem := source.Parse(host, src)
	shape := c.Shape
	if sure {
		shape = shape[:1]
	}
	return problem == nil && !slices.ContainsFunc(shape, func(key string) bool { return !f.At(key).Set() }), sure
}
