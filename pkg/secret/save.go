package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"philipp.info/stackgen/pkg/source"
)

// ErrChanged is what Save answers when somebody else wrote the secrets file after Load.
var ErrChanged = errors.New("another program changed the file meanwhile; run the command again")

// lockTimeout is long for the few milliseconds that a Save takes, and short for a person who waits.
const lockTimeout = 10 * time.Second

// Save writes what was filled, set and rotated to the secrets file, or gives it to the command that stores
// secrets: all of it or nothing. It does nothing when there is nothing to write.
//
// It does not merge with what another run wrote meanwhile but refuses with ErrChanged: this run may already
// have rendered with values that the other one made differently, so only a new Load is right. The lock is
// on the secrets file itself, which leaves no litter: who waited for the lock of a file that was replaced
// sees other bytes at its path. A file that does not exist yet is claimed by the creation of its name.
func (s *Set) Save(ctx context.Context) error {
	switch {
	case s.err != nil:
		return s.err
	case !s.Dirty():
		s.sweep()
		return nil
	case s.stores():
		return s.store(ctx)
	case s.path == "":
		return errors.New("no file is named for the secrets")
	}
	text, err := s.save()
	if err != nil {
		return fmt.Errorf("write %q: %w", s.path, pathless(err))
	}
	s.loaded, s.existed, s.pending = text, true, nil
	s.sweep()
	return nil
}

// sweep removes what killed runs left beside the secrets file. Under the file's lock nobody else has a
// temporary file that could still take its place: who wants to create the file comes too late.
func (s *Set) sweep() {
	path, err := filepath.EvalSymlinks(s.path)
	if err != nil {
		return
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	if locked, err := lock.TryLock(); err != nil || !locked {
		return
	}
	defer lock.Unlock() //nolint:errcheck // The lock ends with the process at the latest.
	dir, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	before, after, _ := strings.Cut(tempPattern(path), "*")
	for _, e := range dir {
		if strings.HasPrefix(e.Name(), before) && strings.HasSuffix(e.Name(), after) {
			_ = os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

func tempPattern(path string) string { return "." + filepath.Base(path) + "-*.tmp" }

func (s *Set) save() ([]byte, error) {
	switch {
	case s.encrypted:
		return nil, errors.New("it is encrypted with sops, and new secrets would stand in it in plain text; " +
			"keep what sops encrypts in a file of another name")
	case s.broken:
		return nil, errors.New("it could not be read, and what is in it would be lost")
	}
	text, err := edit(s.loaded, s.changes())
	if err != nil {
		return nil, err
	}
	if !s.existed {
		return text, s.create(text)
	}
	return text, s.overwrite(text)
}

func (s *Set) create(text []byte) error {
	dir, err := os.Stat(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	temp, err := writeTemp(s.path, text, dir)
	if err != nil {
		return err
	}
	defer os.Remove(temp) //nolint:errcheck // After the rename it is gone.
	err = os.Link(temp, s.path)
	switch {
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist): // made by another run, which swept ours
		return ErrChanged
	case err != nil:
		// The file system has no hard links.
		if _, err := os.Lstat(s.path); err == nil {
			return ErrChanged
		}
		if err := os.Rename(temp, s.path); err != nil {
			return err
		}
	}
	syncDir(s.path)
	return nil
}

func (s *Set) overwrite(text []byte) error {
	// Renaming onto a symlink would replace the symlink.
	path, err := filepath.EvalSymlinks(s.path)
	if err != nil {
		return changed(err)
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); errors.Is(err, context.DeadlineExceeded) {
		return errors.New("another stackgen is writing it")
	} else if err != nil {
		return changed(err)
	}
	defer lock.Unlock() //nolint:errcheck // The lock ends with the process at the latest.

	current, err := source.ReadFile(path)
	if err != nil {
		return changed(err)
	}
	if !bytes.Equal(current, s.loaded) {
		return ErrChanged
	}
	info, err := os.Stat(path)
	if err != nil {
		return changed(err)
	}
	temp, err := writeTemp(path, text, info)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp) //nolint:errcheck // The first error counts.
		return err
	}
	syncDir(path)
	return nil
}

func changed(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	}
	return err
}

// writeTemp writes text to a new file beside path, for its owner alone. like is whose owner it gets.
func writeTemp(path string, text []byte, like fs.FileInfo) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), tempPattern(path))
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name()) //nolint:errcheck // The first error counts.
		}
	}()
	if err := errors.Join(f.Chmod(0o600), giveTo(f, like), write(f, text), f.Close()); err != nil {
		return "", err
	}
	return f.Name(), nil
}

func write(f *os.File, text []byte) error {
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes the new name outlive a power cut. The file is complete either way, and some file systems
// cannot sync a directory, so an error is none.
func syncDir(path string) {
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
}
