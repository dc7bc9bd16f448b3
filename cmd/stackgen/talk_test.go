package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// hostileName is a directory that gives commands to a CI runner and to a terminal.
const hostileName = "x\n::error::owned\n##[error]owned\x1b[2J\u009b2J\u202e\u2028"

// No command prints a name so that it acts, on stdout or stderr, in no format.
func TestHostileNames(t *testing.T) {
	spec, err := os.ReadFile(filepath.Join("..", "..", "examples", "minimal", "stack.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	dir := hostileName
	for _, sub := range []string{"", "/out", "/file"} {
		if err := os.MkdirAll(dir+sub, 0o755); err != nil {
			t.Skipf("this file system has no such names: %v", err)
		}
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(dir+"/stack.yaml", string(spec))
	write(dir+"/bad.yaml", "version: 1\n\"a\\u009b\\u202e\\n::error::owned\": {}\n")
	write(dir+"/plain", "")
	write(dir+"/file/compose.yaml", "services:\n  web:\n    image: nginx\n    labels:\n      traefik.enable: \"true\"\n      \"traefik.http.routers.a\\u009b\\u202e\\n::error::x.rule\": \"Host(`h.example`) && PathPrefix(`/\\u202e\\u009b`)\"\n")
	s, out := dir+"/stack.yaml", dir+"/out"
	for _, args := range [][]string{
		{dir},
		{"--" + dir},
		{"check", dir, dir},
		{"render", "--format", dir},
		{"init", dir},
		{"init", dir},
		{"render", s, "-o", out},
		{"render", s, "-o", out},
		{"render", s, "-o", out, "--format", "json"},
		{"render", s, "-o", dir + "/plain"},
		{"render", dir + "/bad.yaml", "-o", out},
		{"render", dir + "/none.yaml"},
		{"render", s, s, "-o", out},
		{"validate", s},
		{"validate", s, dir + "/bad.yaml", "--format", "json"},
		{"validate", dir + "/bad.yaml"},
		{"validate", dir + "/bad.yaml", "--format", "markdown"},
		{"diff", s, "-o", out},
		{"diff", s, "-o", dir + "/new", "--format", "json"},
		{"diff", s, "--base", dir},
		{"diff", s, "-o", dir + "/new", "--format", "markdown"},
		{"check", dir},
		{"check", dir + "/file"},
		{"check", dir + "/file", "--format", "json"},
		{"check", dir + "/file", "--format", "sarif"},
		{"check", dir + "/none"},
		{"check", s},
		{"route", "GET", "h.example/\u202e", "--dir", dir + "/file"},
		{"route", "GET", "h.example/x", "--dir", dir + "/file", "--format", "json"},
		{"route", "GET", "h.example/", "--dir", dir},
		{"route", dir, "h"},
		{"route", "GET", dir},
		{"rules", dir},
		{"secrets", "list", "--spec", dir + "/bad.yaml"},
		{"secrets", "set", dir, "--spec", s},
		{"secrets", "rotate", dir, "--spec", s},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
		if code > exitFailed || stdout.Len()+stderr.Len() == 0 {
			t.Errorf("%q says nothing", args)
		}
		for stream, text := range map[string]string{"stdout": stdout.String(), "stderr": stderr.String()} {
			for line := range strings.SplitSeq(text, "\n") {
				if strings.HasPrefix(strings.TrimLeft(line, " "), "::") || strings.Contains(line, "##[") {
					t.Errorf("%q: %s has the command %q", args, stream, line)
				}
				if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) && r != '\t' }); i >= 0 {
					t.Errorf("%q: %s has %q", args, stream, line)
				}
			}
		}
	}
	if _, err := os.Stat(out + "/docker-compose.yml"); err != nil {
		t.Errorf("nothing was rendered: %v", err)
	}
}

// What Markdown has no room for is shown by the command that was called, not by another.
func TestLeftOut(t *testing.T) {
	t.Chdir(t.TempDir())
	text := []byte("version: 1\n")
	for i := range 900 {
		text = fmt.Appendf(text, "unknown_key_%d: {}\n", i)
	}
	if err := os.WriteFile("stack.yaml", text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"validate", "diff"} {
		var out, talk bytes.Buffer
		run(t.Context(), []string{command, "--format", "markdown"}, strings.NewReader(""), &out, &talk)
		if want := "`stackgen " + command + "` without `--format markdown` shows all."; !strings.Contains(out.String(), want) {
			t.Errorf("%s does not say %q: %s", command, want, &talk)
		}
	}
}
