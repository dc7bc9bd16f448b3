package deployment

import (
	"path"
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
			if s.Program != component.Unknown || s.Borgmatic() || s.Once || s.Absent.Why != "" || d.Awaited(s) {
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

// build is what two services have in common that run one image: its name, with what the tag says beside a version; or, where it
// is built here, what it is built on and by which file. Different programs are built on one base, or pushed under one name.
type build struct{ repository, flavour, by string }

func (s *Service) build() build {
	b := build{repository: s.Image.Repository, flavour: strings.TrimLeft(s.Image.Tag, "v0123456789.")}
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
	runs := c.Runs != "" && strings.Contains(strings.Join(s.Command(), " "), c.Runs)
	if sure {
		file = s.configFile(c.Config)
	} else if runs {
		file, sure = s.flag(file, c.Config.Flags...), true
	}
	host, reason := s.HostPath(s.Inside(file))
	asked, _ := s.Env("SYNAPSE_REPORT_STATS") // without which the image makes no configuration: docker/start.py
	switch {
	case reason != "" && (sure || p == component.Synapse && asked != "" && s.MountAt("/data") != nil):
		return true, runs // what it is given is Synapse's, and its configuration is not seen
	case sure:
		return d.shaped(host, c.Shape[:1]), true
	case reason == "" && d.shaped(host, c.Shape):
		return true, false
	case p == component.Synapse:
		s.ownFile = d.homeserverFile(s, c.Shape)
	}
	return s.ownFile != "" && p == component.Synapse, false
}

// shaped reports whether a file has the keys that the configuration of a program cannot do without.
func (d *Deployment) shaped(host string, keys []string) bool {
	src, err := source.ReadFS(d.FS, host)
	if err != nil {
		return false
	}
	f, problem := source.Parse(host, src)
	return problem == nil && !slices.ContainsFunc(keys, func(key string) bool { return !f.At(key).Set() })
}

// homeserverFile is the configuration of Synapse where an image of another name has it mounted: the file itself or, where the service is
// called after what it is, its directory. "" where there is none.
func (d *Deployment) homeserverFile(s *Service, keys []string) string {
	const name = "homeserver.yaml"
	words := strings.FieldsFunc(strings.ToLower(s.Name+"/"+s.Image.Repository), func(r rune) bool { return strings.ContainsRune("/-_.", r) })
	called := slices.ContainsFunc(words, func(w string) bool { return slices.Contains([]string{"synapse", "matrix", "homeserver"}, w) }) &&
		!slices.ContainsFunc(words, func(w string) bool { return slices.Contains(helpers, w) })
	for _, m := range s.Mounts {
		if m.Host == "" {
			continue
		}
		for _, at := range []string{m.Container, path.Join(m.Container, name)} {
			if path.Base(at) != name || at != m.Container && (!called || d.belowAnother(s, m, name)) {
				continue
			}
			if host, reason := s.HostPath(at); reason == "" && d.shaped(host, keys) {
				return at
			}
		}
	}
	return ""
}

// belowAnother reports whether a mount lies below another directory that has the file itself: what is mounted within a
// program's directory is its data, and a file of that name in them a copy.
func (d *Deployment) belowAnother(s *Service, m Mount, name string) bool {
	return slices.ContainsFunc(s.Mounts, func(o Mount) bool {
		if o.Host == "" || o.Container == m.Container || !Under(m.Container, o.Container) {
			return false
		}
		_, err := source.ReadFS(d.FS, path.Join(o.Host, name))
		return err == nil
	})
}

// helpers are words in the names of what sees the files of Synapse and is none.
var helpers = []string{"backup", "admin", "registration", "compress", "compressor", "exporter", "init", "nginx", "caddy", "traefik", "borg", "restic", "bridge", "bot", "mautrix", "hookshot", "element", "auth"}

// OwnImage reports whether the image is one that the makers of its program release, or a mirror's. What somebody else's
// brings along, and where it keeps what, is not known.
func (s *Service) OwnImage() bool {
	e := s.Component().Entry
	return e != nil && s.BuildUnread == "" && slices.ContainsFunc(e.Images, func(name string) bool {
		maker := path.Base(path.Dir(name))
		return s.Image.Repository == name || maker != "." && strings.HasSuffix("/"+s.Image.Repository, "/"+maker+"/"+path.Base(name))
	})
}

// Mirrored reports whether the image lies in a registry of one's own, under the name of one that the makers of its program
// release: most likely it is that one.
func (s *Service) Mirrored() bool {
	host, rest, ok := strings.Cut(s.Image.Repository, "/")
	e := s.Component().Entry
	return ok && e != nil && s.BuildUnread == "" && strings.ContainsAny(host, ".:") &&
		!slices.Contains([]string{"docker.io", "index.docker.io", "ghcr.io", "quay.io", "registry.gitlab.com", "lscr.io"}, host) &&
		slices.ContainsFunc(e.Images, func(name string) bool { return path.Base(name) == path.Base(rest) })
}
