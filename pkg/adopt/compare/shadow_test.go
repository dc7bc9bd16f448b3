package compare

import (
	"slices"
	"strings"
	"testing"
)

// covers reports whether a pattern fits whatever another one fits. "" fits everything.
func covers(general, particular string) bool {
	return general == "" || particular != "" && match(general, strings.ReplaceAll(particular, "**", "\x00"))
}

// A verdict is never said where an earlier one fits all that it fits.
func TestNoVerdictIsHidden(t *testing.T) {
	all := slices.Concat(verdicts, configured)
	for i, v := range all {
		for _, earlier := range all[:i] {
			if earlier.when == nil && (earlier.where == onEither || earlier.where == v.where) && covers(earlier.about, v.about) && covers(earlier.doc, v.doc) &&
				(earlier.key == v.key || covers(earlier.key, v.key) && earlier.key != "") && covers(earlier.old, v.old) && covers(earlier.new, v.new) {
				t.Errorf("%s %s %q: %q is never said, for %s %s %q comes before it: %q", v.about, v.doc, v.key, v.why, earlier.about, earlier.doc, earlier.key, earlier.why)
				break
			}
		}
	}
}
