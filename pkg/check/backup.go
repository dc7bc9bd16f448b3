package check

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Backup is a configuration of borgmatic: of a service of the stack, or, with no service, of the machine.
type Backup struct {
	*Service
	Config *source.File
}

// borgmaticSections are those that borgmatic before 1.8 had its options in, and still reads.
var borgmaticSections = []string{"location", "storage", "retention", "consistency", "output", "hooks"}

// option finds an option at the top level, or in one of the old sections, which win.
func (b *Backup) option(name string) source.Value {
	for _, section := range borgmaticSections {
		if v := b.Config.At(section, name); v.Set() {
			return v
		}
	}
	return b.Config.At(name)
}

// partial reports whether options may stand in another file.
func (b *Backup) partial() bool {
	return strings.Contains(string(b.Config.Src), "!include")
}

// backups finds the configurations of borgmatic: what a borgmatic service mounts, and what lies in a
// directory of the usual name for the one on the machine.
func (d *Deployment) backups() []*Backup {
	if d.backup != nil {
		return d.backup
	}
	d.backup = []*Backup{}
	taken := make(map[string]bool)
	add := func(s *Service, names ...string) {
		for _, name := range names {
			if taken[name] || path.Ext(name) != ".yaml" && path.Ext(name) != ".yml" {
				continue
			}
			taken[name] = true
			f := d.files[name]
			if f == nil {
				var findings []finding.Finding
				if f, findings = d.read(name); len(findings) > 0 {
					d.problems = append(d.problems, findings...)
					continue
				}
			}
			b := &Backup{Service: s, Config: f}
			if b.option("repositories").Set() || b.option("source_directories").Set() {
				d.backup = append(d.backup, b)
			}
		}
	}
	for _, s := range d.Services {
		for _, m := range s.Mounts {
			if s.borgmatic() && m.Host != "" && (under(path.Clean(m.Container), "/etc/borgmatic.d") || under(path.Clean(m.Container), "/etc/borgmatic")) {
				add(s, d.scripts(m.Host)...)
			}
		}
	}
	for _, name := range []string{"borgmatic.d", "borgmatic"} {
		if info, err := fs.Stat(d.FS, name); err == nil && info.IsDir() {
			add(nil, d.scripts(name)...)
		}
	}
	return d.backup
}

func (s *Service) borgmatic() bool {
	return strings.Contains(path.Base(s.Image.Repository), "borgmatic")
}

// whereabouts is where a path of the container is kept: PATH in the deployment, /PATH of the machine, volume
// NAME/PATH; "" inside the container only.
func (s *Service) whereabouts(container string) string {
	m := s.mountAt(container)
	switch {
	case m == nil || m.Fleeting:
		return ""
	case m.Host != "":
		return path.Join(m.Host, strings.TrimPrefix(path.Clean(container), path.Clean(m.Container)))
	}
	at := path.Join(m.Source, strings.TrimPrefix(path.Clean(container), path.Clean(m.Container)))
	if strings.HasPrefix(m.Source, "/") {
		return at
	}
	return "volume " + at
}

// contents is what a backup keeps and leaves out, as places of whereabouts, or of the machine.
type contents struct {
	roots, left []kept
	root        string // the directory of the stack on the machine; "" when it cannot be told
	opaque      string // why not everything that is kept can be told
}

type kept struct {
	at    string
	value source.Value
}

func (b *Backup) contents() contents {
	var c contents
	dir := b.option("working_directory").Str()
	places := func(v source.Value, name string) []kept {
		if !path.IsAbs(name) {
			name = path.Join("/", dir, name)
		}
		if b.Service == nil {
			return []kept{{path.Clean(name), v}}
		}
		found := []kept{{b.whereabouts(name), v}}
		for _, m := range b.Mounts { // those below it
			if under(path.Clean(m.Container), name) {
				found = append(found, kept{b.whereabouts(m.Container), v})
			}
		}
		return slices.DeleteFunc(found, func(k kept) bool { return k.at == "" })
	}
	for _, v := range b.option("source_directories").Items() {
		c.roots = append(c.roots, places(v, v.Str())...)
		if !path.IsAbs(v.Str()) && dir == "" || strings.ContainsAny(v.Str(), "*?[{$~") {
			c.opaque = "source_directories has an entry that depends on where borgmatic runs"
		}
	}
	for _, v := range b.option("exclude_patterns").Items() {
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
	case b.option("patterns").Set() || b.option("patterns_from").Set():
		c.opaque = "the backup goes by patterns"
	case b.partial():
		c.opaque = b.Config.Path + " includes another file"
	}
	return c
}

// treeRoot guesses the stack's directory on the machine: from an entry that ends like a directory of the
// stack, or like its name.
func (d *Deployment) treeRoot(c contents) string {
	for _, k := range slices.Concat(c.left, c.roots) {
		for _, s := range d.Services {
			for _, m := range s.Mounts {
				if root, ok := strings.CutSuffix(k.at, "/"+m.Host); ok && m.Host != "" && m.Host != "." && root != "" {
					return root
				}
			}
		}
	}
	name := d.Compose.At("name").Str()
	for _, k := range c.roots {
		if name != "" && path.Base(k.at) == name {
			return k.at
		}
	}
	return ""
}

// keeps reports whether the backup keeps what is at a place of whereabouts; by is the entry that leaves it
// out, unknown why it cannot be told.
func (c contents) keeps(at string) (yes bool, by source.Value, unknown string) {
	machine := func(name string) string {
		if c.root != "" && !path.IsAbs(name) && !strings.HasPrefix(name, "volume ") {
			return path.Join(c.root, name)
		}
		return name
	}
	full := machine(at)
	for _, k := range c.left {
		if under(full, machine(k.at)) {
			return false, k.value, ""
		}
	}
	volume, named := strings.CutPrefix(at, "volume ")
	volume, _, _ = strings.Cut(volume, "/")
	for _, k := range c.roots {
		switch {
		case k.at == "/", k.at == "." && !named, under(full, machine(k.at)):
			return true, by, ""
		case named && (under("/var/lib/docker/volumes", k.at) || strings.HasSuffix(strings.TrimSuffix(k.at, "/_data"), "_"+volume)):
			return true, by, ""
		}
	}
	if !named && !path.IsAbs(full) && slices.ContainsFunc(c.roots, func(k kept) bool { return path.IsAbs(k.at) }) {
		return false, by, "it cannot be told whether source_directories holds this directory"
	}
	return false, by, c.opaque
}

// dumpedIn is the container that a command of the hook runs in.
var dumpedIn = regexp.MustCompile(`\b(?:docker|podman)\s+exec\s+(?:-\S+\s+|--?u(?:ser)?[ =]\S+\s+)*([A-Za-z0-9_.-]+)\s`)
