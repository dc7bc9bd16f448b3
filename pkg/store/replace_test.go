package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	write := func(path, text string, mode fs.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(dir string, want map[string]string) {
		t.Helper()
		got := make(map[string]string)
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				text, _ := os.ReadFile(path)
				rel, _ := filepath.Rel(dir, path)
				got[filepath.ToSlash(rel)] = string(text)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Errorf("%d files, want %d: %v", len(got), len(want), got)
		}
		for name, text := range want {
			if got[name] != text {
				t.Errorf("%s holds %q, want %q", name, got[name], text)
			}
		}
	}
	both := []Content{{Path: "a/x", Old: []byte("one"), New: []byte("1")}, {Path: "b", Old: []byte("two"), New: []byte("2")}}
	for name, c := range map[string]struct {
		spoil func(dir string)
		want  string // of the error; "" for none
		after map[string]string
	}{
		"all of them": {func(string) {}, "", map[string]string{"a/x": "1", "b": "2"}},
		"changed meanwhile": {
			func(dir string) { write(filepath.Join(dir, "b"), "three", 0o600) }, "b was changed while it was looked at; nothing was written",
			map[string]string{"a/x": "one", "b": "three"},
		},
		"gone": {func(dir string) { _ = os.Remove(filepath.Join(dir, "b")) }, "nothing was written", map[string]string{"a/x": "one"}},
		"a link": {func(dir string) {
			_ = os.Rename(filepath.Join(dir, "b"), filepath.Join(dir, "c"))
			_ = os.Symlink("c", filepath.Join(dir, "b"))
		}, "b is no regular file any more", map[string]string{"a/x": "one", "c": "two"}},
		"two names": {func(dir string) { _ = os.Link(filepath.Join(dir, "b"), filepath.Join(dir, "c")) }, "b has another name, a hard link", map[string]string{"a/x": "one", "b": "two", "c": "two"}},
		"a way out": {func(dir string) {
			_ = os.RemoveAll(filepath.Join(dir, "a"))
			write(filepath.Join(filepath.Dir(dir), "out", "x"), "one", 0o600)
			_ = os.Symlink("../out", filepath.Join(dir, "a"))
		}, "path escapes from parent", map[string]string{"b": "two"}},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && (name == "a link" || name == "two names" || name == "a way out") {
				t.Skip("skipped: links are another thing on Windows")
			}
			dir := filepath.Join(t.TempDir(), "stack")
			write(filepath.Join(dir, "a", "x"), "one", 0o640)
			write(filepath.Join(dir, "b"), "two", 0o600)
			c.spoil(dir)
			err := Replace(t.Context(), dir, both)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			holds(dir, c.after)
			if info, err := os.Stat(filepath.Join(dir, "a", "x")); c.want == "" && (err != nil || runtime.GOOS != "windows" && info.Mode() != 0o640) {
				t.Errorf("mode %v", info.Mode())
			}
		})
	}

	// Where the second one cannot be put in its place, the first is put back.
	dir := t.TempDir()
	write(filepath.Join(dir, "a", "x"), "one", 0o600)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	info, err := unchanged(root, both[0])
	if err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(dir, "a", "x"), "1", 0o600)
	if err := restore(root, both[:1], []fs.FileInfo{info}); err != nil {
		t.Error(err)
	}
	holds(dir, map[string]string{"a/x": "one"})
}
