package source

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mergeText(t *testing.T, base, over string) string {
	t.Helper()
	out, err := Merge([]byte(base), parse(t, over).Root())
	if err != nil {
		t.Fatalf("%v\nbase:\n%s\nover:\n%s", err, base, over)
	}
	return string(out)
}

func TestMerge(t *testing.T) {
	for _, tt := range []struct{ name, base, over, want string }{
		{"add", "a: 1\n", "b: x\n", "a: 1\nb: \"x\"\n"},
		{"replace", "a: 1\nb: 2\n", "a: 3\n", "a: 3\nb: 2\n"},
		{"nested", "a:\n  b: 1\n  c: {d: 2}\n", "a: {c: {e: 3}, f: {g: 4}}\n", "a:\n  b: 1\n  c:\n    d: 2\n    e: 3\n  f:\n    g: 4\n"},
		{"lists are replaced", "a:\n  - 1\n  - 2\n", "a: [3]\n", "a:\n  - 3\n"},
		{"mapping over scalar", "a: 1\n", "a: {b: 2}\n", "a:\n  b: 2\n"},
		{"scalar over mapping", "a: {b: 2}\n", "a: 1\n", "a: 1\n"},
		{"null", "a: 1\nb: 2\n", "a: ~\nc:\n", "a: null\nb: 2\nc: null\n"},
		{"into an empty mapping", "a: {}\n", "a: {b: 1}\n", "a:\n  b: 1\n"},
		{"an empty mapping stays", "a: {}\n", "a: {}\n", "a: {}\n"},
		{"into nothing", "a:\n", "a: {b: 1}\n", "a:\n  b: 1\n"},
		{
			"comments",
			"# about the file\n\n# above a\na: 1 # beside a\n# above b\nb: [1] # beside b\nc:\n  # within c\n  d: 1\n# at the end\n", "a: 2\nb: [2]\nc: {e: 1}\n",
			"# about the file\n\n# above a\na: 2 # beside a\n# above b\n# beside b\nb:\n  - 2\nc:\n  # within c\n  d: 1\n  e: 1\n# at the end\n",
		},
		{"a comment beside what becomes a list", "a: 1 # why\n", "a: [1]\n", "# why\na:\n  - 1\n"},
		{
			"words stay strings", "a: 1\n", "y: \"yes\"\nf: '1e3'\no: \"0123\"\nn: 'null'\nt: '12:30'\nd: '2026-11-23'\nplain: yes\n",
			"a: 1\n\"y\": \"yes\"\nf: \"1e3\"\no: \"0123\"\n\"n\": \"null\"\nt: \"12:30\"\nd: \"2026-11-23\"\nplain: \"yes\"\n",
		},
		{"other types stay", "a: 1\n", "i: 8008\nf: 1.5\nb: true\nx: 0x1f\nd: 2026-11-23\n", "a: 1\ni: 8008\nf: 1.5\nb: true\nx: 0x1f\nd: 2026-11-23\n"},
		{"keys", "a: 1\n", "on: 1\nyes: 2\n'7': 3\n7a: 4\na.b-c: 5\n/x: 6\n", "a: 1\n\"on\": 1\n\"yes\": 2\n\"7\": 3\n\"7a\": 4\na.b-c: 5\n\"/x\": 6\n"},
		{"quotes of the base stay", "a: 'yes'\nb: \"x\"\n", "c: 1\n", "a: 'yes'\nb: \"x\"\nc: 1\n"},
		{"block text", "a: 1\n", "a: |\n  x\n  y\n", "a: \"x\\ny\\n\"\n"},
		{"aliases of over are written out", "a: 1\n", "x: &x {y: 1}\nz: *x\nm: {<<: *x, y: 2, n: 3}\n", "a: 1\nx:\n  \"y\": 1\nz:\n  \"y\": 1\nm:\n  \"y\": 2\n  \"n\": 3\n"},
		{"duplicates of over", "a: 1\n", "b: {c: 1, c: 2}\n", "a: 1\nb:\n  c: 2\n"},
		{"an alias of the base is not changed with its anchor", "a: &x {p: 1}\nb: *x\n", "b: {q: 2}\n", "a: {p: 1}\nb:\n  p: 1\n  q: 2\n"},
		{"an anchor of the base is not changed with its alias", "a: &x {p: 1}\nb: *x\n", "a: {q: 2}\n", "a:\n  p: 1\n  q: 2\nb: {p: 1}\n"},
		{"merge keys of the base", "x: &x {p: {q: 1}}\na:\n  <<: *x\n", "a: {p: {r: 2}}\n", "x: {p: {q: 1}}\na:\n  p:\n    q: 1\n    r: 2\n"},
		{"Compose tags", "a: [1]\n", "a: !override [2]\nb: !reset null\n", "a: !override\n  - 2\nb: !reset null\n"},
		{"append", "a:\n  - 1\n  - 2 # two\nb: [x]\n", "+a: [3]\n+b: [y]\n", "a:\n  - 1\n  - 2 # two\n  - 3\nb: [x, \"y\"]\n"},
		{"append to nothing", "a: 1\nb:\nc: []\n", "+b: [x]\n+c: [y]\n+d: [z]\n", "a: 1\nb:\n  - \"x\"\nc:\n  - \"y\"\nd:\n  - \"z\"\n"},
		{"append mappings", "a: [{b: 1}]\n", "+a: [{c: [2]}]\n", "a:\n  - {b: 1}\n  - c:\n      - 2\n"},
		{"append below what is new", "a: {}\n", "a: {b: {+c: [1], d: 2}}\n", "a:\n  b:\n    c:\n      - 1\n    d: 2\n"},
		{"remove", "# a\na: 1\nb:\n  c: 1\n  # d\n  d: {e: 1}\n", "-a:\nb: {-d: }\n", "b:\n  c: 1\n"},
		{"remove all", "a:\n  b: 1\n", "a: {-b: }\n", "a: {}\n"},
		{"remove and write anew", "a: {b: 1, c: 2}\n", "-a: ~\na: {d: 3}\n", "a:\n  d: 3\n"},
		{"signs that are no operators", "a: 1\n", "b: {'+': 1, '-': 2, '- x': 3, '+49': 4}\n", "a: 1\nb:\n  \"+\": 1\n  \"-\": 2\n  \"- x\": 3\n  \"+49\": 4\n"},
		{
			"remove, and blank lines", "# the file\n\na: 1\n\n# of b\n# and more\nb:\n\n  c: 1\n\n\n  d: [1]\n\n  # e\n  e: |\n    x\n\n    # y\nf:\n  - 1\n\n  - g: 2\n\n    h: 3\n", "b: {c: 2, i: 3, -d: }\nf: [4]\nj: 5\n",
			"# the file\n\na: 1\n\n# of b\n# and more\nb:\n\n  c: 2\n\n  # e\n  e: |\n    x\n\n    # y\n  i: 3\nf:\n  - 4\nj: 5\n",
		},
		{"append, and blank lines between items", "a:\n  - 1\n\n  - b: 2\n\n    c: 3\n\n  # d\n  - d\n", "+a: [e]\n", "a:\n  - 1\n\n  - b: 2\n\n    c: 3\n\n  # d\n  - d\n  - \"e\"\n"},
		{"blank lines that belong to a text", "a: |+\n  x\n\nb: >\n  y\n\n  z\n\nc: \"p\n\n  q\"\n\nd: 1\n", "d: 2\n", "a: |+\n  x\n\nb: >\n  y\n\n  z\n\nc: \"p\\nq\"\n\nd: 2\n"},
		{"CRLF and BOM", "\ufeffa: 1\r\nb: 2\r\n", "a: 3\n", "a: 3\nb: 2\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := mergeText(t, tt.base, tt.over)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.HasPrefix(tt.name, "append") || strings.HasPrefix(tt.name, "remove") {
				return // these say what happens to what is there
			}
			if again := mergeText(t, got, tt.over); again != got {
				t.Errorf("merging twice changes it:\n%s", cmp.Diff(got, again))
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ base, over string }{
		"a list as base":      {"- a\n", "a: 1\n"},
		"a list to lay over":  {"a: 1\n", "- a\n"},
		"an empty base":       {"", "a: 1\n"},
		"nothing to lay over": {"a: 1\n", ""},
		"a broken base":       {"a: [", "a: 1\n"},
		"an endless base":     {"a: &a [*a]\n", "a: 1\n"},
	} {
		if out, err := Merge([]byte(tt.base), parse(t, tt.over).Root()); err == nil {
			t.Errorf("%s: got %q", name, out)
		}
	}
}

// Whatever does not fit is told at once, each with its place in what is laid over.
func TestMisfits(t *testing.T) {
	over := parse(t, "+a: x\n+b: [x]\n-c:\n-a: 1\nd: {-e: , f: {+g: 1}}\n")
	_, err := Merge([]byte("a: [1]\nb: {x: 1}\nd: {x: 1}\n"), over.Root())
	misfits, ok := errors.AsType[Misfits](err)
	if !ok {
		t.Fatal(err)
	}
	var got []string
	for _, m := range misfits {
		got = append(got, fmt.Sprintf("%d:%d %s", m.At.KeyPos().Line, m.At.KeyPos().Col, m.Message))
		if m.Fix == "" {
			t.Errorf("%s: no fix", m.Message)
		}
	}
	want := []string{
		"1:1 +a must be a list: its items are appended to the list a",
		"2:1 +b appends to b, which is no list in the rendered file",
		"3:1 -c removes c, which is not in the rendered file",
		"4:1 -a must have no value: it removes a with all that is below it",
		"5:5 d.-e removes e, which is not in the rendered file",
		"5:15 d.f.+g must be a list: its items are appended to the list g",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMergeLeavesOverAlone(t *testing.T) {
	over := parse(t, "a: &a {b: [x]}\nc: *a\n")
	before := over.Root().Any()
	if _, err := Merge([]byte("a: {b: 1}\n"), over.Root()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, over.Root().Any()); diff != "" {
		t.Error(diff)
	}
}

// What is merged means the same to both kinds of readers, whatever the text.
func TestMergedStringsAreReadBack(t *testing.T) {
	var pairs [][2]string
	for _, s := range randomTexts(1000) {
		out := mergeText(t, "a: 1\n", "k: "+Quote(s)+"\n")
		if got := parse(t, out).At("k"); got.Str() != s || !got.IsString() {
			t.Errorf("%q came back as %q from\n%s", s, got.Str(), out)
		}
		pairs = append(pairs, [2]string{s, strings.TrimPrefix(out, "a: 1\n")})
	}
	pythonYAML(t, pairs)
}

func TestMergedKeysAreReadBack(t *testing.T) {
	for _, s := range randomTexts(1000) {
		if len(s) > 900 {
			continue // longer than YAML allows for a key on one line
		}
		if op, _ := Operator(s); op != 0 {
			continue
		}
		out := mergeText(t, "a: 1\n", "m: {"+Quote(s)+": v}\n")
		if got := parse(t, out).At("m", s).Str(); got != "v" {
			t.Errorf("the key %q is lost in\n%s", s, out)
		}
	}
}
