package source

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// changes are what can be done to the value at a path.
var changes = map[string]func(v Value, arg string) []Edit{
	"become": Value.Become,
	"text":   Value.BecomeText,
	"with":   Value.With,
	"rename": Value.Renamed,
	"gone":   func(v Value, _ string) []Edit { return v.Gone() },
}

func TestChanges(t *testing.T) {
	for _, c := range []struct{ text, do, path, arg, want string }{
		{"a: 1 # c\nb: 2\n", "become", "a", "true", "a: true # c\nb: 2\n"},
		{"a:\n  b: 'x'  # c\n", "text", "a b", "it's", "a:\n  b: \"it's\"  # c\n"},
		{"a:\n  b: x\n", "text", "a b", "http://synapse:8008/", "a:\n  b: http://synapse:8008/\n"},
		{"a:\n  b: x\n", "text", "a b", "yes", "a:\n  b: \"yes\"\n"},
		{"a: 0123\n", "become", "a", `"0123"`, "a: \"0123\"\n"},
		// What is not there is put below its neighbours, with what leads to it.
		{"a:\n  b: 1 # c\n\n# d\nc: 2\n", "become", "a c", "true", "a:\n  b: 1 # c\n  c: true\n\n# d\nc: 2\n"},
		{"a:\n    b: 1\n    d:\n      - x\n      - y # z\nc: 2\n", "become", "a c", "true", "a:\n    b: 1\n    d:\n      - x\n      - y # z\n    c: true\nc: 2\n"},
		{"a: 1", "become", "b c d", "true", "a: 1\nb:\n  c:\n    d: true\n"},
		{"a:\n  x: |\n    one\n    two\n\nb: 1\n", "become", "a c", "true", "a:\n  x: |\n    one\n    two\n  c: true\n\nb: 1\n"},
		{"a:\n  - b: 1\n  - b: 2\n", "become", "a 0 c", "true", "a:\n  - b: 1\n    c: true\n  - b: 2\n"},
		{"a:\n  - {b: 1}\n", "become", "a 0 c", "true", "a:\n  - {b: 1, c: true}\n"},
		{"a: {}\n", "become", "a c d", "true", "a: {c: {d: true}}\n"},
		{"a:\nb: 1\n", "become", "a c", "true", "a:\n  c: true\nb: 1\n"},
		{"a: {b: [1, 2], c: \"}\"}\n", "become", "a d", "true", "a: {b: [1, 2], c: \"}\", d: true}\n"},
		{"{\n  \"a\": 1,\n  \"b\": {\"c\": [\"x\"]}\n}\n", "become", "d", "false", "{\n  \"a\": 1,\n  \"b\": {\"c\": [\"x\"]},\n  \"d\": false\n}\n"},
		{"{\"a\": {\"b\": 1}}", "become", "a b", "false", "{\"a\": {\"b\": false}}"},
		{"---\na: 1\n...\n", "become", "b", "2", "---\na: 1\nb: 2\n...\n"},
		// As the file has it: line breaks, a mark at its begin, none at its end.
		{"\ufeffa: 1\r\nb:\r\n  c: 2\r\n", "become", "b d", "x", "\ufeffa: 1\r\nb:\r\n  c: 2\r\n  d: x\r\n"},
		{"a: 1\nb:\n  c: 2", "become", "b d", "x", "a: 1\nb:\n  c: 2\n  d: x"},
		{"\ufeffa: ä🔑 # ü\n", "become", "a", "x", "\ufeffa: x # ü\n"},
		{"a: 1\nb: 2", "gone", "b", "", "a: 1"},
		{"a: 1\r\nb: 2 # c\r\nc: 3\r\n", "gone", "b", "", "a: 1\r\nc: 3\r\n"},
		{"a:\n  b:\n    c: 1\n    d: [\n      1]\n  e: 2\n", "gone", "a b", "", "a:\n  e: 2\n"},
		{"- a: 1\n  b: 2\n- c: 3\n", "gone", "0 a", "", "- b: 2\n- c: 3\n"},
		{"a:\n- x\n- y # z\n- z\n", "gone", "a 1", "", "a:\n- x\n- z\n"},
		{"a:\n  b: 1 # c\n", "rename", "a b", "d.e", "a:\n  d.e: 1 # c\n"},
		{"{\"b\": 1}", "rename", "b", "c", "{\"c\": 1}"},
		{"a:\n  - x # y\nb: 1\n", "with", "a", "z", "a:\n  - x # y\n  - z\nb: 1\n"},
		{"a: [x, \"y\"]\n", "with", "a", "z", "a: [x, \"y\", z]\n"},
		{"a: []\n", "with", "a", "z", "a: [z]\n"},
		{"a:\n  - b: 1\n    c: |\n      x\n", "with", "a", "{d: 1}", "a:\n  - b: 1\n    c: |\n      x\n  - {d: 1}\n"},
		{"b: 1\n", "with", "a", "z", "b: 1\na: [z]\n"},
		// Where it would be more than that, nothing is done.
		{"a: &x 1\nb: *x\n", "become", "a", "2", ""},
		{"a: &x 1\nb: *x\n", "become", "b", "2", ""},
		{"a: &x {b: 1}\nc:\n  <<: *x\n", "become", "c b", "2", ""},
		{"a: &x {b: 1}\nc: *x\n", "become", "c d", "2", ""},
		{"a: {b: 1}\n", "become", "a", "2", ""},
		{"a: 1\na: 2\n", "become", "a", "3", ""},
		{"a: x\n", "become", "a b", "3", ""},
		{"a:\n  b: 1\n", "gone", "a b", "", ""},
		{"a: {b: 1, c: 2}\n", "gone", "a b", "", ""},
		{"a: 1\nb: 2\n", "rename", "a", "b", ""},
		{"a: x\n", "with", "a", "z", ""},
		{"a: 1\n", "become", "a", "1", ""},
		{"a: 1\n", "become", "a", "[", ""},
	} {
		f, problem := Parse("f.yaml", []byte(c.text))
		if problem != nil {
			t.Fatal(c.text, problem)
		}
		edits := changes[c.do](f.At(strings.Fields(c.path)...), c.arg)
		if len(edits) == 0 {
			if c.want != "" {
				t.Errorf("%q: %s %s is not done", c.text, c.do, c.path)
			}
			continue
		}
		got, err := Apply(f.Src, edits)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%q: %s %s:\n%s", c.text, c.do, c.path, diff)
		}
		// The places say the same as the bytes.
		for _, e := range edits {
			for at, p := range map[int]Pos{e.Start: e.From, e.End: e.To} {
				lines := strings.SplitAfter(strings.TrimPrefix(c.text, "\ufeff"), "\n")
				before := len(c.text) - len(strings.TrimPrefix(c.text, "\ufeff")) + len(strings.Join(lines[:p.Line-1], "")) + len(string([]rune(lines[p.Line-1])[:p.Col-1]))
				if before != at {
					t.Errorf("%q: byte %d is said to be at %v", c.text, at, p)
				}
			}
		}
	}
}

