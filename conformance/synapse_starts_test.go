package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
)

// synapseSettings are lines of homeserver.yaml, each alone what Synapse takes or stops at.
var synapseSettings = []string{
	"enable_registration: true",
	"enable_registration: true\nenable_registration_without_verification: true",
	"enable_registration: true\nregistration_requires_token: true",
	"enable_registration: true\nregistrations_require_3pid: []",
	"enable_registration: true\nregistrations_require_3pid: [msisdn]",
	"enable_registration: true\nenable_registration_captcha: true",
	"media_upload_limits: [{time_period: 1d, max_size: 1G}]",
	"media_upload_limits: [{time_period: 1d}]",
	"media_upload_limits: [{max_size: 1G}]",
	"media_upload_limits: [{time_period: 1day, max_size: 1G}]",
	"media_upload_limits: [{time_period: 1d, max_size: 1GB}]",
	"media_upload_limits: [{time_period: 1d, max_size: 5}]",
	"media_upload_limits: [{time_period: 1d, max_size: 1.5}]",
	"media_upload_limits: [{time_period: 1d, max_size: 1G, info_uri: 'https://example.org/limits'}]",
	"media_upload_limits: [{time_period: 1d, max_size: 1G, info_uri: example.org/limits}]",
	"media_upload_limits: [{time_period: 1d, max_size: 1G, can_upgrade: true}]",
	"media_upload_limits: [{time_period: 1d, max_size: 1G, can_upgrade: 'maybe'}]",
	"media_upload_limits: []",
	"task_scheduler: {max_concurrent_tasks: 5}",
	"task_scheduler: {max_concurrent_tasks: 0}",
	"task_scheduler: {max_concurrent_tasks: true}",
	"task_scheduler: {max_concurrent_tasks: '5'}",
	"task_scheduler: many",
	"task_scheduler:",
	"push_rules: {limits: {rule_count: 100}}",
	"push_rules: {limits: {rule_count: -1}}",
	"push_rules: {limits: {rule_count: many}}",
	"push_rules: {limits: {rule_id_length: 0}}",
	"push_rules: {limits: {rule_size: 1K}}",
	"push_rules: {limits: {rule_size: 1KB}}",
	"max_upload_size: 100M",
	"max_upload_size: 100MB",
	"max_upload_size: 100000000",
	"max_upload_size: 1e9",
	"max_upload_size: 1.5G",
	"max_upload_size: true",
	"max_upload_size: [50M]",
	"max_image_pixels: 32M",
	"max_image_pixels: 32m",
	"event_cache_size: 10K",
	"event_cache_size: 10k",
	"turn_user_lifetime: 86400000",
	"turn_user_lifetime: 1h",
	"turn_user_lifetime: 1hour",
	"turn_user_lifetime: 1H",
	"turn_user_lifetime: 1:30",
	"turn_user_lifetime: yes",
	"turn_user_lifetime: 0x10",
	"turn_user_lifetime: 1_000",
	"turn_user_lifetime: '1 h'",
	"key_refresh_interval: 1d",
	"key_refresh_interval: daily",
	"federation: {client_timeout: 60s}",
	"federation: {client_timeout: 60sec}",
	"media_retention: {local_media_lifetime: 90d, remote_media_lifetime: 14d}",
	"media_retention: {local_media_lifetime: 90 days}",
	"media_retention: {remote_media_lifetime: 3M}",
	"media_retention: {remote_media_lifetime:}",
	"redaction_retention_period: 7d",
	"redaction_retention_period: null",
	"redaction_retention_period: never",
	"redaction_allowed_period: 1w",
	"redaction_allowed_period: a week",
	"user_ips_max_age: 14d",
	"user_ips_max_age: 14days",
	"delete_stale_devices_after: 1y",
	"delete_stale_devices_after: 12months",
	"ui_auth: {session_timeout: 15s}",
	"ui_auth: {session_timeout: 15sec}",
	"login_via_existing_session: {token_timeout: 5 min}",
	"forgotten_room_retention_period: 28d",
	"max_event_delay_duration: 24h",
	"max_event_delay_duration: 24hrs",
	"max_avatar_size: 10M",
	"max_avatar_size: 10MiB",
	"remote_media_download_per_second: 87K",
	"remote_media_download_per_second: 87KB",
	"trusted_key_servers: [{server_name: matrix.org}]",
	"trusted_key_servers: {server_name: matrix.org}",
	"trusted_key_servers: matrix.org",
	"trusted_key_servers: []",
	"allowed_avatar_mimetypes: image/png",
	"next_link_domain_whitelist: example.org",
	"no_proxy_hosts: localhost",
	"templates: /templates",
	"extra_well_known_client_content: {org.example: {}}",
	"extra_well_known_client_content: {m.homeserver: {base_url: 'https://example.org'}}",
	"extra_well_known_client_content: {m.identity_server: {base_url: 'https://example.org'}}",
	"extra_well_known_client_content: [a]",
	"stream_writers: {typing: main}\ninstance_map: {main: {host: a, port: 1}}",
	"stream_writers: {typing: master}",
	"stream_writers: {typing: []}",
	"stream_writers: {events: []}",
	"stream_writers: {typing: [a, b]}\ninstance_map: {main: {host: a, port: 1}, a: {host: a, port: 1}, b: {host: b, port: 1}}",
	"stream_writers: {events: [a, b]}\ninstance_map: {main: {host: a, port: 1}, a: {host: a, port: 1}, b: {host: b, port: 1}}",
	"stream_writers: {device_lists: [a, b]}\ninstance_map: {main: {host: a, port: 1}, a: {host: a, port: 1}, b: {host: b, port: 1}}",
	"stream_writers: {push_rules: [a, b]}\ninstance_map: {main: {host: a, port: 1}, a: {host: a, port: 1}, b: {host: b, port: 1}}",
	"stream_writers: {presence: [a]}\ninstance_map: {main: {host: a, port: 1}, a: {host: a, port: 1}}",
	"stream_writers: {thread_subscriptions: []}",
	"default_room_version: '12'",
	"default_room_version: 11",
	"default_room_version: '13'",
	"default_room_version: 10.0",
	"default_room_version: latest",
	"auto_join_rooms: ['#welcome:example.org']",
	"auto_join_rooms: ['#welcome']",
	"auto_join_rooms: ['!abc:example.org']",
	"auto_join_rooms: ['#welcome:example.org']\nautocreate_auto_join_room_preset: public_chat",
	"autocreate_auto_join_room_preset: public",
	"autocreate_auto_join_rooms: false\nautocreate_auto_join_room_preset: public",
	"backup_media_store_path: /tmp\nmedia_storage_providers: [{module: file_system, store_local: true, store_remote: false, store_synchronous: false, config: {directory: /tmp}}]",
	"restrict_public_rooms_to_local_users: true",
	"restrict_public_rooms_to_local_users: true\nallow_public_rooms_over_federation: false",
	"restrict_public_rooms_to_local_users: false\nallow_public_rooms_without_auth: true",
	"room_invite_state_types: [m.room.name]\nroom_prejoin_state: {additional_event_types: [m.room.name]}",
	"room_invite_state_types: []\nroom_prejoin_state: {additional_event_types: [m.room.name]}",
	"databases: {}",
	"databases: {main: {name: sqlite3, args: {database: ':memory:'}}}",
	"experimental_features: {msc3890_enabled: true}",
	"experimental_features: {msc3890_enabled: true, msc3391_enabled: true}",
}

