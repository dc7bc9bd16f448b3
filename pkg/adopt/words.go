package adopt

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// keeps has a secret of the container be one of the spec, and its value stand nowhere else.
func (c *taking) keeps(name, value string) {
	c.reader.secrets[c.secret+name], c.words[name] = value, value
}

var required = regex.Of(`(?m)^requirepass "?([^"\s]+)"?$`)

// redis reads the password of the Valkey of that name, which is the container's alone.
func (c *taking) redis(name string) {
	conf, err := source.ReadFS(c.d.FS, "config/"+name+"/valkey.conf")
	if m := required().FindStringSubmatch(string(conf)); err == nil && m != nil {
		c.keeps("redis_password", m[1])
	}
}

// word is a text with words in the place of the secrets that they stand for, the longest first: it is filled to the same.
func (c *taking) word(text string) string {
	worded := text
	names := slices.SortedFunc(maps.Keys(c.words), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(c.words[b]), len(c.words[a])), cmp.Compare(a, b))
	})
	for _, name := range names {
		if value := c.words[name]; value != "" {
			worded = strings.ReplaceAll(worded, value, "{"+name+"}")
		}
	}
	if spec.Fill(worded, func(name string) string { return cmp.Or(c.words[name], "{"+name+"}") }) != text {
		return text
	}
	return worded
}

// worded has no secret stand in the environment: one that no word is for yet has the variable's name.
func (c *taking) worded() {
	if c.mask == nil {
		c.mask = c.d.Mask()
	}
	for _, name := range slices.Sorted(maps.Keys(c.Environment)) {
		text := c.word(string(c.Environment[name]))
		plain := spec.Fill(text, func(string) string { return "" })
		if bare := string(c.Environment[name]); text == bare && plain == bare && !strings.Contains(bare, "\n") && !component.NoSecret(bare) && (tokenForm().MatchString(bare+"\n") || c.mask.Text(bare) != bare) {
			text = c.own(name, bare)
		}
		c.Environment[name] = spec.Text(text)
	}
}

var tokenIn = regex.Of(`([A-Za-z][A-Za-z0-9_-]*)["']?\s*[:=]\s*["']?([A-Za-z0-9]{43})\b`)

// copied keeps a file beside the spec, with words in the place of the secrets.
func (c *taking) copied(host string, data []byte) string {
	text := string(data)
	for _, m := range tokenIn().FindAllStringSubmatch(c.word(text), -1) {
		c.own(m[1], m[2])
	}
	if f, problem := source.Parse(host, data); problem == nil { // one in YAML by the names of its keys, too
		hidden, _ := f.Hidden()
		for _, h := range hidden {
			if len(h.Value) >= 8 && !strings.ContainsAny(h.Value, "\n{}") && strings.Contains(c.word(text), h.Value) {
				c.own(h.Lead, h.Value)
			}
		}
	}
	from := path.Join("files", host)
	c.reader.files[from] = []byte(c.quoted(from, c.word(text), text))
	return from
}

// quoted has those words of a YAML file that it has no quotes around be their values again: braces would be a map there.
func (c *taking) quoted(name, worded, text string) string {
	value := func(word string) string { return c.words[word] }
	if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" && ext != ".json" || render.Misread(worded, text, value) == "" {
		return worded
	}
	var b strings.Builder
	done := 0
	for _, w := range spec.WordsIn(worded) {
		if w.Begin > 0 && strings.ContainsRune(" \t\n[,", rune(worded[w.Begin-1])) && c.words[w.Name] != "" {
			b.WriteString(worded[done:w.Begin] + c.words[w.Name])
			done = w.End
		}
	}
	if less := b.String() + worded[done:]; render.Misread(less, text, value) == "" {
		return less
	}
	return text
}

// own makes a secret of the container, called after where it stands, and gives its word.
func (c *taking) own(where, value string) string {
	base := strings.Trim(noName().ReplaceAllString(strings.ToLower(where), "_"), "_")
	plain, secret := spec.Named{Container: spec.Container{Database: true, Redis: true}, Appservice: &spec.Appservice{}}.Words()
	if base == "" || base[0] < 'a' {
		base = "own_" + base
	}
	name := base
	for i := 2; slices.Contains(plain, name) || slices.Contains(secret, name) || c.words[name] != ""; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	kind := spec.SecretOrigin("given")
	if tokenForm().MatchString(value + "\n") {
		kind = "token"
	}
	if c.Secrets == nil {
		c.Secrets = make(map[string]spec.SecretOrigin)
	}
	c.Secrets[name] = kind
	c.keeps(name, value)
	return "{" + name + "}"
}
