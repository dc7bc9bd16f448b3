package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/source"
)

// begunName is the file that says what a Replace of several files is about to rename. It is there from the first of them to the last.
const begunName = ".stackgen-begun.tmp"

// replacement is a file that is renamed into its place, with the digests of the two.
type replacement struct {
	Path, Staged, Old, New string
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// begin notes what is renamed next.
func begin(root *os.Root, contents []Content, temps []string) error {
	var all []replacement
	for i, c := range contents {
		all = append(all, replacement{c.Path, temps[i], digest(c.Old), digest(c.New)})
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	temp := manifest.Stage(begunName)
	out, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w; nothing was changed", begunName, err)
	}
	defer func() { _ = root.Remove(temp) }()
	if _, err = out.Write(text); err == nil {
		err = out.Sync()
	}
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = root.Rename(temp, begunName)
	}
	if err == nil {
		if err = syncDir(root, "."); err != nil {
			_ = root.Remove(begunName)
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w; nothing was changed", begunName, err)
	}
	return nil
}

// Begun reports whether a Replace of several files in a directory was killed before it was through.
func Begun(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, begunName))
	return err == nil && info.Mode().IsRegular()
}

// Complete does the rest of a Replace that was killed, and names its files; none where there was none. A file that is neither the old nor
// the new one any more stays as it is.
func Complete(ctx context.Context, dir string) (names []string, err error) {
	if !Begun(dir) {
		return nil, nil
	}
	root, unlock, err := open(ctx, dir)
	if err != nil || root == nil {
		return nil, err
	}
	defer root.Close()
	defer unlock()
	return complete(root)
}

func complete(root *os.Root) (names []string, err error) {
	text, err := source.ReadFS(root.FS(), begunName)
	if err != nil {
		return nil, nil //nolint:nilerr // there is nothing to complete
	}
	var all []replacement
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s is none that stackgen wrote: %w; remove it", begunName, err)
	}
	for _, r := range all {
		if !fs.ValidPath(r.Path) || !fs.ValidPath(r.Staged) || !manifest.Staged(r.Staged) || path.Dir(r.Staged) != path.Dir(r.Path) {
			return nil, fmt.Errorf("%s is none that stackgen wrote; remove it", begunName)
		}
		info, err := root.Lstat(r.Path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		now, err := source.ReadFS(root.FS(), r.Path)
		if err != nil {
			return nil, err
		}
		staged, stagedErr := source.ReadFS(root.FS(), r.Staged)
		if digest(now) == r.Old && stagedErr == nil && digest(staged) == r.New {
			if err := root.Rename(r.Staged, r.Path); err != nil {
				return nil, fmt.Errorf("write %s: %w; run it again", r.Path, err)
			}
			names = append(names, r.Path)
		}
	}
	for _, r := range all {
		if err := syncDir(root, path.Dir(r.Path)); err != nil {
			return nil, err
		}
		_ = root.Remove(r.Staged)
	}
	return names, root.Remove(begunName)
}
