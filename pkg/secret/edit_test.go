package secret

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

const fakePEM = "-----BEGIN FAKE-----\nAAAA\nBB==\n-----END FAKE-----\n"

func TestEdit(t *testing.T) {
	tests := map[string]struct{ text, name, value, want string }{
		"empty file":              {"", "a.b", "x", header + "a.b: \"x\"\n"},
		"blank file":              {"\n", "a.b", "x", header + "\na.b: \"x\"\n"},
		"append":                  {"# top\na.b: one # why\n# end\n", "a.c", "x", "# top\na.b: one # why\n# end\na.c: \"x\"\n"},
		"append to an open line":  {"a.b: one", "a.c", "x", "a.b: one\na.c: \"x\"\n"},
		"append with CRLF":        {"a.b: one\r\n", "a.c", "x", "a.b: one\r\na.c: \"x\"\r\n"},
		"append indented":         {"  a.b: one\n", "a.c", fakePEM, "  a.b: one\n  a.c: |\n    -----BEGIN FAKE-----\n    AAAA\n    BB==\n    -----END FAKE-----\n"},
		"append before the end":   {"---\na.b: one\n...\n# after\n", "a.c", "x", "---\na.b: one\na.c: \"x\"\n...\n# after\n"},
		"append after comments":   {"# only\n", "a.c", "x", "# only\na.c: \"x\"\n"},
		"append a strange name":   {"a.b: one\n", "a: b", "x", "a.b: one\n\"a: b\": \"x\"\n"},
		"append after a kept end": {"a.b: |+\n  one\n\n", "a.c", "x", "a.b: |+\n  one\n\na.c: \"x\"\n"},
		"byte order mark":         {"\ufeffa.b: one\n", "a.b", "x", "\ufeffa.b: \"x\"\n"},
		"plain":                   {"a.b: one   # why\na.c: two\n", "a.b", "x", "a.b: \"x\"   # why\na.c: two\n"},
		"plain with a hash":       {"a.b: one#two\na.c: two\n", "a.b", "x", "a.b: \"x\"\na.c: two\n"},
		"plain on many lines":     {"a.b: one\n  two\n\n  three # why\n\n# c\na.c: two\n", "a.b", "x", "a.b: \"x\" # why\n\n# c\na.c: two\n"},
		"plain, indented comment": {"a.b: one\n  # mine\na.c: two\n", "a.b", "x", "a.b: \"x\"\n  # mine\na.c: two\n"},
		"double":                  {"a.b: \"o\\\"ne\\\\\"  # why\na.c: two\n", "a.b", "x", "a.b: \"x\"  # why\na.c: two\n"},
		"double on two lines":     {"a.b: \"one\n\n  two\" # why\na.c: two\n", "a.b", "x", "a.b: \"x\" # why\na.c: two\n"},
		"single":                  {"a.b: 'it''s # not' # why\na.c: two\n", "a.b", "x", "a.b: \"x\" # why\na.c: two\n"},
		"literal":                 {"a.b: | # why\n  one\n\n   two\n\n# c\na.c: two\n", "a.b", "x", "a.b: \"x\" # why\n\n# c\na.c: two\n"},
		"literal with an indent":  {"a.b: |1-\n   one\n  two\n # c\na.c: two\n", "a.b", "x", "a.b: \"x\"\na.c: two\n"},
		"literal, inner comment":  {"a.b: |\n    one\n  # c\na.c: two\n", "a.b", "x", "a.b: \"x\"\n  # c\na.c: two\n"},
		"folded":                  {"a.b: >-\n  one\n  two\na.c: two\n", "a.b", "x", "a.b: \"x\"\na.c: two\n"},
		"empty literal":           {"a.b: |\na.c: two\n", "a.b", "x", "a.b: \"x\"\na.c: two\n"},
		"value on the next line":  {"a.b: # why\n  one\na.c: two\n", "a.b", "x", "a.b: # why\n  \"x\"\na.c: two\n"},
		"nothing yet":             {"a.b: # why\na.c: two\n", "a.b", "x", "a.b: \"x\" # why\na.c: two\n"},
		"nothing at the end":      {"a.b:", "a.b", "x", "a.b: \"x\""},
		"null":                    {"a.b: ~ # why\n", "a.b", "x", "a.b: \"x\" # why\n"},
		"tagged":                  {"a.b: !!str 012 # why\n", "a.b", "x", "a.b: \"x\" # why\n"},
		"anchored":                {"a.b: &x  one\n", "a.b", "x", "a.b: \"x\"\n"},
		"quoted name":             {"\"a.b\" : one\n", "a.b", "x", "\"a.b\" : \"x\"\n"},
		"wide characters":         {"# ä🔑\n\"ä.🔑\": \"🔑\" # ü\na.c: two\n", "ä.🔑", "x", "# ä🔑\n\"ä.🔑\": \"x\" # ü\na.c: two\n"},
		"key in":                  {"a.b: one # why\na.c: two\n", "a.b", fakePEM, "a.b: | # why\n  -----BEGIN FAKE-----\n  AAAA\n  BB==\n  -----END FAKE-----\na.c: two\n"},
		"key in at the end":       {"a.b: one", "a.b", fakePEM, "a.b: |\n  -----BEGIN FAKE-----\n  AAAA\n  BB==\n  -----END FAKE-----\n"},
		"key without last break":  {"a.b: one\n", "a.b", strings.TrimSuffix(fakePEM, "\n"), "a.b: |-\n  -----BEGIN FAKE-----\n  AAAA\n  BB==\n  -----END FAKE-----\n"},
		"key with CRLF inside":    {"a.b: one\n", "a.b", "-----BEGIN FAKE-----\r\nA\r\n", "a.b: \"-----BEGIN FAKE-----\\x0d\\nA\\x0d\\n\"\n"},
		"key in a CRLF file":      {"a.b: one\r\n", "a.b", fakePEM, "a.b: |\r\n  -----BEGIN FAKE-----\r\n  AAAA\r\n  BB==\r\n  -----END FAKE-----\r\n"},
		"number":                  {"a.b: 1\n", "a.b", "007", "a.b: \"007\"\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := edit([]byte(test.text), []entry{{test.name, test.value}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"flow mapping":   "{a.b: one}\n",
		"scalar":         "one\n",
		"list":           "- one\n",
		"nested":         "a.c:\n  d: one\n",
		"flow value":     "a.c: {d: one}\n",
		"used elsewhere": "a.c: &x one\na.d: *x\n",
		"duplicate":      "a.b: one\na.b: two\n",
		"merge":          "<<: {a.b: one}\n",
		"explicit null":  "null\n",
		"broken":         "a: [\n",
		"long name":      "? a.c\n",
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := edit([]byte(text), []entry{{"a.c", "x"}}); err == nil {
				t.Errorf("edit gave %q", out)
			}
		})
	}
}

