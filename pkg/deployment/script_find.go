package deployment

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// How much is looked at.
const (
	maxScripts     = 400
	maxScriptSize  = 256 << 10
	maxScriptBytes = 16 << 20 // of all
	maxScriptDirs  = 300
	maxScriptDeep  = 3
)

// find reads the scripts: of the directory and below, and of each above it with what lies directly below that. Where there are
// more than are read, those of the shell come first: a large repository's programs are not what sets it up.
func (s *Scripts) find() (list []script) {
	var names [3][]string
	dirs := 0
	seen := make(map[string]bool)
	from := "."
	var walk func(dir string, deep int)
	walk = func(dir string, deep int) {
		if dirs++; dirs > maxScriptDirs || seen[dir] {
			return
		}
		seen[dir] = true
		entries, _ := fs.ReadDir(s.fsys, dir)
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			switch {
			case e.IsDir() && (e.Name() == ".github" || e.Name() == "workflows" || !strings.HasPrefix(e.Name(), ".") && e.Name() != "node_modules"):
				if deep > 0 {
					walk(name, deep-1)
				}
			case path.Ext(name) == ".md" && !toldIn(from, name): // of another stack, or of one part
			case e.Type().IsRegular() && mayBeScript(name):
				if info, err := e.Info(); err == nil && info.Size() <= maxScriptSize {
					turn := turnOf(name)
					names[turn] = append(names[turn], name)
				}
			}
		}
	}
	walk(".", maxScriptDeep)
	for up := ".."; !source.Beyond(s.fsys, up) && strings.Count(up, "..") < 6; up += "/.." {
		from = up
		walk(up, 1)
	}
	left := maxScriptBytes
	for _, name := range slices.Concat(names[:]...) {
		if len(list) == maxScripts || left <= 0 {
			break
		}
		src, err := source.ReadFS(s.fsys, name)
		left -= len(src)
		if err == nil && isScript(name, src) {
			list = append(list, readScript(name, string(src)))
		}
	}
	return list
}

// turnOf is when a file is read: scripts of the shell and Makefiles first, then what only its first line tells to be one.
func turnOf(name string) int {
	switch ext := path.Ext(name); {
	case ext == ".sh" || ext == ".bash" || ext == ".zsh" || isMakefile(name):
		return 0
	case ext == "":
		return 1
	}
	return 2
}

// isScript reports whether what may be a script by its name is one.
func isScript(name string, src []byte) bool {
	switch {
	case path.Ext(name) == "":
		return bytes.HasPrefix(src, []byte("#!")) || isMakefile(name)
	case isYAML(name):
		return path.Base(path.Dir(name)) == "workflows" || strings.HasPrefix(path.Base(name), "Taskfile") || isPlaybook(string(src))
	}
	return true
}

func isYAML(name string) bool { return path.Ext(name) == ".yml" || path.Ext(name) == ".yaml" }

func isMakefile(name string) bool {
	return slices.Contains([]string{"makefile", "gnumakefile", "justfile"}, strings.ToLower(path.Base(name)))
}

func mayBeScript(name string) bool {
	switch ext := path.Ext(name); ext {
	case "", ".sh", ".bash", ".zsh", ".py":
		return true
	case ".js", ".mjs", ".cjs", ".ts": // and not the program that the repository is of
		return slices.Contains([]string{"scripts", "script", "tools", "bin", "setup", "deploy"}, path.Base(path.Dir(name)))
	case ".md", ".yml", ".yaml": // what people are told to run; what runs on a runner deploys as well, and Ansible
		return true
	}
	return path.Base(name) == dokploy
}
