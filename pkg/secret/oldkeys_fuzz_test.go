package secret

import (
	"strings"
	"testing"
)

// FuzzOldKeys: what is taken for a list of old keys gives one key for each line that holds one.
func FuzzOldKeys(f *testing.F) {
	for _, seed := range []string{
		"ed25519:a_one " + strings.Repeat("A", 43) + " 1700000000000", "", "\n", "x y z", "ed25519:a " + strings.Repeat("A", 43) + " -1", "ed25519:a " + strings.Repeat("=", 43) + " 99999999999999999999",
		"ed25519:a_one " + strings.Repeat("A", 43) + " 1\r\ned25519:a_one " + strings.Repeat("B", 42) + "A 2\n\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := ParseOldKeys(text)
		if err != nil {
			return
		}
		lines := 0
		for line := range strings.Lines(text) {
			if strings.TrimSpace(line) != "" {
				lines++
			}
		}
		if len(keys) != lines {
			t.Errorf("%d keys of %d lines in %q", len(keys), lines, text)
		}
		for _, k := range keys {
			if k.ID == "" || k.Key == "" || k.Expired < 0 {
				t.Errorf("%+v of %q", k, text)
			}
		}
	})
}