// TestEditProperty builds files in the layouts that people write, where every edit must succeed.
func TestEditProperty(t *testing.T) {
	layouts := []string{
		"%s: one\n", "%s: 'o''ne' # why\n", "%s: \"o\\nne\"\n", "%s:   one two   # why\n", "%s: |\n  one\n  two\n", "%s: >-\n  one\n\n",
		"%s: 12345\n", "%s: |-\n    -----BEGIN FAKE-----\n    AAAA\n", "\"%s\": ünï 🔑 # ü\n", "%s: one\n  two\n",
	}
	between := []string{"", "", "\n", "# a comment: \"x\"\n", "\n# smtp.password: old\n\n"}
	values := []string{
		"x", "yes", "007", "1e3", "null", "~", "", "a: b", "# no", "'", `"`, `\`, "$x ${y} $$", " lead", "trail ", "\ttab", "a\nb", "a\r\nb\r", "\n", "🔑",
		"\u0085\u2028\u2029\ufeff", "\x7f\x01", "{a}", "[b", "*c", "&d", "!e", "%f", "@g", "`h", "- i", "? j", "|", ">", "---", "...", "<<",
		fakePEM, strings.Repeat("long value ", 1000), "-----BEGIN FAKE-----\n\n A\n", "-----BEGIN \n",
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var parts, keys []string
		for i := range 1 + r.IntN(5) {
			key := fmt.Sprintf("n%d.key", i)
			keys = append(keys, key)
			parts = append(parts, between[r.IntN(len(between))], fmt.Sprintf(layouts[r.IntN(len(layouts))], key))
		}
		text := strings.Join(append(parts, between[r.IntN(len(between))]), "")
		if r.IntN(4) == 0 {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		name := append(keys, "new.key")[r.IntN(len(keys)+1)]
		checkEdit(t, text, name, values[r.IntN(len(values))], true)
	}
}

// FuzzEdit: whatever edit does not refuse is read back, and every byte outside the entry is as before.
func FuzzEdit(f *testing.F) {
	f.Add("", "a.b", "x")
	f.Add("# c\na.b: one # why\n\na.c: |\n  two\n# end", "a.b", fakePEM)
	f.Add("a.b: 'it''s'\na.c: \"o\\\"ne\n two\"\n", "a.c", "#: $\n")
	f.Add("---\r\na.b:\r\n  &x !!str one\r\n...\r\n", "a.b", "yes")
	f.Add("\ufeffa.b: >2-\n   one\n # c\n", "n", "\u2028")
	f.Fuzz(func(t *testing.T, text, name, value string) {
		if checkName(name) != nil || checkText(value) != nil {
			t.Skip()
		}
		checkEdit(t, text, name, value, false)
	})
}

func checkEdit(t *testing.T, text, name, value string, must bool) {
	t.Helper()
	got, err := edit([]byte(text), []entry{{name, value}})
	if err != nil {
		if must {
			t.Fatalf("edit %s in %q: %v", name, text, err)
		}
		return
	}
	if must && strings.Count(text, "\n#") > strings.Count(string(got), "\n#") {
		t.Fatalf("%q became %q: a comment is gone", text, got)
	}
	before, _ := source.Parse("", []byte(text))
	after, problems := finding.Parse("", got)
	if v := after.At(name); len(problems) > 0 || !v.IsString() || v.Str() != value {
		t.Fatalf("not read back from %q", got)
	}
	for k, v := range before.Root().Entries() {
		if k.Str() != name && !v.Equal(after.At(k.Str())) {
			t.Fatalf("%q changed in %q", k.Str(), got)
		}
	}
	outside(t, before, name, string(got))
}

// outside finds the entry without the code under test: its bytes are between its key and the next key.
func outside(t *testing.T, before *source.File, name, got string) {
	t.Helper()
	text := string(before.Src)
	body := strings.TrimPrefix(text, "\ufeff")
	var head, tail string
	if before.At(name).Exists() {
		at, ok := offset(body, before.At(name).KeyPos())
		if !ok {
			t.Fatal("the key has no place")
		}
		head = body[:at]
		for k := range before.Root().Entries() {
			if next, ok := offset(body, k.Pos()); ok && next > at && (tail == "" || len(body)-next > len(tail)) {
				tail = body[next:]
			}
		}
	} else if i := regexp.MustCompile("(?:^|[\r\n\u0085\u2028\u2029])\\.\\.\\.(?:[ \t\r\n\u0085\u2028\u2029]|$)").FindStringIndex(body); i != nil {
		head, tail = body[:i[0]], body[i[1]:]
	} else if strings.TrimSpace(body) != "" {
		head = body
	}
	if !strings.HasPrefix(strings.TrimPrefix(got, "\ufeff"), head) || !strings.HasSuffix(got, tail) {
		t.Fatalf("%q became %q: bytes outside the entry changed", text, got)
	}
}

// yamlBreak is what ends a line in YAML 1.1, which the reader counts by.
var yamlBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// offset is the byte of a text at a place.
func offset(text string, p source.Pos) (int, bool) {
	starts := []int{0}
	for _, m := range yamlBreak.FindAllStringIndex(text, -1) {
		starts = append(starts, m[1])
	}
	if p.Line < 1 || p.Line > len(starts) {
		return 0, false
	}
	at := starts[p.Line-1]
	line := []rune(text[at:])
	if p.Col-1 > len(line) {
		return 0, false
	}
	return at + len(string(line[:p.Col-1])), true
}
