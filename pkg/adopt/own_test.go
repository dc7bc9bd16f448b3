package adopt_test

import (
	"os"
	"testing"
)

// A stack where Synapse logs users in itself is taken over as that.
func TestOwnLogin(t *testing.T) {
	src, err := os.ReadFile("../render/testdata/specs/own-login/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", taken(t, src, nil).Text)
}
