package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t testing.TB, src string) *File {
	t.Helper()
	f, problem := Parse("f", []byte(src))
	if problem != nil {
		t.Fatalf("%v in\n%s", problem, src)
	}
	return f
}

func TestAbsentValueAnswersWithNearestParent(t *testing.T) {
	f := parse(t, "a:\n  b: 1\n  list:\n    - x: 1\n    - y\nnone:\n")
	for _, tt := range []struct {
		path string
		want Pos
	}{
		{"zzz", Pos{"f", 1, 1}},
		{"a zzz", Pos{"f", 1, 1}},
		{"a zzz deeper still", Pos{"f", 1, 1}},
		{"a b zzz", Pos{"f", 2, 3}},
		{"a list 7", Pos{"f", 3, 3}},
		{"a list 0 zzz", Pos{"f", 4, 7}},
		{"a list x", Pos{"f", 3, 3}},
		{"a list -1", Pos{"f", 3, 3}},
		{"none zzz", Pos{"f", 6, 1}},
	} {
		path := strings.Fields(tt.path)
		v := f.At(path...)
		if v.Exists() || v.Set() || v.Kind() != Absent || v.Str() != "" || v.Len() != 0 || v.Items() != nil || v.Any() != nil {
			t.Errorf("%s exists", tt.path)
		}
		if v.Pos() != tt.want || v.KeyPos() != tt.want {
			t.Errorf("%s is at %v, want %v", tt.path, v.Pos(), tt.want)
		}
		if got := v.Path(); got != strings.Join(path, ".") || v.Name() != path[len(path)-1] {
			t.Errorf("%s has path %q and name %q", tt.path, got, v.Name())
		}
	}
}

func TestZeroValue(t *testing.T) {
	v := Value{}.At("a", "0")
	if _, ok := v.Bool(); ok || v.True() || v.IsString() || v.Plain() || v.Set() || v.File() != nil {
		t.Error("the zero value has content")
	}
	if v.Pos() != (Pos{}) || v.Site("n").Text() != "" {
		t.Error("the zero value has a place")
	}
	if _, ok := v.Int(); ok {
		t.Error("the zero value is a number")
	}
	for range v.Entries() {
		t.Error("the zero value has entries")
	}
	v.RawKeys()
}

func TestPositions(t *testing.T) {
	f := parse(t, "a:\n  b:   x\n  c: [p, q]\n")
	for _, tt := range []struct {
		v        Value
		pos, key Pos
	}{
		{f.At("a", "b"), Pos{"f", 2, 8}, Pos{"f", 2, 3}},
		{f.At("a", "c", "1"), Pos{"f", 3, 10}, Pos{"f", 3, 10}},
		{f.At("a"), Pos{"f", 2, 3}, Pos{"f", 1, 1}},
		{f.At("a", "c").Items()[0], Pos{"f", 3, 7}, Pos{"f", 3, 7}},
	} {
		if tt.v.Pos() != tt.pos || tt.v.KeyPos() != tt.key {
			t.Errorf("%s: %v and %v, want %v and %v", tt.v.Path(), tt.v.Pos(), tt.v.KeyPos(), tt.pos, tt.key)
		}
	}
	if s := f.At("a", "b").Site("note"); s.Pos != (Pos{"f", 2, 3}) || s.Text() != "  b:   x" || s.Note != "note" {
		t.Errorf("site %+v", s)
	}
}

const merged = `
base: &base {image: old, restart: always, env: {a: 1}}
more: &more {image: other, extra: yes}
one:
  <<: *base
  image: new
two:
  image: own
  <<: [*base, *more]
three: &three
  <<: *base
four: {<<: *three, image: 4}
quoted: {"<<": text}
`

func TestMergeKeys(t *testing.T) {
	f := parse(t, merged)
	for _, tt := range []struct{ path, want string }{
		{"one image", "new"},
		{"one restart", "always"},
		{"one env a", "1"},
		{"two image", "own"},
		{"two extra", "yes"},
		{"two restart", "always"},
		{"three image", "old"},
		{"four image", "4"},
		{"four restart", "always"},
		{"quoted <<", "text"},
		{"one <<", ""},
	} {
		if got := f.At(strings.Fields(tt.path)...).Str(); got != tt.want {
			t.Errorf("%s is %q, want %q", tt.path, got, tt.want)
		}
	}
	if got := f.At("one").Len(); got != 3 {
		t.Errorf("one has %d entries, want 3", got)
	}
	if got := f.At("one", "restart").Pos().Line; got != 2 {
		t.Errorf("a merged value is on line %d, want where it is written", got)
	}
	if got := f.At("one", "restart").Path(); got != "one.restart" {
		t.Errorf("a merged value has the path %q", got)
	}
}

func TestDuplicateKeys(t *testing.T) {
	v := parse(t, "a: 1\nb: 2\na: 3\n").Root()
	if got := v.At("a").Str(); got != "3" || v.Len() != 2 {
		t.Errorf("a is %s of %d entries; the last one wins", got, v.Len())
	}
	dups, merges, complexKeys := parse(t, "a: 1\n? [x]\n: 2\na: 3\n<<: {c: 4}\n? {y: z}\n: 5\n").Root().RawKeys()
	if len(dups) != 1 || dups[0].Key.Pos().Line != 4 || dups[0].First.Line != 1 {
		t.Errorf("duplicates %v", dups)
	}
	if len(merges) != 1 || len(complexKeys) != 2 {
		t.Errorf("%d merge keys and %d complex ones, want 1 and 2", len(merges), len(complexKeys))
	}
}

