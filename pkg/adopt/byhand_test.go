package adopt_test

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
)

// byHand is the stack that e2e takes over with its data, as its files lie there and with a key for MAS. The bridges have
// written their configurations anew, which each does when it starts, and filled them with what their examples have.
func byHand(t *testing.T) fstest.MapFS {
	t.Helper()
	tree := fstest.MapFS{"data/matrix/media_store": {Mode: fs.ModeDir}}
	root := os.DirFS("../../e2e/byhand")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := fs.ReadFile(root, name)
		tree[name] = &fstest.MapFile{Data: src, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := fixture.Read("../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(d fixture.Deployment) bool { return d.Name == "reference" })
	tree["config/mas/rsa.pem"] = all[i].Forms[0].Tree["mas/rsa.pem"]
	tree, err = fixture.Edit(tree, `
config/signal/config.yaml
-appservice:
+network:
+appservice:
+  public_address: https://bridge.example.com
+  async_transactions: false

-bridge:
+analytics: {token: null, url: https://api.segment.io/v1/track, user_id: null}
+direct_media: {enabled: false, server_name: discord-media.example.com, well_known_response: null, media_id_prefix: null, allow_proxy: true, server_key: ed25519 a_fake zebrazebrazebrazebrazebrazebrazebrazebrazeA}
+backfill: {enabled: false, queue: {enabled: false, max_batches_override: {}}}
+bridge:
+  relay: {enabled: false, default_relays: [], user_distinguishers: [🟦, 🟣, 🟩, ⭕️, 🔶, ⬛️, 🔵, 🟢]}
+  portal_create_filter: {mode: deny, list: [], always_deny_from_login: []}
+  send_reconnect_wait: 0s
+  unknown_error_auto_reconnect: null
+  view_limited_media: false

 double_puppet:
+  servers: {anotherserver.example.org: 'https://matrix.anotherserver.example.org'}
config/whatsapp/config.yaml
-appservice:
+network: {proxy: null, archive_tag: null, history_sync: {full_sync_config: {days_limit: null, size_mb_limit: null, storage_quota_mb: null}}, a_new_one: {of: null, some: {}}}
+appservice:
config/telegram/config.yaml
-bridge:
+  public: {enabled: false, prefix: /public, external: 'https://example.com/public'}
+bridge:
+  double_puppet_server_map: {example.com: 'https://example.com'}
+  relaybot: {private_chat: {invite: [], state_changes: true}, group_chat_invite: []}
+  management_room_text: {additional_help: ''}
+  initial_power_level_overrides: {user: {}, group: {}}

 telegram:
+  bot_token: disabled
`)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// What a bridge fills its configuration with is no wish of anybody's: the spec has none of it. What is left to be
// decided are things that somebody did write.
func TestByHand(t *testing.T) {
	d, _ := compose.OpenWith(byHand(t), compose.Options{Name: "matrix"})
	draft, refused := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside})
	if draft == nil {
		t.Fatal(refused)
	}
	hidden(t, d, draft)
	_, bridges, _ := strings.Cut(string(draft.Text), "\nbridges:\n")
	bridges, _, _ = strings.Cut(bridges, "\npermissions:")
	want := `  signal:
    service: mautrix-signal
    encryption: "off"
  whatsapp:
    version: v0.2607.0
    service: mautrix-whatsapp
  telegram:
    version: v0.15.3
    service: mautrix-telegram
  discord: {service: mautrix-discord}
  meta: {service: mautrix-meta}`
	if bridges != want {
		t.Errorf("the bridges are\n%s\nwant\n%s", bridges, want)
	}
	for name, value := range draft.Secrets {
		if value == "disabled" {
			t.Errorf("%s is taken for a secret, which it says there is none of", name)
		}
	}
	for _, s := range d.Secrets() {
		if s.Value == "disabled" {
			t.Errorf("%s is hidden wherever it is said", s.Value)
		}
	}
	undecided(t, d, draft, leftToDecide...)
	another := *draft
	another.Secrets = maps.Clone(draft.Secrets)
	another.Secrets["backup.passphrase"] = "fake-passphrase-of-another"
	if got := decisions(t, d, &another); !slices.Contains(got, "backup config encryption_pass") {
		t.Error("another passphrase of the backup is no difference")
	}
}

// leftToDecide is what somebody did write, and ours does otherwise.
var leftToDecide = []string{
	"backup config postgresql_databases[all].name", "backup config postgresql_databases[all].pg_dump_command", "backup config postgresql_databases[all].username",
	"backup config uptime_kuma.states[start]",
	"the stack requests PUT matrix.philipp.info/_matrix/client/v3/user/@a:example.org/account_data/login",
	"the stack requests PUT philipp.info/_matrix/client/v3/user/@a:example.org/account_data/login",
}

// prefixed is the same stack without StripPrefix: MAS's own listener has the prefix, and one beside it answers what
// clients asked Synapse for.
const prefixed = `
config/mas/config.yaml
     - name: web
+      prefix: /auth/

-        - name: compat
-        - name: graphql
+        - name: graphql

-    - name: internal
+    - name: compat
+      resources: [{name: compat}]
+      binds: [{address: '[::]:8082'}]
+    - name: internal
config/matrix/homeserver.yaml
-  endpoint: http://mas:8080/
+  endpoint: http://mas:8080/auth/
docker-compose.yml
-      - traefik.http.routers.mas.middlewares=mas-strip
-      - traefik.http.middlewares.mas-strip.stripprefix.prefixes=/auth
`

// Whether the proxy takes the prefix of MAS away or MAS does is the same to whoever asks. A listener that answers with a
// prefix what is asked without one is not.
func TestByHandPrefixed(t *testing.T) {
	for _, form := range []struct {
		edits string
		more  []string
	}{
		{prefixed + `
-      - traefik.http.routers.mas-compat.service=mas
+      - traefik.http.routers.mas-compat.service=mas-compat
+      - traefik.http.services.mas-compat.loadbalancer.server.port=8082
`, nil},
		{prefixed, []string{"the stack requests GET matrix.philipp.info/_matrix/client/v3/login"}},
	} {
		tree, err := fixture.Edit(byHand(t), form.edits)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := compose.OpenWith(tree, compose.Options{Name: "matrix"})
		draft, refused := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside})
		if draft == nil {
			t.Fatal(refused)
		}
		if form.more == nil {
			undecided(t, d, draft, leftToDecide...)
			continue
		}
		for _, want := range form.more {
			if got := decisions(t, d, draft); !slices.Contains(got, want) {
				t.Errorf("%s is not among what is to be decided:\n%s", want, strings.Join(got, "\n"))
			}
		}
	}
}

