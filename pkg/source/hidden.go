package source

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Hidden is a secret that stands in a text. Lead is what stands right before it there, such as PGPASSWORD=;
// it is no part of the secret, and "" where anything may stand.
type Hidden struct{ Lead, Value string }

// Hidden gives the secrets of the file, each as a whole and by the parts of longer texts, such as the password
// within a command or a URL. A file that is no YAML is read line by line. open is what stands in the file for
// all to see: its keys and its other values.
func (f *File) Hidden() (hidden []Hidden, open []string) {
	f.toldOnce.Do(func() { f.told, f.open = f.tell() })
	return slices.Clip(f.told), slices.Clip(f.open)
}

func (f *File) tell() (hidden []Hidden, open []string) {
	if len(f.Src) > MaxSize { // nothing was made of it, and nothing of it is shown
		return nil, nil
	}
	if f.root == nil {
		return HiddenIn("", string(f.Src)), nil
	}
	f.once.Do(f.index)
	for n, uses := range f.uses {
		text := n.Value
		if text == "" {
			text = n.Anchor
		}
		secret := false
		for _, u := range uses {
			found := hiddenUse(u, text)
			secret = secret || len(found) > 0
			hidden = append(hidden, found...)
		}
		if !secret {
			open = append(open, text)
		}
	}
	return hidden, open
}

func hiddenUse(u use, text string) []Hidden {
	var found []Hidden
	aPath := strings.HasPrefix(text, "/") && !looksRandom(text) && !secretName().MatchString(u.name)
	if u.secret && !plainName(u.name) && !harmless(u.text) && !aPath {
		found = append(found, Led(u.name, text)...)
	}
	return append(found, HiddenIn(u.name, text)...)
}

// Led is a value and the ways in which it stands behind its name. A value that is no secret by itself, for
// it is short or a common word, is one there.
func Led(name, value string) []Hidden {
	all := []Hidden{{"", value}}
	if name == "" {
		return all
	}
	for _, between := range []string{"=", ": ", `="`, `: "`, `='`, `: '`, " ", " is ", " \""} {
		all = append(all, Hidden{name + between, value})
	}
	return all
}

// hiddenParts are the shapes of secrets within a longer text: the last group is the secret, what stands before
// it in the match its lead.
var hiddenParts = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`://[^\s/@:]*:([^\s@]+)@`),
		regexp.MustCompile(`://([^\s/@:]{16,})@`), // a token instead of a name
		regexp.MustCompile(`(?i)\b(?:bearer|basic) +([A-Za-z0-9+/=._~-]{6,})`),
		regexp.MustCompile(`(?:^|\s)(?:-u|--user|--proxy-user)[ =]["']?[^\s:]+:([^\s"']+)`),
		regexp.MustCompile(`(?:^|[\s,"'])[^\s:,"']+:(\$\$?(?:apr1|2[abxy]|argon2[a-z]*|pbkdf2[a-z0-9-]*|scrypt|[156y])\$[^\s,"']+)`),
		regexp.MustCompile(`(SCRAM-SHA-(?:1|256)\$\S+)`),
		regexp.MustCompile(`/api/push/([^\s/?"']+)`),
		regexp.MustCompile(`(?i)\bpassword\s+(?:is\s+)?'([^']+)'`), // SQL
		regexp.MustCompile(`:([^\s:@"']{4,})\s*$`),                 // the last field of a password file; see fields
	}
})

// namedPart is a name and its value within a longer text, with what stands around the value.
var namedPart = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]*)(?:=["']?|["']?\s*:\s+["']?|["']:["']?)([^\s"',;&]+)`),
		regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]*)(?:=|["']?\s*:\s*)"((?:[^"\\]|\\.)+)"`),
		regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]*)(?:=|["']?\s*:\s*)'([^']+)'`),
		regexp.MustCompile(`(?:^|\s)--?([A-Za-z0-9_.-]+)[\s=]+["']?([^\s"']+)`),
	}
})

// HiddenIn gives the secrets that a text under the name holds.
func HiddenIn(name, text string) []Hidden {
	name = ownName(name)
	var found []Hidden
	named := secretName().MatchString(name) && (!notSecret().MatchString(name) || name == "push_url")
	if named && (!harmless(text) || looksRandom(text)) {
		found = append(found, Led(name, text)...)
	}
	if strings.Contains(text, "PRIVATE KEY") {
		found = append(found, Hidden{"", text})
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			found = append(found, hiddenInLine(name, line, named)...)
		}
	}
	return found
}

func hiddenInLine(name, line string, named bool) []Hidden {
	var found []Hidden
	add := func(lead, value string) { found = append(found, Hidden{lead, value}) }
	for i, shape := range hiddenParts() {
		// An address of IPv6 has as many colons, and its last field is a port.
		if last := i == len(hiddenParts())-1; last && (strings.Count(line, ":") != 4 || strings.Contains(line, "://") || strings.Contains(line, "[:")) {
			continue
		}
		for _, m := range shape.FindAllStringSubmatchIndex(line, -1) {
			add(line[m[0]:m[2]], line[m[2]:m[3]])
			add("", line[m[2]:m[3]])
		}
	}
	for _, shape := range namedPart() {
		for _, m := range shape.FindAllStringSubmatchIndex(line, -1) {
			n, value := ownName(line[m[2]:m[3]]), line[m[4]:m[5]]
			named := secretWord().MatchString(n) || secretName().MatchString(n) && n == strings.ToUpper(n)
			if !named || notSecret().MatchString(n) || harmless(value) {
				continue
			}
			add(line[m[2]:m[4]], value)
			found = append(found, Led(n, value)...)
		}
	}
	if m := envPair().FindStringSubmatch(line); m != nil && secretName().MatchString(ownName(m[1])) && !notSecret().MatchString(m[1]) && !harmless(m[2]) {
		found = append(found, Led(m[1], strings.Trim(m[2], `"'`))...)
	}
	if named || identifier(name) {
		return found
	}
	for field := range strings.FieldsFuncSeq(imageDigest().ReplaceAllString(line, ""), func(r rune) bool { return strings.ContainsRune(" \t\"'=,;()[]{}", r) }) {
		if looksRandom(field) && !strings.ContainsAny(field, "/.:@`") {
			add("", field)
		}
	}
	return found
}

// identifier reports whether a long random value under the name is one that everybody may know.
func identifier(name string) bool {
	return slices.Contains([]string{"id", "kid", "image", "digest", "rev", "commit"}, name) || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "hash")
}
