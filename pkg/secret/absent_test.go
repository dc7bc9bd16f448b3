package secret

import (
	"strings"
	"testing"
)

// A program that ends because a file is not there says so where nobody sees it: the file is named.
func TestAbsentFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "secrets.age", "x")
	for name, c := range map[string]struct {
		argv []string
		want string
	}{
		"age":           {[]string{"false", "-d", "-i", "keys/me.txt", "secrets.age"}, "ended with status 1; there is no file keys/me.txt"},
		"sops":          {[]string{"false", "decrypt", "secrets.enc.yaml"}, "ended with status 1; there is no file secrets.enc.yaml"},
		"home":          {[]string{"false", "-i", "~/.age/key", "secrets.age"}, "ended with status 1; there is no file '~/.age/key', for without a shell ~ stands for nothing"},
		"two":           {[]string{"false", "/nonexistent/a", "./b"}, "ended with status 1; there is no file /nonexistent/a and no ./b"},
		"entry of pass": {[]string{"false", "show", "matrix/telegram"}, "ended with status 1"},
		"output":        {[]string{"false", "-o", "new.age"}, "ended with status 1"},
		"a token":       {[]string{"false", "--token", "fake.header.zebra"}, "ended with status 1"},
		"random":        {[]string{"false", "/tok3nFAKE0000zebraQ7x8y9"}, "ended with status 1"},
		"a URL":         {[]string{"false", "https://vault.example.org/v1/x"}, "ended with status 1"},
		"all there":     {[]string{"false", "secrets.age"}, "ended with status 1"},
		"not installed": {[]string{"no-such-program", "missing.txt"}, "is not installed"},
	} {
		for _, from := range []bool{false, true} {
			src := Sources{Path: dir + "/secrets.yaml", Dir: dir, Run: runProgram, Command: c.argv}
			if from {
				src.Command, src.From = nil, map[string]From{testNeeds()[0].Name: {Command: c.argv}}
			}
			_, findings := Load(t.Context(), src, testNeeds())
			if len(findings) != 1 || !strings.HasSuffix(findings[0].Message, "` "+c.want) {
				t.Errorf("%s: %v", name, texts(findings, dir))
			}
		}
	}
}
