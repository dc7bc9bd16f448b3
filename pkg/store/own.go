package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/render"
)

// own gives every file and directory that is there already to the user of its service. Only root can.
func (p *Plan) own(root *os.Root) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for dir, f := range p.owners() {
		if f.Data == nil && !empty(root, dir) {
			continue // data that is in use is not ours to touch
		}
		if err := chown(root, dir, f); err != nil {
			return err
		}
	}
	for _, f := range p.stack.Files {
		if f.Data == nil {
			continue
		}
		if err := chown(root, f.Path, f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if info, err := root.Lstat(f.Path); err == nil && info.Mode().IsRegular() && info.Mode().Perm() != 0o600 {
			if err := root.Chmod(f.Path, 0o600); err != nil {
				return readable(err, f.Path)
			}
		}
	}
	return nil
}

func empty(root *os.Root, dir string) bool {
	d, err := root.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	_, err = d.ReadDir(1)
	return errors.Is(err, io.EOF)
}

func chown(root *os.Root, name string, f render.File) error {
	if f.UID < 0 {
		return nil
	}
	if info, err := root.Lstat(name); err == nil && ownedBy(info, f.UID, f.GID) {
		return nil
	}
	return root.Lchown(name, f.UID, f.GID)
}

// owners says whom a directory belongs to: the service that reads everything in it.
func (p *Plan) owners() map[string]render.File {
	dirs := make(map[string]render.File)
	for _, f := range p.stack.Files {
		if f.Data == nil {
			dirs[f.Path] = f
		} else if strings.HasPrefix(f.Path, "config/") && f.UID >= 0 {
			dirs[path.Dir(f.Path)] = f
		}
	}
	return dirs
}
