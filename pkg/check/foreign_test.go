package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
)

// TestForeign checks whole stacks in shapes that people keep; want is all that is printed. What no rule says of them is as
// much of a case as what one does.
func TestForeign(t *testing.T) {
	files, err := filepath.Glob("testdata/foreign/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tree := filesOf(ar)
			want := ""
			if f := tree["want"]; f != nil {
				want = string(f.Data)
			}
			delete(tree, "want")
			d, findings := opened(tree)
			found, _ := check.Run(d, composego.Judge)
			got := printed(t, finding.Sort(append(findings, found...)))
			if *update {
				if last := len(ar.Files) - 1; ar.Files[last].Name == "want" {
					ar.Files = ar.Files[:last]
				}
				ar.Files = append(ar.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("printed (-want +got); make generate writes it anew:\n%s", diff)
			}
		})
	}
}