func TestApply(t *testing.T) {
	f, _ := Parse("f.yaml", []byte("a: 1\nb: 2\nc: 3\n"))
	a, b := f.At("a").Become("10"), f.At("b").Gone()
	got, err := Apply(f.Src, append(b, a...))
	if err != nil || string(got) != "a: 10\nc: 3\n" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := Apply([]byte("a: 1\n"), a); !errors.Is(err, ErrOther) {
		t.Errorf("made in another file: %v", err)
	}
	if _, err := Apply(f.Src, append(f.At("b").Become("3"), b...)); !errors.Is(err, ErrOverlap) {
		t.Errorf("two at one place: %v", err)
	}
	if !a[0].Meets(a[0]) || a[0].Meets(b[0]) {
		t.Error("which edits meet")
	}
}

// FuzzChanges: what is changed is read back with that change and no other, and every byte that no edit covers is as it was.
func FuzzChanges(f *testing.F) {
	f.Add("a: 1\nb:\n  - {c: 'x', d: [1]} # e\n", "true")
	f.Add("\ufeffa: &x |-\r\n  one\r\n\r\nb: *x\r\n", "{a: b}")
	f.Add("{\"a\": {\"b\": null},\n \"c\": []}", `"x"`)
	f.Add("- a:\n    b: >+\n      x\n- \"é\" : 'it''s'\n...\n", "x y")
	f.Fuzz(func(t *testing.T, text, arg string) {
		file, problem := Parse("f", []byte(text))
		if problem != nil || len(text) > 2000 || !utf8.ValidString(arg) {
			t.Skip()
		}
		left := 40
		var walk func(v Value)
		walk = func(v Value) {
			if left--; left < 0 {
				return
			}
			for name, do := range changes {
				for _, at := range []Value{v, v.At("new"), v.At("new", "er")} {
					edits := do(at, arg)
					if len(edits) == 0 {
						continue
					}
					got, err := Apply(file.Src, edits)
					if err != nil {
						t.Fatalf("%s of %s in %q: %v", name, at.Path(), text, err)
					}
					after, problem := Parse("f", got)
					if problem != nil {
						t.Fatalf("%s of %s makes %q of %q", name, at.Path(), got, text)
					}
					if now := after.At(at.Keys()...); name == "become" && !now.Equal(meant(arg)) || name == "text" && now.Str() != arg {
						t.Fatalf("%s of %s makes %q of %q", name, at.Path(), got, text)
					}
				}
			}
			for _, val := range v.Entries() {
				walk(val)
			}
			for _, item := range v.Items() {
				walk(item)
			}
		}
		walk(file.Root())
	})
}
