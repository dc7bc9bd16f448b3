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
	{"an older PostgreSQL", own, "docker-compose.yml", "library/postgres:17", "library/postgres:13", compare.Lost, "version", "does not start on the data of 13, and the spec has none before 14"},
	{"another PostgreSQL that the spec has", own, "docker-compose.yml", "library/postgres:17", "library/postgres:16", compare.Decision, "version", "PostgreSQL 17 does not start on the data of 16"},
	{"a PostgreSQL of no release", own, "docker-compose.yml", "library/postgres:17", "library/postgres:latest", compare.Decision, "version", "its own major alone"},
	{"a Synapse that the spec has no more", own, "docker-compose.yml", "/synapse:v1.163.2", "/synapse:v1.60.0", compare.Lost, "version", "no Synapse before 1.136.0"},
	{"an Element Web with a hole", own + "element: {}\n", "docker-compose.yml", "/element-web:v1.12.30", "/element-web:v1.11.0", compare.Safer, "version", "has a hole"},
	{"a port of nobody", own, "docker-compose.yml", "      TMPDIR: \"/data\"", "      TMPDIR: \"/data\"\n    ports: [\"8448:8448\"]", compare.Same, "*:8448-8448/tcp", "nothing in the container listens there"},
	{"an open door in capitals", own, "config/matrix/homeserver.yaml", "enable_registration: false", "enable_registration: True", compare.Decision, "enable_registration", "nobody can from then on"},
	{"the address of a container", own + "calls: {}\n", "config/livekit/livekit.yaml", "use_external_ip: true", "use_external_ip: false", compare.Decision, "rtc.use_external_ip", "tells clients that one"},
	{"a range of ports for calls", own + "calls: {}\n", "config/livekit/livekit.yaml", "  udp_port: 7882\n", "  port_range_start: 50000\n  port_range_end: 50100\n", compare.Decision, "rtc.port_range_end", "by one port of UDP for all"},
	{"addresses to listen on", own + "calls: {}\n", "config/livekit/livekit.yaml", "rtc:\n", "bind_addresses: [0.0.0.0]\nrtc:\n", compare.Same, "bind_addresses[0.0.0.0]", "its own addresses"},
	{"a relay in LiveKit that is off", own + "calls: {}\n", "config/livekit/livekit.yaml", "rtc:\n", "turn: {enabled: false, tls_port: 5349}\nrtc:\n", compare.Same, "turn.tls_port", "is off"},
	{"more ports of a relay than Docker takes", own + "turn: {}\n", "config/coturn/turnserver.conf", "max-port=49172", "max-port=65535", compare.Decision, "max-port", "one by one"},
	{"the realm of a relay", own + "turn: {}\n", "config/coturn/turnserver.conf", "realm=turn.example.org", "realm=example.org", compare.Same, "realm", "told to who calls"},
	{"what coturn does not do any more", own + "turn: {}\n", "config/coturn/turnserver.conf", "no-tcp-relay\n", "no-tcp-relay\nno-cli\nno-tlsv1\nlt-cred-mech\n", compare.Same, "no-tlsv1", "so without it"},
	{"a relay by TLS", own + "turn: {}\n", "config/coturn/turnserver.conf", "no-tls\n", "cert=/certs/a.pem\n", compare.Decision, "no-tls", "over TLS, too"},
	{"a relay for everybody", own + "turn: {}\n", "config/coturn/turnserver.conf", "no-tcp-relay\n", "no-tcp-relay\nno-auth\n", compare.Safer, "no-auth", "does not know the secret"},
	{"no double puppets", own + "bridges: {signal: {permissions: {example.org: user}}}\n", "config/matrix/homeserver.yaml", "  - \"/config/doublepuppet.yaml\"\n", "", compare.Decision, "id", "as the users themselves"},
	{"a sender that the bridge made up", own + "bridges: {signal: {permissions: {example.org: user}}}\n", "config/matrix/signal.yaml", "sender_localpart: ", "sender_localpart: Vq8ZkP3nT7wLr2XyB5mH9cJd4fGs6aEuQ1tRvKoNpWiYbMxC # ", compare.Same, "sender_localpart", "nobody speaks by it"},
	{"the media at another path", own, "docker-compose.yml", "./data/matrix:/data", "./data/matrix:/srv/hs", compare.Same, "/srv/hs", "at another path of the container"},
	{"the media where ours has them", own, "docker-compose.yml", "./data/matrix:/data", "./data/matrix:/srv/hs", compare.Same, "/data", "it was at another path"},
	{"devices that no bridge is told of", own + "bridges: {signal: {encryption: off, permissions: {example.org: user}}}\n", "config/matrix/signal.yaml", "id: ", "org.matrix.msc3202: true\nid: ", compare.Same, "org.matrix.msc3202", "no bridge here"},
	{"another beat of a check", own, "docker-compose.yml", "interval: 15s", "interval: 30s", compare.Same, "healthcheck.interval", "and how often"},
	{"a key to sign with that it took from elsewhere", own, "config/matrix/homeserver.yaml", "macaroon_secret_key_path: \"/run/secrets/synapse_macaroon_secret_key\"\n", "allow_guest_access: true\n", compare.Decision, "macaroon_secret_key", "took registration_shared_secret for it"},
	{"a key to sign with that nobody has anything of", own, "config/matrix/homeserver.yaml", "macaroon_secret_key_path: \"/run/secrets/synapse_macaroon_secret_key\"\n", "", compare.Same, "macaroon_secret_key", "took registration_shared_secret for it; what it signed"},
	{"a key to sign with that is the same", own, "config/matrix/homeserver.yaml", "macaroon_secret_key_path: \"/run/secrets/synapse_macaroon_secret_key\"\n", "registration_shared_secret_path: /run/secrets/synapse_macaroon_secret_key\n", compare.Same, "macaroon_secret_key", "and that it is"},
	{"a key to sign with out of the signing key", none, "config/matrix/homeserver.yaml", "macaroon_secret_key_path: \"/run/secrets/synapse_macaroon_secret_key\"\n", "", compare.Same, "macaroon_secret_key", "took its signing key for it; what it signed"},
	{"a key to sign with that guests have tokens of", none, "config/matrix/homeserver.yaml", "macaroon_secret_key_path: \"/run/secrets/synapse_macaroon_secret_key\"\n", "allow_guest_access: true\n", compare.Decision, "macaroon_secret_key", "do not hold any more"},
	{"no key for forms", own, "config/matrix/homeserver.yaml", "form_secret_path: \"/run/secrets/synapse_form_secret\"\n", "", compare.Same, "form_secret", "page of consent alone"},
	{"a network that others join", own, "docker-compose.yml", "\nnetworks:\n", "\nnetworks:\n  chat: {name: chat}\n", compare.Decision, "chat.name", "another stack that joins the network chat"},
	{"certificates of the machine", own, "docker-compose.yml", "      - \"./config/matrix:/config:ro\"\n", "      - \"./config/matrix:/config:ro\"\n      - /etc/letsencrypt:/certs:ro\n", compare.Decision, "/certs", "not in the container any more"},
	{"a listener that nobody else can ask", own, "config/matrix/homeserver.yaml", "bind_addresses: [\"0.0.0.0\"]", "bind_addresses: [\"::1\", \"127.0.0.1\"]", compare.Decision, "listeners[8008].bind_addresses[127.0.0.1]", "within its own container alone"},
	{"a listener of the machine", own, "config/matrix/homeserver.yaml", "bind_addresses: [\"0.0.0.0\"]", "bind_addresses: [\"::1\", \"0.0.0.0\"]", compare.Same, "listeners[8008].bind_addresses[::1]", "on its own addresses either way"},
	{"who gets into a cluster that is made anew", own, "docker-compose.yml", "      POSTGRES_PASSWORD_FILE:", "      POSTGRES_HOST_AUTH_METHOD: trust\n      POSTGRES_PASSWORD_FILE:", compare.Same, "POSTGRES_HOST_AUTH_METHOD", "made anew reads it"},
	{"logs of a bridge in files", own + "bridges: {signal: {permissions: {example.org: user}}}\n", "config/signal/config.yaml", "logging:\n", "logging:\n  directory: ./logs\n", compare.Decision, "logging.directory", "not written to files"},
	{"a way from http to https", own, "docker-compose.yml", "      traefik.enable: \"true\"", "      traefik.enable: \"true\"\n      traefik.http.middlewares.up.redirectscheme.scheme: https", compare.Decision, "traefik.http.middlewares.up.redirectscheme.scheme", "not sent on to https by these labels"},
	{"a bridge with logins of its appservice", own + "bridges: {signal: {permissions: {example.org: user}}}\n", "config/matrix/signal.yaml", "io.element.msc4190: true\n", "", compare.Same, "io.element.msc4190", "which no bridge of ours does"},
	{"an appservice with logins of its own", own + "appservices: {hook: {image: example/hook, version: '1', port: 9000, bot: hook, users: ['@hook_.*'], encryption: true}}\n", "config/matrix/hook.yaml", "io.element.msc4190: true\n", "", compare.Decision, "io.element.msc4190", "refuses logins of this appservice"},
	{"uploads in memory", own, "docker-compose.yml", "      TMPDIR: \"/data\"\n", "", compare.Safer, "TMPDIR", "not in memory"},
	{"the daemon's way to log", own, "docker-compose.yml", "driver: json-file, ", "", compare.Safer, "logging.driver", "whatever daemon.json has"},
	{"a listener for the PROXY protocol", "version: 1\nserver_name: example.org\nauth: {passwords: true}\n", "config/mas/config.yaml", "    - name: web\n", "    - name: web\n      proxy_protocol: true\n", compare.Decision, "http.listeners[web].proxy_protocol", "PROXY protocol"},
	{"a page of MAS with a certificate of its own", "version: 1\nserver_name: example.org\nauth: {passwords: true}\n", "config/mas/config.yaml", "    - name: web\n", "    - name: web\n      tls: {certificate: FAKE}\n", compare.Decision, "http.listeners[web].tls.certificate", "does without TLS"},
}

