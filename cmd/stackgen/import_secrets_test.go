package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
)

// Whatever import prints or writes of a stack that people keep, in each format, none of its secrets stands in it, but for
// secrets.yaml and the copies of files that are kept as they are.
func TestImportShowsNoSecret(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: an import of each deployment takes too long under the race detector; TestScripts runs the same command")
	}
	all, err := fixture.Read("../../pkg/check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, "old"), f.Forms[0].Tree); err != nil {
				t.Fatal(err)
			}
			d, _ := compose.OpenWith(f.Forms[0].Tree, compose.Options{Files: f.Files, Name: "old"})
			var values []string
			for _, s := range d.Secrets() {
				if len(s.Value) >= 8 && !slices.Contains(values, s.Value) {
					values = append(values, s.Value)
				}
			}
			seen := func(what, text string) {
				t.Helper()
				for i, value := range values {
					if strings.Contains(text, value) {
						t.Errorf("%s: secret %d of %d stands in it", what, i+1, len(values))
					}
				}
			}
			args := []string{"import", filepath.Join(dir, "old"), "-o", filepath.Join(dir, "new", "stack.yaml"), "--force"}
			for _, name := range f.Files {
				args = append(args, "-f", name)
			}
			for _, more := range [][]string{{"--format", "full"}, {"--keep-auth", "--format", "json"}} {
				var out, talk bytes.Buffer
				code := run(t.Context(), append(slices.Clone(args), more...), strings.NewReader(""), &out, &talk)
				seen("stdout "+strings.Join(more, " "), out.String())
				seen("stderr "+strings.Join(more, " "), talk.String())
				if code == exitFailed {
					return
				}
			}
			taken++
			err := filepath.WalkDir(filepath.Join(dir, "new"), func(name string, e fs.DirEntry, err error) error {
				if err != nil || e.IsDir() {
					return err
				}
				below, _ := filepath.Rel(filepath.Join(dir, "new"), name)
				info, err := e.Info()
				if err != nil {
					return err
				}
				if below == "secrets.yaml" || strings.HasPrefix(filepath.ToSlash(below), "files/") {
					if info.Mode().Perm()&0o077 != 0 {
						t.Errorf("%s can be read by others", below)
					}
					return nil
				}
				data, err := os.ReadFile(name)
				seen(below, string(data))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	if taken < 25 {
		t.Errorf("only %d deployments were taken over", taken)
	}
}
