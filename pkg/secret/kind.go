package secret

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
)

// Kind is the format of a secret and tells how it is made.
type Kind int

// The kinds.
const (
	// Token is 43 letters and digits (256 bit). A given one may be any text.
	Token Kind = iota
	// Hex32 is 32 bytes as 64 hexadecimal digits.
	Hex32
	// RSAPEM is an RSA private key of 2048 bit, PKCS#8 in PEM.
	RSAPEM
	// ECPEM is a private key on P-256, PKCS#8 in PEM.
	ECPEM
	// SigningKey is the one line of Synapse's signing key: ed25519, key id, unpadded base64 of the seed.
	SigningKey
	// ULID is an identifier as MAS wants for its OAuth clients and upstream providers.
	ULID
	// Localpart is 32 lower-case letters and digits. A given one may be any text, of which that is used.
	Localpart
	// OldKeys are the public halves of signing keys that were replaced, one `KEY_ID KEY EXPIRED` on each line,
	// EXPIRED in milliseconds since 1970. Only Rotate makes it, and a stack without it lacks nothing.
	OldKeys
	// External is what only a third party can give out; it is never made here.
	External
)

// String names the kind in one word.
func (k Kind) String() string {
	switch k {
	case Token:
		return "token"
	case Hex32:
		return "hex32"
	case RSAPEM:
		return "rsa-pem"
	case ECPEM:
		return "ec-pem"
	case SigningKey:
		return "signing-key"
	case ULID:
		return "ulid"
	case Localpart:
		return "localpart"
	case OldKeys:
		return "old-keys"
	case External:
		return "external"
	}
	return "unknown"
}

// Need is one secret that a stack uses.
type Need struct {
	// Name is dotted and flat: bridges.telegram.api_hash.
	Name string
	Kind Kind
	// Where says for an External where a person gets it.
	Where string
	// Breaks says what rotating breaks; "" when it is safe after a render and `docker compose up -d`.
	Breaks string
	// Kept: render holds the stack to the value, and wants to be told to take another one.
	Kept bool
	// Remembers names the OldKeys that Rotate adds the public half of the old value to.
	Remembers string
	// Inherit is the value that is taken instead of a new one where the secret Beside is there already, but this
	// one is not: what stood in the code of the program that ran before.
	Inherit, Beside string
	// Form and FormHelp say what a valid External looks like: the pattern, and the same in words.
	Form     *regexp.Regexp
	FormHelp string
	// Example is an obviously fake value that satisfies Form: the placeholder of an External. "" lets
	// Placeholders find one.
	Example string
}

// maxValue is far above every key and certificate chain; a longer value is a wrong file.
const maxValue = 64 << 10

// Check says what makes value unusable for the need. The error never tells anything about the value.
func (n Need) Check(value string) error {
	if err := checkText(value); err != nil {
		return err
	}
	ok, help := true, ""
	switch n.Kind {
	case Hex32:
		b, err := hex.DecodeString(value)
		ok, help = err == nil && len(b) == 32, "64 hexadecimal digits"
	case RSAPEM:
		_, isRSA := parsePEM(value).(*rsa.PrivateKey)
		ok, help = isRSA, "an RSA private key in PEM without passphrase"
	case ECPEM:
		_, isEC := parsePEM(value).(*ecdsa.PrivateKey)
		ok, help = isEC, "an EC private key in PEM without passphrase"
	case SigningKey:
		ok, help = isSigningKey(value), "a line `ed25519 KEY_ID SEED` as in Synapse's signing key file"
	case ULID:
		_, err := ulid.ParseStrict(value)
		ok, help = err == nil, "a ULID: 26 digits and capital letters"
	case OldKeys:
		_, err := ParseOldKeys(value)
		ok, help = err == nil, "lines `KEY_ID KEY EXPIRED`, as `secrets rotate synapse.signing_key` writes them"
	case External:
		ok, help = n.Form == nil || n.Form.MatchString(value), n.FormHelp
	}
	switch {
	case ok:
		return nil
	case help == "":
		return errors.New("does not have the right form")
	}
	return fmt.Errorf("does not have the right form: %s", help)
}

// checkText finds what no secret may be, whatever its kind.
func checkText(value string) error {
	switch {
	case value == "":
		return errors.New("is empty")
	case len(value) > maxValue:
		return fmt.Errorf("is larger than %d KiB", maxValue>>10)
	case !utf8.ValidString(value):
		return errors.New("is not UTF-8")
	case strings.ContainsRune(value, 0):
		return errors.New("holds a NUL byte")
	}
	return nil
}

// parsePEM gives the private key of a PEM text in any of the three encodings that MAS reads, else nil.
func parsePEM(text string) any {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key
	}
	return nil
}

// isSigningKey accepts more than one line: Synapse signs with the first and still publishes the others.
func isSigningKey(text string) bool {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "ed25519" {
			return false
		}
		seed, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(f[2], "="))
		if err != nil || len(seed) != 32 {
			return false
		}
	}
	return true
}
