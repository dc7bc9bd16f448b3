package render_test

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/source"
)

// edit replaces text in one file of a rendered tree; an empty old text removes the file, or makes it with
// the new one.
type edit struct{ file, old, new string }

// faults breaks the rendered reference deployment by hand, the way people do. Each must be found by the
// rule that is named, with all the places, and by no other.
var faults = []struct {
	rule  string
	name  string
	edits []edit
	sites []string // file:line text that must be among the sites, by file name
}{
	{"mas-secret-matches", "the secret differs", []edit{{"secrets/mas_matrix_secret", "PLACEHOLDER", "OTHER"}}, []string{"config/matrix/homeserver.yaml", "config/mas/config.yaml"}},
	{"server-name-agrees", "MAS", []edit{{"config/mas/config.yaml", `homeserver: "philipp.info"`, `homeserver: "matrix.philipp.info"`}}, []string{"config/mas/config.yaml", "config/matrix/homeserver.yaml"}},
	{"server-name-agrees", "a bridge", []edit{{"config/signal/config.yaml", `domain: "philipp.info"`, `domain: "matrix.philipp.info"`}}, []string{"config/signal/config.yaml", "config/matrix/homeserver.yaml"}},
	{"mas-endpoint-reachable", "port", []edit{{"config/matrix/homeserver.yaml", "http://mas:8080/", "http://mas:8081/"}}, []string{"config/matrix/homeserver.yaml", "config/mas/config.yaml"}},
	{"mas-endpoint-reachable", "prefix", []edit{{"config/matrix/homeserver.yaml", "http://mas:8080/", "http://mas:8080/auth/"}}, []string{"config/matrix/homeserver.yaml", "config/mas/config.yaml"}},
	{"synapse-endpoint-internal", "public host", []edit{{"config/mas/config.yaml", "http://synapse:8008/", "https://matrix.philipp.info/"}}, []string{"config/mas/config.yaml"}},
	{"synapse-no-local-auth", "registration", []edit{{"config/matrix/homeserver.yaml", "report_stats: false", "report_stats: false\nenable_registration: yes"}}, []string{"config/matrix/homeserver.yaml"}},
	{"synapse-no-password-module", "shared_secret_authenticator", []edit{{"config/matrix/homeserver.yaml", "report_stats: false", "report_stats: false\nmodules:\n  - module: shared_secret_authenticator.SharedSecretAuthProvider\n    config: {}"}}, []string{"config/matrix/homeserver.yaml", "config/matrix/homeserver.yaml"}},
	{"mas-public-base-slash", "", []edit{{"config/mas/config.yaml", "https://matrix.philipp.info/auth/", "https://matrix.philipp.info/auth"}}, []string{"config/mas/config.yaml"}},
	{"mas-path-routing", "nothing strips", []edit{{"docker-compose.yml", "matrix-mas-slash,matrix-mas-strip", "matrix-mas-slash"}}, []string{"docker-compose.yml", "config/mas/config.yaml"}},
	{"mas-path-routing", "the bare path", []edit{{"docker-compose.yml", "Path(`/auth`) || ", ""}}, []string{"docker-compose.yml", "config/mas/config.yaml"}},
	{"mas-healthcheck", "cannot run", []edit{{"docker-compose.yml", "    healthcheck:\n      disable: true", "    healthcheck:\n      test: [\"CMD\", \"curl\", \"-f\", \"http://localhost:8081/health\"]"}}, []string{"docker-compose.yml", "docker-compose.yml"}},
	{"mas-upstream-migrated", "no on_conflict", []edit{{"config/mas/config.yaml", "          on_conflict: set\n", ""}}, []string{"config/mas/config.yaml", "config/mas/config.yaml"}},
	{"compat-router-wins", "lower priority", []edit{{"docker-compose.yml", `mas-compat.priority: "300"`, `mas-compat.priority: "50"`}}, []string{"docker-compose.yml"}},
	{"compat-router-wins", "not on the apex", []edit{{"docker-compose.yml", "(Host(`matrix.philipp.info`) || Host(`philipp.info`)) &&", "Host(`matrix.philipp.info`) &&"}}, []string{"docker-compose.yml"}},
	{"compat-router-wins", "the expression of MAS's documentation", []edit{{"docker-compose.yml", "[^/]+/(login|logout|refresh)(/.*)?$$", "(.*)/(login|logout|refresh)"}}, []string{"docker-compose.yml"}},
	{"apex-matrix-routed", "no router", []edit{{"docker-compose.yml", "Host(`philipp.info`) && PathPrefix(`/_matrix/`)", "Host(`philipp.info`) && PathPrefix(`/_nothing/`)"}}, []string{"docker-compose.yml", "config/matrix/homeserver.yaml"}},
	{"internal-apis-private", "all of Synapse", []edit{{"docker-compose.yml", "(PathPrefix(`/_matrix/`) || PathPrefix(`/_synapse/client/`))", "PathPrefix(`/`)"}}, []string{"docker-compose.yml"}},
	{"registration-copies-equal", "a namespace", []edit{{"config/signal/registration.yaml", "^@signal_.*", "^@sig_.*"}}, []string{"config/matrix/signal.yaml", "config/signal/registration.yaml"}},
	{"registration-listed", "not listed", []edit{{"config/matrix/homeserver.yaml", "  - \"/config/discord.yaml\"\n", ""}}, []string{"config/matrix/homeserver.yaml", "config/discord/config.yaml"}},
	{"registration-listed", "host path", []edit{{"config/matrix/homeserver.yaml", "/config/discord.yaml", "/srv/matrix/discord.yaml"}}, []string{"config/matrix/homeserver.yaml"}},
	{"registration-tokens-match", "as_token", []edit{{"config/whatsapp/config.yaml", `  as_token: "PLACEHOLDER`, `  as_token: "OTHER`}}, []string{"config/whatsapp/config.yaml", "config/matrix/whatsapp.yaml"}},
	{"registration-ids-unique", "one id twice", []edit{
		{"config/matrix/signal.yaml", `id: "signal"`, `id: "discord"`},
		{"config/signal/registration.yaml", `id: "signal"`, `id: "discord"`},
		{"config/signal/config.yaml", `id: "signal"`, `id: "discord"`},
	}, []string{"config/matrix/signal.yaml", "config/matrix/discord.yaml"}},
	{"registration-msc4190", "missing for Synapse 1.138", []edit{
		{"docker-compose.yml", "synapse:v1.157.1", "synapse:v1.138.0"},
		{"config/matrix/signal.yaml", "io.element.msc4190: true\norg.matrix.msc4190: true\n", ""},
		{"config/signal/registration.yaml", "io.element.msc4190: true\norg.matrix.msc4190: true\n", ""},
	}, []string{"config/matrix/signal.yaml", "config/signal/config.yaml"}},
	{"registration-msc4190-spelling", "", []edit{
		{"config/matrix/signal.yaml", "io.element.msc4190: true\n", ""},
		{"config/signal/registration.yaml", "io.element.msc4190: true\n", ""},
	}, []string{"config/matrix/signal.yaml"}},
	{"bridge-msc4190", "bridgev2", []edit{{"config/signal/config.yaml", "msc4190: true", "msc4190: false"}}, []string{"config/signal/config.yaml", "config/matrix/homeserver.yaml"}},
	{"bridge-msc4190", "legacy", []edit{{"config/discord/config.yaml", "msc4190: true", "msc4190: false"}}, []string{"config/discord/config.yaml", "config/matrix/homeserver.yaml"}},
	{"bridge-homeserver-address", "through the proxy", []edit{{"config/signal/config.yaml", "http://synapse:8008", "https://matrix.philipp.info"}}, []string{"config/signal/config.yaml"}},
	{"bridge-homeserver-address", "Python", []edit{{"config/telegram/config.yaml", `address: "https://matrix.philipp.info"`, `address: "http://synapse:8008"`}}, []string{"config/telegram/config.yaml", "config/matrix/homeserver.yaml"}},
	{"double-puppet-token", "another token", []edit{{"config/meta/config.yaml", "as_token:PLACEHOLDER", "as_token:OTHER"}}, []string{"config/meta/config.yaml", "config/matrix/doublepuppet.yaml"}},
	{"double-puppet-token", "no prefix", []edit{{"config/telegram/config.yaml", "as_token:PLACEHOLDER", "PLACEHOLDER"}}, []string{"config/telegram/config.yaml"}},
	{"double-puppet-registration", "exclusive", []edit{{"config/matrix/doublepuppet.yaml", "exclusive: false", "exclusive: true"}}, []string{"config/matrix/doublepuppet.yaml"}},
	{"double-puppet-registration", "url missing", []edit{{"config/matrix/doublepuppet.yaml", "url: null\n", ""}}, []string{"config/matrix/doublepuppet.yaml"}},
	{"database-credentials-match", "password", []edit{{"config/matrix/homeserver.yaml", `password: "PLACEHOLDER`, `password: "OTHER`}}, []string{"config/matrix/homeserver.yaml", "secrets/postgres_synapse"}},
	{"database-credentials-match", "host", []edit{{"config/signal/config.yaml", "@postgres/signal", "@db/signal"}}, []string{"config/signal/config.yaml"}},
	{"database-created", "nothing creates it", []edit{{"config/signal/config.yaml", "@postgres/signal?", "@postgres/signal2?"}}, []string{"config/signal/config.yaml"}},
	{"database-created", "only on the first start", []edit{
		{"docker-compose.yml", "    command: [\"psql\", \"-X\", \"-q\", \"-v\", \"ON_ERROR_STOP=1\", \"-f\", \"/init/databases.sql\"]\n", ""},
		{"docker-compose.yml", `      - "./data/postgres:/var/lib/postgresql/data"`, "      - \"./data/postgres:/var/lib/postgresql/data\"\n      - \"./config/postgres:/docker-entrypoint-initdb.d:ro\""},
		{"docker-compose.yml", "    secrets: [postgres_password]", "    secrets: [postgres_password, postgres_synapse, postgres_mas, postgres_signal, postgres_whatsapp, postgres_telegram, postgres_discord, postgres_meta]"},
	}, []string{"config/postgres/databases.sql", "config/matrix/homeserver.yaml"}},
	{"compose-valid", "unknown network", []edit{{"docker-compose.yml", "networks: [stack, ingress]", "networks: [stack, ingress, typo]"}}, []string{"docker-compose.yml"}},
	{"compose-interpolation", "single dollar", []edit{{"docker-compose.yml", `stackgen.config-hash: "`, `note: "costs 5 $dollars"` + "\n      stackgen.config-hash: \""}}, []string{"docker-compose.yml"}},
	{"irreversible-change", "server name", []edit{{".stackgen/manifest.json", "", `{"fixed": {"server_name": "philipp.example"}}`}}, []string{"config/matrix/homeserver.yaml", ".stackgen/manifest.json"}},
	{"irreversible-change", "signing key", []edit{{".stackgen/manifest.json", "", `{"fixed": {"synapse.signing_key": "ed25519:a_old AAAA"}}`}}, []string{"config/matrix/homeserver.yaml", ".stackgen/manifest.json"}},
	{"irreversible-change", "a secret", []edit{{".stackgen/manifest.json", "", `{"fixed": {"bridges.signal.pickle_key": "sha256:0000"}}`}}, []string{"config/signal/config.yaml", ".stackgen/manifest.json"}},
	{"irreversible-change", "ghosts", []edit{{".stackgen/manifest.json", "", `{"fixed": {"bridges.telegram.username_template": "tg_{userid}"}}`}}, []string{"config/telegram/config.yaml", ".stackgen/manifest.json"}},
	{"compose-mount-exists", "missing secret", []edit{{"secrets/synapse_form_secret", "", ""}}, []string{"docker-compose.yml"}},
}