func TestComplexKeysStayApart(t *testing.T) {
	v := parse(t, "? [x]\n: 1\n? [y]\n: 2\n'': 3\n~: 4\n").Root()
	if v.Len() != 4 || v.At("").Str() != "3" {
		t.Errorf("%d entries, the empty key is %q", v.Len(), v.At("").Str())
	}
	if diff := cmp.Diff(map[string]any{"": 3}, v.Any()); diff != "" {
		t.Error(diff)
	}
	if !v.Equal(v) {
		t.Error("the value does not equal itself")
	}
}

func TestKinds(t *testing.T) {
	f := parse(t, "m: {}\nl: []\ns: x\nn:\nt: ~\ne: ''\na: &a [1]\nr: *a\n")
	for key, want := range map[string]Kind{"m": Mapping, "l": Sequence, "s": Scalar, "n": Null, "t": Null, "e": Scalar, "r": Sequence, "zzz": Absent} {
		v := f.At(key)
		if v.Kind() != want || v.Exists() != (want != Absent) || v.Set() != (want > Null) {
			t.Errorf("%s is %v, want %v", key, v.Kind(), want)
		}
	}
	if got := f.At("r", "0").Str(); got != "1" {
		t.Errorf("an alias was not followed: %q", got)
	}
}

func TestBool(t *testing.T) {
	for text, want := range map[string]string{
		"true": "true", "True": "true", "TRUE": "true", "yes": "true", "Yes": "true", "YES": "true", "on": "true", "On": "true", "ON": "true",
		"false": "false", "no": "false", "off": "false", "OFF": "false", "!!bool true": "true",
		"y": "", "n": "", "tRue": "", "yEs": "", "1": "", "0": "", "''": "", "~": "", "[true]": "", "\"yes\"": "", "'true'": "", "!!str yes": "", "|\n  yes": "",
	} {
		got := ""
		v := parse(t, "a: "+text+"\n").At("a")
		if b, ok := v.Bool(); ok && b {
			got = "true"
		} else if ok {
			got = "false"
		}
		if got != want || v.True() != (want == "true") {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

func TestInt(t *testing.T) {
	for text, want := range map[string]int{"8008": 8008, "-1": -1, "0x1f": 31, "0o17": 15, "+5": 5} {
		if got, ok := parse(t, "a: "+text+"\n").At("a").Int(); !ok || got != want {
			t.Errorf("%s is %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"'8008'", "1.5", "1e3", "x", "99999999999999999999", "[1]", "~", "!!int x"} {
		if got, ok := parse(t, "a: "+text+"\n").At("a").Int(); ok {
			t.Errorf("%s is the number %d", text, got)
		}
	}
}

func TestIsString(t *testing.T) {
	for text, want := range map[string]bool{
		"x": true, "'1'": true, "yes": true, "2026-11-23": true, "!!str 1": true, "|\n  1": true,
		"1": false, "1.5": false, "true": false, "~": false, "[x]": false, "!!timestamp 2026-11-23": false,
	} {
		if got := parse(t, "a: "+text+"\n").At("a").IsString(); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestAny(t *testing.T) {
	got := parse(t, "s: x\ni: 1\nf: 1.5\nb: true\ny: yes\nn: ~\nd: 2026-11-23\nl: [1, {a: b}]\nbin: !!binary aGk=\nbad: !!int x\n<<: {merged: 1}\n7: k\n").Root().Any()
	want := map[string]any{
		"s": "x", "i": 1, "f": 1.5, "b": true, "y": "yes", "n": nil, "d": "2026-11-23",
		"l": []any{1, map[string]any{"a": "b"}}, "bin": "aGk=", "bad": "x", "merged": 1, "7": "k",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"{a: 1, b: 2}", "b: 2 # comment\na: 1", true},
		{"'x'", "x", true},
		{"0x10", "16", true},
		{"True", "true", true},
		{"1.0", "1.00", true},
		{".nan", ".nan", true},
		{"[&a x, *a]", "[x, x]", true},
		{"{<<: {a: 1}}", "{a: 1}", true},
		{"~", "null", true},
		{"'1'", "1", false},
		{"[1, 2]", "[2, 1]", false},
		{"[1]", "[1, 2]", false},
		{"{a: 1}", "{a: 2}", false},
		{"{a: 1}", "{b: 1}", false},
		{"{a: ~}", "{b: ~}", false},
		{"{a: 1}", "[1]", false},
		{"x", "~", false},
		{"1", "2", false},
	} {
		a, b := parse(t, tt.a).Root(), parse(t, tt.b).Root()
		if a.Equal(b) != tt.want || b.Equal(a) != tt.want || !a.Equal(a) {
			t.Errorf("%s and %s: want %v", tt.a, tt.b, tt.want)
		}
	}
	if !(Value{}).Equal(Value{}) || (Value{}).Equal(parse(t, "~").Root()) {
		t.Error("an absent value equals only an absent one")
	}
}

// Whether a browser sends cookies along is nobody's secret.
func TestCredentialsModeIsOpen(t *testing.T) {
	f, _ := Parse("config.json", []byte(`{"corsCredentials": "include", "access_control_allow_credentials": "same-origin", "credentials": {"user": "zebra-word-of-anna"}}`))
	if f.At("corsCredentials").Secret() || f.At("access_control_allow_credentials").NamesSecret() {
		t.Error("a word of the Fetch standard is hidden")
	}
	if !f.At("credentials", "user").NamesSecret() {
		t.Error("credentials are shown")
	}
}
