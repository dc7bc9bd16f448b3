package compare

import (
	"fmt"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// id names one thing that a deployment may say: whom it is about, which document says it, and under which key.
type id struct{ about, doc, key string }

// fact is what a deployment says of it.
type fact struct {
	raw    string // as it is written, whatever its quotes
	text   string // as the program takes it: equal for all spellings of one thing
	why    string // why two spellings are one thing
	shown  string
	secret bool
	order  bool // it only says in which order the items of a list stand
	unseen bool // what it is stands in a file or a variable that is not here
	at     source.Pos
}

// add keeps what is said first: the same thing said again, by a copy, is held against it by a rule.
func (s *side) add(about, doc, key string, f fact) {
	if f.raw == "" {
		f.raw = f.text
	}
	if f.secret {
		f.shown = ""
	}
	k := id{about, doc, key}
	for n := 2; ; n++ {
		if _, had := s.facts[k]; !had {
			break
		}
		k.key = fmt.Sprintf("%s (%d)", key, n)
	}
	s.facts[k] = f
}

// inOrder is behind the key of a list, for the order of its items.
const inOrder = " (order)"

// leaf is the fact that a single value is.
func leaf(l deployment.Leaf, text string) fact {
	return fact{raw: l.Str(), text: text, shown: text, at: l.Pos()}
}

// walk adds every value below v, each under its dotted path.
func (s *side) walk(d document, path string, v source.Value) {
	switch v.Kind() {
	case source.Mapping:
		if v.Len() == 0 {
			s.add(d.about, d.doc, path, fact{text: "{}", shown: "{}", at: v.KeyPos()})
		}
		for k, val := range v.Entries() {
			s.walk(d, join(path, k.Str()), val)
		}
	case source.Sequence:
		s.list(d, path, v)
	case source.Absent:
	default:
		s.scalar(d, path, v)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// list names items by what they are rather than by where they stand: one more at the front changes no other.
func (s *side) list(d document, path string, v source.Value) {
	items := v.Items()
	if len(items) == 0 {
		s.add(d.about, d.doc, path, fact{text: "[]", shown: "[]", at: v.KeyPos()})
		return
	}
	if d.doc == "service" && path == "healthcheck.test" { // a command
		var words []string
		for _, item := range items {
			words = append(words, item.Str())
		}
		text := strings.Join(words, " ")
		s.add(d.about, d.doc, path, fact{text: text, shown: text, at: v.KeyPos()})
		return
	}
	if key := identity(items); key != "" {
		for _, item := range items {
			s.walk(d, path+"["+label(item.At(key))+"]", item)
		}
		return
	}
	var order []string
	count := make(map[string]int)
	together := d.program == component.Synapse && match("listeners[**].resources", path)
	for i, item := range items {
		if item.Kind() != source.Scalar {
			if together { // a listener serves what all of them name
				s.walk(d, path, item)
				continue
			}
			s.walk(d, fmt.Sprintf("%s[%d]", path, i), item)
			continue
		}
		f := s.reading(d, path+"[]", item)
		if f.skip {
			continue
		}
		name := item.Str()
		if spelled, err := strconv.Unquote(f.text); err == nil && f.why != "" {
			name = spelled // however it is written
		}
		if f.secret {
			name = fmt.Sprint(i)
		}
		if count[f.text]++; count[f.text] > 1 {
			name += fmt.Sprintf(" (%d)", count[f.text])
		}
		order = append(order, f.text)
		s.add(d.about, d.doc, path+"["+name+"]", f.fact)
	}
	if len(order) > 1 && !match("listeners[**].resources.names", path) {
		s.add(d.about, d.doc, path+inOrder, fact{text: strings.Join(order, "\x00"), order: true, shown: "", at: v.KeyPos()})
	}
}

// identities are the keys by which an item of a list is the same one although it differs elsewhere.
var identities = []string{"id", "kid", "name", "label", "module", "domain", "server_name", "port", "regex", "idp_id", "path", "alias"}

// identity is the one that all items have, each another one; "" where there is none.
func identity(items []source.Value) string {
	for _, key := range identities {
		seen := make(map[string]bool)
		for _, item := range items {
			if v := item.At(key); v.Kind() == source.Scalar {
				seen[v.Str()] = true
			}
		}
		if len(seen) == len(items) {
			return key
		}
	}
	return ""
}

// label is the text of an identity, without what would be a secret.
func label(v source.Value) string {
	switch {
	case v.Secret():
		return source.Masked
	case v.Name() == "regex":
		return trimmed(v.Str())
	}
	return v.Str()
}

func (s *side) scalar(d document, path string, v source.Value) {
	f := s.reading(d, path, v)
	if f.skip {
		return
	}
	if name, ok := strings.CutSuffix(path, f.suffix); ok && f.suffix != "" {
		path = name
	}
	s.add(d.about, d.doc, path, f.fact)
}
