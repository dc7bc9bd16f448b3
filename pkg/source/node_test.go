package source

import (
	"strings"
	"testing"
)

func parsed(t *testing.T, path, src string) *File {
	t.Helper()
	f, problem := Parse(path, []byte(src))
	if problem != nil {
		t.Fatalf("%+v", problem)
	}
	return f
}

// Values of a joined tree stand in their own files.
func TestJoin(t *testing.T) {
	one := parsed(t, "one.yml", "a:\n  x: 1\n  password: hunter2hunter2\nlist: [p, q]\n")
	two := parsed(t, "two.yml", "# first\n\na:\n  y: 'yes'\nlist:\n  - r\n")
	root, over := one.Root().Node(), two.Root().Node()
	root.Get("a").Set("y", over.Get("a", "y"))
	root.Get("list").Items = append(root.Get("list").Items, over.Get("list").Items...)
	changed := NewText(over.Get("a", "y"), "no")
	changed.Unset = []string{"NAME"}
	root.Get("a").Set("z", changed)
	f := Join(root)

	for path, want := range map[string]string{
		"a": "one.yml:1:1", "a.x": "one.yml:2:3", "a.y": "two.yml:4:3", "a.z": "two.yml:4:3", "list.1": "one.yml:4:11", "list.2": "two.yml:6:5",
		"a.missing": "one.yml:1:1", "a.y.missing": "two.yml:4:3",
	} {
		v := f.At(strings.Split(path, ".")...)
		if got := v.KeyPos().String(); got != want {
			t.Errorf("%s stands at %s, want %s", path, got, want)
		}
		if v.Path() != path {
			t.Errorf("the path of %s is %s", path, v.Path())
		}
		if got := v.File().Path; got != want[:7] {
			t.Errorf("%s is of %s", path, got)
		}
	}
	if got := f.At("a", "y").Site("").Text(); got != "  y: 'yes'" {
		t.Errorf("the line of a.y is %q", got)
	}
	if got := f.At("a", "password").Site("").Text(); !strings.Contains(got, Masked) {
		t.Errorf("the line of a password is %q", got)
	}
	z := f.At("a", "z")
	if z.Str() != "no" || z.Origin().Str() != "yes" || len(z.Unset()) != 1 {
		t.Errorf("z is %q of %q, and lacks %q", z.Str(), z.Origin().Str(), z.Unset())
	}
	if !f.At("a", "password").Secret() || f.At("a", "x").Secret() {
		t.Error("what is secret is judged otherwise than in the file itself")
	}
	for k, v := range f.At("a").Entries() {
		if k.Pos() != v.KeyPos() {
			t.Errorf("the key %s stands at %s and at %s", k.Str(), k.Pos(), v.KeyPos())
		}
	}
	// A value of one file is its own origin.
	if v := one.At("a", "x"); v.Origin().Pos() != v.Pos() || v.Unset() != nil {
		t.Error("a value of one file has another origin")
	}
}

// A text that another file's variable made secret is one here, too.
func TestJoinSecret(t *testing.T) {
	f := parsed(t, "one.yml", "environment:\n  API_TOKEN: ${T}\n  OTHER: ${T}\n")
	root := f.Root().Node()
	root.Get("environment", "OTHER").Text = "-----BEGIN PRIVATE KEY-----"
	if v := Join(root).At("environment", "OTHER"); !v.Secret() {
		t.Error("a private key in the place of a variable is no secret")
	}
}

func TestParseAll(t *testing.T) {
	files, problem := ParseAll("x.yml", []byte("a: 1\n---\nb: 2\n---\n"))
	if problem != nil || len(files) != 3 || files[1].At("b").Pos().Line != 3 {
		t.Errorf("%d documents, %+v", len(files), problem)
	}
	if _, problem := Parse("x.yml", []byte("a: 1\n---\nb: 2\n")); problem == nil || problem.Line != 2 {
		t.Errorf("a second document: %+v", problem)
	}
}

func TestBadMerges(t *testing.T) {
	f := parsed(t, "x.yml", "n: &n\nm: &m {k: 1}\na: {<<: *n}\nb: {<<: *m}\nc: {<<: [*m, *m]}\nd: {<<: [*m, *n], k: 2}\n")
	for key, want := range map[string]int{"a": 1, "b": 0, "c": 0, "d": 1, "n": 0} {
		if got := len(f.At(key).BadMerges()); got != want {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
	if got := f.At("d").Behind("k").Str(); got != "1" {
		t.Errorf("behind d.k is %q", got)
	}
}

// Nodes are copied whole, and compared by what they say.
func TestNode(t *testing.T) {
	f := parsed(t, "x.yml", "a: &a {k: [1, {l: m}], n: !reset null, o: !override [x]}\nb: *a\nc: {<<: *a, k: 2}\n")
	root := f.Root().Node()
	if root.Get("a", "n").Tag != "!reset" || root.Get("b", "o").Tag != "!override" {
		t.Error("tags are lost")
	}
	copied := root.Clone()
	if !copied.Equal(root) {
		t.Error("a copy says something else")
	}
	copied.Get("a", "k").Items[1].Set("l", NewText(root, "other"))
	if copied.Equal(root) || root.Get("a", "k").Items[1].Get("l").Str() != "m" {
		t.Error("a copy shares what it holds")
	}
	if got := root.Get("c", "k").Str(); got != "2" {
		t.Errorf("c.k is %q", got)
	}
	root.Get("c").Delete("k", "n")
	if got := strings.Join(root.Get("c").Names(), " "); got != "o" {
		t.Errorf("what is left of c: %s", got)
	}
	if got := root.Size(1000); got != 20 {
		t.Errorf("size %d", got)
	}
	if got := root.Size(5); got > 5 {
		t.Errorf("size %d of 5 at most", got)
	}
}
