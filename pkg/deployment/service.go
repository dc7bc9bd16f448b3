package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Service is one service of the compose file.
type Service struct {
	Name     string
	Value    source.Value
	Image    component.Ref
	Program  component.Program
	Mounts   []Mount
	Networks []string // keys below the top-level networks
	Absent   Absent

	D          *Deployment
	ConfigPath string
	linked     []string // the names that links of other services give it
}

// Mount is a bind mount, a volume, a tmpfs, a Compose secret or a Compose config. Host is the slash-separated
// path below the deployment, Reason why there is none (a named volume, an absolute path, an external secret).
// Source is what is mounted, as Compose calls it.
type Mount struct {
	Host, Container, Reason, Source string
	Value                           source.Value
	ReadOnly                        bool
	Fleeting                        bool // what is written there is gone after `docker compose down`
}

// Component is what is known of the program of the service.
func (s *Service) Component() *component.Component { return component.Of(s.Program) }

func newService(d *Deployment, name string, v source.Value) *Service {
	s := &Service{Name: name, Value: v, D: d}
	ref, _ := d.Expand(v.At("image"))
	s.Image = component.Parse(ref)
	s.Program = s.Image.Program()
	s.Absent = s.absence()
	for _, m := range v.At("volumes").Items() {
		s.Mounts = append(s.Mounts, s.volume(m))
	}
	for _, v := range Listed(v.At("tmpfs")) {
		target, _, _ := strings.Cut(v.Str(), ":")
		s.Mounts = append(s.Mounts, Mount{Container: target, Reason: "it is a tmpfs", Value: v, Fleeting: true})
	}
	s.Mounts = append(s.Mounts, s.handed("secrets", "/run/secrets/")...)
	s.Mounts = append(s.Mounts, s.handed("configs", "/")...)
	switch nets := v.At("networks"); nets.Kind() {
	case source.Sequence:
		for _, n := range nets.Items() {
			s.Networks = append(s.Networks, n.Str())
		}
	case source.Mapping:
		for k := range nets.Entries() {
			s.Networks = append(s.Networks, k.Str())
		}
	default:
		if !v.At("network_mode").Set() {
			s.Networks = []string{"default"}
		}
	}
	return s
}

func (s *Service) volume(v source.Value) Mount {
	m := Mount{Value: v}
	var src string
	var ok bool
	if v.Kind() == source.Mapping {
		src, ok = s.D.Expand(v.At("source"))
		m.Container, m.Source, m.ReadOnly = v.At("target").Str(), src, v.At("read_only").True()
		if v.At("type").Str() != "bind" {
			m.Reason = "it is not a bind mount"
			m.Fleeting = src == "" || v.At("type").Str() == "tmpfs"
			return m
		}
	} else {
		var text string
		text, ok = s.D.Expand(v)
		var rest string
		src, rest, _ = strings.Cut(text, ":")
		var options string
		m.Container, options, _ = strings.Cut(rest, ":")
		m.Source, m.ReadOnly = src, slices.Contains(strings.Split(options, ","), "ro")
		if rest == "" {
			m.Container, m.Source, m.Reason, m.Fleeting = src, "", "it is an anonymous volume", true
			return m
		}
	}
	switch {
	case !ok:
		m.Reason = "it stands behind a variable that is set elsewhere"
	case strings.HasPrefix(src, "./") || src == "." || strings.HasPrefix(src, "../"):
		m.Host = path.Clean(src)
	case strings.HasPrefix(src, "/") || strings.HasPrefix(src, "~"):
		m.Reason = src + " is outside of the directory"
	case strings.Contains(src, "/"):
		m.Host = path.Clean(src)
	default:
		m.Reason = "it is the named volume " + src
	}
	if strings.HasPrefix(m.Host, "..") {
		m.Host, m.Reason = "", src+" is outside of the directory"
	}
	return m
}

// handed lists the Compose secrets or configs of the service, which Compose mounts as single files.
func (s *Service) handed(kind, dir string) []Mount {
	var ms []Mount
	for _, item := range s.Value.At(kind).Items() {
		name, target := item.Str(), ""
		if item.Kind() == source.Mapping {
			name, target = item.At("source").Str(), item.At("target").Str()
		}
		if target == "" {
			target = name
		}
		if !strings.HasPrefix(target, "/") {
			target = dir + target
		}
		m := Mount{Container: target, Value: item, ReadOnly: true}
		def := s.D.Compose.At(kind, name)
		file, ok := s.D.Expand(def.At("file"))
		switch {
		case !def.Exists():
			m.Reason = "the " + strings.TrimSuffix(kind, "s") + " " + name + IsUndefined
		case !def.At("file").Set():
			m.Reason = "the " + strings.TrimSuffix(kind, "s") + " " + name + " is not a file"
		case ok && strings.HasPrefix(file, "/"):
			m.Source, m.Reason = file, "the "+strings.TrimSuffix(kind, "s")+" "+name+" is outside of the directory"
		case !ok || strings.HasPrefix(path.Clean(file), ".."):
			m.Reason = "the " + strings.TrimSuffix(kind, "s") + " " + name + " is outside of the directory"
		default:
			m.Host = path.Clean(file)
		}
		ms = append(ms, m)
	}
	return ms
}

// Within is under for paths of the deployment, all of which lie below ".".
func Within(name, dir string) bool { return dir == "." || Under(name, dir) }
