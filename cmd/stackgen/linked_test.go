package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestLinked: what only tests need is not a part of the program.
func TestLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, "philipp.info/stackgen/pkg/render") {
		t.Fatalf("go list does not name the program's own packages: %q", packages)
	}
	for _, name := range packages {
		if name == "testing" || strings.HasPrefix(name, "testing/") || strings.HasPrefix(name, "github.com/google/go-cmp") {
			t.Errorf("%s is linked into the program", name)
		}
	}
}
