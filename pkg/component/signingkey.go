package component

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
)

// VerifyKey is the public half of a signing key, as every other server is given it.
type VerifyKey struct {
	ID  string // ed25519:a_abcd
	Key string // unpadded base64
}

// VerifyKeys reads the text of Synapse's signing key file: lines `ed25519 KEY_ID SEED`, the seed in base64. Synapse
// signs with the first and publishes all; it skips empty lines (config/key.py). ok is false for a text that it refuses;
// the keys are those before the line that is none.
func VerifyKeys(text string) (keys []VerifyKey, ok bool) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 3 || f[0] != "ed25519" {
			return keys, false
		}
		seed, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(f[2], "="))
		if err != nil || len(seed) != ed25519.SeedSize {
			return keys, false
		}
		public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		keys = append(keys, VerifyKey{ID: f[0] + ":" + f[1], Key: base64.RawStdEncoding.EncodeToString(public)})
	}
	return keys, len(keys) > 0
}
