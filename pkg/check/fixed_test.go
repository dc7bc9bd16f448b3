package check_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/manifest"
)

// TestFixed: what a manifest keeps is public, or a digest of what nobody can guess.
func TestFixed(t *testing.T) {
	seed := "ed25519 a_zebra " + base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("zebra-seed-of-32", 2)))
	tree := fstest.MapFS{
		"compose.yaml": {Data: []byte(`services:
  synapse: {image: "ghcr.io/element-hq/synapse:v1.157.1", volumes: ["./hs:/data"]}
  mas: {image: "ghcr.io/element-hq/matrix-authentication-service:1.22.0", command: [server, --config, /m/mas.yaml], volumes: ["./mas:/m"]}
  signal: {image: "dock.mau.dev/mautrix/signal:v0.2608.0", volumes: ["./signal:/data"]}
  discord: {image: "dock.mau.dev/mautrix/discord:v0.7.7", volumes: ["./discord:/data"]}
`)},
		"hs/homeserver.yaml": {Data: []byte("server_name: example.org\nsigning_key_path: /data/key\n")},
		"hs/key":             {Data: []byte(seed + "\n")},
		"mas/mas.yaml": {Data: []byte("secrets: {encryption: " + strings.Repeat("0123456789abcdef", 4) + "}\n" +
			"upstream_oauth2: {providers: [{id: 01ABC, issuer: \"https://sso.example.org\", client_id: matrix}]}\n")},
		"signal/config.yaml":  {Data: []byte("appservice: {id: signal, username_template: \"signal_{{.}}\"}\nencryption: {pickle_key: zebra-of-a-person}\n")},
		"discord/config.yaml": {Data: []byte("appservice: {id: discord, database: {type: postgres}}\nbridge: {username_template: \"discord_{{.}}\"}\n")},
	}
	values := func() map[string]string {
		d, findings := compose.Open(tree)
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		return deployment.Values(d.Fixed())
	}
	got := values()
	want := strings.Fields(`auth.encryption auth.passwords auth.passwords.schemes auth.version
		bridges.discord.bot bridges.discord.encryption bridges.discord.id bridges.discord.username_template bridges.discord.version
		bridges.signal.bot bridges.signal.encryption bridges.signal.id bridges.signal.pickle_key bridges.signal.split_portals bridges.signal.username_template bridges.signal.version
		server_name synapse.delete_stale_devices_after synapse.forgotten_room_retention_period synapse.media_retention.local synapse.media_retention.remote
		synapse.redaction_retention_period synapse.retention.allowed_lifetime_max synapse.retention.max_lifetime synapse.signing_key synapse.version`)
	want = slices.Insert(want, 3, "auth.upstream.id of matrix at https://sso.example.org")
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Error(diff)
	}
	if key := got["synapse.signing_key"]; !strings.HasPrefix(key, "ed25519:a_zebra ") || strings.Contains(key, strings.Fields(seed)[2]) {
		t.Errorf("the signing key is kept as %q", key)
	}
	if !strings.HasPrefix(got["auth.encryption"], "sha256:") {
		t.Error("the encryption secret is kept as it is")
	}

	if key := got["bridges.signal.pickle_key"]; !strings.HasPrefix(key, "pbkdf2:") {
		t.Error("the pickle key that somebody made up is quickly guessed")
	}

	// A pickle key is noticed wherever it stands, and however weak it is.
	config, text := tree["signal/config.yaml"], string(tree["compose.yaml"].Data)
	tree["signal/config.yaml"] = &fstest.MapFile{Data: []byte("appservice: {id: signal}\nencryption: {pickle_key: x}\n")}
	weak := values()["bridges.signal.pickle_key"]
	tree["signal/config.yaml"] = &fstest.MapFile{Data: []byte("env_config_prefix: S_\nappservice: {id: signal}\nencryption: {pickle_key: generate}\n")}
	tree["compose.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(text, "volumes: [\"./signal", "environment: {S_ENCRYPTION__PICKLE_KEY: x}, volumes: [\"./signal", 1))}
	if env := values()["bridges.signal.pickle_key"]; weak == "" || env != weak || env == got["bridges.signal.pickle_key"] {
		t.Errorf("the pickle key of the environment is kept as %q", env)
	}
	tree["signal/config.yaml"], tree["compose.yaml"] = config, &fstest.MapFile{Data: []byte(text)}

	tree["signal/config.yaml"] = &fstest.MapFile{Data: []byte("appservice: {id: signal}\nencryption: {pickle_key: " + strings.Repeat("fedcba9876543210", 4) + "}\n")}
	tree["hs/key"] = &fstest.MapFile{Data: []byte("no key\n")}
	now := values()
	if now["bridges.signal.pickle_key"] == "" || now["synapse.signing_key"] != "" {
		t.Errorf("%v", now)
	}
	if now["bridges.signal.pickle_key"] == got["auth.encryption"] {
		t.Error("equal secrets have equal digests")
	}

	// Each of those that are lost by any change is found when it is another one than in the manifest, and
	// nothing else is.
	for _, name := range []string{"auth.encryption", "server_name", "bridges.signal.id", "bridges.signal.bot", "bridges.signal.pickle_key", "bridges.discord.id", "bridges.discord.bot"} {
		kept, err := json.Marshal(map[string]any{"fixed": map[string]string{name: "other", "of a part that is off": "x"}})
		if err != nil {
			t.Fatal(err)
		}
		tree[manifest.Path] = &fstest.MapFile{Data: kept}
		d, _ := compose.Open(tree)
		n := 0
		findings, _ := check.Run(d, composego.Judge)
		for _, f := range findings {
			if f.Rule == "irreversible-change" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: %d findings", name, n)
		}
	}
}

