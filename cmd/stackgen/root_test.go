package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onMachine is a stack whose files lie in many places of a machine, by absolute paths.
func onMachine(t *testing.T) (top string) {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"opt/matrix/compose.yaml": `services:
  synapse:
    image: matrixdotorg/synapse:v1.163.2
    volumes: ["TOP/srv/synapse:/data"]
  signal:
    image: dock.mau.dev/mautrix/signal:v0.2610.0
    volumes: ["TOP/srv/signal:/data"]
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD_FILE: /run/secrets/pg, POSTGRES_USER: synapse, POSTGRES_INITDB_ARGS: "--encoding=UTF8 --locale=C"}
    secrets: [pg]
    volumes: ["TOP/opt/matrix/pg:/var/lib/postgresql/data"]
  exporter:
    image: quay.io/prometheus/node-exporter:v1.9.0
    volumes: ["TOP:/host:ro", "TOP/etc/exporter.yml:/exporter.yml:ro"]
secrets: {pg: {file: TOP/etc/pg}}
`,
		"srv/synapse/homeserver.yaml": `server_name: example.org
public_baseurl: https://matrix.example.org/
listeners: [{port: 8008, type: http, x_forwarded: true, resources: [{names: [client, federation]}]}]
database: {name: psycopg2, args: {host: db, user: synapse, password: zebra-database-password, dbname: synapse}}
signing_key_path: /data/example.org.signing.key
media_store_path: /data/media_store
macaroon_secret_key: zebra-macaroon-secret-of-the-stack
form_secret: zebra-form-secret-of-the-stack
app_service_config_files: [/data/signal.yaml]
`,
		"srv/synapse/example.org.signing.key": "ed25519 a_fake zebrazebrazebrazebrazebrazebrazebrazebrazeA\n",
		"srv/synapse/signal.yaml": `id: signal
url: http://signal:29328
as_token: zebra-as-token-of-signal
hs_token: zebra-hs-token-of-signal
sender_localpart: zebrasender
rate_limited: false
namespaces: {users: [{regex: '^@signalbot:example\.org$', exclusive: true}, {regex: '^@signal_.*:example\.org$', exclusive: true}]}
`,
		"srv/signal/config.yaml": `network: {displayname_template: x}
bridge: {permissions: {"example.org": user}}
database: {type: postgres, uri: "postgres://signal:zebra-signal-password@db/signal?sslmode=disable"}
homeserver: {address: "http://synapse:8008", domain: example.org}
appservice: {address: "http://signal:29328", hostname: 0.0.0.0, port: 29328, id: signal, bot: {username: signalbot}, as_token: zebra-as-token-of-signal, hs_token: zebra-hs-token-of-signal, username_template: "signal_{{.}}"}
encryption: {allow: false}
`,
		"etc/pg":           "zebra-database-password\n",
		"etc/exporter.yml": "{}\n",
		"opt/matrix/pg/x":  "",
	} {
		at := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, []byte(strings.ReplaceAll(text, "TOP", filepath.ToSlash(top))), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// What a compose file mounts by absolute paths is read where --root reaches, and stays where it is: the spec has the paths as they
// were written.
func TestImportRoot(t *testing.T) {
	top := onMachine(t)
	dir, spec := filepath.Join(top, "opt/matrix"), filepath.Join(t.TempDir(), "stack.yaml")
	stackgen(t, exitFindings, "import", "--keep-auth", "--root", top, dir, "-o", spec)
	written := func(name string) string {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(spec), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	text, secrets := written("stack.yaml"), written("secrets.yaml")
	for _, want := range []string{"server_name: example.org", "  signal:\n", "data: " + top + "/opt/matrix/pg", "data: " + top + "/srv/synapse", "- " + top + "/etc/exporter.yml:/exporter.yml:ro", "- " + top + ":/host:ro"} {
		if !strings.Contains(text, want) {
			t.Errorf("the spec has no %q:\n%s", want, text)
		}
	}
	for _, want := range []string{"zebra-as-token-of-signal", "zebra-database-password", "zebra-signal-password", "zebra-macaroon", "ed25519 a_fake"} {
		if !strings.Contains(secrets, want) {
			t.Errorf("a secret is not taken over: %s", want)
		}
	}
	for _, not := range []string{"../", "zebra", "compose:\n  files"} {
		if strings.Contains(text, not) {
			t.Errorf("the spec has %q:\n%s", not, text)
		}
	}
	out, _ := stackgen(t, exitFindings, "import", "--verify", "--root", top, dir, "-o", spec)
	for _, not := range []string{"postgres\n    mounts", "synapse\n    mounts"} {
		if strings.Contains(out, not) {
			t.Errorf("it is said to change: %s\n%s", not, out)
		}
	}
}

// Without --root it is told what was not read, and how it is.
func TestImportWithoutRoot(t *testing.T) {
	top := onMachine(t)
	out, talk := stackgen(t, exitFailed, "import", "--keep-auth", filepath.Join(top, "opt/matrix"), "-o", filepath.Join(t.TempDir(), "stack.yaml"))
	for _, want := range []string{filepath.ToSlash(top) + "/srv/synapse is outside of the directory", "import it with --root /"} {
		if !strings.Contains(strings.Join(strings.Fields(out+talk), " "), want) {
			t.Errorf("it does not say %q:\n%s%s", want, out, talk)
		}
	}
}