// none is a stack whose Synapse has no registration_shared_secret.
const none = "version: 1\nserver_name: example.org\nauth: {kind: synapse, upstream: {a: {issuer: 'https://a.example.com', client_id: x}}}\n"

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

// A bridge is the same one where its configuration is of another release: what it is called, and by which names it calls others,
// stands in another place there, and who may use it is said in other words.
func TestBridgesOfTwoReleases(t *testing.T) {
	const telegram = own + "permissions: {example.org: user}\nbridges: {telegram: {encryption: off, bot: post, username_prefix: tg, VERSION}}\n"
	old, ours := open(renderedFrom(t, []byte(strings.Replace(telegram, "VERSION", "version: v0.15.3", 1)))), open(renderedFrom(t, []byte(strings.Replace(telegram, ", VERSION", "", 1))))
	r := compare.Deployments(old, ours)
	for _, key := range []string{"bot", "username", "permissions"} {
		for _, d := range r.Differences {
			if d.About == "bridge telegram" && d.Doc == "config" && strings.Contains(d.Key, key) && d.Kind == compare.Decision && !strings.Contains(d.Why, "another release") {
				t.Errorf("%s: %s", d.Key, d.Why)
			}
		}
	}
	if !slices.ContainsFunc(r.Differences, func(d compare.Difference) bool {
		return strings.HasSuffix(d.Key, "permissions.example.org") && d.Kind == compare.Same && strings.Contains(d.Why, "calls full")
	}) {
		t.Errorf("permissions are not compared by what they mean: %s", said(r))
	}
}

