package check_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/source"
)

// planted is part of every secret in the testdata.
const planted = "zebra"

func readTree(t testing.TB, name string) (tree fstest.MapFS, want []string) {
	t.Helper()
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	tree = fstest.MapFS{}
	for _, f := range ar.Files {
		if f.Name == "want" {
			want = slices.Sorted(strings.Lines(strings.TrimRight(string(f.Data), "\n") + "\n"))
			continue
		}
		tree[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
	}
	return tree, want
}

// run checks a tree and holds what is true of all findings: a known rule, no panic, no secret.
func run(t testing.TB, tree fstest.MapFS) []source.Finding {
	t.Helper()
	d, findings := check.Open(tree)
	found, _ := check.Run(d)
	findings = append(findings, found...)
	for _, f := range findings {
		if _, ok := check.Find(f.Rule); !ok && f.Rule != "yaml" {
			t.Errorf("there is no rule %s", f.Rule)
		}
		if strings.Contains(f.Message, "of a fault in stackgen") {
			t.Errorf("%s panics: %s", f.Rule, f.Message)
		}
		if f.Severity == source.Info != strings.HasPrefix(f.Message, "not checked, because ") {
			t.Errorf("%s: %s is an %s", f.Rule, f.Message, f.Severity)
		}
		texts := []string{f.Message, f.Fix}
		for _, s := range f.Sites {
			texts = append(texts, s.Note, s.Snippet)
		}
		text := strings.Join(texts, "\n")
		if strings.Contains(text, planted) {
			t.Errorf("%s shows a secret: %s", f.Rule, text)
		}
	}
	return findings
}

func lines(findings []source.Finding) []string {
	var got []string
	for _, f := range findings {
		at := f.Pos().File
		if f.Pos().Line > 0 {
			at = fmt.Sprintf("%s:%d", at, f.Pos().Line)
		}
		got = append(got, f.Rule+" "+at+"\n")
	}
	slices.Sort(got)
	return got
}

func TestTrees(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			tree, want := readTree(t, file)
			if len(want) == 1 && want[0] == "\n" {
				want = nil
			}
			findings := run(t, tree)
			if diff := cmp.Diff(want, lines(findings)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
				for _, f := range findings {
					t.Logf("%s %s %s: %s [%s]", f.Severity, f.Rule, f.Pos(), f.Message, f.Fix)
				}
			}
		})
	}
}

// edit replaces the first occurrence of old in a file; without old it replaces the whole file.
type edit struct{ file, old, new string }

func apply(t testing.TB, tree fstest.MapFS, edits []edit) fstest.MapFS {
	t.Helper()
	tree = maps.Clone(tree)
	for _, e := range edits {
		var data string
		if f := tree[e.file]; f != nil {
			data = string(f.Data)
		}
		switch {
		case e.old == "":
			data = e.new
		case !strings.Contains(data, e.old):
			t.Fatalf("%s does not hold %q", e.file, e.old)
		default:
			data = strings.Replace(data, e.old, e.new, 1)
		}
		tree[e.file] = &fstest.MapFile{Data: []byte(data), Mode: 0o644}
	}
	return tree
}

const (
	compose = "docker-compose.yml"
	hs      = "synapse/homeserver.yaml"
	mas     = "mas/mas.yaml"
	signal  = "signal/config.yaml"
	discord = "discord/config.yaml"
	regA    = "synapse/appservices/signal.yaml"
	regB    = "signal/registration.yaml"
	regD    = "synapse/appservices/discord.yaml"
	puppet  = "synapse/appservices/doublepuppet.yaml"
)

// old makes Synapse one that still goes by io.element.msc4190.
var oldSynapse = edit{compose, "synapse:v1.157.1", "synapse:v1.138.0"}

