package secret

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/gofrs/flock"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// A store is somebody else's program, and most write into their file as it lies there. What dies half-way, with
// stackgen or with the machine, leaves the half. So a copy of the file lies beside it, with the mode of a secret, until
// the store has answered. It holds what the file held, which is encrypted where that was.

// beforePath is where the copy of a file lies.
func beforePath(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".stackgen-before")
}

// keyOptions are followed by the file of a key, which no store writes and of which no copy may lie around.
var keyOptions = []string{"-i", "--identity", "-R", "--recipients-file", "-k", "--key", "--key-file", "--keyfile"}

// written are the files that the store may write: those that its command names, or else the one for reading.
func written(command, store []string, files []kept) []kept {
	named := func(argv []string) []kept {
		var found []kept
		for i, word := range argv {
			if i == 0 || slices.Contains(keyOptions, argv[i-1]) {
				continue
			}
			for _, f := range files {
				if word == f.word && !slices.ContainsFunc(found, func(o kept) bool { return o.path == f.path }) {
					found = append(found, f)
				}
			}
		}
		return found
	}
	if found := named(store); len(found) > 0 {
		return found
	}
	return named(command)
}

// keepCopies writes the copies and gives their paths. Where none can be written beside the file, as with a file that is
// mounted alone, there is none: restore has it in memory, and that is as far as it goes.
func (s *Set) keepCopies(files []kept) []string {
	var copies []string
	for _, f := range written(s.src.Command, s.src.Store, files) {
		temp, err := writeTemp(f.path, f.text, f.info)
		if err != nil {
			continue
		}
		if os.Rename(temp, beforePath(f.path)) != nil {
			os.Remove(temp) //nolint:errcheck // It is a copy.
			continue
		}
		syncDir(f.path)
		copies = append(copies, beforePath(f.path))
	}
	return copies
}

func removeAll(paths []string) {
	for _, p := range paths {
		_ = os.Remove(p)
	}
}

// lockStore claims the directory of the spec for a run that stores; unlock is nil when another one has it. Where a
// directory cannot be locked nobody has it.
func lockStore(dir string) (unlock func()) {
	if runtime.GOOS == "windows" {
		return func() {}
	}
	lock := flock.New(cmp.Or(dir, "."), flock.SetFlag(os.O_RDONLY))
	if locked, err := lock.TryLock(); err == nil && !locked {
		return nil
	}
	return func() { _ = lock.Unlock() }
}

// interrupted reports what a run left that ended while a store was at work: the copy of another content than the file
// has now. A copy of the same content is removed.
func (l *loader) interrupted() bool {
	if len(l.src.Store) == 0 || l.src.Run == nil {
		return false
	}
	unlock := lockStore(l.src.Dir)
	if unlock == nil {
		return false // it is no leftover: another run stores now
	}
	defer unlock()
	left := false
	for _, path := range wordsAsFiles(l.src) {
		before, err := source.ReadFile(beforePath(path))
		if err != nil {
			continue
		}
		now, err := source.ReadFile(path)
		if err == nil && bytes.Equal(now, before) {
			_ = os.Remove(beforePath(path))
			continue
		}
		what := "is another now, and whether it is whole is not known"
		if errors.Is(err, fs.ErrNotExist) {
			what = "is gone"
		}
		left = true
		l.report(finding.Error, siteAt(l.src.CommandPos),
			fmt.Sprintf("a run was killed while `%s` stored secrets: %s %s, and what it held before is in %s", program(l.src.Store), shell.Path(path), what, shell.Path(beforePath(path))),
			"bring the old secrets back: `mv "+shell.Paths(beforePath(path), path)+"`; or, if what the file holds now is right: `rm "+shell.Path(beforePath(path))+"`")
	}
	return left
}

// wordsAsFiles are the paths that the words of the two commands may mean, whether they are there or not.
func wordsAsFiles(src Sources) []string {
	var paths []string
	for _, word := range slices.Concat(src.Command, src.Store) {
		path := word
		if !filepath.IsAbs(path) {
			path = filepath.Join(src.Dir, path)
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}
