package secret

import "philipp.info/stackgen/pkg/finding"

// Mask replaces in text every secret that was seen at any source, as finding.Mask does. Placeholders stay
// readable.
func (s *Set) Mask(text string) string { return s.hidden.Text(text) }

// Hide adds value to what Mask looks for. The set need not hold it: it may have been replaced.
func (s *Set) Hide(value string) { s.hidden.Hide(value) }

// Findings gives the findings without the secrets of the set.
func (s *Set) Findings(fs []finding.Finding) []finding.Finding { return s.hidden.Findings(fs) }
