package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/source"
)

// Content is another content for a file that is there.
type Content struct {
	Path     string // below the directory, without a symbolic link in it
	Old, New []byte
}

// Replace gives files of a directory another content: all of them or none. Each is written beside its place, with the mode and the
// owner of the old one, and renamed into it, so that it is the old or the new one whatever happens; where it is killed between two of them,
// Complete does the rest, and so does the next Replace. A file that does not hold
// Old any more, is no regular one, or has a second name is an error, and nothing is written.
func Replace(ctx context.Context, dir string, contents []Content) (err error) {
	root, unlock, err := open(ctx, dir)
	if err != nil {
		return err
	}
	if root == nil {
		return &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
	}
	defer root.Close()
	defer unlock()
	if _, err := complete(root); err != nil {
		return err
	}
	leftovers(root, contents)
	temps := make([]string, 0, len(contents))
	defer func() {
		for _, temp := range temps {
			_ = root.Remove(temp) // where it was not renamed
		}
	}()
	infos := make([]fs.FileInfo, len(contents))
	for i, c := range contents {
		if infos[i], err = unchanged(root, c); err != nil {
			return err
		}
		temps = append(temps, manifest.Stage(c.Path))
		if err := writeLike(root, temps[i], c.Path, c.New, infos[i]); err != nil {
			return err
		}
	}
	for _, c := range contents {
		if _, err := unchanged(root, c); err != nil {
			return err
		}
	}
	if len(contents) > 1 {
		if err := begin(root, contents, temps); err != nil {
			return err
		}
	}
	for i, c := range contents {
		if err := root.Rename(temps[i], c.Path); err != nil {
			if back := restore(root, contents[:i], infos); back != nil {
				temps = nil // with which the next run completes it
				return errors.Join(fmt.Errorf("write %s: %w", c.Path, err), back, errors.New("run it again to complete it"))
			}
			_ = root.Remove(begunName)
			return fmt.Errorf("write %s: %w; nothing was changed", c.Path, err)
		}
	}
	defer func() { _ = root.Remove(begunName) }() // where it stays, the next run finds all done
	for _, c := range contents {
		if err := syncDir(root, path.Dir(c.Path)); err != nil {
			return err
		}
	}
	return nil
}

// leftovers removes what a run that was killed has left beside the files.
func leftovers(root *os.Root, contents []Content) {
	dirs := []string{"."}
	for _, c := range contents {
		dirs = append(dirs, path.Dir(c.Path))
	}
	for _, dir := range dirs {
		entries, _ := fs.ReadDir(root.FS(), dir)
		for _, e := range entries {
			if name := path.Join(dir, e.Name()); e.Type().IsRegular() && manifest.Staged(name) {
				_ = root.Remove(name)
			}
		}
	}
}

// restore puts back what was replaced already.
func restore(root *os.Root, contents []Content, infos []fs.FileInfo) error {
	for i, c := range contents {
		temp := manifest.Stage(c.Path)
		err := writeLike(root, temp, c.Path, c.Old, infos[i])
		if err == nil {
			err = root.Rename(temp, c.Path)
		}
		if err != nil {
			return fmt.Errorf("%s could not be put back: %w", c.Path, err)
		}
	}
	return nil
}

// unchanged describes the file as long as it is the one that was read.
func unchanged(root *os.Root, c Content) (fs.FileInfo, error) {
	info, err := root.Lstat(c.Path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %s; nothing was written", c.Path, source.Cause(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file any more; nothing was written", c.Path)
	case names(info) > 1:
		return nil, fmt.Errorf("%s has another name, a hard link, which would keep the old content; nothing was written: make the change by hand", c.Path)
	}
	now, err := source.ReadFS(root.FS(), c.Path)
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(now, c.Old):
		return nil, fmt.Errorf("%s was changed while it was looked at; nothing was written: run it again", c.Path)
	}
	return info, nil
}

// writeLike writes a file with the mode and the owner of another one.
func writeLike(root *os.Root, temp, name string, data []byte, like fs.FileInfo) error {
	out, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: its directory cannot be written to (%s); nothing was changed", name, source.Cause(err))
	}
	_, err = out.Write(data)
	if err == nil {
		err = giveLike(out, like)
	}
	if err == nil {
		err = out.Chmod(like.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
	}
	if err == nil {
		err = out.Sync()
	}
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("write %s: it belongs to another user, and would not any more; nothing was changed: run this as root", name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w; nothing was changed", name, err)
	}
	return nil
}
