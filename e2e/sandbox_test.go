package e2e

import (
	"strings"
	"testing"
)

// The real programs run with nothing that was taken from them: each process has no capability and cannot gain
// one, the root file system cannot be written, and Docker bounds the log.
func (s *stack) testSandbox(t *testing.T) {
	for name, c := range s.containers(t) {
		if name == "proxy" || name == "db-init" {
			continue
		}
		out, err := docker.docker("exec", c.ID, "sh", "-c",
			`grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/1/status; touch /usr/x 2>&1 || true`)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Read-only file system"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, out)
			}
		}
		log, err := docker.docker("inspect", "--format", `{{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config "max-size"}}`, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(log) != "json-file 10m" {
			t.Errorf("%s logs to %s", name, log)
		}
	}
	if shm := s.sandboxed(t, "postgres", `{{.HostConfig.ShmSize}}`); shm != "268435456" {
		t.Errorf("PostgreSQL has %s bytes of shared memory", shm)
	}
}

func (s *stack) sandboxed(t *testing.T, service, format string) string {
	t.Helper()
	out, err := docker.docker("inspect", "--format", format, s.containers(t)[service].ID)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}
