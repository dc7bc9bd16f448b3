package finding

import (
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest gives the candidate that differs from word by typing slips only; "" when none does, or when two are as near.
// A slip is one letter in five at most, and two in a short word: what is further away is another word, and a guess would
// lead astray.
func Nearest(word string, candidates []string) string {
	const longest, alike = 64, 0.6
	if len(word) > longest {
		return ""
	}
	best, near, tie := longest, "", false
	for _, c := range candidates {
		a, b := strings.ToLower(word), strings.ToLower(c)
		d := levenshtein.Distance(a, b, nil)
		if c == word || d > max(2, max(len(a), len(b))/5) || levenshtein.Similarity(a, b, nil) < alike {
			continue
		}
		switch {
		case d < best:
			best, near, tie = d, c, false
		case d == best:
			tie = true
		}
	}
	if tie {
		return ""
	}
	return near
}
