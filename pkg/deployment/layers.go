package deployment

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// configPaths are the files that the program of a service reads its configuration from, in its container, the one that
// counts most at the end.
func (s *Service) configPaths() (paths []string) {
	c := s.Component().Config
	words := ownWords(s.Command())
	for i, w := range words {
		if i > 0 && w == "-c" && slices.Contains(shells, path.Base(words[i-1])) {
			continue // what follows is a script
		}
		if slices.Contains(c.Flags, w) && i+1 < len(words) {
			paths = append(paths, words[i+1])
		} else if name, val, ok := strings.Cut(w, "="); ok && slices.Contains(c.Flags, name) {
			paths = append(paths, val)
		}
	}
	if text, _ := s.Env(c.Env); len(paths) == 0 && c.Several && text != "" {
		paths = strings.Split(text, ":")
	}
	if len(paths) == 0 {
		paths = []string{s.ConfigFile()}
	}
	if s.Program == component.Synapse {
		paths = s.inDirectories(paths)
	}
	if a := s.assembly(paths); a != nil {
		return a.Files
	}
	return paths
}

// assembly is how another container makes the only file of a configuration; nil where none does.
func (s *Service) assembly(paths []string) *Assembly {
	if len(paths) != 1 {
		return nil
	}
	if a, ok := s.Assembled[s.Inside(paths[0])]; ok {
		return &a
	}
	return nil
}

// inDirectories puts the files of a directory in its place, as Synapse does: those that end in .yaml, by name.
func (s *Service) inDirectories(paths []string) (files []string) {
	for _, name := range paths {
		dir := s.Inside(name)
		host, reason := s.HostPath(dir)
		info, err := fs.Stat(s.d.FS, host)
		seen := reason == "" && err == nil && info.IsDir()
		var within []string
		if seen {
			entries, _ := fs.ReadDir(s.d.FS, host)
			for _, e := range entries {
				if !e.IsDir() && path.Ext(e.Name()) == ".yaml" {
					within = append(within, path.Join(name, e.Name()))
				}
			}
		}
		for _, m := range s.Mounts { // single files in it, as the configs and secrets of Compose are
			if at := path.Clean(m.Container); path.Dir(at) == dir && path.Ext(at) == ".yaml" && (seen || s.MountAt(dir) == nil) {
				within = append(within, path.Join(name, path.Base(at)))
			}
		}
		if !seen && len(within) == 0 {
			files = append(files, name)
			continue
		}
		slices.Sort(within)
		files = append(files, slices.Compact(within)...)
	}
	return files
}

// layered reads the files of a configuration and lays them over each other as the program does. Those that are not
// there are nothing to MAS, and end Synapse; partly says that one of them cannot be seen.
func (d *Deployment) layered(s *Service, paths []string) (f *source.File, partly bool, fault string) {
	var tree *source.Node
	made := s.assembled(paths)
	for _, name := range paths {
		layer, _, hidden := d.Follow(s, s.Inside(name))
		switch {
		case layer == nil && hidden:
			partly = true
		case layer == nil && (made != nil || s.Program != component.MAS):
			return nil, false, name
		case layer == nil || layer.Root().Kind() != source.Mapping:
		case tree == nil:
			tree = layer.Root().Node()
		case made != nil || s.Program == component.MAS:
			tree = deepMerged(tree, layer.Root().Node())
		default:
			top := layer.Root().Node()
			for _, key := range top.Names() {
				tree.Set(key, top.Get(key))
			}
		}
	}
	if tree == nil {
		return nil, partly, ""
	}
	if made != nil && !made.fill(tree) {
		partly = true
	}
	return source.Join(tree), partly, ""
}

// assembled is the assembly that the files are those of; nil where they are the program's own.
func (s *Service) assembled(files []string) *Assembly {
	for _, a := range s.Assembled {
		if slices.Equal(a.Files, files) {
			return &a
		}
	}
	return nil
}

// fill puts what they hold in the place of variables; false where that of one cannot be seen: its value is left out then.
func (a *Assembly) fill(n *source.Node) (all bool) {
	all = true
	for _, name := range slices.Clone(n.Names()) {
		v := n.Get(name)
		if seen := a.fill(v); !seen {
			if all = false; v.Kind == source.Scalar {
				n.Delete(name)
			}
		}
	}
	for _, item := range n.Items {
		all = a.fill(item) && all
	}
	if n.Kind != source.Scalar {
		return all
	}
	var b strings.Builder
	rest := n.Text
	for {
		before, after, found := strings.Cut(rest, "${")
		name, behind, closed := strings.Cut(after, "}")
		if !found || !closed {
			break
		}
		text, ok := a.Value(name)
		all = all && ok
		b.WriteString(before + text)
		rest = behind
	}
	n.Text = b.String() + rest
	return all
}

// deepMerged is what figment's admerge makes of two values: mappings are laid over each other, lists are put one behind
// the other, and of all else the second counts.
func deepMerged(a, b *source.Node) *source.Node {
	switch {
	case a.Is(source.Mapping) && b.Is(source.Mapping):
		for _, key := range b.Names() {
			if old := a.Get(key); old != nil {
				a.Set(key, deepMerged(old, b.Get(key)))
			} else {
				a.Set(key, b.Get(key))
			}
		}
		return a
	case a.Is(source.Sequence) && b.Is(source.Sequence):
		a.Items = append(a.Items, b.Items...)
		return a
	}
	return b
}
