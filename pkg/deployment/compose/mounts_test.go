package compose

import (
	"testing"

	"philipp.info/stackgen/pkg/memfs"
)

// Of several mounts that hold a path the deepest one shows what is there, whichever stands first.
func TestMounts(t *testing.T) {
	d, findings := Open(memfs.New([]memfs.File{
		{Path: "compose.yaml", Data: []byte("services: {a: {image: a, volumes: [\"./all:/data\", \"./keys:/data/keys:ro\"]}, b: {image: a, volumes: [\"./keys:/data/keys:ro\", \"./all:/data\"]}}\n")},
		{Path: "all/x", Data: []byte("x")},
		{Path: "keys/x", Data: []byte("x")},
	}))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	for _, name := range []string{"a", "b"} {
		for path, want := range map[string]string{"/data/x": "all/x", "/data/keys/x": "keys/x", "/data/keys": "keys", "/data/keysmith": "all/keysmith", "/x": ""} {
			if got, _ := d.Service(name).HostPath(path); got != want {
				t.Errorf("%s of %s is %q, want %q", path, name, got, want)
			}
		}
	}
}
