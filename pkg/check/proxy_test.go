package check_test

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Stacks behind each proxy give what stands in their want: severity, rule and place of all that is found.
func TestProxies(t *testing.T) {
	files, err := filepath.Glob("testdata/proxies/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		all, _ := readTree(t, file)
		stacks := make(map[string]fstest.MapFS)
		common := fstest.MapFS{}
		for name, f := range all {
			stack, rest, _ := strings.Cut(name, "/")
			if stack == "all" {
				common[rest] = f
				continue
			}
			if stacks[stack] == nil {
				stacks[stack] = fstest.MapFS{}
			}
			stacks[stack][rest] = f
		}
		for _, name := range slices.Sorted(maps.Keys(stacks)) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+name, func(t *testing.T) {
				tree := maps.Clone(common)
				maps.Copy(tree, stacks[name])
				want, err := fs.ReadFile(tree, "want")
				if err != nil {
					t.Fatal(err)
				}
				delete(tree, "want")
				var got []string
				findings := run(t, tree)
				for _, f := range findings {
					at := f.Pos().File
					if f.Pos().Line > 0 {
						at = fmt.Sprintf("%s:%d", at, f.Pos().Line)
					}
					got = append(got, fmt.Sprintf("%s %s %s\n", f.Severity, f.Rule, at))
				}
				if diff := cmp.Diff(slices.Sorted(strings.Lines(string(want))), slices.Sorted(slices.Values(got))); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
					for _, f := range findings {
						t.Logf("%s %s: %s [%s]", f.Rule, f.Pos(), f.Message, f.Fix)
					}
				}
			})
		}
	}
}
