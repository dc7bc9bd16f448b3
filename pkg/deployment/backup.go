package deployment

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Backup is a configuration of borgmatic: of a service of the stack, or, with no service, of the machine.
type Backup struct {
	*Service
	Config *source.File
}

// BorgmaticSections are those that borgmatic before 1.8 had its options in, and still reads.
var BorgmaticSections = []string{"location", "storage", "retention", "consistency", "output", "hooks"}

// Option finds an option at the top level, or in one of the old sections, which win.
func (b *Backup) Option(name string) source.Value {
	for _, section := range BorgmaticSections {
		if v := b.Config.At(section, name); v.Set() {
			return v
		}
	}
	return b.Config.At(name)
}

// Partial reports whether options may stand in another file.
func (b *Backup) Partial() bool {
	return strings.Contains(string(b.Config.Src), "!include")
}

// Backups are the configurations of borgmatic.
func (d *Deployment) Backups() []*Backup { return d.backups }

// readBackups finds the configurations of borgmatic: what a borgmatic service mounts, and what lies in a
// directory of the usual name for the one on the machine.
func (d *Deployment) readBackups() {
	taken := make(map[string]bool)
	add := func(s *Service, names ...string) {
		for _, name := range names {
			if taken[name] || path.Ext(name) != ".yaml" && path.Ext(name) != ".yml" {
				continue
			}
			taken[name] = true
			f := d.file(name)
			if f == nil {
				var findings []finding.Finding
				if f, findings = d.Read(name); len(findings) > 0 {
					d.fault(name, findings...)
					continue
				}
			}
			b := &Backup{Service: s, Config: f}
			if b.Option("repositories").Set() || b.Option("source_directories").Set() {
				d.backups = append(d.backups, b)
			}
		}
	}
	for _, s := range d.Services {
		for _, m := range s.Mounts {
			if s.Borgmatic() && m.Host != "" && (Under(path.Clean(m.Container), "/etc/borgmatic.d") || Under(path.Clean(m.Container), "/etc/borgmatic")) {
				add(s, d.scripts(m.Host)...)
			}
		}
	}
	for _, name := range []string{"borgmatic.d", "borgmatic"} {
		if info, err := fs.Stat(d.FS, name); err == nil && info.IsDir() {
			add(nil, d.scripts(name)...)
		}
	}
}

// Borgmatic reports whether the service runs borgmatic, told by its image.
func (s *Service) Borgmatic() bool {
	return strings.Contains(path.Base(s.Image.Repository), component.Of(component.Borgmatic).ImageWord)
}

// Contents is what a backup keeps and leaves out, as places of whereabouts, or of the machine.
type Contents struct {
	roots, left []kept
	Root        string // the directory of the stack on the machine; "" when it cannot be told
	opaque      string // why not everything that is kept can be told
}

type kept struct {
	at    string
	value source.Value
}

// Contents is what the backup keeps and leaves out.
func (b *Backup) Contents() Contents {
	var c Contents
	dir := b.Option("working_directory").Str()
	places := func(v source.Value, name string) []kept {
		if !path.IsAbs(name) {
			name = path.Join("/", dir, name)
		}
		if b.Service == nil {
			return []kept{{path.Clean(name), v}}
		}
		found := []kept{{b.Whereabouts(name), v}}
		for _, m := range b.Mounts { // those below it
			if Under(path.Clean(m.Container), name) {
				found = append(found, kept{b.Whereabouts(m.Container), v})
			}
		}
		return slices.DeleteFunc(found, func(k kept) bool { return k.at == "" })
	}
	for _, v := range b.Option("source_directories").Items() {
		c.roots = append(c.roots, places(v, v.Str())...)
		if !path.IsAbs(v.Str()) && dir == "" || strings.ContainsAny(v.Str(), "*?[{$~") {
			c.opaque = "source_directories has an entry that depends on where borgmatic runs"
		}
	}
	for _, v := range b.Option("exclude_patterns").Items() {
		name := v.Str()
		if style, rest, ok := strings.Cut(name, ":"); ok && len(style) == 2 {
			name = rest
		}
		name = strings.TrimSuffix(name, "/*") // what is below, which is all that matters
		if path.IsAbs(name) && !strings.ContainsAny(name, "*?[") {
			c.left = append(c.left, places(v, name)...)
		}
	}
	switch {
	case b.Option("patterns").Set() || b.Option("patterns_from").Set():
		c.opaque = "the backup goes by patterns"
	case b.Partial():
		c.opaque = b.Config.Path + " includes another file"
	}
	return c
}

// TreeRoot guesses the stack's directory on the machine: from an entry that ends like a directory of the
// stack, or like its name.
func (d *Deployment) TreeRoot(c Contents) string {
	for _, k := range slices.Concat(c.left, c.roots) {
		for _, s := range d.Services {
			for _, m := range s.Mounts {
				if root, ok := strings.CutSuffix(k.at, "/"+m.Host); ok && m.Host != "" && m.Host != "." && root != "" {
					return root
				}
			}
		}
	}
	name := d.Project
	for _, k := range c.roots {
		if name != "" && path.Base(k.at) == name {
			return k.at
		}
	}
	return ""
}

// Keeps reports whether the backup keeps what is at a place of whereabouts; by is the entry that leaves it
// out, unknown why it cannot be told.
func (c Contents) Keeps(at string) (yes bool, by source.Value, unknown string) {
	machine := func(name string) string {
		if c.Root != "" && !path.IsAbs(name) && !strings.HasPrefix(name, "volume ") {
			return path.Join(c.Root, name)
		}
		return name
	}
	full := machine(at)
	for _, k := range c.left {
		if Under(full, machine(k.at)) {
			return false, k.value, ""
		}
	}
	volume, named := strings.CutPrefix(at, "volume ")
	volume, _, _ = strings.Cut(volume, "/")
	for _, k := range c.roots {
		ofDocker := strings.TrimSuffix(k.at, "/_data")
		switch {
		case k.at == "/", k.at == "." && !named, Under(full, machine(k.at)):
			return true, by, ""
		case named && (Under("/var/lib/docker/volumes", k.at) || strings.HasSuffix(ofDocker, "_"+volume) || strings.HasSuffix(ofDocker, "/volumes/"+volume)):
			return true, by, ""
		}
	}
	if !named && !path.IsAbs(full) && slices.ContainsFunc(c.roots, func(k kept) bool { return path.IsAbs(k.at) }) {
		return false, by, "it cannot be told whether source_directories holds this directory"
	}
	return false, by, c.opaque
}

// Commands are the shell commands that borgmatic runs beside its own actions.
func (b *Backup) Commands() []source.Value {
	var found []source.Value
	for _, hook := range b.Option("commands").Items() {
		found = append(found, hook.At("run").Items()...)
	}
	for _, when := range []string{"before", "after"} {
		for _, what := range []string{"actions", "backup", "everything", "extract"} {
			found = append(found, b.Option(when+"_"+what).Items()...)
		}
	}
	return found
}
