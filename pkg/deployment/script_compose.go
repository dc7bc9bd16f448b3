package deployment

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

var (
	composeCall = regex.Of(`\bdocker[ -]compose\b[^\n|;&]*`)
	envFileFlag = regex.Of(`--env-file[= ]["']?([^\s"']+)`)
	envFilesSet = regex.Of(`\bCOMPOSE_ENV_FILES *[:?]?= *["']?([^\s"']+)`)
)

// EnvFiles are the lists of files that scripts, and what a README tells people to run, give Compose by --env-file or COMPOSE_ENV_FILES,
// as far as they are here; by is the first that does.
func (s *Scripts) EnvFiles() (lists [][]string, by string) {
	for _, one := range s.read() {
		text := strings.ReplaceAll(one.text, "\\\n", " ")
		var named [][]string
		for _, call := range composeCall().FindAllString(text, -1) {
			var files []string
			for _, g := range envFileFlag().FindAllStringSubmatch(call, -1) {
				files = append(files, g[1])
			}
			named = append(named, files)
		}
		for _, g := range envFilesSet().FindAllStringSubmatch(text, -1) {
			named = append(named, strings.Split(g[1], ","))
		}
		for _, files := range named {
			list := s.here(one, files)
			if len(list) > 0 && by == "" {
				by = one.name
			}
			if len(list) > 0 && !slices.ContainsFunc(lists, func(o []string) bool { return slices.Equal(o, list) }) {
				lists = append(lists, list)
			}
		}
	}
	return lists, by
}

// here are the files that a script names, from where it is called or from where it lies, without those that are not here.
func (s *Scripts) here(one script, files []string) (list []string) {
	for _, file := range files {
		for _, name := range []string{path.Clean(file), path.Join(one.dir, file)} {
			if info, err := fs.Stat(s.fsys, name); err == nil && info.Mode().IsRegular() && !path.IsAbs(file) {
				list = append(list, name)
				break
			}
		}
	}
	return list
}
