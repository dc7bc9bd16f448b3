package render

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/memfs"
)

// Over is the bundle as it will lie in the directory: what is there and not stackgen's is seen below it, such as a
// configuration kept by hand that a service of compose.extra mounts. Nothing is written, and no link leads out. root
// is to be closed; it is nil when there is no such directory, or dir is "".
func (b *Bundle) Over(dir string) (fsys fs.FS, root *os.Root) {
	if dir == "" {
		return b.FS(), nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return b.FS(), nil //nolint:nilerr // the store says what is wrong with it
	}
	m := manifest.New() // so that what is kept by hand counts for no label
	for _, f := range b.Files {
		if f.Data != nil {
			m.Files[f.Path] = manifest.Entry{SHA256: manifest.Digest(f.Data)}
		}
	}
	old, _ := manifest.Read(root.FS()) // the store says that it is damaged
	top := append(b.inMemory(), memfs.File{Path: manifest.Path, Data: m.Bytes()})
	return &overlay{top: memfs.New(top), below: root.FS(), old: old}, root
}

type overlay struct {
	top   *memfs.FS
	below fs.FS
	old   *manifest.Manifest
}

// hides tells what of the directory is not looked at: what stackgen wrote and will change or remove, what a killed
// render left, its own records, what the programs keep, and a compose file that would take the place of the rendered one.
func (o *overlay) hides(name string) bool {
	_, ours := o.old.Files[name]
	if ours || manifest.Staged(name) || strings.HasPrefix(name, manifest.Dir+"/") || slices.Contains(compose.Names, name) {
		return true
	}
	for dir := range dataDirs {
		if strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// Open opens the rendered file, or else the one in the directory.
func (o *overlay) Open(name string) (fs.File, error) {
	f, err := o.top.Open(name)
	if err == nil || o.hides(name) {
		return f, err
	}
	return o.below.Open(name)
}

// Stat is that of what Open opens.
func (o *overlay) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(o.top, name)
	if err == nil || o.hides(name) {
		return info, err
	}
	return fs.Stat(o.below, name)
}

// ReadDir lists what is rendered and what lies there already.
func (o *overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.top, name)
	more, errBelow := fs.ReadDir(o.below, name)
	if err != nil {
		if o.hides(name) {
			return nil, err
		}
		entries, err = nil, errBelow
	}
	for _, e := range more {
		full := path.Join(name, e.Name())
		if !o.hides(full) && !slices.ContainsFunc(entries, func(t fs.DirEntry) bool { return t.Name() == e.Name() }) {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}
