package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/render"
)

// python gives a program of the virtual environment that `make conformance` makes.
func python(t *testing.T, program string) string {
	t.Helper()
	dir := os.Getenv("STACKGEN_VENV")
	if dir == "" {
		t.Skip("skipped: STACKGEN_VENV names no Python environment; run make conformance")
	}
	return filepath.Join(dir, "bin", program)
}

// container rewrites the paths that Synapse sees in its container to those of a rendered tree.
func container(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "config", "matrix", "homeserver.yaml")
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(
		`"/config/`, `"`+filepath.Join(dir, "config", "matrix")+"/",
		`"/run/secrets/`, `"`+filepath.Join(dir, "secrets")+"/",
		`"/data/`, `"`+filepath.Join(dir, "data", "matrix")+"/",
	).Replace(string(src))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Synapse's own code reads the configuration, every secret that it names, and every registration.
func TestSynapse(t *testing.T) {
	bin := python(t, "python")
	eachExample(t, func(t *testing.T, dir string, st *render.Stack) {
		container(t, dir)
		out, err := exec.Command(bin, "-c", `import sys, synapse
from synapse.config.appservice import load_appservices
from synapse.config.homeserver import HomeServerConfig
c = HomeServerConfig.load_config("", ["-c", sys.argv[1]])
services = load_appservices(c.server.server_name, c.appservice.app_service_config_files)
print("Synapse", synapse.__version__, *sorted(s.id for s in services))`, filepath.Join(dir, "config", "matrix", "homeserver.yaml")).CombinedOutput()
		if err != nil {
			t.Fatalf("Synapse refuses: %s", out)
		}
		for _, b := range st.Bridges {
			if !strings.Contains(string(out), " "+b.Registration.ID) {
				t.Errorf("the registration %s is not loaded: %s", b.Registration.ID, out)
			}
		}
		t.Logf("accepted by %s", strings.TrimSpace(string(out)))
	})
}

// borgmatic validates its configuration.
func TestBorgmatic(t *testing.T) {
	bin := python(t, "borgmatic")
	eachExample(t, func(t *testing.T, dir string, st *render.Stack) {
		if st.Backup == nil {
			return
		}
		out, err := exec.Command(bin, "config", "validate", "-c", filepath.Join(dir, "borgmatic.d", st.Name+".yaml")).CombinedOutput()
		if err != nil {
			t.Fatalf("borgmatic refuses: %s", out)
		}
		version, _ := exec.Command(bin, "--version").Output()
		t.Logf("accepted by borgmatic %s", strings.TrimSpace(string(version)))
	})
}
