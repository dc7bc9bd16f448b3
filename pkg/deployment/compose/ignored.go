package compose

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// maxIgnored is how many missing paths the one who knows is asked for.
const maxIgnored = 500

// kept is a file system in which a missing file that git ignores, or a script writes, is one that cannot be seen: a clone has
// none of what is kept beside the repository, and the machine where the stack runs has.
type kept struct {
	fs.FS
	ignored func(name string) bool
	written func(name string) (script string)

	mu    sync.Mutex
	known map[string]bool
}

// Stat is that of the file system.
func (k *kept) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(k.FS, name)
	return info, k.judge(name, err)
}

// Open is that of the file system.
func (k *kept) Open(name string) (fs.File, error) {
	f, err := k.FS.Open(name)
	return f, k.judge(name, err)
}

// ReadDir lists a directory.
func (k *kept) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(k.FS, name) }

// Lstat describes a file itself where it is a symbolic link.
func (k *kept) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(k.FS, name) }

// ReadLink gives where a symbolic link leads.
func (k *kept) ReadLink(name string) (string, error) { return fs.ReadLink(k.FS, name) }

// judge gives source.Elsewhere in the place of fs.ErrNotExist where a script writes what is missing, or where git ignores it,
// and not the directory that it would lie in: where that is there, it is filled.
func (k *kept) judge(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) || strings.HasPrefix(name, ".stackgen/") { // which is not everybody's
		return err
	}
	if k.ignored == nil {
		return k.scripted(name, err)
	}
	there := k.above(name)
	if !k.asked(name) || k.asked(there) && k.filled(there) {
		return k.scripted(name, err)
	}
	return &fs.PathError{Op: "open", Path: name, Err: source.ErrIgnored}
}

// scripted is the error of what is missing, with the script that writes it.
func (k *kept) scripted(name string, err error) error {
	if by := k.written(name); by != "" {
		return &fs.PathError{Op: "open", Path: name, Err: source.Elsewhere{By: by}}
	}
	return err
}

// filled reports whether a directory holds something that git ignores, which a clone has not: what is kept in git beside
// it (synapse/* and !synapse/conf.d) is in every clone.
func (k *kept) filled(dir string) bool {
	entries, _ := fs.ReadDir(k.FS, dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		name := path.Join(dir, e.Name())
		return k.asked(name) && !strings.HasPrefix(e.Name(), ".git") && !strings.HasPrefix(e.Name(), ".keep") && (!e.IsDir() || k.filled(name))
	})
}

// ask asks git of all paths that are known to be looked for and are not there, at once.
func (k *kept) ask(names []string, of func(names []string) map[string]bool) {
	if of == nil {
		return
	}
	seen := make(map[string]bool)
	var missing []string
	for _, name := range names {
		if _, err := fs.Stat(k.FS, name); !fs.ValidPath(name) || !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, one := range []string{name, k.above(name)} {
			if !seen[one] && one != "." && len(missing) < 10*maxIgnored {
				seen[one], missing = true, append(missing, one)
			}
		}
	}
	if len(missing) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.Copy(k.known, of(missing))
}

// above is the directory that is there of those that a path lies in.
func (k *kept) above(name string) string {
	for name = path.Dir(name); name != "."; name = path.Dir(name) {
		if _, err := fs.Stat(k.FS, name); err == nil {
			break
		}
	}
	return name
}

// named are the paths of a deployment that its files name.
func (p *Project) named(d *deployment.Deployment) (names []string) {
	for _, s := range d.Services {
		for _, m := range s.Mounts {
			if m.Host != "" {
				names = append(names, m.Host)
			}
		}
	}
	for _, in := range p.inputs() {
		names = append(names, path.Clean(in.Name))
	}
	for _, dir := range slices.Clone(names) { // what is looked for in each
		if path.Ext(dir) == "" {
			names = append(names, path.Join(dir, "homeserver.yaml"), path.Join(dir, "config.yaml"), path.Join(dir, "registration.yaml"))
		}
	}
	return names
}

// asked reports what git is known to say of a path.
func (k *kept) asked(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	is, ok := k.known[name]
	if !ok && len(k.known) < maxIgnored && name != "." {
		is = k.ignored(name)
		k.known[name] = is
	}
	return is
}
