package check_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/memfs"
)

var written = flag.String("trees", "", "write the tree of each rule case below this directory, for make compare")

// The tree of a case lies on a disk as it does in memory.
func TestWrittenCases(t *testing.T) {
	dir, cases := *written, readCases(t)
	if dir == "" {
		dir, cases = t.TempDir(), cases[:1]
	}
	for i, c := range cases {
		tree, _ := c.build(t)
		path := filepath.Join(dir, c.rule, fmt.Sprintf("%03d-%s", i, c.kind))
		if err := writeTree(path, tree); err != nil {
			t.Fatalf("%s/%s: %v", c.rule, c.name, err)
		}
		if i == 0 {
			if diff := cmp.Diff(texts(t, tree), texts(t, os.DirFS(path))); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// writeTree writes files and directories with their modes, and for root with their owners.
func writeTree(dir string, tree fstest.MapFS) error {
	for name, f := range tree {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if f.Mode.IsDir() {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
		} else if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, f.Data, 0o600)); err != nil {
			return err
		}
	}
	for name, f := range tree {
		path := filepath.Join(dir, filepath.FromSlash(name))
		o, ok := f.Sys.(memfs.Owner)
		if !ok {
			o.UID, o.GID, ok = ownerOf(f.Sys)
		}
		if ok && os.Geteuid() == 0 {
			if err := os.Lchown(path, o.UID, o.GID); err != nil {
				return err
			}
		}
		if err := os.Chmod(path, f.Mode.Perm()); err != nil {
			return err
		}
	}
	return nil
}

// texts are the files of a tree, with their modes.
func texts(t *testing.T, fsys fs.FS) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		all[name] = strings.Join([]string{info.Mode().String(), string(data)}, "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
