package shell

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/output"
)

// hostile are words that one program or another does not take as they stand.
var hostile = []string{
	"##[error]x", "a##vso[task.complete]", "##[it's", "#", "a\n##[x]", `a\';touch PWNED;'`, `\';touch PWNED;\'`, `\'`, `'\`, `a\`, "50%", "%H %n", "a%b'c", "=ls", "!!", "^x^y", "~root", "a{b,c}", "*", "[a]",
	"a\x1b[2Jb", "{x}", "x y", `a"b`, "$HOME", "`x`", "--%", "@x", "Ü b",
}

// What is printed goes through output.Clean: the word that a person copies is the word that was meant.
func TestWordIsClean(t *testing.T) {
	for _, s := range hostile {
		if word := Word(s); output.Clean(word) != word {
			t.Errorf("%q: the word %s is printed as %s", s, word, output.Clean(word))
		}
		bash, err := exec.LookPath("bash")
		if err != nil {
			t.Log("not checked: no bash here")
			return
		}
		if got, err := exec.CommandContext(t.Context(), bash, "-c", `printf %s `+output.Clean(Word(s))).Output(); err != nil || string(got) != s {
			t.Errorf("%q is %q to bash: %v", s, got, err)
		}
	}
}

// The login shells that people use beside bash take the word as it is; what one of them cannot read, it refuses as a
// whole.
func TestOtherShells(t *testing.T) {
	for _, name := range []string{"zsh", "fish"} {
		t.Run(name, func(t *testing.T) {
			sh, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("skipped: no %s here", name)
			}
			for _, s := range hostile {
				dir := t.TempDir()
				cmd := exec.CommandContext(t.Context(), sh, "-c", "printf %s "+Word(s))
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
				got, err := cmd.Output()
				if _, there := os.Stat(filepath.Join(dir, "PWNED")); there == nil {
					t.Errorf("%q: a part of %s ran", s, Word(s))
				}
				refused := name == "fish" && len(got) == 0 && (strings.HasPrefix(Word(s), "$'") || strings.Contains(s, `\`))
				if string(got) != s && !refused {
					t.Errorf("%q is %q: %v", s, got, err)
				}
			}
		})
	}
}

// crontab is the command that cron hands to the shell, and what it hands it to read: vixie-cron's and cronie's
// do_command.c, which differ in what they make of a doubled backslash.
func crontab(line string, doubled bool) (command, stdin string) {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line) && (line[i+1] == '%' || doubled && line[i+1] == '\\'):
			i++
			b.WriteByte(line[i])
		case c == '\\' && i+1 < len(line):
			b.WriteString(line[i : i+2])
			i++
		case c == '%':
			return b.String(), line[i+1:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

func TestCronWord(t *testing.T) {
	for _, s := range append(hostile, "/srv/100%/matrix", "%", "/a b%c/d%e") {
		if strings.Contains(s, `\`) || strings.HasPrefix(Word(s), "$") {
			continue // cron's shell may not know the form
		}
		for _, doubled := range []bool{false, true} {
			command, stdin := crontab("printf "+`'\%s' `+CronWord(s), doubled)
			got, err := exec.CommandContext(t.Context(), "sh", "-c", command).Output()
			if err != nil || string(got) != s || stdin != "" {
				t.Errorf("%q is %q in a crontab, and %q is left: %v", s, got, stdin, err)
			}
		}
	}
}