// A network that is another stack's is that in the form of Compose 1, too.
func TestNetworksOfOthersInTheOldForm(t *testing.T) {
	ours := renderedFrom(t, []byte(own+"synapse: {networks: [monitoring]}\n"))
	old := maps.Clone(ours)
	const here, there = "{name: \"monitoring\", external: true}", "{external: {name: monitoring}}"
	text := string(ours["docker-compose.yml"].Data)
	if !strings.Contains(text, here) {
		t.Fatalf("there is no such network in\n%s", text)
	}
	old["docker-compose.yml"] = &fstest.MapFile{Data: []byte(strings.Replace(text, here, there, 1)), Mode: 0o600}
	for _, d := range compare.Deployments(open(old), open(ours)).Differences {
		if d.Doc == "networks" && d.Key == "monitoring" {
			t.Errorf("%s %s: %s", d.About, d.Key, d.Why)
		}
	}
}

// Requests come in by the proxy of others before HAProxy leads them to a process of Synapse: the way in is the same one.
func TestWayInBeforeHAProxy(t *testing.T) {
	const labels = own + "ingress: {traefik: {cert_resolver: le, middlewares: [hsts@file]}}\n"
	r := compare.Deployments(open(renderedFrom(t, []byte(labels))), open(renderedFrom(t, []byte(labels+"synapse: {workers: small}\n"))))
	for _, d := range r.Differences {
		if d.Doc == "requests" {
			t.Errorf("%s: %s → %s: %s", d.Key, d.Old, d.New, d.Why)
		}
	}
}

