package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// newcomer is somebody who has nothing but README.md: what is said of their host there, the section that they write, the
// blocks of commands that they copy, and what they then have. Their docker, certbot and reloads do nothing, and /etc is a
// directory of the test; conformance asks Docker Compose, Traefik, Caddy and nginx what they think of the files.
type newcomer struct {
	has    string
	blocks []string // the beginnings of the paragraphs that the blocks stand below
	then   []string // files that exist
	says   string   // what check finds, where it finds something
}

var newcomers = []newcomer{
	{"no web server", nil, []string{"out/config/traefik/traefik.yml", "out/data/traefik"}, ""},
	{"Traefik 3", nil, []string{"out/docker-compose.yml"}, ""},
	{"Caddy", []string{"**Caddy.**"}, []string{"etc/caddy/matrix.caddy", "etc/caddy/Caddyfile"}, ""},
	{"nginx", []string{"**nginx.**"}, []string{"etc/nginx/matrix/matrix.sonne.example.conf", "etc/nginx/matrix/sonne.example.conf", "etc/nginx/conf.d/matrix.conf"}, ""},
	{"Nginx Proxy Manager", nil, []string{"out/config/nginx/matrix/matrix.sonne.example.conf"}, ""},
	{"another proxy", nil, []string{"out/docker-compose.yml"}, ""},
	{"a site on `example.org` that is elsewhere", nil, []string{"out/docker-compose.yml"}, "well-known-agrees: not checked"},
}

// The commands of README.md, one after the other, lead from an empty folder to a stack in which check finds nothing, whatever
// the host has already.
func TestNewcomers(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash for the commands of README.md:", err)
	}
	src, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(src)
	_, start, _ := strings.Cut(readme, "\n## Quick start\n")
	rows := map[string]string{}
	for line := range strings.Lines(start) {
		if cells := strings.Split(strings.Trim(line, "| \n"), " | "); len(cells) == 3 && strings.HasPrefix(cells[1], "`ingress:") {
			rows[cells[0]] = strings.Trim(cells[1], "`")
		}
	}
	if len(rows) != len(newcomers) {
		t.Errorf("Quick start has %d rows of what a host has, and %d of them are walked: %q", len(rows), len(newcomers), rows)
	}
	dir := t.TempDir()
	var scripts []string
	for _, n := range newcomers {
		if rows[n.has] == "" {
			t.Errorf("Quick start has no row for %q", n.has)
			continue
		}
		first := block(t, start, "")
		init, render, ok := strings.Cut(first, "\n")
		if !ok || !strings.HasPrefix(render, "stackgen render matrix/stack.yaml -o out") {
			t.Fatalf("Quick start begins with\n%s", first)
		}
		var walk, script strings.Builder
		walk.WriteString(init + "\nsed -i 's/^server_name: [a-z.]*/server_name: sonne.example/' matrix/stack.yaml\n" +
			"echo '" + strings.ReplaceAll(rows[n.has], "you@example.org", "anna@sonne.example") + "' >> matrix/stack.yaml\n" + render + "\n")
		if len(n.blocks) > 0 { // where the spec is
			walk.WriteString("mv matrix/* . && rm -r matrix out\n")
		}
		for _, begins := range n.blocks {
			commands := strings.ReplaceAll(block(t, readme, "\n"+begins), "matrix.example.org", "matrix.sonne.example")
			walk.WriteString(strings.ReplaceAll(commands, "/etc/", `"$WORK"/etc/`))
		}
		script.WriteString("exec bash -euo pipefail walk.sh\nexec stackgen check out\nstdout '" + cmp.Or(n.says, "no findings") + "'\n")
		for _, name := range n.then {
			script.WriteString("exists " + name + "\n")
		}
		script.WriteString("-- walk.sh --\n" + stubs + walk.String())
		name := filepath.Join(dir, fmt.Sprintf("%d.txtar", len(scripts)))
		if err := os.WriteFile(name, []byte(script.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, name)
	}
	testscript.Run(t, testscript.Params{Files: scripts, RequireExplicitExec: true})
}

const stubs = `sudo() { "$@"; }
sudoedit() { cat out/config/caddy/Caddyfile > "$1"; }
docker() { :; }
caddy() { :; }
nginx() { :; }
systemctl() { :; }
certbot() { :; }
mkdir -p etc/caddy etc/nginx/conf.d
`

// block is the first block of commands below the first place where text has begins.
func block(t *testing.T, text, begins string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, begins)
	_, after, opened := strings.Cut(after, "\n```sh\n")
	commands, _, closed := strings.Cut(after, "```")
	if !ok || !opened || !closed {
		t.Fatalf("README.md has no commands below %q", begins)
	}
	return commands
}

// What the starter has in comments may be taken out of them: each section alone, and with those that follow it in its paragraph.
func TestStarterComments(t *testing.T) {
	n := 0
	for paragraph := range strings.SplitSeq(string(starter), "\n\n") {
		lines := strings.Split(paragraph, "\n")
		for i, line := range lines {
			key, _, ok := strings.Cut(strings.TrimPrefix(line, "# "), ":")
			if !strings.HasPrefix(line, "# ") || !ok || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz") != "" {
				continue
			}
			n++
			var taken strings.Builder
			on := true
			for j, l := range lines[i:] {
				if strings.HasPrefix(l, "# ") && !strings.HasPrefix(l, "#  ") {
					on = j == 0 || !strings.HasPrefix(l, "# "+key+":")
				}
				if on {
					taken.WriteString(strings.TrimPrefix(strings.TrimPrefix(l, "#"), " ") + "\n")
				}
			}
			path := filepath.Join(t.TempDir(), "stack.yaml")
			spec := strings.ReplaceAll(string(starter)+taken.String(), "example.org", "sonne.example")
			if err := os.WriteFile(path, []byte(spec), 0o600); err != nil {
				t.Fatal(err)
			}
			if s, findings, err := loadSpec(path); s == nil || len(findings) > 0 || err != nil {
				t.Errorf("%s\n%v, %v", taken.String(), findings, err)
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d sections are in comments", n)
	}
}
