package source

import "testing"

func TestPosString(t *testing.T) {
	for want, p := range map[string]Pos{"": {}, "f": {File: "f"}, "f:2:3": {"f", 2, 3}} {
		if got := p.String(); got != want {
			t.Errorf("%#v: got %q, want %q", p, got, want)
		}
	}
}
