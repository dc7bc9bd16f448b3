package adopt

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
)

// mostFiles is how many files of one directory are copied: a larger one is data, or is no configuration.
const mostFiles = 100

// copier has the spec copy the files that kept services read.
type copier struct {
	*reader
	tree   *source.Node
	draft  *Draft
	bundle *render.Bundle
}

// of copies what a service is handed: files, and directories that it does not write to. What it writes stays where it is.
func (c *copier) of(s *deployment.Service, name string, n *source.Node) {
	for _, key := range []string{"env_file", "label_file"} {
		files := n.Get(key)
		if files.Is(source.Scalar) {
			c.add(files.Text)
		}
		if files.Is(source.Sequence) {
			for _, item := range files.Items {
				c.add(or(item.Get("path").Str(), item.Str()))
			}
		}
	}
	var written []string
	for _, m := range s.Mounts {
		info, err := fs.Stat(c.d.FS, m.Host)
		switch {
		case m.Host == "" || path.IsAbs(m.Source): // it stays where it is
		case err != nil, info.IsDir() && !m.ReadOnly:
			written = append(written, "./"+m.Host)
		case info.IsDir():
			c.directory(m.Host)
		default:
			c.add(m.Host)
		}
	}
	if slices.Sort(written); len(written) > 0 {
		c.note(s.Site(""), s.Name+" keeps its data in "+strings.Join(slices.Compact(written), ", ")+": render into the directory of the old stack, or move them beside the rendered files", "compose", "extra", "services", name)
	}
}

func (c *copier) directory(dir string) {
	var files []string
	_ = fs.WalkDir(c.d.FS, dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, name)
		}
		if len(files) > mostFiles {
			return fs.SkipAll
		}
		return nil
	})
	if len(files) > mostFiles {
		c.note(source.Site{Pos: source.Pos{File: dir}}, "./"+dir+" has more files than are copied: put it beside the rendered files", "compose")
		return
	}
	for _, name := range files {
		c.add(name)
	}
}

// add copies one file, unless stackgen renders another one at its path.
func (c *copier) add(name string) {
	if strings.Contains(name, "#") { // it stands in the compose file
		return
	}
	name = path.Clean(name)
	top, _, _ := strings.Cut(name, "/")
	data, err := source.ReadFS(c.d.FS, name)
	from := path.Join("files", name)
	if err != nil || c.draft.Files[from] != nil {
		return
	}
	switch {
	case !fs.ValidPath(name) || top == "data" || top == ".stackgen" || strings.ContainsAny(name, `:\`):
		c.note(source.Site{Pos: source.Pos{File: name}}, name+" lies where stackgen copies nothing to: put it beside the rendered files", "compose")
	case c.rendered(name):
		c.note(source.Site{Pos: source.Pos{File: name}}, name+" is a file that stackgen renders; what is kept reads the rendered one", "compose")
	default:
		c.draft.Files[from] = data
		c.put(c.tree, []string{"compose", "files", name}, source.Made("!!str", from))
	}
}

// rendered reports whether stackgen renders a file at a path, above or below it.
func (c *copier) rendered(name string) bool {
	return slices.ContainsFunc(c.bundle.Files, func(f render.File) bool {
		return f.Path == name || strings.HasPrefix(f.Path, name+"/") || f.Data != nil && strings.HasPrefix(name, f.Path+"/")
	})
}
