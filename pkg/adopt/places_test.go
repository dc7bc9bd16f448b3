package adopt_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/deployment/compose"
)

// homeserver is one of a stack without MAS, in a PostgreSQL called db.
const homeserver = `server_name: example.org
listeners: [{port: 8008, type: http, x_forwarded: true, resources: [{names: [client, federation]}]}]
database: {name: psycopg2, args: {host: db, user: synapse, password: fake-database-password, dbname: synapse}}
signing_key_path: /data/example.org.signing.key
media_store_path: /data/media_store
macaroon_secret_key: fake-macaroon-secret-of-the-stack
form_secret: fake-form-secret-of-the-stack
report_stats: false
`

const signingKey = "ed25519 a_fake zebrazebrazebrazebrazebrazebrazebrazebrazeA\n"

// foreignStack is a stack of somebody else: its compose file, and more files as fixture.Edit has them none.
func foreignStack(composeFile string, more map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, text := range map[string]string{"compose.yaml": composeFile, "synapse/homeserver.yaml": homeserver, "synapse/example.org.signing.key": signingKey} {
		tree[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	for name, text := range more {
		tree[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return tree
}

// read takes a stack over, with its own login.
func read(t *testing.T, tree fstest.MapFS) (*adopt.Draft, *compare.Result) {
	t.Helper()
	d, _ := compose.OpenWith(tree, compose.Options{Name: "matrix"})
	draft, refused := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside, KeepAuth: true})
	if draft == nil {
		t.Fatal(refused)
	}
	hidden(t, d, draft)
	now := build(t, draft.Text, draft.Secrets, func(name string) ([]byte, error) { return draft.Files[name], nil })
	ours, _ := compose.OpenWith(now.bundle.FS(), compose.Options{Name: "matrix"})
	return draft, compare.Deployments(d, ours)
}

// says holds that the text has each line.
func says(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %q in\n%s", line, text)
		}
	}
}

// listed are the differences of a kind, one a line.
func listed(r *compare.Result, kinds ...compare.Kind) string {
	var b strings.Builder
	for _, d := range r.Differences {
		for _, k := range kinds {
			if d.Kind == k {
				b.WriteString(strings.Join([]string{d.About, d.Doc, d.Key, d.Old, d.New, d.Why}, " | ") + "\n")
			}
		}
	}
	return b.String()
}

const inNetworks = `services:
  synapse:
    image: matrixdotorg/synapse:v1.163.2
    USER
    volumes: ["./synapse:/data"]
    networks:
      default: {}
      web: {aliases: [chat, synapse.local]}
      monitoring: {}
  db:
    image: postgres:17
    container_name: matrix-db
    environment: {POSTGRES_PASSWORD: fake-database-password, POSTGRES_USER: synapse, POSTGRES_INITDB_ARGS: "--encoding=UTF8 --locale=C"}
    volumes: ["./pg:/var/lib/postgresql/data"]
    networks:
      default: {}
      backup: {aliases: [matrix-postgres]}
networks:
  web: {name: proxy-net, external: true}
  monitoring: {external: true}
  backup: {name: backup_default, external: true}
`

// Who runs a service, and what others call it in their networks, is as it was, whether user says it or the variables that the
// image's start script reads.
func TestUsersAndNetworks(t *testing.T) {
	for user, want := range map[string]string{
		`user: "1000:1001"`: `user: "1000:1001"`,
		`user: "1000"`:      `user: "1000:0"`,
		`environment: {UID: "1000", GID: "1001"}`: `user: "1000:1001"`,
		`environment: {UID: "1000"}`:              `user: "1000:991"`,
	} {
		draft, r := read(t, foreignStack(strings.Replace(inNetworks, "USER", user, 1), nil))
		says(t, string(draft.Text), want, "- name: proxy-net", "aliases: [chat, synapse.local]", "- monitoring", "- name: backup_default", "aliases: [matrix-postgres]")
		if strings.Contains(string(draft.Text), "owner:") {
			t.Errorf("PostgreSQL would be somebody else:\n%s", draft.Text)
		}
		for line := range strings.SplitSeq(listed(r, compare.Decision, compare.Lost), "\n") {
			if strings.Contains(line, "| networks |") || strings.Contains(line, "| user |") || strings.Contains(line, "UID") {
				t.Errorf("%s: %s", user, line)
			}
		}
	}
}

// One user of all is the owner, whom a service may differ from.
func TestOwnerOfMost(t *testing.T) {
	all := strings.Replace(strings.Replace(inNetworks, "USER", `user: "1000:1000"`, 1), "    container_name: matrix-db\n", "    container_name: matrix-db\n    user: \"1000:1000\"\n", 1)
	draft, _ := read(t, foreignStack(all, nil))
	says(t, string(draft.Text), `owner: "1000:1000"`)
	if strings.Contains(string(draft.Text), "  user:") {
		t.Errorf("one is told apart:\n%s", draft.Text)
	}
}

// A name that a service had in a network of others, and has no more, is to be decided.
func TestNamesAreCompared(t *testing.T) {
	tree := foreignStack(strings.Replace(inNetworks, "USER", `user: "991:991"`, 1), nil)
	draft, _ := read(t, tree)
	d, _ := compose.OpenWith(tree, compose.Options{Name: "matrix"})
	less := strings.Replace(string(draft.Text), "aliases: [chat, synapse.local]", "aliases: [chat]", 1)
	now := build(t, []byte(less), draft.Secrets, func(name string) ([]byte, error) { return draft.Files[name], nil })
	ours, _ := compose.OpenWith(now.bundle.FS(), compose.Options{Name: "matrix"})
	says(t, listed(compare.Deployments(d, ours), compare.Decision), "synapse | networks | the name synapse.local in proxy-net")
}

// An alias is read back even where it is the name of the service, too.
func TestAliasOfTheOwnName(t *testing.T) {
	taken(t, []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\npermissions: {example.org: user}\ndatabase: {service: db, container_name: pg, networks: [{name: metrics, aliases: [db, pg, matrix-db]}]}\n"), nil)
}

// A network whose name stands behind a variable is kept as a piece of Compose, with the variable.
func TestNetworkOfAVariable(t *testing.T) {
	draft, r := read(t, foreignStack(strings.Replace(strings.Replace(inNetworks, "USER", "restart: always", 1), "name: proxy-net", "name: \"${NETWORK}\"", 1), nil))
	says(t, string(draft.Text), "web: {name: \"${NETWORK}\", external: true}")
	for line := range strings.SplitSeq(listed(r, compare.Decision), "\n") {
		if strings.HasPrefix(line, "synapse | networks | web") {
			t.Error(line)
		}
	}
}
