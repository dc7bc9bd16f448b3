package compare_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt/compare"
)

// own is a stack whose Synapse logs users in itself, with all that reasons are asked of below.
const own = "version: 1\nserver_name: example.org\nauth: {kind: synapse, passwords: true}\n"

// told are edits of a rendered stack, each as the old one has it, and the reason that is given for what became of it.
var told = []struct {
	what, spec, file, from, to string
	kind                       compare.Kind
	key, why                   string
}{
	{"calls without their limits", own + "calls: {}\n", "config/matrix/homeserver.yaml", "rc_message: {per_second: 0.5, burst_count: 30}\n", "", compare.Safer, "rc_message.per_second", "a call takes more messages"},
	{"calls without a registration", own + "calls: {}\n", "config/matrix/homeserver.yaml", "  - \"/config/lk-jwt.yaml\"\n", "  []\n", compare.Safer, "id", "lk-jwt-service asks Synapse"},
	{"a TURN server with its usual port", own + "synapse: {turn: {uris: ['turn:turn.example.org?transport=udp']}}\n", "config/matrix/homeserver.yaml", "turn:turn.example.org?", "turn:turn.example.org:3478?", compare.Same, "turn_uris[turn:turn.example.org:3478?transport=udp]", "the same port"},
	{"a manager of its own names", own, "docker-compose.yml", "      traefik.enable: \"true\"", "      stackgen.traefik-rules: \"v2\"\n      traefik.enable: \"true\"", compare.Same, "stackgen.traefik-rules", "stackgen alone reads it"},
	{"an address that is the proxy's", own, "config/matrix/homeserver.yaml", "x_forwarded: true", "x_forwarded: false", compare.Safer, "listeners[8008].x_forwarded", "Synapse sees the address"},
	{"a root below which there is more", own, "docker-compose.yml", "PathPrefix(`/_synapse/client/`)", "PathPrefix(`/_synapse/client/`) || Path(`/_matrix/federation`) || Path(`/.well-known/matrix/`)", compare.Same, "GET matrix.example.org/.well-known/matrix/", "answers 404 there, too"},
	{"a limit in the words of Swarm", own + "synapse: {limits: {memory: 1G}}\n", "docker-compose.yml", "    mem_limit: \"1G\"\n", "    deploy: {resources: {limits: {memory: 1024M}}}\n", compare.Same, "mem_limit", "the same size"},
	{"no log at all", own, "docker-compose.yml", "driver: json-file", "driver: none", compare.Safer, "logging.driver", "docker compose logs"},
	{"a name that it has anyway", own, "docker-compose.yml", "    cap_drop: [ALL]\n", "    hostname: postgres\n    cap_drop: [ALL]\n", compare.Same, "hostname", "called that anyway"},
	{"a clock that is right", own, "docker-compose.yml", "      TMPDIR: \"/data\"", "      TMPDIR: \"/data\"\n      TZ: UTC", compare.Same, "TZ", "so without it"},
	{"a provider that is off", own, "config/matrix/homeserver.yaml", "report_stats: false", "report_stats: false\noidc_config: {issuer: 'https://a.example.com'}", compare.Same, "oidc_config.issuer", "is off"},
	{"a token for what is closed", own, "config/matrix/homeserver.yaml", "report_stats: false", "report_stats: false\nregistration_requires_token: true", compare.Same, "registration_requires_token", "nobody can register"},
	{"a script of its own", own, "docker-compose.yml", "      TMPDIR: \"/data\"", "      TMPDIR: \"/data\"\n    entrypoint: [/bin/sh, /data/start.sh]", compare.Decision, "entrypoint", "not by /bin/sh /data/start.sh"},
	{"what is for workers, of which there are none", own, "config/matrix/homeserver.yaml", "names: [client, federation]", "names: [client, federation, replication]", compare.Same, "listeners[8008].resources.names[replication]", "there are none"},
	{"no federation", own, "config/matrix/homeserver.yaml", "report_stats: false", "report_stats: false\nsend_federation: false", compare.Decision, "send_federation", "sends to other servers"},
	{"an address of the same host", own, "config/matrix/homeserver.yaml", "https://matrix.example.org/", "http://matrix.example.org:8008/", compare.Decision, "public_baseurl", "no more to http://matrix.example.org:8008/"},
	{"a middleware", own, "docker-compose.yml", "traefik.http.routers.matrix-matrix.tls: \"true\"", "traefik.http.routers.matrix-matrix.tls: \"true\"\n      traefik.http.routers.matrix-matrix.middlewares: crowdsec@file", compare.Decision, "GET matrix.example.org/_matrix/client/versions", "through crowdsec@file no more"},
	{"where its configuration is", own, "docker-compose.yml", "      TMPDIR: \"/data\"", "      TMPDIR: \"/data\"\n    command: [--config-path=/config/homeserver.yaml, --flag]", compare.Decision, "command", "without these words"},
	{"devices that no bridge is told of", own + "bridges: {signal: {encryption: off, permissions: {example.org: user}}}\n", "config/matrix/signal.yaml", "id: ", "org.matrix.msc3202: true\nid: ", compare.Same, "org.matrix.msc3202", "no bridge here"},
}

// Each difference has the reason that is true of it: neither one that is true of its kind in general, nor of another kind.
func TestReasons(t *testing.T) {
	trees := make(map[string]fstest.MapFS)
	for _, c := range told {
		t.Run(c.what, func(t *testing.T) {
			if trees[c.spec] == nil {
				trees[c.spec] = renderedFrom(t, []byte(c.spec))
			}
			ours := trees[c.spec]
			old := maps.Clone(ours)
			if ours[c.file] == nil || !strings.Contains(string(ours[c.file].Data), c.from) {
				t.Fatalf("%s has no %q", c.file, c.from)
			}
			old[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(string(ours[c.file].Data), c.from, c.to, 1)), Mode: 0o600}
			r := compare.Deployments(open(old), open(ours))
			if !slices.ContainsFunc(r.Differences, func(d compare.Difference) bool {
				named := d.Key == c.key || slices.Contains(d.Also, strings.Replace(c.key, "matrix.example.org", "", 1))
				return named && d.Kind == c.kind && strings.Contains(d.Why, c.why)
			}) {
				t.Errorf("%s is not %s, for %q: %s", c.key, c.kind, c.why, said(r))
			}
		})
	}
}
