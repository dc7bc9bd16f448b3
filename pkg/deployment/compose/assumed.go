package compose

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose/project"
	"philipp.info/stackgen/pkg/source"
)

// assumed are the values that go by the default of a variable, where the file that would set it is not here.
func (p *Project) assumed() deployment.Assumed {
	a := deployment.Assumed{Names: make(map[source.Pos][]string)}
	if len(p.Variables) == 0 {
		return a
	}
	if a.File = p.absent(); a.File == "" {
		return a
	}
	for _, v := range p.Variables {
		names := defaulted(v)
		if len(names) == 0 {
			continue
		}
		at := v.At.Site("").Pos
		a.Names[at] = names
		// What stands in a list as a mapping of its own has its place at the first key.
		if keys := v.At.Keys(); len(keys) > 2 && strings.Trim(keys[len(keys)-2], "0123456789") == "" {
			item := v.At.File().At(keys[:len(keys)-1]...).Pos()
			a.Names[item] = append(slices.Clone(a.Names[item]), names...)
		}
		for i, line := range within(v.At) {
			if some := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains(line, "${"+name) }); len(some) > 0 {
				a.Names[source.Pos{File: at.File, Line: v.At.Pos().Line + 1 + i}] = some
			}
		}
	}
	return a
}

// within are the lines of a text of several, which begins in the line behind its place.
func within(v source.Value) []string {
	lines := strings.Split(v.Str(), "\n")
	if len(lines) < 2 {
		return nil
	}
	return lines
}

// defaulted are the variables of a value that are set nowhere, but have something that stands in their place.
func defaulted(v project.Variable) (names []string) {
	if !strings.ContainsAny(v.At.Str(), "-+") {
		return nil
	}
	for _, use := range project.Uses(v.At.Str()) {
		for _, one := range use.Variables {
			if _, set := v.Values[one.Name]; !set && !slices.Contains(v.Unset, one.Name) && !slices.Contains(names, one.Name) {
				names = append(names, one.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// absent is an environment file that is not here and most likely is where the stack runs: git ignores it, a script writes it, the
// stack names it, or an example of it is here. "" where none is.
func (p *Project) absent() string {
	for _, name := range p.Absent {
		if p.options.Ignored != nil && p.options.Ignored(name) || p.options.Written != nil && p.options.Written(name) != "" || p.exemplified(path.Dir(name)) {
			return name
		}
	}
	for _, s := range p.File.At("services").Entries() {
		for _, v := range deployment.Listed(s.At("env_file")) {
			if v.Kind() == source.Mapping {
				v = v.At("path")
			}
			// The file of another name gives the container variables, and nothing to the compose file.
			if name, known := p.expand(v); known && (strings.HasPrefix(path.Base(name), ".env") || path.Base(name) == "stack.env") {
				if _, err := fs.Stat(p.fsys, path.Clean(name)); errors.Is(err, fs.ErrNotExist) {
					return path.Clean(name)
				}
			}
		}
	}
	return ""
}

// exemplified reports whether a directory has an example of a .env, from which it is made by hand.
func (p *Project) exemplified(dir string) bool {
	entries, _ := fs.ReadDir(p.fsys, dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		words := strings.FieldsFunc(strings.ToLower(e.Name()), func(r rune) bool { return strings.ContainsRune(".-_", r) })
		return !e.IsDir() && slices.Contains(words, "env") && slices.ContainsFunc(words, func(word string) bool {
			return slices.Contains([]string{"example", "sample", "template", "tmpl", "tpl", "dist", "default", "defaults"}, word)
		})
	})
}
