// Package store puts a stack into a directory, and tells beforehand what that would change. What is there and not
// as stackgen left it stays, and a run that dies half-way is completed by the next.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"
	"philipp.info/stackgen/pkg/render"
)

// lockWait is how long a render waits for another one in the same directory.
const lockWait = 30 * time.Second

// ErrConflict means that files were edited by hand, or are not ours, and nothing was written.
var ErrConflict = errors.New("files in the output directory were changed by hand or are not stackgen's")

// Stack is what is put into a directory.
type Stack struct {
	Files []render.File
	// Fixed is what the stack has to keep from now on, by name: the manifest hands it on to the next render.
	Fixed map[string]string
	// Accepted is the verdict on docker-compose.yml for the manifest to remember; "" for none.
	Accepted string
}

// Write puts the stack into dir, which is made if it is missing. Files with equal bytes are not touched.
// The others are first all written beside their places and synced, and only then renamed into place, so
// that a full disk or a failure leaves the directory as it was. Without force, a file that was edited by
// hand or is not ours makes it return ErrConflict with the plan, and nothing is written; with it, a copy of the
// file is kept. The plan says what was done. Everything goes through one os.Root: no link leads out of dir.
func Write(ctx context.Context, dir string, s Stack, force bool) (p *Plan, err error) {
	root, unlock, err := open(ctx, dir)
	if err != nil {
		return nil, err
	}
	if root != nil {
		defer root.Close()
		defer unlock()
	}
	if p, err = plan(s, root); err != nil {
		return nil, err
	}
	if len(p.Conflicts()) > 0 && !force {
		return p, ErrConflict
	}
	if root == nil {
		if err := makeAll(dir); err != nil {
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

// makeAll makes the directory and those above it, and syncs each name: without it a power failure takes the whole stack.
func makeAll(dir string) error {
	var missing []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, d)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, d := range missing {
		// Where the directory above may be written and not read, there is nothing to sync it by.
		if above, err := os.OpenRoot(filepath.Dir(d)); err == nil {
			err = errors.Join(syncDir(above, "."), above.Close())
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Compare tells what Write would do in dir, and writes nothing.
func Compare(dir string, s Stack) (*Plan, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return plan(s, nil)
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return plan(s, root)
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
