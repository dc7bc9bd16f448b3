package memfs_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/memfs"
)

func TestFS(t *testing.T) {
	fsys := memfs.New([]memfs.File{
		{Path: "a", Data: []byte("1")},
		{Path: "dir/b", Data: []byte{}, Owner: &memfs.Owner{UID: 7, GID: 8}},
		{Path: "dir/deep/er/c", Data: []byte("3")},
		{Path: "dir/deep", Owner: &memfs.Owner{}}, // listed after what lies in it
		{Path: "empty"},
		{Path: "a", Data: []byte("2")},
	})
	if err := fstest.TestFS(fsys, "a", "dir/b", "dir/deep/er/c", "empty"); err != nil {
		t.Fatal(err)
	}
	if data, _ := fs.ReadFile(fsys, "a"); string(data) != "2" {
		t.Errorf("a holds %q", data)
	}
	for name, want := range map[string]struct {
		mode fs.FileMode
		sys  any
	}{
		".": {fs.ModeDir | 0o555, nil}, "a": {0o600, nil}, "dir": {fs.ModeDir | 0o555, nil}, "dir/b": {0o600, memfs.Owner{UID: 7, GID: 8}},
		"dir/deep": {fs.ModeDir | 0o700, memfs.Owner{}}, "empty": {fs.ModeDir | 0o700, nil},
	} {
		info, err := fs.Stat(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want.mode || info.Sys() != want.sys {
			t.Errorf("%s: %v %v", name, info.Mode(), info.Sys())
		}
	}
}

// The bytes of a bundle are written to the disk after they were read here.
func TestReadFileGivesACopy(t *testing.T) {
	data := []byte("text")
	got, err := fs.ReadFile(memfs.New([]memfs.File{{Path: "a", Data: data}}), "a")
	if err != nil {
		t.Fatal(err)
	}
	got[0] = 'T'
	if string(data) != "text" {
		t.Error("what was read shares its bytes with the tree")
	}
}