// TestLost: which change of a value loses something, and which is told with what mends it.
func TestLost(t *testing.T) {
	now := func(version, homeserver, bridge string) []deployment.Fixed {
		d, findings := compose.Open(fstest.MapFS{
			"compose.yaml": {Data: []byte(`services:
  db: {image: "postgres:17.5", environment: {POSTGRES_PASSWORD: x}, volumes: ["./data/pg:/var/lib/postgresql/data"]}
  synapse: {image: "ghcr.io/element-hq/synapse:` + version + `", volumes: ["./hs:/data"]}
  telegram: {image: "dock.mau.dev/mautrix/telegram:v0.2608.0", volumes: ["./tg:/data"]}
`)},
			"hs/homeserver.yaml": {Data: []byte("server_name: example.org\nmedia_store_path: /data/media\ndatabase: {name: psycopg2, args: {host: db, dbname: synapse}}\n" + homeserver)},
			"tg/config.yaml":     {Data: []byte("network: {api_id: 1}\ndatabase: {type: postgres, uri: \"postgres://tg:x@db/tg\"}\nappservice: {id: telegram, username_template: \"telegram_{{.}}\"}\n" + bridge)},
		})
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		return d.Fixed()
	}
	const forerunner = "encryption: {allow: true, pickle_key: mautrix.bridge.e2ee}\n"
	for _, c := range []struct{ name, was, version, homeserver, bridge, want string }{
		{"synapse.version", "v1.160.0", "v1.157.1", "", "", "lost"},
		{"synapse.version", "v1.157.2", "v1.157.1", "", "", ""},
		{"synapse.version", "v1.150.0", "v1.157.1", "", "", ""},
		{"synapse.version", "v1.160.0", "latest", "", "", ""},
		{"synapse.database", "matrix", "v1.157.1", "", "", "lost"},
		{"synapse.media_store", "data/media", "v1.157.1", "", "", "lost"},
		{"database.version", "16", "v1.157.1", "", "", "lost"},
		{"database.version", "18", "v1.157.1", "", "", "lost"},
		{"database.data", "data/postgres", "v1.157.1", "", "", "lost"},
		{"synapse.media_retention.local", "no limit", "v1.157.1", "media_retention: {local_media_lifetime: 10y}\n", "", "lost"},
		{"synapse.media_retention.local", "1y", "v1.157.1", "media_retention: {local_media_lifetime: 365d}\n", "", ""},
		{"synapse.media_retention.local", "1w", "v1.157.1", "", "", ""},
		{"synapse.media_retention.remote", "1w", "v1.157.1", "media_retention: {remote_media_lifetime: 6d}\n", "", "told"},
		{"synapse.retention.max_lifetime", "no limit", "v1.157.1", "retention: {default_policy: {max_lifetime: 1d}}\n", "", ""},
		{"synapse.retention.max_lifetime", "no limit", "v1.157.1", "retention: {enabled: true, default_policy: {max_lifetime: 1d}}\n", "", "lost"},
		{"synapse.retention.max_lifetime", "1d", "v1.157.1", "retention: {enabled: true, default_policy: {max_lifetime: 3600000}}\n", "", "lost"},
		{"synapse.redaction_retention_period", "no limit", "v1.157.1", "", "", "lost"},
		{"synapse.redaction_retention_period", "7d", "v1.157.1", "redaction_retention_period: null\n", "", ""},
		{"bridges.telegram.username_template", "telegram_{userid}", "v1.157.1", "", "", ""},
		{"bridges.telegram.username_template", "tg_{userid}", "v1.157.1", "", "", "lost"},
		{"bridges.telegram.version", "v0.15.3", "v1.157.1", "", "", ""},
		{"bridges.telegram.version", "v0.2610.0", "v1.157.1", "", "", "lost"},
		{"bridges.telegram.database", "telegram", "v1.157.1", "", "", "lost"},
		{"bridges.telegram.pickle_key", "the constant of the bridge before bridgev2", "v1.157.1", "", forerunner, ""},
		{"bridges.telegram.pickle_key", "the constant of the bridge before bridgev2", "v1.157.1", "", strings.Replace(forerunner, "mautrix.bridge.e2ee", strings.Repeat("fedcba9876543210", 4), 1), "lost"},
		{"bridges.telegram.split_portals", "true", "v1.157.1", "", "", "lost"},
		{"bridges.telegram.split_portals", "false", "v1.157.1", "", "bridge: {split_portals: true}\n", ""},
		{"bridges.telegram.encryption", "on", "v1.157.1", "", "", "told"},
		{"bridges.telegram.encryption", "off", "v1.157.1", "", "", ""},
	} {
		got := ""
		for _, f := range deployment.Broken(map[string]string{c.name: c.was}, now(c.version, c.homeserver, c.bridge)) {
			if got = "lost"; f.Mends != "" {
				got = "told"
			}
		}
		if got != c.want {
			t.Errorf("%s was %s, with %s %q %q: %q, want %q", c.name, c.was, c.version, c.homeserver, c.bridge, got, c.want)
		}
	}
}
