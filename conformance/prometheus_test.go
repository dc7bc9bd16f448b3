package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Prometheus takes the file that metrics: true renders, and none with a key that it does not know: its promtool reads a file of
// scrapes as the server does.
func TestPrometheus(t *testing.T) {
	bin, err := exec.LookPath("promtool")
	if err != nil {
		bin = program(t, ".prometheus/usr/bin/promtool")
	}
	check := func(file string) error { return exec.CommandContext(t.Context(), bin, "check", "config", file).Run() }
	for _, auth := range []string{"{passwords: true}", "synapse"} {
		dir := renderAll(t, "version: 1\nserver_name: example.org\nmetrics: true\nauth: "+auth+"\n")
		files, _ := filepath.Glob(filepath.Join(dir, "config", "prometheus", "*"))
		if len(files) != 1 {
			t.Fatal(files)
		}
		if err := check(files[0]); err != nil {
			t.Errorf("auth: %s: promtool refuses %s: %v", auth, filepath.Base(files[0]), err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range [][2]string{{"scrape_interval: 15s", "scrape_interval: 15"}, {"metrics_path:", "metric_path:"}, {"job_name:", "name:"}} {
			broken := filepath.Join(t.TempDir(), "broken.yml")
			if err := os.WriteFile(broken, []byte(strings.Replace(string(text), fault[0], fault[1], 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if check(broken) == nil {
				t.Errorf("auth: %s: promtool takes %q", auth, fault[1])
			}
		}
	}
	if t.Failed() {
		return
	}
	version := regexp.MustCompile(`version (\d+\.\d+\.\d+)`).FindStringSubmatch(output(t, bin, "--version"))
	if version == nil {
		t.Fatal("promtool says no version")
	}
	accepted(t, "Prometheus "+version[1], "what it asks of a stack with MAS and of one without")
}
