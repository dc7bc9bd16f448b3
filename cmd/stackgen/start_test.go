package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What is known of the programs is data: nothing of it is made before main.
func TestNothingIsMadeOfComponents(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "init philipp.info/stackgen/pkg/") {
		t.Fatalf("no trace: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "init philipp.info/stackgen/pkg/component ") {
			t.Errorf("before main: %s", line)
		}
	}
}
