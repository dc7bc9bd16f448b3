package secret

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"philipp.info/stackgen/pkg/component"
)

// Need is one secret that a stack uses.
type Need struct {
	// Name is dotted and flat: bridges.telegram.api_hash.
	Name string
	Kind component.Kind
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
	// Fake is the value in the program's own example, which nobody was given.
	Fake string
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
	case component.Hex32:
		b, err := hex.DecodeString(value)
		ok, help = err == nil && len(b) == 32, "64 hexadecimal digits"
	case component.RSAPEM:
		_, isRSA := parsePEM(value).(*rsa.PrivateKey)
		ok, help = isRSA, "an RSA private key in PEM without passphrase"
	case component.ECPEM:
		_, isEC := parsePEM(value).(*ecdsa.PrivateKey)
		ok, help = isEC, "an EC private key in PEM without passphrase"
	case component.SigningKey:
		_, isKey := component.VerifyKeys(value)
		ok, help = isKey, "a line `ed25519 KEY_ID SEED` as in Synapse's signing key file"
	case component.ULID:
		_, err := ulid.ParseStrict(value)
		ok, help = err == nil, "a ULID: 26 digits and capital letters"
	case component.OldKeys:
		_, err := ParseOldKeys(value)
		ok, help = err == nil, "lines `KEY_ID KEY EXPIRED`, as `secrets rotate synapse.signing_key` writes them"
	case component.External:
		ok, help = n.Form == nil || n.Form.MatchString(value), n.FormHelp
	}
	switch {
	case ok && n.Fake != "" && value == n.Fake:
		return errors.New("is that of the program's own example, which nobody was given; yours is at " + n.Where)
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
