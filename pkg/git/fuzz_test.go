package git

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzPointer: a .git file leads to a directory that is a git directory, or nowhere.
func FuzzPointer(f *testing.F) {
	for _, seed := range []string{"gitdir: real", "gitdir: ./real\n", "gitdir: /nonexistent", "gitdir: \n", "", "real", "gitdir: real\r\n\r\n", "gitdir: real\x00x", "gitdir: .", "gitdir: evil/../real"} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	for _, sub := range []string{"real/objects", "real/refs"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "real/HEAD"), []byte("ref: refs/heads/main\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "x")
		if len(text)%2 == 0 { // beside the directory, and elsewhere
			name = filepath.Join(dir, ".git")
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		to, err := pointer(name)
		if (err == nil) != (to != "") || err == nil && !isGitDir(to) {
			t.Errorf("%q leads to %q: %v", text, to, err)
		}
	})
}
