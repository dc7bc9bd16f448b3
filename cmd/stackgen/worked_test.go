package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// TestGoldenWorked holds the worked example of README.md against what is really said of the stack that e2e takes over.
func TestGoldenWorked(t *testing.T) {
	const path, begin, end = "README.md", "<!-- The take-over of e2e/byhand, written by make generate. -->\n", "<!-- until here the take-over -->"
	all, err := fixture.Read("../../pkg/check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(d fixture.Deployment) bool { return d.Name == "reference" })
	key := all[i].Forms[0].Tree["mas/rsa.pem"].Data
	root, err := os.OpenRoot("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	readme, err := root.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir+"/matrix", os.DirFS("../../e2e/byhand")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	put(t, "matrix/config/mas/rsa.pem", string(key))
	if err := os.MkdirAll("matrix/data/matrix", 0o755); err != nil {
		t.Fatal(err)
	}

	var b strings.Builder
	stdout, stderr := stackgen(t, exitFindings, "import", "matrix", "-o", "spec/stack.yaml")
	b.WriteString("```\n$ stackgen import matrix -o spec/stack.yaml\n" + stdout + stderr + "```\n\n")
	b.WriteString("What somebody did write is left to be decided, and what is there has become this spec:\n\n```yaml\n")
	spec, err := os.ReadFile("spec/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b.Write(spec)
	b.WriteString("```\n\nOf each service `spec/MIGRATION.md` says what `docker compose up -d` will do, before anything is done:\n\n")
	plan, err := os.ReadFile("spec/MIGRATION.md")
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?m)^\| service \|(.*\n\|)+.*\n`).FindString(string(plan))
	if table == "" {
		t.Fatal("MIGRATION.md has no table of the services")
	}
	b.WriteString(table)

	before, rest, ok := strings.Cut(string(readme), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatal("README.md has no place for the worked example")
	}
	want := before + begin + b.String() + end + after
	if want == string(readme) {
		return
	}
	if !*update {
		t.Fatal("README.md has another worked example; make generate writes it")
	}
	if err := root.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
