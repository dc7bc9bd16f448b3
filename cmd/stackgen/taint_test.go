package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/report"
)

// What people keep where they should not, each word by where it was put. None looks like a secret by itself.
var taints = map[string]struct{ file, to string }{
	"fake-config-word": {"docker-compose.yml", "configs:\n  door: {content: \"listen = 1\\npassword = fake-config-word\\n\"}\n"},
	"fake-inline-word": {"docker-compose.yml", "x-note:\n  content: |-\n    api_token: fake-inline-word\n    }\n"},
	"fake-note-word":   {"docker-compose.yml", "x-url: \"https://me:fake-note-word@git.example/x\"\n"},
	// Below the service door:
	"fake-label-word":   {"docker-compose.yml", "    x-labels: {traefik.http.middlewares.door.basicauth.users: \"me:$$$$apr1$$$$fake$$$$fake-label-word\"}\n"},
	"fake-url-word":     {"docker-compose.yml", "    environment: {DATABASE_URL: \"postgres://me:fake-url-word@db/x\"}\n"},
	"fake-command-word": {"docker-compose.yml", "    command: [sh, -c, \"env PGPASSWORD=fake-command-word pg_dump\"]\n"},
	"fake-flag-word":    {"docker-compose.yml", "    healthcheck: {test: [CMD, curl, --password, fake-flag-word, -u, \"me:fake-flag-word\", \"http://localhost:80/\"]}\n"},
	"fake-build-word":   {"docker-compose.yml", "    build: {context: \"https://me:fake-build-word@git.example/x\", args: {NPM_TOKEN: fake-build-word}}\n"},
	"fake-key-word":     {"config/matrix/example.org.signing.key", "ed25519 a_old fake-key-word\n"},
	"fake-pem-word":     {"secrets/mas_key_rsa", "-----BEGIN PRIVATE KEY-----\nfake-pem-word\n-----END PRIVATE KEY-----\n"},
	"fake-secret-word":  {"secrets/mas_matrix_secret", "fake-secret-word"},
	"fake-pgpass-word":  {"secrets/postgres_pgpass", "db:5432:*:postgres:fake-pgpass-word\n"},
	"fake-home-word":    {"config/matrix/homeserver.yaml", "oidc_providers: [{idp_id: x, client_secret: fake-home-word}]\n"},
	"fake-bridge-word":  {"config/signal/config.yaml", "relay_token: fake-bridge-word\n"},
	"fake-env-word":     {".env", "SMTP_PASSWORD=fake-env-word\nCOMPOSE_PROFILES=fake-profile\n"},
	"fake-file-word":    {"config/door/door.conf", "password = fake-file-word\n"},
	"fake-envfile-word": {"config/door/door.env", "SMTP_PASSWORD=fake-envfile-word\n"},
	"fake-json-word":    {"keycloak/matrix.json", "{\"secret\": \"fake-json-word\", \"clientId\": [\n"},
	"fake-sql-word":     {"config/postgres/databases.sql", "ALTER ROLE x PASSWORD 'fake-sql-word';\n"},
	"fake-borg-word":    {"borgmatic.d/matrix.yaml", "encryption_passphrase: fake-borg-word\n"},
}

const taintedSpec = `version: 1
server_name: example.org
auth:
  upstream:
    keycloak: {issuer: "https://sso.example.org/realms/x", client_id: matrix}
bridges: {signal: {}}
permissions: {example.org: user}
backup: {borgmatic: {repositories: [{path: /mnt/repo}]}}
compose:
  files: {config/door/door.conf: door.conf}
  extra:
    services:
      door:
        image: example/door:1.0
        env_file: [./config/door/door.env]
        volumes: ["./config/door/door.conf:/door.conf:ro"]
        networks: [stack, ingress]
        labels: {traefik.enable: "true", traefik.http.routers.door.rule: "Host(` + "`door.example.org`" + `)"}
`

// No command shows what somebody keeps in the stack's directory, in whatever file and whatever format: an edit by
// hand is a part of what diff prints, a key that cannot be read is a part of what check prints.
func TestTaintedDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "stack.yaml", taintedSpec)
	put(t, "door.conf", "listen = 1\n")
	if err := os.MkdirAll("out/config/door", 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, "out/config/door/door.env", "X=1\n")
	stackgen(t, 0, "render")
	for word, p := range taints {
		path := filepath.Join("out", p.file)
		was, _ := os.ReadFile(path)
		if !strings.Contains(p.to, word) {
			t.Fatalf("%s is not planted", word)
		}
		text := string(was) + p.to
		if strings.HasPrefix(p.to, "    ") {
			text = strings.Replace(string(was), "\n  door:\n", "\n  door:\n"+p.to, 1)
		}
		if regexp.MustCompile(`^secrets/|\.signing\.key$`).MatchString(p.file) {
			text = p.to
		}
		put(t, path, text)
	}
	var printed strings.Builder
	show := func(args ...string) {
		t.Helper()
		var out, talk strings.Builder
		run(t.Context(), args, strings.NewReader(""), &out, &talk)
		fmt.Fprintf(&printed, "$ %s\n%s%s", strings.Join(args, " "), &out, &talk)
	}
	for _, format := range report.Formats {
		show("check", "out", "--format", format)
		show("validate", "--format", format)
	}
	for _, format := range diff.Formats {
		show("diff", "--format", format)
	}
	show("diff", "--summary")
	show("render")
	show("render", "--format", "json")
	for _, url := range []string{"https://matrix.example.org/_matrix/client/versions", "https://door.example.org/", "https://nobody.example.org/"} {
		show("route", "GET", url, "--dir", "out")
		show("route", "GET", url, "--dir", "out", "--format", "json")
	}
	show("secrets", "list")
	show("secrets", "list", "--format", "json")
	show("import", "out", "-o", "imported/stack.yaml")
	if spec, err := os.ReadFile("imported/stack.yaml"); err == nil {
		fmt.Fprintf(&printed, "$ cat imported/stack.yaml\n%s", spec)
	}
	put(t, "secrets.yaml", "")
	show("render")
	show("secrets", "recover", "-o", "out")
	show("secrets", "list")
	show("diff")
	text := printed.String()
	for word, p := range taints {
		if i := strings.Index(text, word); i >= 0 {
			command := text[strings.LastIndex("\n"+text[:i], "\n$ "):]
			command, _, _ = strings.Cut(command, "\n")
			t.Errorf("%s of %s is shown by %s: …%s…", word, p.file, command, text[max(0, i-200):min(len(text), i+60)])
		}
	}
	for _, want := range []string{"edited", "door.conf", "signing.key", "docker-compose.yml", "$ cat imported/stack.yaml"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing is said of %s", want)
		}
	}
}
