package secret

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// minMask keeps values out that stand in half of all texts by chance.
const minMask = 4

// Mask replaces in text every secret that was seen at any source, in each spelling that a file, a URL or a
// log gives it, by source.Masked. Placeholders stay readable.
func (s *Set) Mask(text string) string {
	// Marked bytes instead of successive replacements: of two secrets that overlap no rest may stay.
	covered := make([]bool, len(text))
	found := false
	for needle := range s.needles {
		for from := 0; ; {
			i := strings.Index(text[from:], needle)
			if i < 0 {
				break
			}
			found = true
			for j := from + i; j < from+i+len(needle); j++ {
				covered[j] = true
			}
			from += i + 1
		}
	}
	if !found {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !covered[i]:
			b.WriteByte(text[i])
		case i == 0 || !covered[i-1]:
			b.WriteString(source.Masked)
		}
	}
	return b.String()
}

// Hide adds all spellings of value to what Mask looks for. The set need not hold it: it may have been
// replaced.
func (s *Set) Hide(value string) {
	value = strings.TrimRight(value, "\r\n")
	if len(value) < minMask {
		return
	}
	if len(value) > maxValue {
		s.needles[value] = true // Never used, so never spelled in another way.
		return
	}
	s.spell(value)
	for _, spelling := range base64Spellings(value) {
		s.needles[spelling] = true
	}
	if withBreak := value + "\n"; strings.Contains(value, "\n") {
		// A key is stored with its last line break, and that is what its base64 form covers.
		for _, spelling := range base64Spellings(withBreak) {
			s.needles[spelling] = true
		}
		for line := range strings.Lines(value) {
			// Indented by a block scalar or by a diff, a text is only found line by line.
			line = strings.TrimSpace(line)
			if len(line) >= minMask && !strings.HasPrefix(line, "-----") {
				s.spell(line)
			}
		}
	}
	for word := range strings.FieldsSeq(value) {
		// The seed of a signing key is printed without its key id, too.
		if len(word) >= 32 {
			s.spell(word)
		}
	}
}

func (s *Set) spell(text string) {
	quoted := source.Quote(text)
	all := []string{
		text,
		quoted[1 : len(quoted)-1],
		strings.ReplaceAll(text, "'", "''"),
		strings.ReplaceAll(text, "$", "$$"), // Compose
		url.QueryEscape(text),
		url.PathEscape(text),
		strings.TrimPrefix(url.UserPassword("", text).String(), ":"),
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	for _, html := range []bool{true, false} {
		b.Reset()
		enc.SetEscapeHTML(html)
		if enc.Encode(text) == nil {
			all = append(all, strings.TrimSuffix(b.String(), "\"\n")[1:])
		}
	}
	for _, spelling := range all {
		s.needles[spelling] = true
	}
}

// base64Spellings gives value as base64, and the characters that it always has inside the base64 of a
// longer text, as in the header of HTTP basic authentication.
func base64Spellings(value string) []string {
	var out []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		out = append(out, enc.EncodeToString([]byte(value)))
	}
	if len(value) < 2*minMask {
		return out
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := enc.EncodeToString(append(make([]byte, before), value...))
			if (before+len(value))%3 != 0 {
				text = text[:len(text)-1]
			}
			out = append(out, text[(before*8+5)/6:])
		}
	}
	return out
}
