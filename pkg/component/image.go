package component

import (
	"cmp"
	"strconv"
	"strings"
)

// Ref is an image reference taken apart. Tag and Digest are empty when absent.
type Ref struct {
	Repository, Tag, Digest string
	// Numbered says that its tags are somebody's own, which name no release of the program in it.
	Numbered bool
}

// Parse takes an image reference apart; a registry's port is not mistaken for a tag.
func Parse(s string) Ref {
	var r Ref
	s, r.Digest, _ = strings.Cut(s, "@")
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		s, r.Tag = s[:i], s[i+1:]
	}
	r.Repository = s
	return r
}

// String is the reference as Compose wants it.
func (r Ref) String() string {
	s := r.Repository
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// Program tells which program the image holds by the end of its repository name; Unknown for any other.
func (r Ref) Program() Program {
	found := Unknown
	for _, c := range All {
		if c.TagPrefix != "" && !strings.HasPrefix(r.Tag, c.TagPrefix) {
			continue
		}
		for _, end := range c.Images {
			if r.Repository == end || strings.HasSuffix(r.Repository, "/"+end) {
				if c.TagPrefix != "" {
					return c.Program
				}
				found = c.Program
			}
		}
	}
	return found
}

// Version is major, minor and patch. The mautrix calendar tag v26.08.1 is the release v0.2608.1.
type Version [3]int

// String gives major.minor.patch.
func (v Version) String() string {
	return strconv.Itoa(v[0]) + "." + strconv.Itoa(v[1]) + "." + strconv.Itoa(v[2])
}

// Less orders versions.
func (v Version) Less(w Version) bool {
	return cmp.Or(cmp.Compare(v[0], w[0]), cmp.Compare(v[1], w[1]), cmp.Compare(v[2], w[2])) < 0
}

// Scheme says which tags of a program name a release.
type Scheme int

// The schemes.
const (
	Majors   Scheme = iota // 17 and v3 are releases, as far as their configuration goes
	Minors                 // v1 moves on with every release
	Calendar               // v26.08.1 is v0.2608.1
)

// Version reads the version out of the tag; ok is false for latest, a digest or a branch name.
func (r Ref) Version() (v Version, ok bool) {
	if r.Numbered {
		return v, false
	}
	text := r.Tag
	for _, c := range All {
		if rest, cut := strings.CutPrefix(text, c.TagPrefix); cut && c.TagPrefix != "" {
			text = rest
			break
		}
	}
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "-")
	parts := strings.Split(text, ".")
	if len(parts) > len(v) {
		return v, false
	}
	for i, part := range parts {
		if i == len(parts)-1 {
			part, _, _ = strings.Cut(part, "rc") // v1.36.0rc1 comes before v1.36.0 and has what it brings
		}
		if v[i], ok = number(part); !ok {
			return Version{}, false
		}
	}
	switch Of(r.Program()).Versions {
	case Minors:
		return v, len(parts) > 1
	case Calendar:
		if v[0] >= 20 && len(parts) > 1 {
			v = Version{0, v[0]*100 + v[1], v[2]}
		}
	case Majors:
	}
	return v, true
}

// Major is the first number of the version, "" when the tag names none.
func (r Ref) Major() string {
	if v, ok := r.Version(); ok {
		return strconv.Itoa(v[0])
	}
	return ""
}

// number reads a number of at most six digits, and nothing else.
func number(s string) (n int, ok bool) {
	if s == "" || len(s) > 6 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, _ = strconv.Atoi(s)
	return n, true
}
