package deployment_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
)

// TestMaskOnce: the secrets are gathered once, and anew where another file was read since.
func TestMaskOnce(t *testing.T) {
	d, _ := compose.Open(fstest.MapFS{
		"compose.yaml": {Data: []byte("services: {a: {image: x, environment: {A_PASSWORD: zebra-password}}}\n"), Mode: 0o644},
		"late.yaml":    {Data: []byte("password: zebra-later\n"), Mode: 0o644},
	})
	first := d.Mask()
	if first != d.Mask() {
		t.Error("gathered twice")
	}
	if _, findings := d.Read("late.yaml"); len(findings) > 0 {
		t.Fatal(findings)
	}
	if shown := d.Mask().Text("zebra-password zebra-later"); strings.Contains(shown, "zebra") {
		t.Errorf("shown: %s", shown)
	}
}
