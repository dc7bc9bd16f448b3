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
