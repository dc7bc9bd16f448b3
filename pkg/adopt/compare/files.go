package compare

import (
	"io/fs"
	"maps"
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

// Files are the files of a deployment that a comparison looks at, by their paths: what was read, and what lies beside it
// that is no data. why says what was left out.
func Files(d *deployment.Deployment) (files map[string][]byte, why []string) {
	files = d.Texts()
	maps.DeleteFunc(files, func(name string, _ []byte) bool { _, err := fs.Stat(d.FS, name); return err != nil })
	data := dataPlaces(d)
	n := 0
	_ = fs.WalkDir(d.FS, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return nil
		case slices.Contains(beside, path.Base(name)) || slices.Contains(data, name):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir() || !e.Type().IsRegular() || files[name] != nil:
			return nil
		}
		if n++; n > maxFiles {
			why = append(why, "the files beside: there are more of them than are looked at")
			return fs.SkipAll
		}
		src, err := source.ReadFS(d.FS, name)
		if err != nil {
			why = append(why, name+": "+deployment.Cause(err))
			return nil
		}
		files[name] = src
		return nil
	})
	return files, why
}

// files adds every file that nothing else was told of, by its bytes.
func (s *side) files() {
	all, why := Files(s.Deployment)
	s.unseen = append(s.unseen, why...)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if s.used[name] {
			continue
		}
		f := fact{text: "x" + string(all[name]), secret: true, at: source.Pos{File: name}}
		switch seen := s.seenAt(name); {
		case strings.HasPrefix(name, "keycloak/"):
			s.add(theStack, "keycloak", name, f)
		case len(seen) == 0 && s.ours && s.own(name):
			continue // of a service that only ours has
		case len(seen) == 0:
			s.add(theStack, "beside", name, f)
		default:
			for k := range seen {
				s.add(k.about, k.doc, k.key, f)
			}
		}
	}
}

// seenAt is where containers see a file.
func (s *side) seenAt(name string) map[id]bool {
	seen := make(map[id]bool)
	for _, svc := range s.Services {
		for _, m := range svc.Mounts {
			if m.Host != "" && deployment.Within(name, m.Host) && (!s.ours || !slices.Contains(s.alone, svc)) {
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

// own reports whether a service that the other side has not sees the file.
func (s *side) own(name string) bool {
	return slices.ContainsFunc(s.alone, func(svc *deployment.Service) bool { return svc.Sees(name) })
}

// dataPlaces are the directories that services write to, as far as no configuration lies in them.
func dataPlaces(d *deployment.Deployment) (dirs []string) {
	for _, svc := range d.Services {
		for _, m := range svc.Mounts {
			if m.Host == "" || m.ReadOnly || m.Host == "." {
				continue
			}
			dir := path.Clean(m.Host)
			read := false
			for name := range d.Texts() {
				read = read || strings.HasPrefix(name, dir+"/")
			}
			if !read {
				dirs = append(dirs, dir)
			}
		}
	}
	for _, syn := range d.Synapses {
		if v := syn.Config.At("media_store_path"); v.Set() {
			dirs = append(dirs, syn.Whereabouts(syn.Inside(v.Str())))
		}
	}
	return dirs
}
