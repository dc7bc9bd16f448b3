package source

import "testing"

// TestHiddenLastField: the last field of a line of five is a password, as in ~/.pgpass, and the port behind an address of IPv6 is none.
func TestHiddenLastField(t *testing.T) {
	for line, hidden := range map[string]bool{
		"db:5432:synapse:synapse:zebra-word": true,
		"http://[::]:8080/":                  false,
		"[::1]:8008:8008":                    false,
		"http://db:5432/a:b:zebra":           false,
	} {
		if got := len(HiddenIn("", line)) > 0; got != hidden {
			t.Errorf("%q: hidden %v, want %v", line, got, hidden)
		}
	}
}
