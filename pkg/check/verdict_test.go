package check_test

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/source"
)

// A verdict spares compose-go the text that it is about, and no other.
func TestComposeVerdict(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(string(mod), "github.com/compose-spec/compose-go/v2 ")
	version, _, _ = strings.Cut(version, "\n")
	refused, _ := readTree(t, "testdata/hand-kept.txtar")
	const compose = "docker-compose.yml"
	with := func(name, old, now string) fstest.MapFS {
		tree := maps.Clone(refused)
		tree[name] = &fstest.MapFile{Data: bytes.Replace(refused[name].Data, []byte(old), []byte(now), 1), Mode: 0o644}
		return tree
	}
	refused = with(compose, "networks: [internal, proxy]", "networks: [typo, internal, proxy]")
	d, _ := check.Open(refused)
	verdict := d.ComposeVerdict()
	if !strings.HasPrefix(verdict, "compose-go "+version+" ") {
		t.Errorf("go.mod has %s, but the verdict is %s", version, verdict)
	}
	for _, tt := range []struct {
		name, accepted string
		tree           fstest.MapFS
		asked          bool
	}{
		{"the text of the verdict", verdict, refused, false},
		{"another text", verdict, with(compose, "services:", "# more\nservices:"), true},
		{"another .env", verdict, with(".env", "export", "X=1\nexport"), true},
		{"no verdict", "", refused, true},
	} {
		d, _ := check.Open(tt.tree)
		d.Accepted = tt.accepted
		found, _ := check.Run(d)
		if asked := slices.ContainsFunc(found, func(f source.Finding) bool { return f.Rule == "compose-valid" }); asked != tt.asked {
			t.Errorf("%s: compose-go is asked: %v", tt.name, asked)
		}
	}
}