// variants break the hand-kept tree. Each is found by the rule, at the line that holds at, with a fix that
// holds fix, and by no other rule. An empty rule: nothing is to be found.
var variants = []struct {
	rule, at, fix string
	edits         []edit
}{
	{"mas-secret-matches", "secret: zebra-mas-typo", "same secret", []edit{{hs, "zebra-mas-shared", "zebra-mas-typo"}}},
	{"mas-secret-matches", "matrix_authentication_service:", "same secret", []edit{{hs, "  secret: zebra-mas-shared\n", ""}}},
	{"irreversible-change", "server_name:", "example.net", []edit{{".stackgen/manifest.json", "", `{"fixed": {"server_name": "example.net"}}`}}},
	{"server-name-agrees", "homeserver: matrix.example.org", "homeserver: example.org", []edit{{mas, "homeserver: example.org", "homeserver: matrix.example.org"}}},
	{"server-name-agrees", "domain:", "domain: example.org", []edit{{signal, "domain: example.org", "domain: matrix.example.org"}}},
	{"server-name-agrees", "@discord", `:example\.org`, []edit{{regD, "'@discord_.*'", `'@discord_.*:matrix\.example\.org'`}}},
	{"", "", "", []edit{{regD, "'@discord_.*'", `'^@discord_.*:(other\.net|example\.org)$'`}}},
	{"mas-endpoint-reachable", "endpoint:", "endpoint: http://auth:8080/auth/", []edit{{hs, "http://auth:8080/auth/", "http://auth:8080/"}}},
	{"mas-endpoint-reachable", "endpoint:", "endpoint: http://auth:8080/auth/", []edit{{hs, "http://auth:8080/auth/", "http://mas:8080/auth/"}}},
	{"synapse-endpoint-internal", "endpoint:", "endpoint: http://synapse:8008/", []edit{{mas, "http://matrix-synapse:8008/", "http://matrix-synapse:8448/"}}},
	{"synapse-endpoint-internal", "endpoint:", "endpoint: http://synapse:8008/", []edit{{mas, "http://matrix-synapse:8008/", "https://matrix.example.org/"}}},
	{"synapse-no-local-auth", "enabled: yes", "remove", []edit{{hs, "password_config:\n  enabled: no", "password_config:\n  enabled: yes"}}},
	{"synapse-no-local-auth", "oidc_providers:", "remove", []edit{{hs, "form_secret", "oidc_providers:\n  - idp_id: keycloak\n    client_secret: zebra-idp\nform_secret"}}},
	{"synapse-no-password-module", "- module", "remove", []edit{{hs, "form_secret", "modules:\n  - module: ldap_auth_provider.LdapAuthProviderModule\n    config: {bind_password: zebra-ldap}\nform_secret"}}},
	{"mas-public-base-slash", "public_base", "public_base: https://matrix.example.org/auth/", []edit{{mas, "example.org/auth/", "example.org/auth"}}},
	{"mas-path-routing", "routers.mas.rule", "prefix: /auth/", []edit{{mas, "      prefix: /auth\n", ""}, {hs, "8080/auth/", "8080/"}, {compose, "      - \"traefik.http.routers.compat.middlewares=mas-prefix\"\n", ""}}},
	{"mas-path-routing", "routers.mas.rule", "remove StripPrefix", []edit{{compose, "mas.middlewares=mas-slash\"", "mas.middlewares=mas-slash,cut\"\n      - \"traefik.http.middlewares.cut.stripprefix.prefixes=/auth\""}}},
	{"mas-healthcheck", "test:", "disable: true", []edit{{compose, "    command: server", "    healthcheck:\n      test: wget -q http://localhost:8081/health\n    command: server"}}},
	{"mas-upstream-migrated", "localpart:", "on_conflict: set", []edit{{mas, "      synapse_idp_id: oidc-keycloak\n", ""}}},
	{"compat-router-wins", "routers.compat.rule", "PathRegexp", []edit{{compose, "      - \"traefik.http.routers.compat.middlewares=mas-prefix\"\n", ""}}},
	{"compat-router-wins", "routers.apex.rule", "PathRegexp", []edit{{compose, "(Host(`matrix.example.org`) || Host(`example.org`)) && PathRegexp", "Host(`matrix.example.org`) && PathRegexp"}}},
	{"apex-matrix-routed", "labels:", "Host(`example.org`)", []edit{{compose, "rule=Host(`example.org`) &&", "rule=Host(`www.example.org`) &&"}}},
	{"internal-apis-private", "routers.synapse.rule", "Host(`matrix.example.org`)", []edit{{compose, "PathPrefix(`/_synapse/client/`)", "PathPrefix(`/_synapse/`)"}}},
	{"registration-copies-equal", "rate_limited: false", "equal", []edit{{regB, "rate_limited: no", "rate_limited: yes"}}},
	{"registration-listed", "app_service_config_files", "- /data/discord.yaml", []edit{{hs, "  - /data/appservices/discord.yaml\n", ""}}},
	{"registration-listed", "- /appservices", "Synapse's container", []edit{{hs, "- /data/appservices/discord.yaml", "- /appservices/discord.yaml"}}},
	{"registration-tokens-match", "hs_token", "same token", []edit{{discord, "zebra-hs-discord", "zebra-hs-typo"}}},
	{"registration-tokens-match", "as_token", "same token", []edit{{discord, "zebra-as-discord", "zebra-as-typo"}}},
	{"registration-ids-unique", "id:", "another id", []edit{{puppet, "id: doublepuppet", "id: discord"}}},
	{"registration-ids-unique", "id: discord2", "id: discord", []edit{{discord, "id: discord", "id: discord2"}}},
	{"registration-msc4190", "id: signal", "io.element.msc4190: true", []edit{oldSynapse}},
	{"", "", "", []edit{oldSynapse, {regA, "push_ephemeral: true\nrec", "io.element.msc4190: yes\npush_ephemeral: true\nrec"}, {regB, "push_ephemeral: true\nrec", "io.element.msc4190: true\npush_ephemeral: true\nrec"}}},
	{"registration-msc4190-spelling", "org.matrix", "io.element.msc4190: true", []edit{{regD, "id: discord", "org.matrix.msc4190: yes\nid: discord"}}},
	{"bridge-msc4190", "msc4190: no", "msc4190: true", []edit{{signal, "msc4190: yes", "msc4190: no"}}},
	{"bridge-msc4190", "image: dock.mau.dev/mautrix/discord", "image: ", []edit{{compose, "discord:v0.7.5", "discord:v0.7.3"}, {discord, "allow: no", "allow: yes\n    msc4190: yes"}}},
	{"bridge-homeserver-address", "address:", "address: http://synapse:8008", []edit{{signal, "http://synapse:8008", "http://localhost:8008"}}},
	{"bridge-homeserver-address", "address:", "address: http://synapse:8008", []edit{{discord, "http://synapse:8008", "https://matrix.example.org"}}},
	{"double-puppet-token", "as_token:zebra", "same token", []edit{{signal, "as_token:zebra-puppet", "as_token:zebra-old"}}},
	{"double-puppet-token", "example.org: zebra", "as_token:", []edit{{discord, "as_token:zebra-puppet", "zebra-shared-secret"}}},
	{"double-puppet-registration", "exclusive: yes", "exclusive: false", []edit{{puppet, "exclusive: no", "exclusive: yes"}}},
	{"double-puppet-registration", "url:", "url: null", []edit{{puppet, "url: null", "url: ''"}}},
	{"database-credentials-match", "uri:", "same password", []edit{{mas, "zebra-db-mas@", "zebra-db-typo@"}}},
	{"database-credentials-match", "args:", "same password", []edit{{hs, "zebra-db-synapse", "zebra-db-typo"}}},
	{"database-credentials-match", "uri:", "same password", []edit{{signal, "zebra-db-signal@", "zebra-db-typo@"}}},
	{"database-credentials-match", "uri:", "host: db", []edit{{signal, "@db/", "@postgres/"}}},
	{"database-created", "uri:", "CREATE DATABASE sig OWNER signal", []edit{{signal, "@db/signal", "@db/sig"}}},
	{"compose-valid", "auth:", "correct", []edit{{compose, "networks: [internal, proxy]\n    volumes: [\"./mas", "networks: [internal, proxi, proxy]\n    volumes: [\"./mas"}}},
	{"compose-interpolation", "routers.compat.rule", "$$", []edit{{compose, "(/.*)?$$`)", "(/.*)?$$`) && !Path(`/$x`)"}}},
	{"compose-mount-exists", "./conf:", "path", []edit{{compose, "volumes: [\"./discord:/data\"]", "volumes: [\"./discord:/data\", \"./conf:/x.yaml\"]"}}},
	{"", "", "", []edit{{compose, "POSTGRES_DB=synapse", "POSTGRES_DB"}, {".env", "export", "POSTGRES_DB=synapse\nexport"}}},
	{"", "", "", []edit{{compose, "      - POSTGRES_DB=synapse\n", ""}, {compose, "    image: postgres:16-alpine", "    image: postgres:16-alpine\n    env_file: [db.env]"}, {"db.env", "", "POSTGRES_DB=synapse\n"}}},
	{"", "", "", []edit{{compose, "  signal:\n", "  worker:\n    <<: *bridge\n    image: matrixdotorg/synapse:v1.157.1\n    command: run -m synapse.app.generic_worker -c /data/w.yaml\n  signal:\n"}}},
	{"registration-msc4190", "id: signal", "", []edit{{compose, "synapse:v1.157.1", "synapse:latest"}}},
	{"", "", "", []edit{{compose, "${TZ:-Europe/Berlin}", "${TZ:-${ZONE:-}}${MORE+x}"}}},
	{"compose-interpolation", "TZ=", ".env", []edit{{compose, "${TZ:-Europe/Berlin}", "${TZ:?}"}}},
	{"internal-apis-private", "ipallowlist", "", []edit{{compose, "      - \"traefik.http.routers.apex.rule", "      - \"traefik.http.routers.admin.rule=Host(`matrix.example.org`) && PathPrefix(`/_synapse/admin`)\"\n      - \"traefik.http.routers.admin.tls=true\"\n      - \"traefik.http.routers.admin.priority=400\"\n      - \"traefik.http.routers.admin.service=synapse\"\n      - \"traefik.http.routers.admin.middlewares=lan\"\n      - \"traefik.http.middlewares.lan.ipallowlist.sourcerange=10.0.0.0/8\"\n      - \"traefik.http.routers.apex.rule"}}},
	{"", "", "", []edit{{compose, "    <<: *bridge\n    image: dock.mau.dev/mautrix/discord:v0.7.5", "    network_mode: host\n    image: dock.mau.dev/mautrix/discord:v0.7.5"}}},
	{"database-credentials-match", "uri:", "escape", []edit{{mas, "zebra-db-mas@", "1/zebra-db@"}}},
	{"", "", "", []edit{{mas, "postgresql://mas:zebra-db-mas@db:5432/mas?sslmode=disable", "postgresql:///mas?host=db&user=mas&password=zebra-db-mas"}}},
	{"", "", "", []edit{{"initdb/20-mas.sh", "CREATE DATABASE mas OWNER mas;", "X\npsql -c \"CREATE DATABASE \\\"mas\\\" OWNER \\\"mas\\\"\""}}},
}