const synapseBase = `server_name: example.org
report_stats: false
media_store_path: MEDIA
signing_key_path: MEDIA/key
macaroon_secret_key: 3SnU8sJ0iqRbUVsEyd26SVl9VS
form_secret: 3SnU8sJ0iqRbUVsEyd26SVl9VS
database: {name: sqlite3, args: {database: ':memory:'}}
listeners: [{port: 8008, type: http, resources: [{names: [client]}]}]
`

// loadAll says for each of the files named on the command line, one a line, whether Synapse takes it.
const loadAll = `import json, sys
from synapse.config.homeserver import HomeServerConfig
for name in json.load(open(sys.argv[1])):
    try:
        HomeServerConfig.load_config("", ["-c", name])
        print("takes")
    except SystemExit as e:
        print("stops", e)
    except BaseException as e:
        print("stops", type(e).__name__, str(e).replace("\n", " ")[:200])`

// What the rule says that Synapse stops at is what Synapse stops at, and nothing else of the list is.
func TestSynapseStarts(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	dir := t.TempDir()
	key := output(t, bin, "-c", `import signedjson.key as k, sys; k.write_signing_keys(sys.stdout, [k.generate_signing_key("a_test")])`)
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var files []string
	for i, lines := range synapseSettings {
		name := filepath.Join(dir, strings.Repeat("x", i+1)+".yaml")
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(synapseBase, "MEDIA", dir)+lines+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	list, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "list.json"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	verdicts := strings.Split(output(t, bin, "-c", loadAll, filepath.Join(dir, "list.json")), "\n")
	if len(verdicts) != len(synapseSettings) {
		t.Fatal(verdicts)
	}
	for i, lines := range synapseSettings {
		stops := strings.HasPrefix(verdicts[i], "stops")
		found := startFindings(t, lines)
		if stops != (len(found) > 0) {
			t.Errorf("%s\nSynapse %s\nthe rule: %v", lines, verdicts[i], found)
		}
	}
	accepted(t, "Synapse "+output(t, bin, "-c", "import synapse; print(synapse.__version__.split()[0])"), "what synapse-starts says")
}

func startFindings(t *testing.T, lines string) []string {
	t.Helper()
	tree := fstest.MapFS{
		"compose.yaml":         {Data: []byte("services: {synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', volumes: ['./data:/data']}}\n"), Mode: 0o600},
		"data/homeserver.yaml": {Data: []byte(strings.ReplaceAll(synapseBase, "MEDIA", "/data") + lines + "\n"), Mode: 0o600},
		"data/key":             {Data: []byte("ed25519 a_test x\n"), Mode: 0o600},
	}
	d, findings := compose.Open(tree)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	findings, _ = check.Run(d, nil)
	var found []string
	for _, f := range findings {
		if f.Rule == "synapse-starts" && f.Severity == finding.Error {
			found = append(found, f.Message)
		}
	}
	return found
}
