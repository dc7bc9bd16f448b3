package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"philipp.info/stackgen/pkg/deployment/compose/project"
)

// What is made of a project of several files is, to Docker Compose, the same as the project.
func TestDockerComposeProject(t *testing.T) {
	bin := program(t, ".bin/docker-compose")
	version := "Docker Compose " + output(t, bin, "version", "--short")
	shapes, err := filepath.Glob("../pkg/deployment/compose/project/testdata/*.txtar")
	if err != nil || len(shapes) < 10 {
		t.Fatalf("%d shapes, %v", len(shapes), err)
	}
	for _, shape := range shapes {
		name := strings.TrimSuffix(filepath.Base(shape), ".txtar")
		t.Run(name, func(t *testing.T) {
			ar, err := txtar.ParseFile(shape)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "matrix")
			for _, f := range ar.Files {
				writeFile(t, filepath.Join(dir, f.Name), f.Data)
			}
			_, list, _ := strings.Cut(string(ar.Comment), "\nfiles: ")
			files := strings.Fields(list)
			var behind []string
			for _, f := range files {
				behind = append(behind, "-f", f)
			}
			theirs := config(t, bin, dir, behind...)
			p := project.Load(os.DirFS(dir), project.Options{Files: files, Name: "matrix"})
			if len(p.Faults)+len(p.Unread) > 0 {
				t.Fatal(p.Faults, p.Unread)
			}
			merged, err := json.Marshal(p.File.Root().Any())
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, "merged.json"), []byte(strings.ReplaceAll(string(merged), "$", "$$")))
			ours := config(t, bin, dir, "-f", "merged.json")
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("- Docker Compose, + what is made here:\n%s", diff)
			}
			accepted(t, version, "the project "+name)
		})
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// config is what `docker compose config` prints.
func config(t *testing.T, bin, dir string, files ...string) any {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin, append(files, "--profile", "*", "config", "--format", "json")...)
	cmd.Dir, cmd.Env = dir, []string{"DOCKER_HOST=unix:///nowhere", "MACAROON=of-the-shell"}
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &talk)
	}
	var v any
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
