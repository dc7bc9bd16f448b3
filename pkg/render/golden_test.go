package render_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden trees anew")

// The golden trees are the examples with placeholder secrets. They are for reviewers: a change of a
// template shows in them. secrets/ is left out: it holds nothing but placeholders.
func TestGolden(t *testing.T) {
	for _, path := range examples(t) {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b := load(t, path, src)
			dir := filepath.Join("testdata", "golden", name)
			if *update {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			}
			got := make(map[string]string)
			for _, f := range b.Files {
				if f.Data == nil || strings.HasPrefix(f.Path, "secrets/") {
					continue
				}
				got[f.Path] = string(f.Data)
				if *update {
					file := filepath.Join(dir, f.Path+".golden")
					if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, f.Data, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			want := make(map[string]string)
			err = fs.WalkDir(os.DirFS(dir), ".", func(p string, e fs.DirEntry, err error) error {
				if err != nil || e.IsDir() {
					return err
				}
				data, err := os.ReadFile(filepath.Join(dir, p))
				want[strings.TrimSuffix(p, ".golden")] = string(data)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the golden tree is stale; look at the difference and run make generate:\n%s", diff)
			}
		})
	}
}
