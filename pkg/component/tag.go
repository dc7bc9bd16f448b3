package component

import (
	"fmt"
	"regexp"
	"strings"
)

// TagForm is the form of a tag: the letters before the version, and a pattern for the rest. It is empty where
// nothing is known of it.
type TagForm struct{ Prefix, Pattern string }

// mautrixTag is a release, or its alias by year and month.
const mautrixTag = `(0\.[0-9]+\.[0-9]+|2[0-9]\.(0[1-9]|1[0-2])(\.[0-9]+)?)`

// TagProblem says what the program's own image calls a release that is asked for by another tag: with or
// without the letter in front, the month in two digits, the patch that was left out. It is "" for a tag that may
// be there, and for a text that names no release.
func (c *Component) TagProblem(tag string) (instead string) {
	whole := func(s string) bool {
		return regexp.MustCompile("^" + c.Tag.Prefix + c.Tag.Pattern + "$").MatchString(s)
	}
	if c.Tag.Pattern == "" || whole(tag) {
		return ""
	}
	bare := strings.TrimPrefix(tag, c.Tag.Prefix)
	if c.TagPrefix != "" {
		bare = strings.TrimPrefix(bare, c.TagPrefix)
	}
	bare = strings.TrimPrefix(bare, "v")
	for _, s := range []string{bare, bare + ".0", padded(bare), strings.TrimSuffix(bare, ".0")} {
		if whole(c.Tag.Prefix + s) {
			return c.Tag.Prefix + s
		}
	}
	return ""
}

// padded writes the month of a calendar version with two digits.
func padded(bare string) string {
	var year, month int
	if n, _ := fmt.Sscanf(bare, "%d.%d", &year, &month); n != 2 || year < 20 {
		return bare
	}
	_, rest, _ := strings.Cut(bare, ".")
	_, patch, ok := strings.Cut(rest, ".")
	if ok {
		patch = "." + patch
	}
	return fmt.Sprintf("%d.%02d%s", year, month, patch)
}
