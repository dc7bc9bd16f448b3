package finding

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Mask knows what must not be shown. How far a value is looked for depends on what it says about itself:
//
//   - eight characters and more: wherever it stands, in each spelling that a file, a URL or a log gives it;
//   - four to seven: where it stands as a word of its own;
//   - shorter, a small number, or a word or a host that stands in the open too: only right behind what leads to a
//     secret, such as its name. Elsewhere nobody can tell that it is one, and hiding it would tell: in a
//     sentence that everybody knows, the hole has the shape of the word. The text would be lost as well.
type Mask struct {
	needles map[string]needle
	starts  map[string][]string // the needles by their first bytes, of which there are minWord where they are as long
	open    map[string]bool
	hosts   []string // that everybody may know
}

// needle is a text to look for, of which what is behind the lead is hidden.
type needle struct {
	lead int
	word bool // not within a longer word
}

const (
	minWord  = 4 // bytes of what is hidden as a word
	minValue = 8 // bytes of what is hidden anywhere
	maxValue = 1 << 16
)

// common are the words of findings that somebody may have taken for a password.
var common = strings.Fields("true false null none error errors warning info rule rules severity status message fix sites file files line column note " +
	"text json secret secrets token tokens password user users host hosts port name path image service services bridge matrix synapse postgres database " +
	"config admin root local localhost http https stack test container server client public private")

// Open says that these texts stand where everybody may read them. Of them only plain words count: what has
// a digit in it may be a secret that stands in the open by mistake.
func (m *Mask) Open(texts ...string) {
	for _, text := range texts {
		if len(text) <= 12 && plainWord(text) {
			if m.open == nil {
				m.open = make(map[string]bool)
			}
			m.open[text] = true
		}
	}
}

// Public says that these are the hosts that the deployment is known by, in lower case: a routing rule, or the name of the
// server. The same text elsewhere, such as in a variable that a secret is made of as well, makes no secret of it.
func (m *Mask) Public(hosts ...string) {
	for _, host := range hosts {
		if strings.Contains(host, ".") && !source.LooksRandom(host) {
			m.hosts = append(m.hosts, host)
		}
	}
}

// public reports whether a value is one of the hosts, its address, or a domain above it.
func (m *Mask) public(value string) bool {
	if _, rest, ok := strings.Cut(value, "://"); ok {
		value = strings.TrimSuffix(rest, "/")
	}
	return strings.Contains(value, ".") && slices.ContainsFunc(m.hosts, func(host string) bool {
		return host == value || strings.HasSuffix(host, "."+strings.TrimPrefix(value, "."))
	})
}

func plainWord(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
}

func number(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// told reports whether a value says nothing by itself.
func (m *Mask) told(value string) bool {
	return len(value) < minWord || len(value) < minValue && number(value) || m.open[value] || m.public(value) || slices.Contains(common, strings.ToLower(value))
}

// Hide adds all spellings of a secret to what is hidden.
func (m *Mask) Hide(value string) {
	value = strings.TrimRight(value, "\r\n")
	switch {
	case m.told(value):
		return
	case len(value) < minValue:
		m.add(value, needle{word: true})
		return
	case len(value) > maxValue:
		m.add(value, needle{}) // Never used, so never spelled in another way.
		return
	}
	m.spell(value)
	m.base64(value)
	if strings.Contains(value, "\n") {
		// A key is stored with its last line break, and that is what its base64 form covers.
		m.base64(value + "\n")
		for line := range strings.Lines(value) {
			// Indented by a block scalar or by a diff, a text is only found line by line.
			line = strings.TrimSpace(line)
			if len(line) >= minValue && !strings.HasPrefix(line, "-----") {
				m.spell(line)
			}
		}
	}
	for word := range strings.FieldsSeq(value) {
		// The seed of a signing key is printed without its key id, too.
		if len(word) >= 32 {
			m.spell(word)
		}
	}
}

// HideBehind hides a value where it stands right behind the lead, whatever it is.
func (m *Mask) HideBehind(lead, value string) {
	if lead != "" && value != "" && len(value) <= maxValue && !strings.Contains(value, "\n") {
		m.add(lead+value, needle{lead: len(lead), word: len(value) < minValue})
	}
}

func (m *Mask) add(text string, n needle) {
	if m.needles == nil {
		m.needles, m.starts = make(map[string]needle), make(map[string][]string)
	}
	if had, ok := m.needles[text]; ok {
		n.word, n.lead = n.word && had.word, min(n.lead, had.lead)
	} else {
		start := text[:min(minWord, len(text))]
		m.starts[start] = append(m.starts[start], text)
	}
	m.needles[text] = n
}

// Text gives text with source.Masked in place of every secret.
func (m *Mask) Text(text string) string {
	if m == nil {
		return text
	}
	// Marked bytes instead of successive replacements: of two secrets that overlap no rest may stay.
	var covered []bool
	for at := range len(text) {
		for size := 1; size <= min(minWord, len(text)-at); size++ {
			for _, needle := range m.starts[text[at:at+size]] {
				n, end := m.needles[needle], at+len(needle)
				if !strings.HasPrefix(text[at:], needle) ||
					n.word && (at+n.lead > 0 && n.lead == 0 && wordByte(text[at-1]) || end < len(text) && wordByte(text[end])) {
					continue
				}
				if covered == nil {
					covered = make([]bool, len(text))
				}
				for j := at + n.lead; j < end; j++ {
					covered[j] = true
				}
			}
		}
	}
	if covered == nil {
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

// Quoted stands before the message of another program, which takes values apart and names the part that it does not like.
const Quoted = "Compose refuses the file: "

// parts hides in a text what is a part of a secret: a word of four characters and more that stands in one.
func (m *Mask) parts(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\"'`,;()[]{}", r) })
	for _, word := range words {
		word = strings.Trim(word, ".:")
		if len(word) < minWord || m.told(word) && !number(word) {
			continue
		}
		for text0, n := range m.needles {
			if strings.Contains(text0[n.lead:], word) {
				text = strings.ReplaceAll(text, word, source.Masked)
				break
			}
		}
	}
	return text
}

