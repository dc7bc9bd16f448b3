package manifest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/manifest"
)

// TestBytes: the format stays what older and newer versions read.
func TestBytes(t *testing.T) {
	const want = `{
  "version": 1,
  "accepted": "compose-go v0 sha256:00",
  "files": {
    "docker-compose.yml": {
      "sha256": "aa",
      "pending": "bb"
    }
  },
  "fixed": {
    "server_name": "example.org"
  }
}
`
	m := manifest.New()
	m.Accepted, m.Fixed = "compose-go v0 sha256:00", map[string]string{"server_name": "example.org"}
	m.Files["docker-compose.yml"] = manifest.Entry{SHA256: "aa", Pending: "bb"}
	if diff := cmp.Diff(want, string(m.Bytes())); diff != "" {
		t.Error(diff)
	}
	got, err := manifest.Read(fstest.MapFS{manifest.Path: {Data: m.Bytes()}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
}

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		tree    fstest.MapFS
		damaged bool
		fails   bool
	}{
		"none":        {tree: fstest.MapFS{"docker-compose.yml": {}}},
		"not JSON":    {tree: fstest.MapFS{manifest.Path: {Data: []byte("version: 1\n")}}, damaged: true, fails: true},
		"a list":      {tree: fstest.MapFS{manifest.Path: {Data: []byte("[]")}}, damaged: true, fails: true},
		"a directory": {tree: fstest.MapFS{manifest.Path + "/x": {}}, fails: true},
	} {
		m, err := manifest.Read(c.tree)
		if (err != nil) != c.fails || errors.Is(err, manifest.ErrDamaged) != c.damaged {
			t.Errorf("%s: err = %v", name, err)
		}
		if diff := cmp.Diff(manifest.New(), m); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestStage(t *testing.T) {
	first, second := manifest.Stage("config/mas/config.yaml"), manifest.Stage("config/mas/config.yaml")
	if first == second || !manifest.Staged(first) || !strings.HasPrefix(first, "config/mas/") {
		t.Errorf("%q, %q", first, second)
	}
	if !manifest.Staged(manifest.Stage("RUNBOOK.md")) {
		t.Error("a name at the top is not told")
	}
	for _, name := range []string{manifest.Path, "config/.stackgen-notes", "notes.tmp"} {
		if manifest.Staged(name) {
			t.Errorf("%s is taken for a staged file", name)
		}
	}
}

// TestOnePlace: whoever needs the manifest asks this package.
func TestOnePlace(t *testing.T) {
	seen := false
	for _, top := range []string{"../../pkg", "../../cmd"} {
		err := filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			switch own := filepath.Base(filepath.Dir(path)) == "manifest"; {
			case err == nil && !own && strings.Contains(string(src), "manifest.json"):
				t.Errorf("%s names the manifest itself", path)
			case own:
				seen = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !seen {
		t.Error("the walk did not come by here")
	}
}
