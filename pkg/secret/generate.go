package secret

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/oklog/ulid/v2"

	"philipp.info/stackgen/pkg/component"
)

const (
	letters     = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	alphabet    = letters + "0123456789"
	tokenLength = 43
)

// generate makes a new secret from the randomness of the operating system.
func generate(k component.Kind) (string, error) {
	switch k {
	case component.Token:
		return pick(alphabet, tokenLength), nil
	case component.Hex32:
		return hex.EncodeToString(randomBytes(32)), nil
	case component.RSAPEM:
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return "", err
		}
		return encodePEM(key)
	case component.ECPEM:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return "", err
		}
		return encodePEM(key)
	case component.SigningKey:
		return signingKey("a_"+pick(letters, 4), randomBytes(32)), nil
	case component.ULID:
		id, err := ulid.New(ulid.Now(), rand.Reader)
		return id.String(), err
	case component.Localpart:
		return pick(strings.ToLower(letters[:26])+"0123456789", 32), nil
	case component.OldKeys, component.External:
	}
	return "", fmt.Errorf("a secret of kind %s cannot be made", k)
}

// pick draws n characters, each equally likely.
func pick(from string, n int) string {
	// Bytes from here on would make the first characters of the alphabet more likely.
	limit := 256 - 256%len(from)
	out := make([]byte, 0, n)
	for len(out) < n {
		for _, b := range randomBytes(n) {
			if int(b) < limit && len(out) < n {
				out = append(out, from[int(b)%len(from)])
			}
		}
	}
	return string(out)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // It never returns an error since Go 1.24.
	return b
}

func encodePEM(key any) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

func signingKey(id string, seed []byte) string {
	return "ed25519 " + id + " " + base64.RawStdEncoding.EncodeToString(seed)
}
