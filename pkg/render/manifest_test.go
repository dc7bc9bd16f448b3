package render_test

import (
	"encoding/json"
	"testing"
)

type entries struct {
	Version int                          `json:"version"`
	Files   map[string]map[string]string `json:"files"`
}

// pendingManifest is the manifest as it stands while a run is under way: the digests from before it, and
// those that it is about to write.
func pendingManifest(t *testing.T, before, after []byte) string {
	t.Helper()
	var old, next entries
	if err := json.Unmarshal(before, &old); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(after, &next); err != nil {
		t.Fatal(err)
	}
	for path, e := range next.Files {
		if old.Files[path] == nil {
			old.Files[path] = map[string]string{}
		}
		old.Files[path]["pending"] = e["sha256"]
	}
	out, err := json.Marshal(old)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