func TestVariants(t *testing.T) {
	tree, good := readTree(t, "testdata/hand-kept.txtar")
	tried := make(map[string]bool)
	for i, v := range variants {
		tried[v.rule] = true
		t.Run(fmt.Sprintf("%d-%s", i, v.rule), func(t *testing.T) {
			broken := apply(t, tree, v.edits)
			n := 0
			for _, f := range run(t, broken) {
				if f.Rule == "database-created" && f.Severity == source.Warning {
					continue // of the good tree
				}
				n++
				text := ""
				if f.Pos().Line > 0 {
					text = strings.Split(string(broken[f.Pos().File].Data), "\n")[f.Pos().Line-1]
				}
				if f.Rule != v.rule || !strings.Contains(text, v.at) || !strings.Contains(f.Fix, v.fix) {
					t.Errorf("%s %s %s: %s\nfix: %s\nline: %s", f.Severity, f.Rule, f.Pos(), f.Message, f.Fix, text)
				}
			}
			if v.rule != "" && n == 0 {
				t.Error("nothing was found")
			}
		})
	}
	for _, r := range check.Rules {
		if !tried[r.ID] {
			t.Errorf("no variant for %s", r.ID)
		}
	}
	if len(good) != 3 {
		t.Error(good)
	}
}

// TestSecretsStayHidden damages every secret of a file in turn; run holds that none is shown.
func TestSecretsStayHidden(t *testing.T) {
	for _, file := range []string{"hand-kept", "plain-synapse"} {
		tree, _ := readTree(t, "testdata/"+file+".txtar")
		for name, f := range tree {
			if !strings.Contains(string(f.Data), planted) {
				continue
			}
			for _, damage := range []string{"${" + planted, "$" + planted, planted + ": " + planted, "*" + planted, "{" + planted + ": [1]}", "'" + planted, planted + "/#%zz@"} {
				broken := maps.Clone(tree)
				broken[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(f.Data), planted, damage)), Mode: 0o644}
				run(t, broken)
			}
		}
	}
}

