package adopt_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/deployment/compose"
)

// what a person has who published the ports of Synapse himself, and wrote no public_baseurl.
var published = map[string]string{
	"docker-compose.yml": `services:
  db:
    image: postgres:15
    environment: {POSTGRES_USER: synapse, POSTGRES_PASSWORD: "${DB_PASSWORD}"}
    volumes: ["./db:/var/lib/postgresql/data"]
  synapse:
    image: matrixdotorg/synapse:v1.163.2
    volumes: ["./synapse:/data"]
    ports: ["127.0.0.1:2006:8008", "127.0.0.1:3008:9000"]
  element:
    image: vectorim/element-web:v1.12.30
    ports: ["8080:80"]
    volumes: ["./element.json:/app/config.json:ro"]
  bot:
    image: example/bot:1
    environment: ["TOKEN_PASSWORD=${BOT_PASSWORD}"]
`,
	"element.json": `{"default_server_config": {"m.homeserver": {"base_url": "https://matrix.example.org"}}}`,
	"synapse/homeserver.yaml": `server_name: example.org
report_stats: false
signing_key_path: /data/signing.key
listeners:
  - {port: 8008, type: http, x_forwarded: true, resources: [{names: [client, federation]}]}
  - {port: 9000, type: manhole}
database: {name: psycopg2, args: {user: synapse, password: zebra-db-synapse, dbname: synapse, host: db}}
retention: {enabled: true, allowed_lifetime_max: 1y}
`,
	"synapse/signing.key": "ed25519 a_x AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
}

func taking(t *testing.T, files map[string]string) *adopt.Draft {
	t.Helper()
	tree := make(fstest.MapFS)
	for name, data := range files {
		tree[name] = &fstest.MapFile{Data: []byte(data)}
	}
	d, _ := compose.OpenWith(tree, compose.Options{Name: "matrix"})
	draft, findings := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside, KeepAuth: true})
	if draft == nil {
		t.Fatal(findings)
	}
	return draft
}

// Only what clients are answered at is published for them, whatever else Synapse listens on; and what import cannot see of a
// password or a variable it does not make up.
func TestPublished(t *testing.T) {
	draft := taking(t, published)
	text := string(draft.Text)
	says(t, text, "port: 2006", `"8080:8080"`, "TOKEN_PASSWORD=${BOT_PASSWORD}", "retention:", "well_known: external")
	if strings.Contains(text, "3008") {
		t.Errorf("the port of the manhole is published as that of clients:\n%s", text)
	}
	if got := draft.Secrets["database.postgres_password"]; got != "zebra-db-synapse" {
		t.Error("the password by which Synapse is let in is not that of its role")
	}
	out := build(t, draft.Text, draft.Secrets, func(string) ([]byte, error) { return nil, nil })
	if !out.holds("127.0.0.1:2006:8008") {
		t.Error("the port of clients is not published any more")
	}
}

// A password that is only a variable is not taken for one that lets anybody in.
func TestPasswordBehindAVariable(t *testing.T) {
	files := map[string]string{".env": "DB_PASSWORD=zebra-env\n"}
	for name, data := range published {
		files[name] = strings.ReplaceAll(data, "password: zebra-db-synapse", "password: '${DB_PASSWORD}'")
	}
	if got := taking(t, files).Secrets["database.postgres_password"]; got != "zebra-env" {
		t.Error("the password of the cluster is another one")
	}
}

// Where public_baseurl is not written, the host that the proxy leads to Synapse is the one that clients ask.
func TestHostOfTheProxy(t *testing.T) {
	files := maps.Clone(published)
	files["docker-compose.yml"] = strings.Replace(published["docker-compose.yml"], `    ports: ["127.0.0.1:2006:8008", "127.0.0.1:3008:9000"]
`, "    labels: {traefik.enable: 'true', traefik.http.routers.m.rule: 'Host(`m.example.org`)', traefik.http.routers.m.tls: 'true', traefik.http.services.m.loadbalancer.server.port: '8008'}\n", 1)
	if got := taking(t, files).Spec.Hosts.Matrix; got != "m.example.org" {
		t.Errorf("clients are to ask %s", got)
	}
}
