package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/manifests"
)

// validates says what kubernetes-validate finds against the schemas of Kubernetes, in which no key is but those that it has.
func validates(t *testing.T, paths ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program(t, ".venv/bin/kubernetes-validate"), append([]string{"--strict", "--quiet", "-k", "1.36.0"}, paths...)...).CombinedOutput()
	return string(out), err
}

// The manifests of the examples with most of all programs are right by schemas that are not the server's own code either, which
// conformance/kubernetes asks.
func TestManifests(t *testing.T) {
	bin := program(t, ".venv/bin/kubernetes-validate")
	version := "kubernetes-validate " + output(t, bin, "--version")
	eachExample(t, func(t *testing.T, e *example) {
		if e.name != "full" && e.name != "club" {
			return
		}
		d, _ := compose.Open(os.DirFS(e.dir))
		files, err := manifests.From(d, manifests.Options{Namespace: "matrix"})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		var paths []string
		wrong := filepath.Join(dir, "wrong.yaml")
		for _, f := range files {
			if f.Path == "kustomization.yaml" {
				continue
			}
			var known []string // it has no schemas of what is no kind of Kubernetes' own
			for _, doc := range strings.Split(string(f.Data), "\n---\n") {
				if !strings.HasPrefix(doc, "apiVersion: gateway.") && !strings.HasPrefix(doc, "apiVersion: postgresql.cnpg.io") {
					known = append(known, doc)
				}
			}
			path, text := filepath.Join(dir, f.Path), strings.Join(known, "\n---\n")
			writeFile(t, path, []byte(text))
			paths = append(paths, path)
			if strings.Contains(text, "volumeMounts:") {
				writeFile(t, wrong, []byte(strings.Replace(text, "volumeMounts:", "volumemounts:", 1)))
			}
		}
		if out, err := validates(t, paths...); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if out, err := validates(t, wrong); err == nil || !strings.Contains(out, "volumemounts") {
			t.Errorf("a wrong key is not found: %v\n%s", err, out)
		}
		e.accepted(t, version, "the manifests")
	})
}
