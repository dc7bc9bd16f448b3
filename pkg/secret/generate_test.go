package secret

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"philipp.info/stackgen/pkg/component"
)

// TestFormats proves generated values and placeholders with the parsers that read them elsewhere.
func TestFormats(t *testing.T) {
	filled := newSet("", testNeeds())
	filled.Fill()
	for name, s := range map[string]*Set{"generated": filled, "placeholders": Placeholders(testNeeds())} {
		t.Run(name, func(t *testing.T) {
			for _, n := range testNeeds() {
				if v := s.Get(n.Name); n.Kind != component.External && n.Check(v) != nil {
					t.Errorf("Check(%s) = %v", n.Kind, n.Check(v))
				}
			}
			if v := s.Get("synapse.macaroon"); !regexp.MustCompile(`^[A-Za-z0-9]{43}$`).MatchString(v) {
				t.Error("the token has another form")
			}
			if b, err := hex.DecodeString(s.Get("mas.encryption")); err != nil || len(b) != 32 {
				t.Error("hex32 is not 32 bytes in hex")
			}
			if key, ok := parseKey(t, s.Get("mas.rsa")).(*rsa.PrivateKey); !ok || key.Validate() != nil || key.N.BitLen() < 2048 {
				t.Error("no valid RSA key of 2048 bit or more")
			}
			if key, ok := parseKey(t, s.Get("mas.ec")).(*ecdsa.PrivateKey); !ok || key.Curve != elliptic.P256() {
				t.Error("no key on P-256")
			}
			line := strings.Fields(s.Get("synapse.signing_key"))
			if len(line) != 3 || line[0] != "ed25519" || !regexp.MustCompile(`^a_[A-Za-z]{4}$`).MatchString(line[1]) {
				t.Fatal("the signing key has another form")
			}
			seed, err := base64.RawStdEncoding.Strict().DecodeString(line[2])
			if err != nil || len(seed) != ed25519.SeedSize {
				t.Error("the seed is not 32 bytes in base64")
			}
			if _, err := ulid.ParseStrict(s.Get("mas.client_id")); err != nil {
				t.Error("no ULID")
			}
		})
	}
}

func parseKey(t *testing.T, text string) any {
	t.Helper()
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(rest) > 0 {
		t.Fatal("not one PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestFillMakesOnlyWhatIsMissing(t *testing.T) {
	s := newSet("", testNeeds())
	if err := s.Set("mas.encryption", strings.Repeat("ab", 32)); err != nil {
		t.Fatal(err)
	}
	want := []string{"synapse.macaroon", "mas.rsa", "mas.ec", "synapse.signing_key", "mas.client_id"}
	if diff := cmp.Diff(want, s.Fill()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string(nil), s.Fill()); diff != "" {
		t.Errorf("second Fill: %s", diff)
	}
	if got := s.Get("mas.encryption"); got != strings.Repeat("ab", 32) {
		t.Error("Fill replaced a value")
	}
	var missing []string
	for _, n := range s.Missing() {
		missing = append(missing, n.Name)
	}
	if diff := cmp.Diff([]string{"bridges.telegram.api_id", "bridges.telegram.api_hash", "smtp.password"}, missing); diff != "" {
		t.Error(diff)
	}
}

func TestPickIsEven(t *testing.T) {
	count := make(map[rune]int)
	for _, r := range pick(alphabet, 62*1000) {
		count[r]++
	}
	for _, r := range alphabet {
		if count[r] < 800 || count[r] > 1200 {
			t.Errorf("%q was drawn %d times of about 1000", r, count[r])
		}
	}
}

func TestPlaceholders(t *testing.T) {
	needs := append(testNeeds(),
		Need{Name: "a.mail", Kind: component.External, Form: regexp.MustCompile(`@`)},
		Need{Name: "a.bot", Kind: component.External, Form: regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]{35}$`)},
		Need{Name: "a.own", Kind: component.External, Form: regexp.MustCompile(`^own-[xyz]$`), Example: "own-x"},
	)
	one, two := Placeholders(needs), Placeholders(needs)
	for _, n := range needs {
		v := one.Get(n.Name)
		if v == "" || v != two.Get(n.Name) {
			t.Errorf("%s: not the same twice", n.Name)
		}
		if err := n.Check(v); err != nil {
			t.Errorf("%s %v", n.Name, err)
		}
		if got := one.Origin(n.Name); got != "placeholder" {
			t.Errorf("origin %q", got)
		}
	}
	if one.Dirty() || one.Save(t.Context()) != nil || len(one.Missing()) > 0 || one.Fill() != nil {
		t.Error("placeholders are something to save, missing or filled")
	}
	if got := one.Mask(one.Get("mas.encryption")); got != one.Get("mas.encryption") {
		t.Error("a placeholder was masked")
	}
}

func TestFillPlaceholdersKeepsRealValues(t *testing.T) {
	s := newSet("", testNeeds())
	if err := s.Set("smtp.password", "fake-real"); err != nil {
		t.Fatal(err)
	}
	FillPlaceholders(s)
	if s.Get("smtp.password") != "fake-real" || s.Get("synapse.macaroon") == "" {
		t.Error("a real value is gone, or a placeholder is missing")
	}
}

func TestRotate(t *testing.T) {
	s := newSet("", testNeeds())
	s.Fill()
	old := s.Get("synapse.macaroon")
	if err := s.Rotate(testNeeds()[0]); err != nil || s.Get("synapse.macaroon") == old {
		t.Errorf("Rotate = %v", err)
	}
	if s.Mask(old) == old {
		t.Error("the old value is not masked any more")
	}
	if err := s.Rotate(testNeeds()[6]); err == nil {
		t.Error("an external secret was rotated")
	}
}
