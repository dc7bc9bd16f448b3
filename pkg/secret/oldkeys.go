package secret

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/component"
)

// oldKeyGrace is how long after a rotation the old key still counts: the running Synapse signs with it until
// the new one is rendered and the service recreated.
const oldKeyGrace = time.Hour

// OldKey is the public half of a signing key that signs no more.
type OldKey struct {
	ID      string // ed25519:a_abcd
	Key     string // unpadded base64
	Expired int64  // milliseconds since 1970, after which nothing that it signs is valid
}

var errOldKeys = errors.New("is no list of old signing keys")

// ParseOldKeys reads a value of the kind OldKeys.
func ParseOldKeys(text string) ([]OldKey, error) {
	var keys []OldKey
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 3 || !strings.HasPrefix(f[0], "ed25519:") || len(f[0]) == len("ed25519:") {
			return nil, errOldKeys
		}
		public, err := base64.RawStdEncoding.DecodeString(f[1])
		expired, numErr := strconv.ParseInt(f[2], 10, 64)
		if err != nil || numErr != nil || len(public) != ed25519.PublicKeySize || expired < 0 {
			return nil, errOldKeys
		}
		keys = append(keys, OldKey{ID: f[0], Key: f[1], Expired: expired})
	}
	return keys, nil
}

// String is the line that ParseOldKeys reads.
func (k OldKey) String() string { return k.ID + " " + k.Key + " " + strconv.FormatInt(k.Expired, 10) }

// oldKey gives a line for each key of a signing key file: Synapse published all of them.
func oldKey(signing string, expired time.Time) string {
	var lines []string
	keys, _ := component.VerifyKeys(signing)
	for _, k := range keys {
		lines = append(lines, OldKey{ID: k.ID, Key: k.Key, Expired: expired.UnixMilli()}.String())
	}
	return strings.Join(lines, "\n")
}
