package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/report"
	"philipp.info/stackgen/pkg/source"
)

var update = flag.Bool("update", false, "rewrite the golden files and scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stackgen": main, "inject": inject})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"tree": tree, "exitcode": exitcode},
	})
}

// tree DIR FILE writes every path below DIR, with size and time of change, to FILE.
func tree(ts *testscript.TestScript, _ bool, args []string) {
	var b strings.Builder
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			fmt.Fprintln(&b, path, info.Size(), info.Mode(), info.ModTime().UnixNano())
		}
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}

// exitcode N COMMAND... runs the command and wants exactly that exit code.
func exitcode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

func TestHelp(t *testing.T) {
	parser, err := newParser(&cli{}, os.Stdout, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "stackgen")
	for _, leaf := range parser.Model.Leaves(true) {
		golden(t, "stackgen "+commandPath(leaf))
	}
}

func commandPath(n *kong.Node) string {
	if n.Parent == nil || n.Parent.Type == kong.ApplicationNode {
		return n.Name
	}
	return commandPath(n.Parent) + " " + n.Name
}

func golden(t *testing.T, command string) {
	t.Run(command, func(t *testing.T) {
		var out, talk bytes.Buffer
		args := append(strings.Fields(command)[1:], "--help")
		if code := run(t.Context(), args, strings.NewReader(""), &out, &talk); code != 0 || talk.Len() > 0 {
			t.Fatalf("exit %d: %s", code, &talk)
		}
		if command != "stackgen" && !strings.Contains(out.String(), "Example:") {
			t.Error("the help shows no example")
		}
		path := filepath.Join("testdata", "help", strings.ReplaceAll(command, " ", "-")+".txt")
		if *update {
			if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Error("-want +got (-update accepts it):\n", diff)
		}
	})
}

const everySecret = `version: 1
server_name: example.org
auth:
  migration: true
  upstream:
    keycloak: {issuer: "https://sso.example.org/realms/main", client_id: matrix}
bridges: {signal: {}, telegram: {}, discord: {}}
permissions: {example.org: user}
backup:
  borgmatic: {repositories: [{path: /mnt/backup}], heartbeat: uptime-kuma}
`

// TestNoSecretIsPrinted runs every command that knows secrets and looks for their values in all that is
// printed, and in the rendered files that are not secret.
func TestNoSecretIsPrinted(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("stack.yaml", everySecret)
	write("secrets.yaml", `auth.upstream.keycloak.client_secret: 'tainted "quoted" $value # one'
bridges.telegram.api_id: "1234567"
bridges.telegram.api_hash: "0123456789abcdef0123456789abcdef"
backup.heartbeat_url: "https://uptime.example.org/api/push/taintedToken"
`)
	var printed strings.Builder
	call := func(stdin string, want int, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(stdin), &out, &out); code != want {
			t.Errorf("stackgen %s: exit %d, want %d\n%s", strings.Join(args, " "), code, want, &out)
		}
		printed.Write(out.Bytes())
	}
	call("", 0, "render")
	call("", 0, "render", "--format", "json", "-o", "other")
	call("", 0, "validate")
	call("", 0, "validate", "--format", "json")
	call("", 0, "check", "out")
	call("", 0, "check", "out", "--format", "json")
	call("", 0, "secrets", "list")
	call("taintedWrong", 1, "secrets", "set", "bridges.telegram.api_hash")
	call("", 0, "secrets", "rotate", "auth.matrix_secret")
	call("", 0, "render")
	compose, err := os.ReadFile("out/config/mas/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write("out/config/mas/config.yaml", string(compose)+"\nmatrix: {secret: taintedEdit}\n")
	call("", 1, "render")
	call("", 1, "render", "--format", "json")
	// Every token that stands in two files now differs between them.
	for _, name := range []string{"out/config/signal/config.yaml", "out/config/discord/config.yaml", "out/config/telegram/config.yaml", "out/config/matrix/homeserver.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, strings.NewReplacer("token: \"", "token: \"tainted", "as_token:", "as_token:tainted", "password: \"", "password: \"tainted", "@postgres", "tainted@postgres").Replace(string(text)))
	}
	for _, format := range report.Formats {
		call("", 1, "check", "out", "--format", format)
	}
	call("", 0, "route", "GET", "https://matrix.example.org/_matrix/client/versions", "--dir", "out")
	for _, name := range []string{"out/RUNBOOK.md", "out/.stackgen/manifest.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(text)
	}
	secrets, findings, err := readYAML("secrets.yaml")
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	values := map[string]string{"a wrong value": "taintedWrong", "an edit": "taintedEdit", "the token of a URL": "taintedToken"}
	for key, val := range secrets.Root().Entries() {
		if strings.HasSuffix(key.Str(), "keycloak.id") {
			continue // part of the callback URL, which everyone sees who logs in
		}
		for i, line := range strings.Split(strings.TrimSpace(val.Str()), "\n") {
			if !strings.HasPrefix(line, "-----") {
				values[fmt.Sprint(key.Str(), " line ", i+1)] = line
			}
		}
	}
	if len(values) < 20 {
		t.Fatalf("only %d secrets", len(values))
	}
	for name, value := range values {
		if strings.Contains(printed.String(), value) {
			t.Errorf("%s is printed", name)
		}
	}
}

func readYAML(path string) (*source.File, []finding.Finding, error) {
	src, err := source.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	f, findings := finding.Parse(path, src)
	return f, findings, nil
}
