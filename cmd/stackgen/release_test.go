package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// TestMan holds the man page that releases bring against the commands as they are.
func TestMan(t *testing.T) {
	parser, err := newParser(&cli{}, os.Stdout, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	held(t, "stackgen.1", manPage(parser.Model))
}

// TestCompletions does the same for the scripts that turn completion on, wherever the program is installed.
func TestCompletions(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out, talk bytes.Buffer
		if code := run(t.Context(), []string{"completion", "--code", shell}, strings.NewReader(""), &out, &talk); code != 0 || !bytes.Contains(out.Bytes(), []byte(self)) {
			t.Fatalf("exit %d: %s%s", code, &out, &talk)
		}
		held(t, "stackgen."+shell, bytes.ReplaceAll(out.Bytes(), []byte(self), []byte("stackgen")))
	}
}

// held compares a file of the folder release, and with -update writes it.
func held(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("../../release", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update accepts it):\n%s", path, diff)
	}
}

// manPage is the help of all commands as a page for man, in the macros of man(7).
func manPage(app *kong.Application) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH STACKGEN 1 \"\" stackgen \"User Commands\"\n.SH NAME\n%s \\- one spec becomes every file of a Matrix stack\n", app.Name)
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I command\n.RI [ flags ]\n.SH DESCRIPTION\n%s\n.SH COMMANDS\n", app.Name, roff(app.Help))
	for _, leaf := range app.Leaves(true) {
		manCommand(&b, app.Name, leaf)
	}
	b.WriteString(".SH OPTIONS\nEvery command has these.\n")
	manFlags(&b, app.Flags)
	b.WriteString(".SH EXIT STATUS\n")
	for _, e := range []struct {
		code int
		text string
	}{
		{exitClean, "There is nothing to say."},
		{exitFindings, "There are findings, differences, or files that were edited by hand."},
		{exitUsage, "The command line is wrong."},
		{exitFailed, "It could not finish: a file cannot be read or written."},
	} {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", e.code, e.text)
	}
	b.WriteString(".SH ENVIRONMENT\n.TP\n.BI STACKGEN_SECRET_ NAME\nThe value of a secret; it goes before all other places.\n" +
		".TP\n.B NO_COLOR\nNo colours, unless\n.B \\-\\-color\nsays otherwise.\n")
	return b.Bytes()
}

func manCommand(b *bytes.Buffer, app string, n *kong.Node) {
	fmt.Fprintf(b, ".SS %s %s", app, commandPath(n))
	for _, arg := range n.Positional {
		b.WriteString(" " + roff(arg.Summary()))
	}
	fmt.Fprintf(b, "\n%s\n", roff(n.Help))
	text, example, _ := strings.Cut(n.Detail, "Example:\n")
	if text = strings.TrimSpace(text); text != "" {
		fmt.Fprintf(b, ".PP\n%s\n", roff(text))
	}
	for _, arg := range n.Positional {
		fmt.Fprintf(b, ".TP\n.I %s\n%s\n", roff(arg.Name), roff(arg.Help))
	}
	manFlags(b, n.Flags)
	if example = strings.Trim(example, "\n"); example != "" {
		fmt.Fprintf(b, ".PP\n.EX\n%s\n.EE\n", roff(example))
	}
}

func manFlags(b *bytes.Buffer, flags []*kong.Flag) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		if f.Short != 0 {
			name = fmt.Sprintf("-%c, %s", f.Short, name)
		}
		if !f.IsBool() {
			name += "=" + f.FormatPlaceHolder()
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(name), roff(f.Help))
	}
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", `\[u2026]`, "→", `\[->]`)

// roff escapes a text: no line of it begins a macro.
func roff(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = roffEscapes.Replace(line); strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		lines = append(lines, line)
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), "\n\n", "\n.PP\n")
}
