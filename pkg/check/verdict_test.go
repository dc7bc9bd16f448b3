package check_test

import (
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
	tree, _ := readTree(t, "testdata/hand-kept.txtar")
	refused := apply(t, tree, []edit{{compose, "networks: [internal, proxy]", "networks: [typo, internal, proxy]"}})
	d, _ := check.Open(refused)
	verdict := d.ComposeVerdict()
	if !strings.HasPrefix(verdict, "compose-go "+version+" ") {
		t.Errorf("go.mod has %s, but the verdict is %s", version, verdict)
	}
	for name, other := range map[string]fstest.MapFS{
		"":                refused,
		"another text":    apply(t, refused, []edit{{compose, "services:", "# more\nservices:"}}),
		"another .env":    apply(t, refused, []edit{{".env", "", "X=1\n"}}),
		"no verdict kept": refused,
	} {
		d, _ := check.Open(other)
		if name != "no verdict kept" {
			d.Accepted = verdict
		}
		found, _ := check.Run(d)
		if asked := slices.ContainsFunc(found, func(f source.Finding) bool { return f.Rule == "compose-valid" }); asked != (name != "") {
			t.Errorf("with %q compose-go is asked: %v", name, asked)
		}
	}
}
