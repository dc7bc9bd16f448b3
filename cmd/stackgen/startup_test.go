package main

import (
	"bytes"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxInit is what our packages together may allocate before main, in bytes. Tables that one command needs and expressions
// are made when they are asked for; before that was so, it was 1.3 MB.
const maxInit = 128 << 10

// TestStartup runs the program and reads what the runtime says about the time before main.
func TestStartup(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "stackgen", "version")
	cmd.Env = append(cmd.Environ(), "GODEBUG=inittrace=1")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		t.Fatal(err, said.String())
	}
	line := regexp.MustCompile(`^init (\S+) @\S+ ms, \S+ ms clock, (\d+) bytes, \d+ allocs`)
	total, packages := 0, 0
	for text := range strings.Lines(said.String()) {
		m := line.FindStringSubmatch(text)
		// In a test the package of the commands holds the variables of its tests, too.
		if m == nil || !strings.HasPrefix(m[1], "philipp.info/stackgen/pkg/") {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		if total, packages = total+n, packages+1; n > maxInit/4 {
			t.Errorf("%s allocates %d bytes before main", m[1], n)
		}
	}
	if packages < 5 {
		t.Fatalf("the runtime tells of %d packages of ours:\n%s", packages, said.String())
	}
	if total > maxInit {
		t.Errorf("our packages allocate %d bytes before main, more than %d", total, maxInit)
	}
}
