package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var measure = flag.Bool("load", false, "measure messages per second with each set of workers")

// loads are how much is written: as much as is taken, and as much as each set takes.
var loads = [][]string{{"-length", "30s", "-rate", "0"}, {"-length", "30s", "-rate", "5"}}

// How many messages a second the real Synapse takes with each set of workers, on this machine, in one run.
func TestLoad(t *testing.T) {
	if !*measure {
		t.Skip("it takes a quarter of an hour, and a machine with nothing else to do: make load")
	}
	program := filepath.Join(t.TempDir(), "load")
	if _, err := output(exec.Command("go", "build", "-C", "..", "-trimpath", "-o", program, "./bench/load")); err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"", "small", "one-of-each"} {
		t.Run(set, func(t *testing.T) {
			const often = "{per_second: 10000, burst_count: 10000}"
			spec := workersSpec(set)
			spec = replace(t, spec, "extra: {", "extra: {rc_joins: {local: "+often+"}, rc_joins_per_room: "+often+", ")
			front := "haproxy"
			if set == "" {
				front = "synapse"
				spec = replace(t, spec, "  workers: \n", "")
			}
			s := newStack(t, spec)
			s.up(t)
			secret := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(secret, []byte(s.secrets["synapse.registration_shared_secret"]), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Logf("at the start:\n%s", stats(t))
			for _, args := range loads {
				args = append([]string{"-url", "http://" + s.address(t, front) + ":8008", "-secret-file", secret}, args...)
				half := time.AfterFunc(30*time.Second, func() { t.Logf("meanwhile:\n%s", stats(t)) })
				var said string
				err := docker.inside(func() (err error) {
					said, err = output(exec.Command(program, args...))
					return err
				})
				half.Stop()
				if err != nil {
					t.Fatal(s.mask(err.Error()))
				}
				average, err := os.ReadFile("/proc/loadavg")
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%v\n%s\nload average %s", args[4:], said, average)
			}
		})
	}
}

// stats is what each container takes of the processors and of the memory.
func stats(t *testing.T) string {
	t.Helper()
	used, err := docker.docker("stats", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.MemUsage}}")
	if err != nil {
		return fmt.Sprint(err)
	}
	lines := strings.Split(used, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
