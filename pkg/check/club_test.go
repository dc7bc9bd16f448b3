package check_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
)

// clubFaults are edits of what is rendered for a stack with a worker of each kind: what somebody who keeps it by hand may do, the rule that
// finds it, and the line that it shows first.
var clubFaults = []struct {
	name, file, old, now string
	rule, at, line       string
}{
	{
		"typing is left to another process", "config/haproxy/haproxy.cfg", "use_backend typing if typing", "use_backend client if typing",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend client if typing",
	},
	{
		"push rules are read and written at the same", "config/haproxy/haproxy.cfg", "use_backend client if push-rules-get { method GET } { nbsrv(client) gt 0 }", "use_backend client if push-rules-get",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend client if push-rules-get",
	},
	{
		"messages to devices at the main process", "config/haproxy/haproxy.cfg", "use_backend to-device if to-device", "use_backend main if to-device",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend main if to-device",
	},
	{
		"receipts at the process that has media", "config/haproxy/haproxy.cfg", "use_backend receipts if receipts", "use_backend media if receipts",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend media if receipts",
	},
	{
		"media at the main process", "config/haproxy/haproxy.cfg", "use_backend media if media", "use_backend main if media",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend main if media",
	},
	{
		"what nobody else takes goes to a worker", "config/haproxy/haproxy.cfg", "default_backend main", "default_backend client",
		"worker-answers", "config/haproxy/haproxy.cfg", "default_backend client",
	},
	{
		"one address too many for another backend", "config/haproxy/haproxy.cfg", "server sync1 matrix-stack-synapse-sync1:8008", "server sync1 matrix-stack-synapse-federation-reader1:8008",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend sync if sync",
	},
	{
		"a listener for others than clients", "config/workers/client1.yaml", "names: [client]", "names: [health]",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend",
	},
	{
		"media are turned off where they are served", "config/workers/media1.yaml", "enable_media_repo: true", "enable_media_repo: false",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend media if",
	},
	{
		"another name for a writer", "config/workers/typing1.yaml", `worker_name: "typing1"`, `worker_name: "typing"`,
		"worker-starts", "config/matrix/homeserver.yaml", "typing1: {host:",
	},
	{
		"two of one name", "config/workers/sync1.yaml", `worker_name: "sync1"`, `worker_name: "client1"`,
		"worker-starts", "config/workers/", "worker_name",
	},
	{
		"a writer that stands nowhere", "config/matrix/homeserver.yaml", `  typing1: {host: "matrix-stack-synapse-typing1", port: 9093}` + "\n", "",
		"synapse-version-supports", "config/matrix/homeserver.yaml", "instance_map",
	},
	{
		"the main process stands nowhere", "config/matrix/homeserver.yaml", `  main: {host: "matrix-stack-synapse", port: 9093}` + "\n", "",
		"worker-starts", "config/matrix/homeserver.yaml", "instance_map",
	},
	{
		"a writer at the port for clients", "config/matrix/homeserver.yaml", `receipts1: {host: "matrix-stack-synapse-receipts1", port: 9093}`, `receipts1: {host: "matrix-stack-synapse-receipts1", port: 8008}`,
		"worker-starts", "config/matrix/homeserver.yaml", "port: 8008}",
	},
	{
		"a writer at the address of another", "config/matrix/homeserver.yaml", `presence1: {host: "matrix-stack-synapse-presence1"`, `presence1: {host: "matrix-stack-synapse-receipts1"`,
		"worker-starts", "config/matrix/homeserver.yaml", "presence1: {host:",
	},
	{
		"two writers of what has one", "config/matrix/homeserver.yaml", `account_data: "account-data1"`, `account_data: ["account-data1", "presence1"]`,
		"synapse-starts", "config/matrix/homeserver.yaml", "account_data:",
	},
	{
		"nobody pushes", "config/matrix/homeserver.yaml", `pusher_instances: ["pusher1"]`, `pusher_instances: []`,
		"worker-duties-done", "config/matrix/homeserver.yaml", "pusher_instances",
	},
	{
		"a sender that is not there", "config/matrix/homeserver.yaml", `federation_sender_instances: ["federation-sender1"]`, `federation_sender_instances: ["federation_sender1"]`,
		"worker-starts", "config/matrix/homeserver.yaml", "federation_sender_instances",
	},
	{
		"two notifiers of appservices", "config/matrix/homeserver.yaml", `notify_appservices_from_worker: "appservice1"`, `notify_appservices_from_worker: ["appservice1", "background1"]`,
		"worker-duties-done", "config/matrix/homeserver.yaml", "notify_appservices_from_worker",
	},
	{
		"a worker that takes background jobs for itself", "config/workers/background1.yaml", `worker_name: "background1"`, "worker_name: \"background1\"\nrun_background_tasks_on: user-dir1",
		"workers-agree", "config/workers/background1.yaml", "run_background_tasks_on",
	},
	{
		"another password for Valkey", "config/synapse-valkey/valkey.conf", "requirepass ", "requirepass x",
		"redis-takes-synapse", "config/matrix/homeserver.yaml", "password_path",
	},
	{
		"no password for Valkey", "config/synapse-valkey/valkey.conf", "requirepass ", "# ",
		"redis-takes-synapse", "config/matrix/homeserver.yaml", "password_path",
	},
	{
		"another port for Valkey", "config/matrix/homeserver.yaml", "port: 6379", "port: 6380",
		"redis-takes-synapse", "config/matrix/homeserver.yaml", "port: 6380",
	},
	{
		"a kind of worker that there is not", "config/workers/pusher1.yaml", "worker_app: synapse.app.generic_worker", "worker_app: synapse.app.push",
		"worker-starts", "config/workers/pusher1.yaml", "worker_app",
	},
	{
		"no Redis", "config/matrix/homeserver.yaml", "redis:\n  enabled: true", "redis:\n  enabled: false",
		"worker-starts", "config/matrix/homeserver.yaml", "enabled: false",
	},
	{
		"one worker of another release", "docker-compose.yml", "synapse-typing1:\n    image: \"ghcr.io/element-hq/synapse:v1.163.2\"", "synapse-typing1:\n    image: \"ghcr.io/element-hq/synapse:v1.162.0\"",
		"workers-agree", "docker-compose.yml", "v1.162.0",
	},
	{
		"a worker is started as the main process", "docker-compose.yml", "command: [\"run\", \"--config-path=/config/homeserver.yaml\", \"--config-path=/workers/typing1.yaml\"]\n    environment:\n      SYNAPSE_WORKER: \"synapse.app.generic_worker\"", "command: [\"run\", \"--config-path=/config/homeserver.yaml\", \"--config-path=/workers/typing1.yaml\"]\n    environment:\n      SYNAPSE_WORKER: \"synapse.app.homeserver\"",
		"worker-starts", "config/workers/typing1.yaml", "worker_app",
	},
	{
		"a worker without a secret that the main process has", "docker-compose.yml", "/workers/typing1.yaml:ro\"\n    secrets:\n      - synapse_mas_secret\n      - synapse_macaroon_secret_key\n", "/workers/typing1.yaml:ro\"\n    secrets:\n      - synapse_mas_secret\n",
		"worker-starts", "config/matrix/homeserver.yaml", "macaroon_secret_key_path",
	},
	{
		"a worker without the password of Valkey", "docker-compose.yml", "      - synapse_redis_password\n      - synapse_replication_secret\n    networks:\n      stack: {aliases: [\"matrix-stack-synapse-receipts1\"]}", "      - synapse_replication_secret\n    networks:\n      stack: {aliases: [\"matrix-stack-synapse-receipts1\"]}",
		"worker-starts", "config/matrix/homeserver.yaml", "password_path",
	},
	{
		"workers log by a file that is not there", "config/matrix/homeserver.yaml", "worker_log_config: \"/config/log.config\"", "worker_log_config: \"/config/worker-log.config\"",
		"worker-starts", "config/matrix/homeserver.yaml", "worker_log_config",
	},
	{
		"a module that there is not", "docker-compose.yml", "--config-path=/workers/typing1.yaml\"]\n    environment:\n      SYNAPSE_WORKER: \"synapse.app.generic_worker\"", "--config-path=/workers/typing1.yaml\"]\n    environment:\n      SYNAPSE_WORKER: \"synapse.app.generic-worker\"",
		"worker-starts", "docker-compose.yml", "synapse.app.generic-worker",
	},
	{
		"a worker's command without the word of the start script", "docker-compose.yml", "[\"run\", \"--config-path=/config/homeserver.yaml\", \"--config-path=/workers/pusher1.yaml\"]", "[\"--config-path=/config/homeserver.yaml\", \"--config-path=/workers/pusher1.yaml\"]",
		"service-runs", "docker-compose.yml", "/workers/pusher1.yaml",
	},
	{
		"HAProxy asks a name that nobody has", "config/haproxy/haproxy.cfg", "server typing1 matrix-stack-synapse-typing1:8008", "server typing1 matrix-stack-typing1:8008",
		"worker-answers", "config/haproxy/haproxy.cfg", "matrix-stack-typing1:8008",
	},
	{
		"HAProxy asks a port where nobody listens", "config/haproxy/haproxy.cfg", "server media1 matrix-stack-synapse-media1:8008", "server media1 matrix-stack-synapse-media1:8083",
		"worker-answers", "config/haproxy/haproxy.cfg", "use_backend media",
	},
	{
		"HAProxy's health is asked where it has no answer", "config/haproxy/haproxy.cfg", "monitor-uri /health", "monitor-uri /alive",
		"compose-health-dependency", "docker-compose.yml", "http://127.0.0.1:8080/health",
	},
	{
		"HAProxy's health is asked at another port", "config/haproxy/haproxy.cfg", "bind 127.0.0.1:8080", "bind 127.0.0.1:8081",
		"compose-health-dependency", "docker-compose.yml", "http://127.0.0.1:8080/health",
	},
	{
		"a worker that takes the proxy for everybody", "config/workers/client1.yaml", "x_forwarded: true", "x_forwarded: false",
		"forwarded-headers", "config/workers/client1.yaml", "x_forwarded: false",
	},
	{
		"a worker whose health nobody answers", "config/workers/background1.yaml", "worker_listeners:", "worker_listener:",
		"compose-health-dependency", "docker-compose.yml", "http://localhost:8008/health",
	},
	{
		"the listener between processes is published", "docker-compose.yml", "--config-path=/workers/typing1.yaml\"]\n", "--config-path=/workers/typing1.yaml\"]\n    ports: [\"9093:9093\"]\n",
		"replication-private", "docker-compose.yml", "9093:9093",
	},
}