// TestOddFiles has files that are not what a path promises.
func TestOddFiles(t *testing.T) {
	tree, good := readTree(t, "testdata/hand-kept.txtar")
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, tree); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, filepath.FromSlash(name))
			for odd, put := range map[string]func() error{
				"binary":       func() error { return os.WriteFile(file, []byte("\x00\x01\xff"), 0o600) },
				"a directory":  func() error { return os.Mkdir(file, 0o700) },
				"a loop":       func() error { return os.Symlink(filepath.Base(file), file) },
				"a dead link":  func() error { return os.Symlink("nowhere", file) },
				"empty":        func() error { return os.WriteFile(file, nil, 0o600) },
				"not a record": func() error { return os.WriteFile(file, []byte("- zebra\n- 1\n"), 0o600) },
			} {
				if err := os.RemoveAll(file); err != nil {
					t.Fatal(err)
				}
				if err := put(); err != nil {
					t.Fatal(err)
				}
				d, findings := check.Open(os.DirFS(dir))
				found, _ := check.Run(d)
				findings = append(findings, found...)
				if slices.Equal(lines(findings), good) && name != regB && name != ".env" {
					t.Errorf("%s: nothing is said", odd)
				}
				for _, f := range findings {
					if strings.Contains(f.Message, "of a fault in stackgen") || strings.Contains(f.Message+f.Fix, planted) {
						t.Errorf("%s: %s: %s", odd, f.Rule, f.Message)
					}
				}
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	tree, _ := readTree(f, "testdata/hand-kept.txtar")
	files := []string{compose, hs, mas, signal, regA}
	for i, name := range files {
		f.Add(uint8(i), tree[name].Data)
		f.Add(uint8(i), []byte("a: &a\n  <<: *a\n"))
	}
	for _, s := range []string{"", "services: []", "services: {synapse: }", "services: {a: {image: [x], volumes: ['', ':', 1, {}], networks: {a: [b]}, labels: [=, a], environment: ['=']}}"} {
		f.Add(uint8(0), []byte(s))
	}
	f.Add(uint8(1), []byte("server_name: [x]\nlisteners: [{port: x, bind_addresses: x, resources: [1]}, 2]\napp_service_config_files: ['', /, ../../x, {}]\nmatrix_authentication_service: {enabled: true, endpoint: '://'}\n"))
	f.Add(uint8(2), []byte("http: {public_base: '%zz', listeners: [{binds: [{address: x}, {address: ':'}], resources: x}]}\ndatabase: {uri: 'postgres://%zz@/'}\n"))
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		broken := maps.Clone(tree)
		broken[files[int(which)%len(files)]] = &fstest.MapFile{Data: data, Mode: 0o644}
		d, findings := check.Open(broken)
		found, _ := check.Run(d)
		for _, f := range append(findings, found...) {
			if strings.Contains(f.Message, "of a fault in stackgen") {
				t.Errorf("%s: %s", f.Rule, f.Message)
			}
		}
	})
}
