package check_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
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
	const name = "docker-compose.yml"
	with := func(name, old, now string) fstest.MapFS {
		tree := maps.Clone(refused)
		tree[name] = &fstest.MapFile{Data: bytes.Replace(refused[name].Data, []byte(old), []byte(now), 1), Mode: 0o644}
		return tree
	}
	refused = with(name, "networks: [internal, proxy]", "networks: [typo, internal, proxy]")
	d, _ := compose.Open(refused)
	verdict := composego.Judge.Verdict(d)
	if !strings.HasPrefix(verdict, "compose-go "+version+" ") {
		t.Errorf("go.mod has %s, but the verdict is %s", version, verdict)
	}
	for _, tt := range []struct {
		name, accepted string
		tree           fstest.MapFS
		asked          bool
	}{
		{"the text of the verdict", verdict, refused, false},
		{"another text", verdict, with(name, "services:", "# more\nservices:"), true},
		{"another .env", verdict, with(".env", "export", "X=1\nexport"), true},
		{"no verdict", "", refused, true},
	} {
		d, _ := compose.Open(tt.tree)
		d.Accepted = tt.accepted
		found, _ := check.Run(d, composego.Judge)
		if asked := slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Rule == "compose-valid" }); asked != tt.asked {
			t.Errorf("%s: compose-go is asked: %v", tt.name, asked)
		}
	}
}

// name-go gets only the casts for keys that stand in the file; each cast of its own must still decide as
// it does with all of them.
func TestComposeCasts(t *testing.T) {
	casts := loader.ToOptions(&types.ConfigDetails{}, nil).Interpolate.TypeCastMapping
	if len(casts) < 50 {
		t.Fatalf("name-go has %d casts", len(casts))
	}
	refused := 0
	for pattern := range casts {
		for _, value := range []string{"1", "true", "x"} {
			doc := below(pattern.Parts(), value).(map[string]any)
			if services, ok := doc["services"].(map[string]any); ok {
				services["a"].(map[string]any)["image"] = "i"
			} else {
				doc["services"] = map[string]any{"a": map[string]any{"image": "i"}}
			}
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			_, err = loader.LoadWithContext(t.Context(), types.ConfigDetails{
				WorkingDir: "/", ConfigFiles: []types.ConfigFile{{Filename: "c.yml", Content: text}}, Environment: types.Mapping{},
			}, func(o *loader.Options) {
				o.SetProjectName("stack", false)
				o.ResolvePaths = false
			})
			d, _ := compose.Open(fstest.MapFS{"docker-compose.yml": {Data: text}})
			found, _ := check.Run(d, composego.Judge)
			valid := !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Rule == "compose-valid" })
			if valid != (err == nil) {
				t.Errorf("%s: name-valid holds: %v, name-go says %v", text, valid, err)
			}
			if err != nil {
				refused++
			}
		}
	}
	if all := 3 * len(casts); refused == 0 || refused == all {
		t.Errorf("%d of %d files are refused, which proves nothing", refused, all)
	}
}

// below puts the value where the rest of a path leads.
func below(path []string, value string) any {
	if len(path) == 0 {
		return value
	}
	inner := below(path[1:], value)
	switch path[0] {
	case tree.PathMatchList:
		return []any{inner}
	case tree.PathMatchAll:
		return map[string]any{"a": inner}
	}
	return map[string]any{path[0]: inner}
}
