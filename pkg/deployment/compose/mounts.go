package compose

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

func (p *Project) mounts(s *deployment.Service, v source.Value) {
	for _, v := range v.At("volumes").Items() {
		m := p.volume(v)
		// Of two for one place Compose takes the last.
		if i := slices.IndexFunc(s.Mounts, func(o deployment.Mount) bool { return path.Clean(o.Container) == path.Clean(m.Container) }); i >= 0 {
			s.Mounts[i] = m
		} else {
			s.Mounts = append(s.Mounts, m)
		}
	}
	for _, v := range deployment.Listed(v.At("tmpfs")) {
		target, _, _ := strings.Cut(v.Str(), ":")
		s.Mounts = append(s.Mounts, deployment.Mount{Container: target, Reason: "it is a tmpfs", At: p.leaf(v), SourceAt: p.leaf(v), Fleeting: true})
	}
	s.Mounts = append(s.Mounts, p.handed(v, "secrets", "/run/secrets/")...)
	s.Mounts = append(s.Mounts, p.handed(v, "configs", "/")...)
	for _, item := range v.At("secrets").Items() {
		name := item
		if item.Kind() == source.Mapping {
			name = item.At("source")
		}
		if !p.File.At("secrets", name.Str()).Exists() {
			s.Unhanded = append(s.Unhanded, p.leaf(item))
		}
	}
}

func (p *Project) volume(v source.Value) deployment.Mount {
	m := deployment.Mount{At: p.leaf(v), SourceAt: p.leaf(v)}
	var src string
	var ok bool
	if v.Kind() == source.Mapping {
		src, ok = p.expand(v.At("source"))
		m.Container, m.Source, m.ReadOnly = v.At("target").Str(), src, v.At("read_only").True()
		if v.At("type").Str() != "bind" {
			m.Reason = "it is not a bind mount"
			m.Fleeting = src == "" || v.At("type").Str() == "tmpfs"
			m.External = p.File.At("volumes", src, "external").True()
			return m
		}
	} else {
		var text string
		text, ok = m.At.Text()
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
	case p.located(src) != "":
		m.Host = p.located(src)
	case strings.HasPrefix(src, "/") || strings.HasPrefix(src, "~"):
		m.Reason = src + " is outside of the directory"
	case strings.HasPrefix(src, ".") || strings.Contains(src, "/") || v.Kind() == source.Mapping && src != "":
		m.Host = path.Clean(src)
	default:
		m.Reason = "it is the named volume " + src
		m.External = p.File.At("volumes", src, "external").True()
	}
	if m.Host != "" && p.beyond(m.Host) {
		m.Host, m.Reason = "", src+" is outside of the directory"
	}
	return m
}

// handed lists the Compose secrets or configs of the service, which Compose mounts as single files.
func (p *Project) handed(service source.Value, kind, dir string) []deployment.Mount {
	var ms []deployment.Mount
	for _, item := range service.At(kind).Items() {
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
		m := deployment.Mount{Container: target, At: p.leaf(item), SourceAt: p.leaf(item), ReadOnly: true}
		def := p.File.At(kind, name)
		file, ok := p.expand(def.At("file"))
		if kind == "secrets" && item.Kind() == source.Scalar && def.At("file").Set() {
			m.SourceAt = p.leaf(def.At("file"))
		}
		what := "the " + strings.TrimSuffix(kind, "s") + " " + name
		switch {
		case !def.Exists():
			m.Reason = what + deployment.IsUndefined
		case p.inline[kind+"."+name] != "":
			m.Host, m.SourceAt = p.inline[kind+"."+name], p.leaf(def.At("content"))
			if !m.SourceAt.Set() {
				m.SourceAt = p.leaf(def.At("environment"))
			}
		case def.At("template_driver").Set():
			m.Reason = what + " is a template, which the Swarm fills in"
		case def.At("environment").Set():
			m.Reason = what + " is the variable " + def.At("environment").Str() + ", which is set elsewhere"
		case def.At("content").Set():
			m.Reason = what + " holds variables that are set elsewhere"
		case !def.At("file").Set():
			m.Reason = what + " is not a file"
		case ok && p.located(file) != "":
			m.Source, m.Host = file, p.located(file)
		case ok && strings.HasPrefix(file, "/"):
			m.Source, m.Reason = file, what+" is outside of the directory"
		case !ok || p.beyond(path.Clean(file)):
			m.Reason = what + " is outside of the directory"
		default:
			m.Host = path.Clean(file)
		}
		ms = append(ms, m)
	}
	return ms
}
