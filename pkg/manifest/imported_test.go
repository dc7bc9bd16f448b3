package manifest_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/manifest"
)

// What was edited since is named; without the key nothing of what the files hold can be told.
func TestImported(t *testing.T) {
	files := map[string][]byte{"docker-compose.yml": []byte("services: {}\n"), "secrets/db": []byte("1234"), "secrets/other": []byte("1234")}
	m := manifest.NewImported("/opt/matrix", files, []byte("ed25519 a_fake fakefakefake"))
	if m.Files["secrets/db"] == m.Files["secrets/other"] {
		t.Error("that two files hold the same can be seen")
	}
	for name, data := range files {
		if m.Files[name] == manifest.Digest(data) || strings.Contains(string(m.Bytes()), manifest.Digest(data)) {
			t.Errorf("%s can be guessed at without the key", name)
		}
	}
	read, err := manifest.ReadImported(fstest.MapFS{manifest.ImportedPath: {Data: m.Bytes()}})
	if err != nil {
		t.Fatal(err)
	}
	if changed, added, gone, ok := read.Since(files, []byte("ed25519 a_fake fakefakefake")); !ok || len(changed)+len(added)+len(gone) > 0 {
		t.Error("nothing was changed:", changed, added, gone, ok)
	}
	now := map[string][]byte{"docker-compose.yml": []byte("services: {a: {}}\n"), "secrets/db": []byte("1234"), "new": nil}
	changed, added, gone, ok := read.Since(now, []byte("ed25519 a_fake fakefakefake"))
	if !ok || !slices.Equal(changed, []string{"docker-compose.yml"}) || !slices.Equal(added, []string{"new"}) || !slices.Equal(gone, []string{"secrets/other"}) {
		t.Error(changed, added, gone, ok)
	}
	if _, _, _, ok := read.Since(files, []byte("another key")); ok {
		t.Error("another key tells nothing, and is said to")
	}
	if _, err := manifest.ReadImported(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := manifest.ReadImported(fstest.MapFS{manifest.ImportedPath: {Data: []byte("{")}}); !errors.Is(err, manifest.ErrDamaged) {
		t.Error(err)
	}
}
