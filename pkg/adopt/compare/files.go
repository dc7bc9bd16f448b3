package compare

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// maxFiles bounds how many files are looked at: configuration is small, and what is not is data.
const maxFiles = 2000

// beside are directories and files that no program of a stack reads.
var beside = []string{".git", ".stackgen", ".gitignore", ".github", "RUNBOOK.md", "MIGRATION.md"}

// files adds every file that nothing else was told of, by its bytes.
func (s *side) files() {
	data := s.dataPlaces()
	n := 0
	_ = fs.WalkDir(s.FS, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return nil
		case slices.Contains(beside, path.Base(name)) || slices.Contains(data, name):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir() || !e.Type().IsRegular() || s.used[name]:
			return nil
		}
		if n++; n > maxFiles {
			s.unseen = append(s.unseen, "the files beside: there are more of them than are looked at, and the rest was not compared")
			return fs.SkipAll
		}
		src, err := source.ReadFS(s.FS, name)
		if err != nil {
			s.unseen = append(s.unseen, name+": "+deployment.Cause(err))
			return nil
		}
		f := fact{text: "x" + string(src), secret: true, at: source.Pos{File: name}}
		switch seen := s.seenAt(name); {
		case strings.HasPrefix(name, "keycloak/"):
			s.add(theStack, "keycloak", name, f)
		case len(seen) == 0:
			s.add(theStack, "beside", name, f)
		default:
			for k := range seen {
				s.add(k.about, k.doc, k.key, f)
			}
		}
		return nil
	})
}

// seenAt is where containers see a file.
func (s *side) seenAt(name string) map[id]bool {
	seen := make(map[id]bool)
	for _, svc := range s.Services {
		for _, m := range svc.Mounts {
			if m.Host != "" && deployment.Within(name, m.Host) && !slices.Contains(s.alone, svc) {
				below := strings.TrimPrefix(name, path.Clean(m.Host))
				if m.Host == "." {
					below = "/" + name
				}
				seen[id{s.whom(svc), "files", path.Join(m.Container, below)}] = true
			}
		}
	}
	return seen
}

// dataPlaces are the directories that services write to, as far as no configuration lies in them.
func (s *side) dataPlaces() (dirs []string) {
	for _, svc := range s.Services {
		for _, m := range svc.Mounts {
			if m.Host == "" || m.ReadOnly || m.Host == "." {
				continue
			}
			dir := path.Clean(m.Host)
			read := false
			for name := range s.Texts() {
				read = read || strings.HasPrefix(name, dir+"/")
			}
			if !read {
				dirs = append(dirs, dir)
			}
		}
	}
	for _, syn := range s.Synapses {
		if v := syn.Config.At("media_store_path"); v.Set() {
			dirs = append(dirs, s.place(syn.Service, v.Str()))
		}
	}
	return dirs
}
