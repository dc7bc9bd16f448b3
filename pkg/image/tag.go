package image

import (
	"fmt"
	"regexp"
	"strings"
)

// tags is the form of the tags that each program's own image has: the letters before the version, and what
// else must hold. A mirror or a build of somebody's own may have others.
var tags = map[Program]struct{ prefix, pattern string }{
	Synapse:   {"v", `[0-9]+\.[0-9]+\.[0-9]+(rc[0-9]+)?`},
	MAS:       {"", `[0-9]+\.[0-9]+(\.[0-9]+(-rc\.?[0-9]+)?)?(-debug)?`},
	Postgres:  {"", `[0-9]+(\.[0-9]+)?(-[a-z][a-z0-9.]*)?`},
	Signal:    {"v", mautrixTag},
	WhatsApp:  {"v", mautrixTag},
	Telegram:  {"v", mautrixTag},
	Discord:   {"v", mautrixTag},
	Meta:      {"v", mautrixTag},
	Instagram: {"ig-v", mautrixTag},
}

// mautrixTag is a release, or its alias by year and month.
const mautrixTag = `(0\.[0-9]+\.[0-9]+|2[0-9]\.(0[1-9]|1[0-2])(\.[0-9]+)?)`

// TagProblem says what the own image of the program calls a release that is asked for by another tag: with or
// without the letter in front, the month in two digits, the patch that was left out. It is "" for a tag that may
// be there, and for a text that names no release.
func TagProblem(p Program, tag string) (instead string) {
	form, ok := tags[p]
	whole := func(s string) bool {
		return regexp.MustCompile("^" + form.prefix + form.pattern + "$").MatchString(s)
	}
	if !ok || whole(tag) {
		return ""
	}
	bare := strings.TrimPrefix(strings.TrimPrefix(tag, "ig-"), "v")
	for _, s := range []string{bare, bare + ".0", padded(bare), strings.TrimSuffix(bare, ".0")} {
		if whole(form.prefix + s) {
			return form.prefix + s
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
