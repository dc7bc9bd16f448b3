package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func walkAll(t *testing.T, v Value, left *int) {
	t.Helper()
	if *left--; *left < 0 {
		return
	}
	if p := v.Pos(); p.Line < 1 || p.Col < 1 {
		t.Errorf("%s is at %v", v.Path(), p)
	}
	v.Site("")
	v.Bool()
	v.Int()
	v.IsString()
	v.Plain()
	v.RawKeys()
	for k, val := range v.Entries() {
		walkAll(t, k, left)
		walkAll(t, val, left)
		if k.Kind() == Scalar && !v.At(k.Str()).Exists() {
			t.Errorf("%s has no entry %q", v.Path(), k.Str())
		}
	}
	for _, item := range v.Items() {
		walkAll(t, item, left)
	}
}

// What Parse accepts can be walked, compared, shown and merged.
func checkParse(t *testing.T, src string) {
	t.Helper()
	f, problem := Parse("f", []byte(src))
	if problem != nil && (problem.Message == "" || problem.File != "f" || f.Root().Exists()) {
		t.Errorf("problem %+v", problem)
	}
	left := 2000
	walkAll(t, f.Root(), &left)
	if left < 0 {
		return
	}
	if !f.Root().Equal(f.Root()) {
		t.Error("the value does not equal itself")
	}
	f.Root().Any()
	lines := len(splitLines(src))
	for n := range lines + 2 {
		if s := f.Snippet(n); strings.ContainsAny(s, "\n\r") {
			t.Errorf("the snippet of line %d has several lines: %q", n, s)
		}
	}
	if f.Root().Kind() == Mapping {
		if _, err := Merge([]byte(src), parse(t, "a: {b: c}").Root()); err != nil {
			t.Logf("merge: %v", err)
		}
		checkSpaced(t, f)
		if _, err := Merge([]byte("a: {b: c}"), f.Root()); err != nil {
			t.Logf("merge: %v", err)
		}
	}
}

// Blank lines say nothing.
func checkSpaced(t *testing.T, f *File) {
	t.Helper()
	text, err := yaml.Marshal(f.root)
	was, problem := Parse("f", text)
	if err != nil || problem != nil {
		return // the encoder's own faults
	}
	if now, problem := Parse("f", spaced(f.Src, f.root, text)); problem != nil || !now.Root().Equal(was.Root()) {
		t.Errorf("with blank lines it is another:\n%s", now.Src)
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{
		"", "a: b\n", merged, bomb(3), "\ufeffa: 1\r\nb: 2\r\n", "a:\n\tb: 1\n", "a: &x [*x]\n", "? [a]\n: b\n", "a: |-\n  x\n", "a: \"b\n  c\" # d\n",
		"a: !!binary x\nb: !t {c: d}\n", "<<: [{a: 1}, {b: 2}]\n", "a: 'it''s'\n", "- - - x\n", "%YAML 1.1\n---\na\n", "a: x\u2028b: c\n", "a: *b\n", "{a, b: }\n",
	} {
		f.Add(src)
	}
	files, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	f.Fuzz(checkParse)
}
