package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"

	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
)

// Action is what Write does, or did, with one path.
type Action string

// The actions. Edited and Foreign are refused without force; Kept is a file that the spec no longer yields
// but that was edited by hand.
const (
	Create  Action = "create"
	Update  Action = "update"
	Delete  Action = "delete"
	Kept    Action = "kept"
	Edited  Action = "edited"
	Foreign Action = "foreign"
)

// Change is one path that differs between the directory and the stack.
type Change struct {
	Path   string
	Action Action
	// Copy is where Write keeps what it overwrites by force, below the directory; "" where it overwrites nothing
	// that is not its own.
	Copy string
	old  []byte
}

// keptDir holds the copies. No service mounts it.
const keptDir = manifest.Dir + "/kept"

// copies names the copy of each file that is overwritten by force after what is in it: what has one already
// needs no second one, and none takes the place of another.
func (p *Plan) copies() {
	for i, c := range p.Changes {
		if c.old != nil && (c.Action == Edited || c.Action == Foreign) {
			p.Changes[i].Copy = path.Join(keptDir, c.Path+"."+manifest.Digest(c.old)[:12])
		}
	}
}

// Plan is what Write would do in a directory.
type Plan struct {
	Changes []Change
	owned   *manifest.Manifest
	gone    []string        // stale files that are not there any more
	found   map[string]bool // copies that lay there before, as they are: nobody else has them
	stack   Stack
}

// Conflicts are the changes that need force.
func (p *Plan) Conflicts() []Change {
	return slices.DeleteFunc(slices.Clone(p.Changes), func(c Change) bool { return c.Action != Edited && c.Action != Foreign })
}

// Fixed is what the stack in the directory has to keep, as its manifest says.
func (p *Plan) Fixed() map[string]string { return p.owned.Fixed }

// Old is the content of the file before the change; nil for a new one.
func (c Change) Old() []byte { return c.old }

// plan compares the stack with the directory; root is nil when that does not exist yet.
func plan(s Stack, root *os.Root) (p *Plan, err error) {
	p = &Plan{stack: s, owned: manifest.New(), found: make(map[string]bool)}
	if root == nil {
		for _, f := range s.Files {
			if f.Data != nil {
				p.Changes = append(p.Changes, Change{Path: f.Path, Action: Create})
			}
		}
		return p, nil
	}
	p.owned, err = manifest.Read(root.FS())
	switch {
	case errors.Is(err, manifest.ErrDamaged), err == nil && p.owned.Files == nil:
		return nil, fmt.Errorf("%s is damaged: what is ours in the directory cannot be known; restore it, or delete it and render with --force", manifest.Path)
	case err != nil:
		return nil, readable(err, manifest.Path)
	}
	wanted := make(map[string]bool)
	for _, f := range s.Files {
		if f.Data == nil {
			continue
		}
		wanted[f.Path] = true
		if err := p.compare(root, f); err != nil {
			return nil, err
		}
	}
	for _, stale := range slices.Sorted(maps.Keys(p.owned.Files)) {
		if wanted[stale] || !fs.ValidPath(stale) || p.owned.Files[stale].Found {
			continue
		}
		data, err := source.ReadFS(root.FS(), stale)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			p.gone = append(p.gone, stale)
		case err != nil:
			return nil, readable(err, stale)
		case p.owned.Ours(stale, data):
			p.Changes = append(p.Changes, Change{Path: stale, Action: Delete, old: data})
		default:
			p.Changes = append(p.Changes, Change{Path: stale, Action: Kept, old: data})
		}
	}
	return p, nil
}

func (p *Plan) compare(root *os.Root, f render.File) error {
	info, err := root.Lstat(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		p.Changes = append(p.Changes, Change{Path: f.Path, Action: Create})
		return nil
	}
	if err != nil {
		return readable(err, f.Path)
	}
	if !info.Mode().IsRegular() {
		p.Changes = append(p.Changes, Change{Path: f.Path, Action: Foreign})
		if info.IsDir() {
			return fmt.Errorf("%s is a directory, but a file belongs there; move it away", f.Path)
		}
		return nil
	}
	old, err := source.ReadFS(root.FS(), f.Path)
	if err != nil {
		return readable(err, f.Path)
	}
	entry, known := p.owned.Files[f.Path]
	switch {
	case bytes.Equal(old, f.Data):
		p.found[f.Path] = f.Copied && (!known || entry.Found)
	case p.owned.Ours(f.Path, old):
		p.Changes = append(p.Changes, Change{Path: f.Path, Action: Update, old: old})
	case known:
		p.Changes = append(p.Changes, Change{Path: f.Path, Action: Edited, old: old})
	default:
		p.Changes = append(p.Changes, Change{Path: f.Path, Action: Foreign, old: old})
	}
	return nil
}

// readable says what a failed access means for the person in front of it.
func readable(err error, name string) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied; either the directory is not yours to write, or the files belong to the containers' users: render as root, or set owner in the spec", name)
	case source.Escapes(err):
		return fmt.Errorf("%s: a symbolic link leads out of the output directory; nothing is written through it: replace it with a directory", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// dirsOf lists the directories that the files stand in, parents first.
func dirsOf(files []render.File) []string {
	set := make(map[string]bool)
	for _, f := range files {
		d := path.Dir(f.Path)
		if f.Data == nil {
			d = f.Path
		}
		for ; d != "."; d = path.Dir(d) {
			set[d] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
