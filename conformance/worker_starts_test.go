package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
)

// workerSettings are lines of what all processes read and of a worker's own file: what the worker w takes or stops at, and so does the
// main process.
var workerSettings = []struct{ shared, own string }{
	{"", "worker_app: synapse.app.generic_worker"},
	{"", "worker_app: synapse.app.appservice"},
	{"notify_appservices: false", "worker_app: synapse.app.appservice"},
	{"notify_appservices: true", "worker_app: synapse.app.appservice"},
	{"notify_appservices_from_worker: w", "worker_app: synapse.app.generic_worker"},
	{"notify_appservices_from_worker: w\nnotify_appservices: false", "worker_app: synapse.app.generic_worker"},
	{"notify_appservices_from_worker: w\nnotify_appservices: true", "worker_app: synapse.app.generic_worker"},
	{"notify_appservices_from_worker: v\nnotify_appservices: false", "worker_app: synapse.app.generic_worker"},
	{"update_user_directory_from_worker: w\nupdate_user_directory: false", "worker_app: synapse.app.generic_worker"},
	{"update_user_directory: false", "worker_app: synapse.app.user_dir"},
	{"", "worker_app: synapse.app.user_dir"},
	{"", "worker_app: synapse.app.pusher"},
	{"start_pushers: false", "worker_app: synapse.app.pusher"},
	{"pusher_instances: [w]", "worker_app: synapse.app.pusher"},
	{"", "worker_app: synapse.app.federation_sender"},
	{"send_federation: false", "worker_app: synapse.app.federation_sender"},
	{"federation_sender_instances: [w]", "worker_app: synapse.app.federation_sender"},
	{"stream_writers: {typing: main}", "worker_app: synapse.app.generic_worker"},
	{"stream_writers: {typing: master}", "worker_app: synapse.app.generic_worker"},
	{"stream_writers: {typing: w}", "worker_app: synapse.app.generic_worker"},
	{"outbound_federation_restricted_to: [w]", "worker_app: synapse.app.generic_worker"},
	{"outbound_federation_restricted_to: [w]\nworker_replication_secret: abc", "worker_app: synapse.app.generic_worker"},
	{"outbound_federation_restricted_to: [v]\nworker_replication_secret: abc", "worker_app: synapse.app.generic_worker"},
	{"", "worker_app: synapse.app.generic_worker\ninstance_map: {main: {host: a, port: '1'}}"},
	{"", "worker_app: synapse.app.generic_worker\ninstance_map: {main: {host: a, port: 1, tls: true}}"},
	{"", "worker_app: synapse.app.generic_worker\ninstance_map: {main: {host: a, port: 1, scheme: http}}"},
	{"", "worker_app: synapse.app.generic_worker\ninstance_map: {main: {path: /a.sock}}"},
	{"", "worker_app: synapse.app.generic_worker\ninstance_map: {w: {host: a, port: 1}}"},
	{"", "worker_app: synapse.app.generic_worker\nworker_replication_host: a"},
	{"", "worker_app: synapse.app.generic_worker\nworker_replication_http_port: 9093"},
	{"", "worker_app: synapse.app.generic_worker\nworker_replication_http_tls: false"},
	{"", "worker_app: synapse.app.generic_worker\nworker_main_http_uri: http://a"},
	{"", "worker_app: synapse.app.generic_worker\nworker_listeners: [{type: http, port: 8008, resources: [{names: [health]}]}]"},
	{"", "worker_app: synapse.app.generic_worker\nworker_listeners: [{type: tcp, port: 8008}]"},
	{"", "worker_app: synapse.app.generic_worker\nworker_listeners: [{type: http, port: 8008, resources: [{names: [clients]}]}]"},
	{"", "worker_app: synapse.app.generic_worker\nworker_listeners: [{type: http, port: '8008'}]"},
	{"", "worker_app: synapse.app.generic_worker\nworker_listeners: [{type: http, resources: [{names: [client]}]}]"},
}

const workerBase = "redis: {enabled: true}\ninstance_map: {main: {host: synapse, port: 9093}, w: {host: w, port: 9093}}\n"

// loadPairs says for each list of files, one a line, whether Synapse takes it.
var loadPairs = strings.Replace(loadAll, `["-c", name]`, `[w for n in name for w in ("-c", n)]`, 1)

// What check says that a worker or its main process stops at, they stop at.
func TestWorkersStart(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("key", output(t, bin, "-c", `import signedjson.key as k, sys; k.write_signing_keys(sys.stdout, [k.generate_signing_key("a_test")])`)+"\n")
	var starts [][]string
	for i, c := range workerSettings {
		shared := write(strconv.Itoa(i)+".yaml", strings.ReplaceAll(synapseBase, "MEDIA", dir)+workerBase+c.shared+"\n")
		own := write(strconv.Itoa(i)+"w.yaml", "worker_name: w\n"+c.own+"\n")
		starts = append(starts, []string{shared}, []string{shared, own})
	}
	list, err := json.Marshal(starts)
	if err != nil {
		t.Fatal(err)
	}
	verdicts := strings.Split(output(t, bin, "-c", loadPairs, write("list.json", string(list))), "\n")
	if len(verdicts) != len(starts) {
		t.Fatal(verdicts)
	}
	for i, c := range workerSettings {
		main, worker := verdicts[2*i], verdicts[2*i+1]
		stops := strings.HasPrefix(main, "stops") || strings.HasPrefix(worker, "stops")
		if found := workerFindings(t, c.shared, c.own); stops != (len(found) > 0) {
			t.Errorf("%s\n%s\nthe main process %s\nthe worker %s\nthe rules: %v", c.shared, c.own, main, worker, found)
		}
	}
	accepted(t, "Synapse "+output(t, bin, "-c", "import synapse; print(synapse.__version__.split()[0])"), "what worker-starts says")
}

func workerFindings(t *testing.T, shared, own string) (found []string) {
	t.Helper()
	image := "image: 'ghcr.io/element-hq/synapse:v1.163.2', volumes: ['./data:/data']"
	d, findings := compose.Open(fstest.MapFS{
		"compose.yaml": {Data: []byte("services:\n  redis: {image: 'redis:7'}\n  synapse: {" + image + "}\n  w: {" + image +
			", command: [run, -m, synapse.app.generic_worker, -c, /data/homeserver.yaml, -c, /data/w.yaml]}\n"), Mode: 0o600},
		"data/homeserver.yaml": {Data: []byte(strings.ReplaceAll(synapseBase, "MEDIA", "/data") + workerBase + shared + "\n"), Mode: 0o600},
		"data/w.yaml":          {Data: []byte("worker_name: w\n" + own + "\n"), Mode: 0o600},
		"data/key":             {Data: []byte("ed25519 a_test x\n"), Mode: 0o600},
	})
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	findings, _ = check.Run(d, nil)
	for _, f := range findings {
		if f.Severity == finding.Error && (f.Rule == "worker-starts" || f.Rule == "synapse-version-supports") && strings.Contains(f.Message, "not start") {
			found = append(found, f.Message)
		}
	}
	return found
}
