package source

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// awkward are texts that some reader or writer of YAML is known to stumble over.
var awkward = []string{
	"", " ", "a", "yes", "no", "on", "y", "null", "~", "1", "1e3", "0123", "0x1f", "1_000", "12:30:45", "2026-11-23", ".inf", "=", "<<",
	"- a", "a: b", "a #b", "#a", "!a", "&a", "*a", "@a", "`a", "%a", "---", "...", "{a", "[a", "\"", "'", "\\", "\\n", "\\x41",
	"\n", "\r", "\r\n", "\t", " a ", "a\n", "\na", "a\n\n b", "\x00", "\x01", "\x07", "\x1b[31m", "\x7f", "\u0080", "\u0085", "\u009b", "\u00a0",
	"\u2028", "\u2029", "\ufeff", "a\ufeffb", "\ufffd", "\ufffe", "\uffff", "\ufdd0", "\ud7ff", "\ue000", "\U0001f600", "\U0001fffe", "\U0010ffff",
	"日本語", "e\u0301", "\u202e", "\u200d", "👩‍👩‍👧", "$HOME", "$$", "{{ x }}", "${X:-y}", strings.Repeat("long ", 300),
}

func randomText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		switch r.IntN(4) {
		case 0:
			b.WriteString(awkward[r.IntN(len(awkward)-1)])
		case 1:
			b.WriteRune(rune(r.IntN(0x100)))
		case 2:
			b.WriteRune(rune(r.IntN(0x3000)))
		default:
			if c := rune(r.IntN(utf8.MaxRune + 1)); utf8.ValidRune(c) {
				b.WriteRune(c)
			}
		}
	}
	return b.String()
}

func randomTexts(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	texts := slices.Clone(awkward)
	for range n {
		texts = append(texts, randomText(r))
	}
	return texts
}

func checkQuote(t *testing.T, s string) {
	t.Helper()
	q := Quote(s)
	if strings.ContainsAny(q, "\n\r\u0085\u2028\u2029") {
		t.Errorf("%q is quoted over several lines: %q", s, q)
	}
	var got struct {
		Key yaml.Node
		In  []any
	}
	if err := yaml.Unmarshal([]byte("key: "+q+" # comment\nin: ["+q+", {k: "+q+"}]\n"), &got); err != nil {
		t.Fatalf("%q as %s: %v", s, q, err)
	}
	if got.Key.Value != s || got.Key.ShortTag() != "!!str" || got.In[0] != s || got.In[1].(map[string]any)["k"] != s {
		t.Errorf("%q as %s came back as %q", s, q, got.Key.Value)
	}
}

func TestQuoteIsReadBack(t *testing.T) {
	for _, s := range randomTexts(5000) {
		checkQuote(t, s)
	}
}

func TestQuoteStaysReadable(t *testing.T) {
	for s, want := range map[string]string{
		"plain": `"plain"`, "a\"b\\c": `"a\"b\\c"`, "a\n\tb": `"a\n\tb"`, "Zoë 日本": `"Zoë 日本"`, "\x1b\u2028": `"\x1b\u2028"`, "/": `"/"`,
	} {
		if got := Quote(s); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range awkward {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if utf8.ValidString(s) {
			checkQuote(t, s)
		}
	})
}

const readBack = `
import json, sys, yaml
want = json.load(sys.stdin)
for text, doc in want:
    got = yaml.safe_load(doc)
    if got != {"k": text}:
        print("%r came back from %r as %r" % (text, doc, got))
`

// pythonYAML hands pairs of text and document to PyYAML, which must read {k: text} from each.
func pythonYAML(t *testing.T, pairs [][2]string) {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import yaml").Run(); err != nil {
		t.Skipf("PyYAML is not here: %v", err)
	}
	in, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-c", readBack)
	cmd.Stdin = strings.NewReader(string(in))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out[:min(len(out), 4000)])
	}
}

func TestQuoteIsReadBackByPython(t *testing.T) {
	var pairs [][2]string
	for _, s := range randomTexts(2000) {
		pairs = append(pairs, [2]string{s, "k: " + Quote(s) + "\n"})
	}
	pythonYAML(t, pairs)
}
