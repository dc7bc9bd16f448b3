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
		d, findings := check.Open(tree)
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		return check.Values(d.Fixed())
	}
	got := values()
	want := []string{
		"auth.encryption", "auth.upstream.id of matrix at https://sso.example.org", "bridges.discord.id", "bridges.discord.username_template",
		"bridges.signal.id", "bridges.signal.pickle_key", "bridges.signal.username_template", "server_name", "synapse.signing_key",
	}
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
	config, compose := tree["signal/config.yaml"], string(tree["compose.yaml"].Data)
	tree["signal/config.yaml"] = &fstest.MapFile{Data: []byte("appservice: {id: signal}\nencryption: {pickle_key: x}\n")}
	weak := values()["bridges.signal.pickle_key"]
	tree["signal/config.yaml"] = &fstest.MapFile{Data: []byte("env_config_prefix: S_\nappservice: {id: signal}\nencryption: {pickle_key: generate}\n")}
	tree["compose.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(compose, "volumes: [\"./signal", "environment: {S_ENCRYPTION__PICKLE_KEY: x}, volumes: [\"./signal", 1))}
	if env := values()["bridges.signal.pickle_key"]; weak == "" || env != weak || env == got["bridges.signal.pickle_key"] {
		t.Errorf("the pickle key of the environment is kept as %q", env)
	}
	tree["signal/config.yaml"], tree["compose.yaml"] = config, &fstest.MapFile{Data: []byte(compose)}

	tree["signal/config.yaml"] = &fstest.MapFile{Data: []byte("appservice: {id: signal}\nencryption: {pickle_key: " + strings.Repeat("fedcba9876543210", 4) + "}\n")}
	tree["hs/key"] = &fstest.MapFile{Data: []byte("no key\n")}
	now := values()
	if now["bridges.signal.pickle_key"] == "" || now["synapse.signing_key"] != "" {
		t.Errorf("%v", now)
	}
	if now["bridges.signal.pickle_key"] == got["auth.encryption"] {
		t.Error("equal secrets have equal digests")
	}

	// Each of them is found when it is another one than in the manifest, and nothing else is.
	for name := range now {
		manifest, err := json.Marshal(map[string]any{"fixed": map[string]string{name: "other", "of a part that is off": "x"}})
		if err != nil {
			t.Fatal(err)
		}
		tree[check.ManifestPath] = &fstest.MapFile{Data: manifest}
		d, _ := check.Open(tree)
		n := 0
		findings, _ := check.Run(d)
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