// A PostgreSQL that is nobody's of the stack is kept beside the one that is rendered for it, and nothing of it changes.
func TestServerOfSomethingElse(t *testing.T) {
	ours := renderedFrom(t, []byte(own+"compose: {extra: {services: {postgres-kept: {image: 'postgres:16', container_name: pg, volumes: ['/srv/pg:/var/lib/postgresql/data'], environment: {POSTGRES_PASSWORD: fake-password-of-pages}}}}}\n"))
	old := fstest.MapFS{
		"docker-compose.yml": &fstest.MapFile{Data: []byte("services:\n  postgres: {image: 'postgres:16', container_name: pg, volumes: ['/srv/pg:/var/lib/postgresql/data'], environment: {POSTGRES_PASSWORD: fake-password-of-pages}}\n  synapse: {image: 'matrixdotorg/synapse:v1.163.2', volumes: ['./hs:/data']}\n")},
		"hs/homeserver.yaml": &fstest.MapFile{Data: []byte("server_name: example.org\ndatabase: {name: sqlite3, args: {database: /data/homeserver.db}}\n")},
	}
	for _, d := range compare.Deployments(open(old), open(ours)).Differences {
		if d.About == "postgres" && d.Kind != compare.Same && d.Kind != compare.Safer && d.Doc != "networks" {
			t.Errorf("%s %s: %s", d.Doc, d.Key, d.Why)
		}
	}
}

// A proxy that led to a port at which nothing listens answered nobody: that it does not lead there any more keeps nobody out.
func TestNobodyListened(t *testing.T) {
	ours := renderedFrom(t, []byte(own))
	old := maps.Clone(ours)
	text := strings.NewReplacer(`loadbalancer.server.port: "8008"`, `loadbalancer.server.port: "9999"`,
		"PathPrefix(`/_synapse/client/`)", "PathPrefix(`/_synapse/`)").Replace(string(ours["docker-compose.yml"].Data))
	old["docker-compose.yml"] = &fstest.MapFile{Data: []byte(text), Mode: 0o600}
	r := compare.Deployments(open(old), open(ours))
	if !slices.ContainsFunc(r.Differences, func(d compare.Difference) bool {
		return strings.HasSuffix(d.Key, "/_synapse/admin/v1/server_version") && d.Kind == compare.Same && strings.Contains(d.Why, "nobody answered there, either")
	}) {
		t.Error(said(r))
	}
}

// A script that calls a container by a name that is lost is told apart from one that goes on to work.
func TestScriptsBeside(t *testing.T) {
	ours := renderedFrom(t, []byte(own))
	for script, want := range map[string]compare.Kind{
		"docker compose exec -T postgres pg_dump synapse > /backup/db.sql\n": compare.Same,
		"docker exec -t matrix-db pg_dump synapse\n":                         compare.Decision,
		"# docker exec -t matrix-db pg_dump synapse\nrsync data /backup\n":   compare.Same,
	} {
		old := maps.Clone(ours)
		old["docker-compose.yml"] = &fstest.MapFile{Mode: 0o600, Data: []byte(strings.Replace(string(ours["docker-compose.yml"].Data), "    user: \"999:999\"\n", "    user: \"999:999\"\n    container_name: matrix-db\n", 1))}
		old["scripts/backup.sh"] = &fstest.MapFile{Data: []byte(script), Mode: 0o700}
		r := compare.Deployments(open(old), open(ours))
		if !slices.ContainsFunc(r.Differences, func(d compare.Difference) bool { return d.Key == "scripts/backup.sh" && d.Kind == want }) {
			t.Errorf("%q is not %s: %s", script, want, said(r))
		}
	}
}
