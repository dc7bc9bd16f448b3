package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
)

// staged is a file written under a temporary name beside its place.
type staged struct{ temp, path string }

func (p *Plan) apply(root *os.Root) (err error) {
	files := make(map[string]render.File)
	next, pending := manifest.New(), manifest.New()
	next.Accepted, pending.Fixed = p.stack.Accepted, p.owned.Fixed
	maps.Copy(pending.Files, p.owned.Files)
	next.Fixed = make(map[string]string)
	maps.Copy(next.Fixed, p.owned.Fixed)
	maps.Copy(next.Fixed, p.stack.Fixed)
	for _, f := range p.stack.Files {
		if f.Data != nil {
			files[f.Path] = f
			next.Files[f.Path] = manifest.Entry{SHA256: manifest.Digest(f.Data), Found: p.found[f.Path]}
			e := pending.Files[f.Path]
			e.Pending = manifest.Digest(f.Data)
			pending.Files[f.Path] = e
		}
	}
	for _, c := range p.Changes {
		if c.Action == Kept {
			next.Files[c.Path] = p.owned.Files[c.Path]
		}
	}
	p.copies()
	made, err := p.makeDirs(root)
	var work []staged
	defer func() {
		if err != nil {
			for _, s := range work {
				_ = root.Remove(s.temp)
			}
			for _, d := range slices.Backward(made) {
				_ = root.Remove(d) // only where it is still empty
			}
		}
	}()
	if err != nil {
		return err
	}
	p.sweep(root)
	if err := p.own(root); err != nil {
		return err
	}
	old, _ := source.ReadFS(root.FS(), manifest.Path)
	if len(p.Changes) == 0 && string(old) == string(next.Bytes()) {
		return nil
	}
	stage := func(f render.File) error {
		s := staged{temp: manifest.Stage(f.Path), path: f.Path}
		work = append(work, s)
		return writeTemp(root, s.temp, f)
	}
	// The copies come first: whatever happens then, what somebody wrote is there once at least.
	for _, c := range p.Changes {
		if c.Copy == "" {
			continue
		}
		if have, err := source.ReadFS(root.FS(), c.Copy); err == nil && bytes.Equal(have, c.old) {
			continue
		}
		if err := stage(render.File{Path: c.Copy, Data: c.old, UID: -1}); err != nil {
			return err
		}
	}
	if err := stage(render.File{Path: manifest.Path, Data: pending.Bytes(), UID: -1}); err != nil {
		return err
	}
	for _, c := range p.Changes {
		if f, ok := files[c.Path]; ok {
			if err := stage(f); err != nil {
				return err
			}
		}
	}
	if err := stage(render.File{Path: manifest.Path, Data: next.Bytes(), UID: -1}); err != nil {
		return err
	}
	if err := p.commit(root, &work); err != nil {
		return fmt.Errorf("%w; some files are new already, others are not: render again to complete them", err)
	}
	return nil
}

// commit renames what is staged into place: copies and the pending manifest first, the final one last.
func (p *Plan) commit(root *os.Root, work *[]staged) error {
	for len(*work) > 0 {
		s := (*work)[0]
		if len(*work) == 1 { // only the final manifest is left
			if err := p.deleteStale(root); err != nil {
				return err
			}
		}
		if err := root.Rename(s.temp, s.path); err != nil {
			return readable(err, s.path)
		}
		*work = (*work)[1:]
		if len(*work) == 0 || path.Dir((*work)[0].path) != path.Dir(s.path) {
			if err := syncDir(root, path.Dir(s.path)); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteStale removes the files that the spec no longer yields, and the directories that are empty then,
// also those of files that an earlier run has removed before it died.
func (p *Plan) deleteStale(root *os.Root) error {
	for _, c := range p.Changes {
		if c.Action != Delete {
			continue
		}
		if err := root.Remove(c.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return readable(err, c.Path)
		}
		p.gone = append(p.gone, c.Path)
	}
	for _, name := range p.gone {
		dir := path.Dir(name)
		for ; dir != "." && root.Remove(dir) == nil; dir = path.Dir(dir) {
		}
		if err := syncDir(root, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (p *Plan) makeDirs(root *os.Root) (made []string, err error) {
	dirs := append(dirsOf(p.stack.Files), manifest.Dir)
	var copies []render.File
	for _, c := range p.Changes {
		if c.Copy != "" {
			copies = append(copies, render.File{Path: c.Copy, Data: c.old})
		}
	}
	for _, d := range append(dirs, dirsOf(copies)...) {
		err := root.Mkdir(d, 0o700)
		if errors.Is(err, fs.ErrExist) {
			if info, err := root.Stat(d); err != nil {
				return made, readable(err, d)
			} else if !info.IsDir() {
				return made, fmt.Errorf("%s is a file, but a directory belongs there; move it away", d)
			}
			continue
		}
		if err != nil {
			return made, readable(err, d)
		}
		made = append(made, d)
	}
	for i, d := range made {
		if i > 0 && path.Dir(made[i-1]) == path.Dir(d) {
			continue
		}
		if err := syncDir(root, path.Dir(d)); err != nil {
			return made, err
		}
	}
	return made, nil
}

// sweep removes what a killed render left behind, also where the spec has no file any more.
func (p *Plan) sweep(root *os.Root) {
	remove := func(name string) {
		if manifest.Staged(name) {
			_ = root.Remove(name)
		}
	}
	for _, d := range p.tops() {
		_ = fs.WalkDir(root.FS(), d, func(name string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				remove(name)
			}
			return nil
		})
	}
	entries, _ := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		remove(e.Name())
	}
}

// tops are the directories directly below the output directory that files of ours are in or were in.
func (p *Plan) tops() []string {
	set := map[string]bool{manifest.Dir: true}
	add := func(name string) {
		if top, _, ok := strings.Cut(name, "/"); ok {
			set[top] = true
		}
	}
	for _, f := range p.stack.Files {
		add(f.Path)
	}
	for name := range p.owned.Files {
		if fs.ValidPath(name) {
			add(name)
		}
	}
	delete(set, "data")
	return slices.Sorted(maps.Keys(set))
}

func writeTemp(root *os.Root, temp string, f render.File) error {
	out, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return readable(err, path.Dir(f.Path))
	}
	_, err = out.Write(f.Data)
	if err == nil && f.UID >= 0 && os.Geteuid() == 0 {
		err = out.Chown(f.UID, f.GID)
	}
	if err == nil {
		err = out.Sync()
	}
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w; nothing was changed", f.Path, err)
	}
	return nil
}

func syncDir(root *os.Root, dir string) error {
	if runtime.GOOS == "windows" { // where a directory cannot be synced
		return nil
	}
	d, err := root.Open(dir)
	if err != nil {
		return readable(err, dir)
	}
	defer d.Close()
	return d.Sync()
}
