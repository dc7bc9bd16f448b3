package finding

import "strings"

// Sentence joins words as a sentence does, the last two with "and" or "or".
func Sentence(words []string, with string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + with + " " + words[last]
}