func brokenTree(t *testing.T, tree fstest.MapFS, edits []edit) fstest.MapFS {
	t.Helper()
	broken := maps.Clone(tree)
	for _, e := range edits {
		f, ok := broken[e.file]
		switch {
		case e.old == "" && e.new != "":
			broken[e.file] = &fstest.MapFile{Data: []byte(e.new), Mode: 0o600}
			continue
		case !ok:
			t.Fatalf("no file %s", e.file)
		case e.old == "":
			delete(broken, e.file)
			continue
		}
		if !strings.Contains(string(f.Data), e.old) {
			t.Fatalf("%s does not hold %q", e.file, e.old)
		}
		broken[e.file] = &fstest.MapFile{Data: []byte(strings.Replace(string(f.Data), e.old, e.new, 1)), Mode: f.Mode}
	}
	return broken
}

func phil(t testing.TB) fstest.MapFS {
	t.Helper()
	src, err := os.ReadFile("../../examples/phil-app/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := load(t, "stack.yaml", src)
	return b.FS().(fstest.MapFS)
}

func findingsOf(fsys fs.FS) []source.Finding {
	d, problems := check.Open(fsys)
	findings, _ := check.Run(d)
	return append(problems, findings...)
}

func TestFaults(t *testing.T) {
	tree := phil(t)
	tried := make(map[string]bool)
	for _, fault := range faults {
		tried[fault.rule] = true
		t.Run(fault.rule+"/"+fault.name, func(t *testing.T) {
			findings := findingsOf(brokenTree(t, tree, fault.edits))
			if len(findings) == 0 {
				t.Fatal("nothing was found")
			}
			for _, f := range findings {
				if f.Rule != fault.rule {
					t.Errorf("found by %s as well: %s %s", f.Rule, f.Pos(), f.Message)
				}
				if strings.Contains(f.Message+f.Fix, "PLACEHOLDER") {
					t.Errorf("a secret stands in %q", f.Message)
				}
			}
			var files []string
			for _, s := range findings[0].Sites {
				files = append(files, s.File)
				if strings.Contains(s.Snippet+s.Note, "PLACEHOLDER") {
					t.Errorf("a secret stands in the snippet %q", s.Snippet)
				}
			}
			for _, want := range fault.sites {
				i := slices.Index(files, want)
				if i < 0 {
					t.Fatalf("no place in %s; there are %v", want, files)
				}
				files = slices.Delete(files, i, i+1)
			}
		})
	}
	for _, r := range check.Rules {
		if !tried[r.ID] {
			t.Errorf("no fault for the rule %s", r.ID)
		}
	}
}
