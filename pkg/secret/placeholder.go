package secret

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"

	"github.com/oklog/ulid/v2"

	"philipp.info/stackgen/pkg/component"
)

const originPlaceholder = "placeholder"

// Placeholders gives a set that has an obviously fake value of the right format for every need. The same
// name always has the same value. Nothing of it is ever saved.
func Placeholders(needs []Need) *Set {
	s := newSet("", needs)
	FillPlaceholders(s)
	return s
}

// FillPlaceholders keeps the values that s has and gives a placeholder to every other need. Call it last:
// for Fill and Missing a placeholder counts as a value.
func FillPlaceholders(s *Set) {
	for _, n := range s.needs {
		if s.values[n.Name].value == "" && n.Kind != component.OldKeys {
			s.values[n.Name] = held{value: placeholder(n), origin: originPlaceholder}
		}
	}
}

func placeholder(n Need) string {
	sum := sha256.Sum256([]byte("stackgen placeholder " + n.Name))
	digest := hex.EncodeToString(sum[:])
	switch n.Kind {
	case component.Token:
		return "PLACEHOLDER" + digest[:tokenLength-len("PLACEHOLDER")]
	case component.Hex32:
		return strings.Repeat("0", 32) + digest[:32]
	case component.RSAPEM:
		return placeholderRSA(n.Name, sum)
	case component.ECPEM:
		return placeholderEC(sum)
	case component.SigningKey:
		return signingKey("a_FAKE", append([]byte("PLACEHOLDER"), sum[:32-len("PLACEHOLDER")]...))
	case component.ULID:
		var id ulid.ULID // The time of an obviously fake one: 1970.
		copy(id[6:], sum[:])
		return id.String()
	case component.Localpart:
		return "placeholder" + digest[:32-len("placeholder")]
	case component.OldKeys, component.External:
	}
	return placeholderExternal(n, digest)
}

// placeholderExternal takes the example, or the first guess that has the form.
func placeholderExternal(n Need, digest string) string {
	guesses := []string{
		n.Example,
		"placeholder-" + n.Name,
		"placeholder",
		"12345678",
		"0000000000",
		strings.Repeat("0", 16) + digest[:16],
		strings.Repeat("0", 32) + digest[:32],
		"PLACEHOLDER" + digest[:32],
		"https://placeholder.example.org/",
		"placeholder@example.org",
		"placeholder.example.org",
		"12345678:PLACEHOLDER" + digest[:24],
	}
	for _, guess := range guesses {
		if guess != "" && n.Check(guess) == nil {
			return guess
		}
	}
	return "placeholder-" + n.Name
}

// placeholderRSA builds a key from two Mersenne primes: it parses everywhere, costs no search for primes, and nobody can
// mistake it for a key that protects something. Each name has another exponent, but for MAS's, so that one is not taken for
// the other.
func placeholderRSA(name string, sum [32]byte) string {
	one := big.NewInt(1)
	p := new(big.Int).Sub(new(big.Int).Lsh(one, 1279), one)
	q := new(big.Int).Sub(new(big.Int).Lsh(one, 2203), one)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{Primes: []*big.Int{p, q}}
	key.N, key.E = new(big.Int).Mul(p, q), 65537
	if name != "auth.key_rsa" {
		key.E += 2 + 2*(int(sum[0])<<8|int(sum[1]))
	}
	for key.D == nil { // an exponent that the primes rule out
		if key.D = new(big.Int).ModInverse(big.NewInt(int64(key.E)), phi); key.D == nil {
			key.E += 2
		}
	}
	key.Precompute()
	text, err := encodePEM(key)
	if err != nil {
		return originPlaceholder
	}
	return text
}

func placeholderEC(sum [32]byte) string {
	// The leading zeros keep the number below the order of the curve.
	scalar := append(make([]byte, 16), sum[:16]...)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return originPlaceholder
	}
	text, err := encodePEM(key)
	if err != nil {
		return originPlaceholder
	}
	return text
}
