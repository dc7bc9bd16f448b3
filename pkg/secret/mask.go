package secret

import (
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Mask replaces in text every secret that was seen at any source, as finding.Mask does. Placeholders stay
// readable.
func (s *Set) Mask(text string) string { return s.hidden.Text(text) }

// Hide adds value to what Mask looks for. The set need not hold it: it may have been replaced.
func (s *Set) Hide(value string) { s.hidden.Hide(value) }

// HideNamed adds a value that stands at the key of a file to what Mask looks for: however short it is, it is hidden
// behind the key, in text and in YAML. Named knows the key from then on.
func (s *Set) HideNamed(key, value string) {
	if s.named == nil {
		s.named = make(map[string]bool)
	}
	s.named[key] = true
	for _, h := range append(source.Led(key, value), source.Hidden{Lead: "- ", Value: value}, source.Hidden{Lead: `- "`, Value: value}) {
		s.hidden.HideBehind(h.Lead, h.Value)
	}
	s.hidden.Hide(value)
}

// Named reports whether HideNamed was told that secrets stand at the key in which a path, its parts joined by dots, ends.
func (s *Set) Named(path string) bool {
	for key := range s.named {
		if path == key || strings.HasSuffix(path, "."+key) {
			return true
		}
	}
	return false
}

// Findings gives the findings without the secrets of the set.
func (s *Set) Findings(fs []finding.Finding) []finding.Finding { return s.hidden.Findings(fs) }
