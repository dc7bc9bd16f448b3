package deployment

import (
	"io/fs"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// maxWalk bounds how many files below one mount are looked at: configuration is small, and what is not is data.
const maxWalk = 500

// ReadFiles lists the files of the deployment that the program of a service reads: what is mounted read-only,
// its secrets, its configuration, and what that names.
func (d *Deployment) ReadFiles(s *Service) []string {
	var files []string
	add := func(name string) {
		if info, err := fs.Stat(d.FS, name); err == nil && info.Mode().IsRegular() && !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	for _, top := range s.Reads {
		n := 0
		_ = fs.WalkDir(d.FS, top, func(name string, _ fs.DirEntry, err error) error {
			if n++; err != nil || n > maxWalk {
				return fs.SkipAll
			}
			add(name)
			return nil
		})
	}
	follow := func(container string) {
		if host, reason := s.HostPath(container); reason == "" {
			add(host)
		}
	}
	if s.ConfigPath != "" {
		follow(s.ConfigPath)
	}
	for _, name := range s.ConfigPaths {
		follow(s.Inside(name))
	}
	for _, syn := range d.Synapses {
		if syn.Service == s {
			for _, reg := range syn.Registrations {
				add(reg.Path)
			}
			Scalars(syn.Config.Root(), func(v source.Value) { followPath(v, follow) })
		}
	}
	for _, m := range d.MASs {
		if m.Service == s {
			Scalars(m.Config.Root(), func(v source.Value) { followPath(v, follow) })
		}
	}
	return files
}

// followPath follows a setting that names a file.
func followPath(v source.Value, follow func(string)) {
	name := v.Name()
	if strings.HasPrefix(v.Str(), "/") && (name == "log_config" || strings.HasSuffix(name, "_path") || strings.HasSuffix(name, "_file")) {
		follow(v.Str())
	}
}