// undecided holds that these differences are to be decided, and no other.
func undecided(t *testing.T, old *deployment.Deployment, draft *adopt.Draft, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := decisions(t, old, draft); !slices.Equal(got, want) {
		t.Errorf("to be decided are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// decisions are the differences that are to be decided, or cannot be expressed.
func decisions(t *testing.T, old *deployment.Deployment, draft *adopt.Draft) (got []string) {
	t.Helper()
	now := build(t, draft.Text, draft.Secrets, func(name string) ([]byte, error) { return draft.Files[name], nil })
	ours, _ := compose.OpenWith(now.bundle.FS(), compose.Options{Name: "matrix"})
	for _, d := range compare.Deployments(old, ours).Differences {
		if d.Kind == compare.Decision || d.Kind == compare.Lost {
			got = append(got, d.About+" "+d.Doc+" "+d.Key)
		}
	}
	slices.Sort(got)
	return got
}

// Who went the way back has the record of the render beside the files as they were: that stack is nobody's but its
// owner's, and is taken over again as it was the first time.
func TestByHandAgain(t *testing.T) {
	read := func(tree fstest.MapFS) *adopt.Draft {
		d, _ := compose.OpenWith(tree, compose.Options{Name: "matrix"})
		draft, refused := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside})
		if draft == nil {
			t.Fatal(refused)
		}
		return draft
	}
	tree := byHand(t)
	first := read(tree)
	now := build(t, first.Text, first.Secrets, func(name string) ([]byte, error) { return first.Files[name], nil })
	back := fstest.MapFS{}
	rendered := now.tree()
	err := fs.WalkDir(rendered, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := fs.ReadFile(rendered, name)
		back[name] = &fstest.MapFile{Data: src, Mode: 0o600}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(back, tree)
	if second := read(back); string(second.Text) != string(first.Text) {
		t.Errorf("the second time the spec is\n%s", second.Text)
	}
}
