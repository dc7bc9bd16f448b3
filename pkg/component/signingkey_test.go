package component

import (
	"strings"
	"testing"
)

func TestVerifyKeys(t *testing.T) {
	seed := strings.Repeat("A", 43)
	const public = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik" // of a seed of zeros: RFC 8032's arithmetic, by crypto/ed25519
	for text, want := range map[string]struct {
		ids string
		ok  bool
	}{
		"ed25519 a_test " + seed:                                   {"ed25519:a_test", true},
		"ed25519 a_test " + seed + "=\n":                           {"ed25519:a_test", true},
		"\ned25519 a " + seed + "\r\n\ned25519 b " + seed + "\n\n": {"ed25519:a ed25519:b", true},
		"ed25519 a " + seed + "\nrubbish\n":                        {"ed25519:a", false},
		"rubbish\ned25519 a " + seed:                               {"", false},
		"rsa a " + seed:                                            {"", false},
		"ed25519 a " + seed[:40]:                                   {"", false},
		"ed25519 " + seed:                                          {"", false},
		"":                                                         {"", false},
		"\n":                                                       {"", false},
	} {
		keys, ok := VerifyKeys(text)
		var ids []string
		for _, k := range keys {
			ids = append(ids, k.ID)
			if k.Key != public {
				t.Errorf("%q: %s", text, k.Key)
			}
		}
		if got := strings.Join(ids, " "); got != want.ids || ok != want.ok {
			t.Errorf("%q: %q %v, want %q %v", text, got, ok, want.ids, want.ok)
		}
	}
}
