package diff

import (
	"bytes"
	"net/url"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// minHidden keeps words out that stand in half of all texts: hiding `matrix` everywhere because somebody
// took it as a password would say more than it hides. Where such a value stands as a secret, it is hidden.
const minHidden = 8

// hide looks for secrets in both trees, so that none is shown at a place where nobody would look for one:
// a value that was replaced is in no secrets file any more.
func (c *comparison) hide() {
	seen := make(map[string]bool)
	add := func(text string) {
		if text = strings.TrimSpace(text); len(text) >= minHidden && !seen[text] {
			seen[text] = true
			c.Secrets.Hide(text)
		}
	}
	look := func(s side, p string) {
		var found []string
		switch f := s.file(p); {
		case path.Base(p) == "username" && inSecret(p) && bytes.Contains(s.tree[path.Dir(p)+".yaml"], []byte("kubernetes.io/basic-auth")):
			// the name of a role, by which its database is called, too
		case opaque(p):
			found = []string{string(s.tree[p])}
		case f != nil:
			found = f.Secrets()
			c.named(f.Root(), "")
		}
		for _, text := range found {
			add(text)
			for _, part := range inner(text) {
				add(part)
			}
		}
	}
	for p := range c.new.tree {
		look(c.new, p)
	}
	for p, before := range c.old.tree {
		// Most files are the same on both sides, and the look at them is the dearest part of a diff.
		if now, ok := c.new.tree[p]; !ok || !bytes.Equal(before, now) {
			look(c.old, p)
		}
	}
}

// named hides what stands at the keys of secrets that nothing else tells as such.
func (c *comparison) named(v source.Value, key string) {
	switch v.Kind() {
	case source.Mapping:
		for k, val := range v.Entries() {
			c.named(val, k.Str())
		}
	case source.Sequence:
		for _, item := range v.Items() {
			c.named(item, key)
		}
	default:
		if text := v.Str(); text != "" && c.Secrets.Named(key) {
			c.Secrets.HideNamed(key, text)
		}
	}
}

var (
	userinfo = regex.Of(`://[^\s/@:]*:([^\s@]+)@`)
	assigned = regex.Of(`^[A-Za-z_][A-Za-z0-9_.-]*[=:](\S+)$`)
)

// inner gives the secrets that stand within a longer text: the password of a URL, what follows the name
// of an environment variable or as_token:, the last field of a line of a password file.
func inner(text string) []string {
	var parts []string
	for _, m := range userinfo().FindAllStringSubmatch(text, -1) {
		parts = append(parts, m[1])
		if plain, err := url.PathUnescape(m[1]); err == nil {
			parts = append(parts, plain)
		}
	}
	if m := assigned().FindStringSubmatch(text); m != nil {
		parts = append(parts, m[1])
	}
	if fields := strings.Split(strings.TrimSpace(text), ":"); len(fields) == 5 {
		parts = append(parts, fields[4])
	}
	return parts
}
