package shell

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"unicode"
)

// A real shell gives back every word as it was, however hostile, and does nothing else.
func TestWord(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh here")
	}
	parts := []string{"a", "-", "--", "/", ".", "~", "=", " ", "\t", "\n", "'", `"`, "`", "$", "$(x)", "${X}", ";", "&", "|", "<", ">", "(", ")", "{", "}", "[", "]", "*", "?", "!", "#", "##[", "%", "^", `\`, ",", ":", "@", "+", "ü", "\u202e", "\u2028", "\u00a0", "\x01", "\x1b", "\x7f"}
	r := rand.New(rand.NewPCG(1, 2))
	var words []string
	words = append(words, "", "x", "it's", "/srv/matrix", "-rf", "FOO=bar", "if")
	for range 2000 {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		words = append(words, b.String())
	}
	printed := func(shell string) []string {
		out, err := exec.CommandContext(t.Context(), shell, "-c", `printf '%s\0' `+Words(words...)).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(bytes.TrimSuffix(out, []byte{0})), "\x00")
	}
	got := printed(sh)
	if len(got) != len(words) {
		t.Fatalf("%d words came back as %d", len(words), len(got))
	}
	bash, err := exec.LookPath("bash")
	if err == nil {
		for i, text := range printed(bash) {
			if strings.HasPrefix(Word(words[i]), "$") { // sh may not know the form
				got[i] = text
			}
		}
	}
	for i, want := range words {
		word := Word(want)
		if got[i] != want && (bash != "" || !strings.HasPrefix(word, "$")) {
			t.Fatalf("%q came back as %q from %s", want, got[i], word)
		}
		if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q is printed as it is: %q", want, word)
		}
	}
	for want, s := range map[string]string{"/srv/a-b_c.d": "/srv/a-b_c.d", "./-rf": "-rf", "'a b'": "a b", "''": ""} {
		if got := Path(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}
