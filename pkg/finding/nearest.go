package finding

import (
	"slices"
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
		if c == word || otherWord(a, b) || d > max(2, max(len(a), len(b))/5) || levenshtein.Similarity(a, b, nil) < alike {
			continue
		}
		switch {
		case d < best:
			best, near, tie = d, c, false
		case d == best && c != near:
			tie = true
		}
	}
	if tie {
		return ""
	}
	return near
}

// otherWord reports whether the one name is the other with a word in the place of another: a whitelist for a blacklist, max
// for min. A word is misspelt by two letters at most, a short one by one, or by two that changed places.
func otherWord(a, b string) bool {
	words := func(s string) []string {
		return strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("_-. ", c) })
	}
	as, bs := words(a), words(b)
	if len(as) != len(bs) {
		return false
	}
	for i, w := range as {
		d := levenshtein.Distance(w, bs[i], nil)
		short := min(len(w), len(bs[i])) <= 3
		if whole := len(w) - 1; whole > 3 && strings.HasPrefix(bs[i], w[:whole]) { // proxy and proxies
			continue
		}
		if d > 2 || short && d > 1 && !sameLetters(w, bs[i]) {
			return true
		}
	}
	return false
}

func sameLetters(a, b string) bool {
	as, bs := []byte(a), []byte(b)
	slices.Sort(as)
	slices.Sort(bs)
	return string(as) == string(bs)
}
