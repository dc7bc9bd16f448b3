package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"philipp.info/stackgen/pkg/git"
)

// stackTree is the directory of a stack within a larger one, to read. The names of its files may lead out of the directory with
// ../, as paths in a compose file do, and never out of the larger one: an error then is fs.ErrInvalid.
type stackTree struct {
	root fs.FS
	dir  string
}

// openTree opens the directory of a stack. Beyond it, what lies in root can be read: by default in the git work tree, or else
// nothing. No link leads out of root.
func openTree(dir, root string) (*stackTree, func() error, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, nil, err
	case !info.IsDir():
		return nil, nil, fmt.Errorf("%s is a file; name the directory with the compose file", dir)
	}
	real, err := realPath(dir)
	if err != nil {
		return nil, nil, err
	}
	top := real
	if root != "" {
		if top, err = realPath(root); err != nil {
			return nil, nil, err
		}
	} else if repo, err := git.Open(dir); err == nil {
		top = repo.Top()
	}
	below, err := filepath.Rel(top, real)
	if err != nil || !filepath.IsLocal(below) {
		return nil, nil, usagef("--root %s does not hold %s; name a directory above it", root, dir)
	}
	if top == "/" { // out of which no link leads
		return &stackTree{os.DirFS(top), filepath.ToSlash(below)}, func() error { return nil }, nil
	}
	opened, err := os.OpenRoot(top)
	if err != nil {
		return nil, nil, err
	}
	return &stackTree{opened.FS(), filepath.ToSlash(below)}, opened.Close, nil
}

func realPath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// at is the name below the larger directory.
func (t *stackTree) at(op, name string) (string, error) {
	full := path.Join(t.dir, name)
	if name != path.Clean(name) || path.IsAbs(name) || full == ".." || strings.HasPrefix(full, "../") {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return full, nil
}

// Open opens a file of the directory or beside it.
func (t *stackTree) Open(name string) (fs.File, error) {
	full, err := t.at("open", name)
	if err != nil {
		return nil, err
	}
	return t.root.Open(full)
}

// Stat describes one, without opening it.
func (t *stackTree) Stat(name string) (fs.FileInfo, error) {
	full, err := t.at("stat", name)
	if err != nil {
		return nil, err
	}
	return fs.Stat(t.root, full)
}

// ReadDir lists a directory.
func (t *stackTree) ReadDir(name string) ([]fs.DirEntry, error) {
	full, err := t.at("readdir", name)
	if err != nil {
		return nil, err
	}
	return fs.ReadDir(t.root, full)
}

// Lstat describes a file itself where it is a symbolic link.
func (t *stackTree) Lstat(name string) (fs.FileInfo, error) {
	full, err := t.at("lstat", name)
	if err != nil {
		return nil, err
	}
	return fs.Lstat(t.root, full)
}

// ReadLink gives where a symbolic link leads.
func (t *stackTree) ReadLink(name string) (string, error) {
	full, err := t.at("readlink", name)
	if err != nil {
		return "", err
	}
	return fs.ReadLink(t.root, full)
}
