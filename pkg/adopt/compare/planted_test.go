package compare_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt/compare"
)

// planted are changes of a rendered stack, each as the old one has it, and what is to be said of it.
var planted = []struct {
	what, file, from, to string
	kind                 compare.Kind
	about, doc, key      string // of the difference; the key without what follows
}{
	{
		"a service", "docker-compose.yml", "\nnetworks:\n", "\n  radio:\n    image: example/radio:1\n    networks: [stack]\n\nnetworks:\n",
		compare.Decision, "service radio", "service", "",
	},
	{"a port", "docker-compose.yml", "    image: \"docker.io/library/postgres", "    ports: [\"127.0.0.1:5432:5432\"]\n    image: \"docker.io/library/postgres", compare.Decision, "postgres", "ports", "127.0.0.1:5432"},
	{"a volume", "docker-compose.yml", "./data/postgres:", "/mnt/postgres:", compare.Decision, "postgres", "mounts", "/var/lib/postgresql"},
	{"a named volume", "docker-compose.yml", "./data/matrix:/data", "media:/data", compare.Decision, "synapse", "mounts", "/data"},
	{"a network", "docker-compose.yml", "    external: true", "    external: true\n  ldap: {external: true}", compare.Same, "the stack", "networks", "external ldap"},
	{"a name", "docker-compose.yml", "    environment:\n      MAS_CONFIG", "    container_name: login\n    environment:\n      MAS_CONFIG", compare.Decision, "mas", "service", "container_name"},
	{"a variable", "docker-compose.yml", "      MAS_CONFIG", "      RUST_LOG: debug\n      MAS_CONFIG", compare.Decision, "mas", "environment", "RUST_LOG"},
	{"a limit", "docker-compose.yml", "    environment:\n      MAS_CONFIG", "    mem_limit: 1g\n    environment:\n      MAS_CONFIG", compare.Decision, "mas", "service", "mem_limit"},
	{"a label", "docker-compose.yml", "      traefik.enable: \"true\"", "      wud.watch: \"true\"\n      traefik.enable: \"true\"", compare.Decision, "synapse", "labels", "wud.watch"},
	{"a project", "docker-compose.yml", "name: \"matrix\"", "name: \"chat\"", compare.Decision, "the stack", "compose", "name"},
	{"less of a sandbox", "docker-compose.yml", "    cap_drop: [ALL]\n", "", compare.Safer, "postgres", "service", "cap_drop"},
	{"a path that is routed", "docker-compose.yml", "PathPrefix(`/_synapse/client/`)", "PathPrefix(`/_synapse/client/`) || PathPrefix(`/_synapse/admin/`)", compare.Safer, "the stack", "requests", "GET matrix.philipp.info/_synapse/admin/"},
	{"a host that is routed", "docker-compose.yml", "Host(`philipp.info`) && PathPrefix", "(Host(`philipp.info`) || Host(`old.philipp.info`)) && PathPrefix", compare.Decision, "the stack", "requests", "GET old.philipp.info/"},
	{"a middleware", "docker-compose.yml", "matrix-mas-slash,matrix-mas-strip", "matrix-mas-slash,matrix-mas-strip,crowdsec@file", compare.Decision, "the stack", "requests", "GET matrix.philipp.info/auth"},
	{"a database", "config/matrix/homeserver.yaml", "dbname: \"synapse\"", "dbname: \"matrix\"", compare.Decision, "synapse", "config", "database name"},
	{"a role", "config/matrix/homeserver.yaml", "user: \"synapse\"", "user: \"matrix\"", compare.Decision, "synapse", "config", "database user"},
	{"a database password", "config/signal/config.yaml", "postgres://signal:", "postgres://signal:x", compare.Decision, "bridge signal", "config", "database password"},
	{"a registration less", "config/matrix/homeserver.yaml", "  - \"/config/signal.yaml\"\n", "", compare.Decision, "synapse", "registration signal", ""},
	{"a token", "config/matrix/signal.yaml", "as_token: \"", "as_token: \"x", compare.Decision, "synapse", "registration signal", "as_token"},
	{"what a backup keeps", "borgmatic.d/matrix.yaml", "keep_daily: 7", "keep_daily: 30", compare.Decision, "backup", "config", "keep_daily"},
	{"a setting that has no field", "config/matrix/homeserver.yaml", "report_stats: false", "report_stats: false\nauto_join_rooms: [\"#lobby:philipp.info\"]", compare.Decision, "synapse", "config", "auto_join_rooms"},
	{"a file beside", "notes.txt", "", "remember the milk\n", compare.Same, "the stack", "beside", "notes.txt"},
	{"a default that is written", "config/matrix/homeserver.yaml", "report_stats: false", "report_stats: false\nenable_registration: false", compare.Same, "synapse", "config", "enable_registration"},
	{"a size in another unit", "config/matrix/homeserver.yaml", "max_upload_size: \"50M\"", "max_upload_size: 52428800", compare.Same, "synapse", "config", "max_upload_size"},
	{"a service by its own name", "config/matrix/homeserver.yaml", "host: \"matrix-stack-postgres\"", "host: \"postgres\"", compare.Same, "synapse", "config", "database host"},
	{"an address without its last slash", "config/matrix/homeserver.yaml", "https://matrix.philipp.info/\"", "https://matrix.philipp.info\"", compare.Same, "synapse", "config", "public_baseurl"},
	{"yes for true", "config/matrix/homeserver.yaml", "report_stats: false", "report_stats: no", compare.Same, "synapse", "config", "report_stats"},
}

// One change of each kind is planted into the old stack, and is listed as what it is, with its place.
func TestPlanted(t *testing.T) {
	tree := rendered(t, "phil-app")
	base := open(tree)
	for _, p := range planted {
		t.Run(p.what, func(t *testing.T) {
			old := maps.Clone(tree)
			data := ""
			if tree[p.file] != nil {
				data = string(tree[p.file].Data)
			}
			if !strings.Contains(data, p.from) {
				t.Fatalf("%s has no %q", p.file, p.from)
			}
			old[p.file] = &fstest.MapFile{Data: []byte(strings.Replace(data, p.from, p.to, 1)), Mode: 0o600}
			r := compare.Deployments(reopen(old, nil, base), base)
			i := slices.IndexFunc(r.Differences, func(d compare.Difference) bool {
				return d.Kind == p.kind && d.About == p.about && d.Doc == p.doc && strings.HasPrefix(d.Key, p.key)
			})
			if i < 0 {
				t.Fatalf("it is not listed as that: %s", said(r))
			}
			if d := r.Differences[i]; d.OldAt.File == "" && d.NewAt.File == "" {
				t.Error("it has no place")
			}
			if p.kind == compare.Decision && r.Differences[i].Why == "" {
				t.Error("it is not said what will happen")
			}
		})
	}
}
