package deployment

import (
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest gives the candidate that differs from word by typing slips only; "" when none does.
func Nearest(word string, candidates []string) string {
	const longest, alike = 64, 0.6
	best, near := alike, ""
	if len(word) > longest {
		return ""
	}
	for _, c := range candidates {
		if s := levenshtein.Similarity(strings.ToLower(word), strings.ToLower(c), nil); s >= best && c != word {
			best, near = s, c
		}
	}
	return near
}
