package source_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/source"
)

// TestLocked: what git-crypt has encrypted is not taken for a broken file.
func TestLocked(t *testing.T) {
	tree := fstest.MapFS{"env": {Data: []byte("\x00GITCRYPT\x00\x8a\x03=x\n")}, "other": {Data: []byte("\x00GIT\x00\n")}}
	if _, err := source.ReadFS(tree, "env"); !errors.Is(err, source.ErrLocked) {
		t.Errorf("encrypted: %v", err)
	}
	if _, err := source.ReadFS(tree, "other"); err != nil {
		t.Errorf("not encrypted: %v", err)
	}
}
