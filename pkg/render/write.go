package render

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"philipp.info/stackgen/pkg/source"
)

// lockWait is how long a render waits for another one in the same directory.
const lockWait = 30 * time.Second

// ErrConflict means that files were edited by hand, or are not ours, and nothing was written.
var ErrConflict = errors.New("files in the output directory were changed by hand or are not stackgen's")

// Write puts the bundle into dir, which is made if it is missing. Files with equal bytes are not touched.
// The others are first all written beside their places and synced, and only then renamed into place, so
// that a full disk or a failure leaves the directory as it was. Without force, a file that was edited by
// hand or is not ours makes it return ErrConflict with the plan, and nothing is written; with it, a copy of the
// file is kept. The plan says what was done. Everything goes through one os.Root: no link leads out of dir.
func (b *Bundle) Write(ctx context.Context, dir string, force bool) (p *Plan, err error) {
	root, unlock, err := open(ctx, dir)
	if err != nil {
		return nil, err
	}
	if root != nil {
		defer root.Close()
		defer unlock()
	}
	if p, err = b.plan(root); err != nil {
		return nil, err
	}
	if len(p.Conflicts()) > 0 && !force {
		return p, ErrConflict
	}
	if root == nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				_ = os.Remove(dir) // only where it is still empty
			}
		}()
		if root, unlock, err = open(ctx, dir); err != nil {
			return nil, err
		}
		defer root.Close()
		defer unlock()
	}
	return p, p.apply(root)
}

// Plan compares the bundle with dir and writes nothing.
func (b *Bundle) Plan(dir string) (*Plan, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return b.plan(nil)
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return b.plan(root)
}

// open opens and locks the directory; root is nil when it does not exist.
func open(ctx context.Context, dir string) (root *os.Root, unlock func(), err error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	case !info.IsDir():
		return nil, nil, fmt.Errorf("the output directory %s is a file; name another with -o", dir)
	}
	unlock = func() {}
	if runtime.GOOS != "windows" { // where a directory cannot be locked
		lock := flock.New(dir, flock.SetFlag(os.O_RDONLY))
		ctx, cancel := context.WithTimeout(ctx, lockWait)
		defer cancel()
		if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
			return nil, nil, fmt.Errorf("lock %s: another render is at work there: %w", dir, err)
		}
		unlock = func() { _ = lock.Unlock() }
	}
	if root, err = os.OpenRoot(dir); err != nil {
		unlock()
		return nil, nil, err
	}
	return root, unlock, nil
}

// staged is a file written under a temporary name beside its place.
type staged struct{ temp, path string }

func (p *Plan) apply(root *os.Root) (err error) {
	files := make(map[string]File)
	next := manifest{Version: 1, Accepted: p.bundle.Accepted, Files: map[string]manifestEntry{}}
	pending := manifest{Version: 1, Files: map[string]manifestEntry{}, Fixed: p.owned.Fixed}
	maps.Copy(pending.Files, p.owned.Files)
	next.Fixed = make(map[string]string)
	maps.Copy(next.Fixed, p.owned.Fixed)
	maps.Copy(next.Fixed, p.bundle.Fixed)
	for _, f := range p.bundle.Files {
		if f.Data != nil {
			files[f.Path] = f
			next.Files[f.Path] = manifestEntry{SHA256: digest(f.Data)}
			e := pending.Files[f.Path]
			e.Pending = digest(f.Data)
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
	old, _ := source.ReadFS(root.FS(), manifestPath)
	if len(p.Changes) == 0 && string(old) == string(next.bytes()) {
		return nil
	}
	stage := func(f File) error {
		s := staged{temp: path.Join(path.Dir(f.Path), ".stackgen-"+rand.Text()+".tmp"), path: f.Path}
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
		if err := stage(File{Path: c.Copy, Data: c.old, UID: -1}); err != nil {
			return err
		}
	}
	if err := stage(File{Path: manifestPath, Data: pending.bytes(), UID: -1}); err != nil {
		return err
	}
	for _, c := range p.Changes {
		if f, ok := files[c.Path]; ok {
			if err := stage(f); err != nil {
				return err
			}
		}
	}
	if err := stage(File{Path: manifestPath, Data: next.bytes(), UID: -1}); err != nil {
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
	dirs := append(dirsOf(p.bundle.Files), path.Dir(manifestPath))
	var copies []File
	for _, c := range p.Changes {
		if c.Copy != "" {
			copies = append(copies, File{Path: c.Copy, Data: c.old})
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

// temporary tells the names under which a render stages its files.
func temporary(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, ".stackgen-") && strings.HasSuffix(base, ".tmp")
}

// sweep removes what a killed render left behind, also where the spec has no file any more.
func (p *Plan) sweep(root *os.Root) {
	remove := func(name string) {
		if temporary(name) {
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
	set := map[string]bool{path.Dir(manifestPath): true}
	add := func(name string) {
		if top, _, ok := strings.Cut(name, "/"); ok {
			set[top] = true
		}
	}
	for _, f := range p.bundle.Files {
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

// own gives every file and directory that is there already to the user of its service. Only root can.
func (p *Plan) own(root *os.Root) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for dir, f := range p.bundle.owners() {
		if f.Data == nil && !empty(root, dir) {
			continue // data that is in use is not ours to touch
		}
		if err := chown(root, dir, f); err != nil {
			return err
		}
	}
	for _, f := range p.bundle.Files {
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

func chown(root *os.Root, name string, f File) error {
	if f.UID < 0 {
		return nil
	}
	if info, err := root.Lstat(name); err == nil && ownedBy(info, f.UID, f.GID) {
		return nil
	}
	return root.Lchown(name, f.UID, f.GID)
}

// owners says whom a directory belongs to: the service that reads everything in it.
func (b *Bundle) owners() map[string]File {
	dirs := make(map[string]File)
	for _, f := range b.Files {
		if f.Data == nil {
			dirs[f.Path] = f
		} else if strings.HasPrefix(f.Path, "config/") && f.UID >= 0 {
			dirs[path.Dir(f.Path)] = f
		}
	}
	return dirs
}

func writeTemp(root *os.Root, temp string, f File) error {
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
