package render_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/source"
)

// The table of RUNBOOK.md, Upgrade, has every image that Compose is told, with its services.
func TestRunbookImages(t *testing.T) {
	books, err := filepath.Glob("testdata/golden/*/RUNBOOK.md.golden")
	if err != nil || len(books) < 10 {
		t.Fatalf("%d runbooks, %v", len(books), err)
	}
	for _, book := range books {
		if _, err := os.Stat(filepath.Join(filepath.Dir(book), "kustomization.yaml.golden")); err == nil {
			continue // TestRunbookOfACluster holds it against its manifests
		}
		text, err := os.ReadFile(book)
		if err != nil {
			t.Fatal(err)
		}
		_, table, _ := strings.Cut(string(text), "\n| service | image |\n| --- | --- |\n")
		table, _, _ = strings.Cut(table, "\n\n")
		got := map[string]string{}
		for line := range strings.Lines(table + "\n") {
			services, image, _ := strings.Cut(strings.Trim(line, "| \n"), " | ")
			for name := range strings.SplitSeq(services, ", ") {
				got[name] = image
			}
		}
		src, err := os.ReadFile(filepath.Join(filepath.Dir(book), "docker-compose.yml.golden"))
		if err != nil {
			t.Fatal(err)
		}
		f, problem := source.Parse("docker-compose.yml", src)
		if problem != nil {
			t.Fatal(problem.Message)
		}
		want := map[string]string{}
		for name, s := range f.At("services").Entries() {
			if image := s.At("image").Str(); image != "" {
				want[name.Str()] = image
			}
		}
		if filepath.Base(filepath.Dir(book)) == "adopted" {
			delete(want, "cinny") // of compose.extra, of which the runbook knows nothing
			delete(want, "hookshot")
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if got[name] != want[name] {
				t.Errorf("%s: %s has the image %q, and runs %s", book, name, got[name], want[name])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d services, and Compose has %d", book, len(got), len(want))
		}
	}
}
