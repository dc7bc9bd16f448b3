package finding

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/source"
)

// No text of a finding shows a secret, wherever it stands.
func TestMaskFindings(t *testing.T) {
	const fake = "hunter2hunter2"
	var m Mask
	m.Hide(fake)
	site := func() source.Site {
		return source.Site{Note: "it is " + fake, Snippet: func() string { return "password: " + fake }}
	}
	given := []Finding{{Rule: "a", Message: "it is " + fake, Fix: "write " + fake, Sites: []source.Site{site(), site()}}}
	got := m.Findings(given)
	texts := []string{got[0].Message, got[0].Fix}
	for _, s := range got[0].Sites {
		texts = append(texts, s.Note, s.Text())
	}
	for _, text := range texts {
		if strings.Contains(text, fake) || !strings.Contains(text, source.Masked) {
			t.Errorf("%q", text)
		}
	}
	if len(texts) != 6 || !strings.Contains(given[0].Sites[0].Note, fake) {
		t.Error("the findings that were given are changed")
	}
}

// A host that everybody is told is no secret for standing in the place of one as well; behind the name of the secret it
// is hidden all the same, and what is no such host stays hidden everywhere.
func TestMaskPublicHosts(t *testing.T) {
	var m Mask
	m.Public("matrix.example.org", "example.org", "localhost", "a1b2c3d4e5f60718293a4b5c.example.org")
	for _, value := range []string{"matrix.example.org", "https://matrix.example.org/", "example.org", "localhost:hunter2", "hunter2.example.org", "matrix.example.org.hunter2", "a1b2c3d4e5f60718293a4b5c.example.org"} {
		m.HideBehind("TOKEN=", value)
		m.Hide(value)
	}
	for text, want := range map[string]string{
		"matrix.example.org/_synapse/admin":    "matrix.example.org/_synapse/admin",
		"TOKEN=matrix.example.org is set":      "TOKEN=******** is set",
		"https://matrix.example.org/x":         "https://matrix.example.org/x",
		"it is hunter2.example.org":            "it is ********",
		"it is matrix.example.org.hunter2":     "it is ********",
		"at localhost:hunter2":                 "at ********",
		"a1b2c3d4e5f60718293a4b5c.example.org": "********",
	} {
		if got := m.Text(text); got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}