func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// Findings gives the findings with every secret hidden in each of their texts. This is the one place where
// that is done, before anything is written: no format has to know of it.
func (m *Mask) Findings(fs []Finding) []Finding {
	if m == nil || len(m.needles) == 0 {
		return fs
	}
	masked := slices.Clone(fs)
	for i := range masked {
		f := &masked[i]
		f.Message, f.Fix, f.Sites = m.Text(f.Message), m.Text(f.Fix), slices.Clone(f.Sites)
		if edits := f.Edits; edits != nil {
			f.Edits = func() []source.Edit { return m.edits(edits()) }
		}
		if some := f.Some; some != nil {
			f.Some = func(wanted func([]source.Site) bool) (Finding, bool) {
				part, ok := some(wanted)
				return m.Findings([]Finding{part})[0], ok
			}
		}
		if f.Suppression != nil {
			said := *f.Suppression
			said.Reason = m.Text(said.Reason)
			f.Suppression = &said
		}
		if said, ok := strings.CutPrefix(f.Message, Quoted); ok {
			f.Message, f.Fix = Quoted+m.parts(said), m.parts(f.Fix)
		}
		for j := range f.Sites {
			s := &f.Sites[j]
			s.Note = m.Text(s.Note)
			if show := s.Snippet; show != nil {
				s.Snippet = func() string { return m.Text(show()) }
			}
		}
	}
	return masked
}

// edits are the edits, unless one of them writes a secret: who sees one, sees what is written.
func (m *Mask) edits(all []source.Edit) []source.Edit {
	if slices.ContainsFunc(all, func(e source.Edit) bool { return m.Text(e.Text) != e.Text }) {
		return nil
	}
	masked := make([]source.Edit, len(all))
	for i, e := range all {
		masked[i] = e.Masked(m.Text)
	}
	return masked
}

func (m *Mask) spell(text string) {
	quoted := source.Quote(text)
	all := []string{
		text,
		quoted[1 : len(quoted)-1],
		strings.ReplaceAll(text, "'", "''"),
		strings.ReplaceAll(text, "'", `'\''`), // a shell
		strings.ReplaceAll(text, "$", "$$"),   // Compose
		url.QueryEscape(text),
		url.PathEscape(text),
		strings.TrimPrefix(url.UserPassword("", text).String(), ":"),
	}
	if plain, err := url.PathUnescape(text); err == nil && len(plain) >= minValue {
		all = append(all, plain)
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
		m.add(spelling, needle{})
	}
}

// base64 hides value as base64, and the characters that it always has inside the base64 of a longer text, as
// in the header of HTTP basic authentication.
func (m *Mask) base64(value string) {
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		m.add(enc.EncodeToString([]byte(value)), needle{})
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := enc.EncodeToString(append(make([]byte, before), value...))
			if (before+len(value))%3 != 0 {
				text = text[:len(text)-1]
			}
			m.add(text[(before*8+5)/6:], needle{})
		}
	}
}
