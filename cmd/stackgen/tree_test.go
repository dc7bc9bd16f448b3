package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"philipp.info/stackgen/pkg/source"
)

// Names may lead out of the directory, and not out of the root; no link does.
func TestStackTree(t *testing.T) {
	top := t.TempDir()
	for name, text := range map[string]string{
		"outside.yaml": "a", "repo/shared/s.yaml": "s", "repo/deploy/compose.yaml": "c", "repo/deploy/sub/x.yaml": "x",
	} {
		at := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"repo/deploy/in": "../shared/s.yaml", "repo/deploy/out": "../../outside.yaml"} {
		if err := os.Symlink(to, filepath.Join(top, link)); err != nil {
			t.Fatal(err)
		}
	}
	open := func(root string) *stackTree {
		tree, closed, err := openTree(filepath.Join(top, "repo/deploy"), root)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = closed() })
		return tree
	}
	check := func(tree *stackTree, name, want string) {
		t.Helper()
		text, err := source.ReadFS(tree, name)
		got := string(text)
		switch {
		case errors.Is(err, fs.ErrInvalid):
			got = "invalid"
		case errors.Is(err, fs.ErrNotExist):
			got = "missing"
		case source.Escapes(err):
			got = "escapes"
		case err != nil:
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	alone := open("")
	for name, want := range map[string]string{
		"compose.yaml": "c", "sub/x.yaml": "x", "gone": "missing", "../shared/s.yaml": "invalid", "../../outside.yaml": "invalid", "/etc/passwd": "invalid", "in": "escapes", "./compose.yaml": "invalid",
	} {
		check(alone, name, want)
	}
	in := map[string]string{
		"compose.yaml": "c", "../shared/s.yaml": "s", "../shared/gone": "missing", "../../outside.yaml": "invalid", "../deploy/compose.yaml": "c", "in": "s", "out": "escapes",
	}
	for name, want := range in {
		check(open(filepath.Join(top, "repo")), name, want)
	}
	// A git work tree is the root, unless another one is named.
	for _, dir := range []string{".git/objects", ".git/refs"} {
		if err := os.MkdirAll(filepath.Join(top, "repo", dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(top, "repo/.git/HEAD"), []byte("ref: refs/heads/main\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range in {
		check(open(""), name, want)
	}
	if _, _, err := openTree(filepath.Join(top, "repo/deploy"), filepath.Join(top, "repo/shared")); err == nil {
		t.Error("a root that does not hold the directory is taken")
	}
}
