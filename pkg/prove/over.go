package prove

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/render"
)

// over is the bundle as it will lie in the directory: what is there and not stackgen's is seen below it, such as a
// configuration kept by hand that a service of compose.extra mounts.
func over(b *render.Bundle, beside fs.FS) fs.FS {
	if beside == nil {
		return b.FS()
	}
	o := &overlay{below: beside}
	m := manifest.New() // so that what is kept by hand counts for no label
	for _, f := range b.Files {
		if f.Data == nil {
			o.data = append(o.data, f.Path+"/")
		} else {
			m.Files[f.Path] = manifest.Entry{SHA256: manifest.Digest(f.Data)}
		}
	}
	o.top = b.FS(memfs.File{Path: manifest.Path, Data: m.Bytes()})
	o.old, _ = manifest.Read(beside) // the store says that it is damaged
	return o
}

type overlay struct {
	top   *memfs.FS
	below fs.FS
	old   *manifest.Manifest
	data  []string // directories, with a slash, that the programs write
}

// hides tells what of the directory is not looked at: what stackgen wrote and will change or remove, what a killed
// render left, its own records, and what the programs keep.
func (o *overlay) hides(name string) bool {
	_, ours := o.old.Files[name]
	if ours || manifest.Staged(name) || strings.HasPrefix(name, manifest.Dir+"/") {
		return true
	}
	return slices.ContainsFunc(o.data, func(dir string) bool { return strings.HasPrefix(name, dir) })
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