// The club's stack is without findings, and each fault in it is found by its rule, with its place.
func TestClubFaults(t *testing.T) {
	tree := renderedTree("../../examples/club/stack.yaml")
	for _, g := range clubFindings(tree) {
		if g.Severity != finding.Info {
			t.Errorf("found in what is rendered: %s %s", g.Rule, g.Message)
		}
	}
	for _, f := range clubFaults {
		t.Run(f.name, func(t *testing.T) {
			src := tree[f.file]
			if src == nil || bytes.Count(src.Data, []byte(f.old)) != 1 {
				t.Fatalf("%q does not stand once in %s", f.old, f.file)
			}
			edited := maps.Clone(tree)
			changed := *src
			changed.Data = bytes.Replace(src.Data, []byte(f.old), []byte(f.now), 1)
			edited[f.file] = &changed
			found, told := false, 0
			for _, g := range clubFindings(edited) {
				if g.Severity == finding.Info || g.Rule == "compose-config-hash" {
					continue
				}
				if g.Rule != f.rule {
					t.Errorf("also: %s %s", g.Rule, g.Message)
					continue
				}
				site := g.Sites[0]
				lines := strings.Split(string(edited[site.File].Data), "\n")
				found = found || strings.HasPrefix(site.File, f.at) && (f.line == "" || strings.Contains(lines[site.Line-1], f.line))
				told++
			}
			if told > 1 {
				t.Errorf("%s tells it %d times", f.rule, told)
			}
			if !found {
				t.Errorf("%s does not find it at %s, %q", f.rule, f.at, f.line)
			}
		})
	}
}

func clubFindings(tree fstest.MapFS) []finding.Finding {
	d, problems := compose.Open(tree)
	findings, _ := check.Run(d, nil)
	return append(problems, findings...)
}
