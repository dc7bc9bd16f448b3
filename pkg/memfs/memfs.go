// Package memfs is a tree of files in memory, as the file system that the readers of a deployment are given.
package memfs

import (
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// File is one file, or a directory when Data is nil.
type File struct {
	// Path is slash-separated and below the root, as fs.ValidPath has it.
	Path string
	Data []byte
	// Owner is whose it is meant to be; nil where nobody has said.
	Owner *Owner
}

// Owner is what the FileInfo of a file gives as Sys, on every platform.
type Owner struct{ UID, GID int }

// FS is a read-only fs.FS of files. Files have the mode 0600 and listed directories 0700; those that are only implied by a
// path are open to all to read, for nobody has said whose they are.
type FS struct{ nodes map[string]*node }

type node struct {
	File
	mode     fs.FileMode
	children []fs.DirEntry // sorted by name
}

// New makes the file system. Of two files with one path the later counts. The bytes are not copied.
func New(files []File) *FS {
	f := &FS{nodes: make(map[string]*node, len(files))}
	f.add(File{Path: "."}, fs.ModeDir|0o555)
	for _, file := range files {
		if file.Data == nil {
			f.add(file, fs.ModeDir|0o700)
		} else {
			f.add(file, 0o600)
		}
		for dir := path.Dir(file.Path); f.nodes[dir] == nil; dir = path.Dir(dir) {
			f.add(File{Path: dir}, fs.ModeDir|0o555)
		}
	}
	for name, n := range f.nodes {
		if name != "." {
			dir := f.nodes[path.Dir(name)]
			dir.children = append(dir.children, fs.FileInfoToDirEntry(n))
		}
	}
	for _, n := range f.nodes {
		slices.SortFunc(n.children, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return f
}

func (f *FS) add(file File, mode fs.FileMode) { f.nodes[file.Path] = &node{File: file, mode: mode} }

func (f *FS) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if n := f.nodes[name]; n != nil {
		return n, nil
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// Open opens a file or a directory.
func (f *FS) Open(name string) (fs.File, error) {
	n, err := f.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.mode.IsDir() {
		return &openDir{node: n}, nil
	}
	return &openFile{node: n}, nil
}

// Stat describes a file or a directory.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	n, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// ReadFile gives a copy of a file's content.
func (f *FS) ReadFile(name string) ([]byte, error) {
	n, err := f.find("read", name)
	if err == nil && n.mode.IsDir() {
		err = &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, n.Data...), nil
}

// ReadDir lists a directory, sorted by name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.find("readdir", name)
	if err == nil && !n.mode.IsDir() {
		err = &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return nil, err
	}
	return slices.Clone(n.children), nil
}

// node is its own fs.FileInfo.

func (n *node) Name() string       { return path.Base(n.Path) }
func (n *node) Size() int64        { return int64(len(n.Data)) }
func (n *node) Mode() fs.FileMode  { return n.mode }
func (n *node) ModTime() time.Time { return time.Time{} }
func (n *node) IsDir() bool        { return n.mode.IsDir() }

func (n *node) Sys() any {
	if n.Owner == nil {
		return nil
	}
	return *n.Owner
}

type openFile struct {
	*node
	at int
}

func (o *openFile) Stat() (fs.FileInfo, error) { return o.node, nil }
func (o *openFile) Close() error               { return nil }

func (o *openFile) Read(p []byte) (int, error) {
	if o.at >= len(o.Data) {
		return 0, io.EOF
	}
	n := copy(p, o.Data[o.at:])
	o.at += n
	return n, nil
}

type openDir struct {
	*node
	at int
}

func (o *openDir) Stat() (fs.FileInfo, error) { return o.node, nil }
func (o *openDir) Close() error               { return nil }

func (o *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: o.Path, Err: fs.ErrInvalid}
}

// ReadDir gives the next n entries, or all that are left where n is not positive.
func (o *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	left := o.children[o.at:]
	if n > 0 {
		if len(left) == 0 {
			return nil, io.EOF
		}
		left = left[:min(n, len(left))]
	}
	o.at += len(left)
	return slices.Clone(left), nil
}
