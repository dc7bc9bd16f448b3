package check_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
)

// TestPermissionsOfExample: a server that is called like the one of the bridges' examples is not told to write the entry that
// counts for nothing.
func TestPermissionsOfExample(t *testing.T) {
	tree := treeOf("hand-kept")
	for name, f := range tree {
		tree[name] = &fstest.MapFile{Data: bytes.ReplaceAll(f.Data, []byte("example.org"), []byte("example.com")), Mode: f.Mode}
	}
	told := 0
	for _, f := range run(t, tree) {
		if f.Rule != "bridge-permissions" {
			continue
		}
		if told++; !strings.Contains(f.Fix, "@you:example.com") || strings.Contains(f.Fix, `"example.com": user`) {
			t.Errorf("%s: %s", f.Message, f.Fix)
		}
	}
	if told == 0 {
		t.Error("nothing is said of it")
	}
}
