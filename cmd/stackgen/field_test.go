package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// running is the spec of a stack that runs, with every field of a spec.
const running = `version: 1
name: family
server_name: example.org
owner: "1000:1000"
profile: small
hosts: {matrix: synapse.example.org, element: app.example.org, admin: staff.example.org, rtc: calls.example.org}
auth:
  image: registry.example.org/mirror/matrix-authentication-service
  version: 1.22.0
  service: family-auth
  container_name: family-mas
  limits: {memory: 1G, cpus: 1}
  public_url: https://account.example.org/
  passwords: true
  migration: false
  migrated: false
  pepper: false
  upstream:
    keycloak:
      issuer: https://sso.example.org/realms/family
      client_id: matrix
      human_name: Family
      existing_users: link
      synapse_idp_id: oidc-keycloak
      scope: openid profile email
    work: {issuer: "https://id.example.com", client_id: family-matrix, synapse_idp_id: oidc-work}
  extra: {branding: {service_name: Family}}
synapse:
  image: registry.example.org/mirror/synapse
  version: v1.157.1
  service: family-hs
  container_name: family-synapse
  limits: {memory: 2G, cpus: 2}
  data: {volume: media, external: true}
  max_upload_size: 100M
  media_retention: {local: 365d, remote: 30d}
  retention: {max_lifetime: 730d}
  url_preview: true
  well_known_extra: {io.element.e2ee: {default: true}}
  extra: {presence: {enabled: false}}
email: {host: smtp.example.org, port: 587, mode: starttls, user: matrix@example.org, from: matrix@example.org}
ingress:
  traefik: {network: proxy, entrypoint: https, cert_resolver: acme, middlewares: [hsts@file]}
  apex: {matrix: true, well_known: synapse}
database:
  image: registry.example.org/mirror/postgres
  version: "17"
  limits: {memory: 3G, cpus: 3}
  memory: 2G
  service: family-postgres
  container_name: family-db
  data: ./data/postgres
  superuser: family
  names: {synapse: {name: homeserver, user: family}, signal: {name: signal_bridge, user: signal_user}}
  extra: {max_connections: 200}
element:
  image: registry.example.org/mirror/element-web
  version: v1.12.29
  service: family-client
  container_name: family-element
  limits: {memory: 5G, cpus: 5}
  extra: {brand: Family}
calls:
  node_ip: 203.0.113.7
  tcp_port: 7781
  udp_port: 7782
  livekit:
    image: registry.example.org/mirror/livekit-server
    version: v1.13.9
    service: family-sfu
    container_name: family-livekit
    limits: {memory: 9G, cpus: 9}
    extra: {room: {max_participants: 50}}
  jwt:
    image: registry.example.org/mirror/lk-jwt-service
    version: 0.7.0
    service: family-tokens
    container_name: family-lk-jwt
    limits: {memory: 10G, cpus: 10}
    extra: {LIVEKIT_LOG_LEVEL: warn}
turn:
  image: registry.example.org/mirror/coturn
  version: 4.17.0-r0
  service: family-relay
  container_name: family-coturn
  limits: {memory: 11G, cpus: 11}
  external_ip: 203.0.113.8
  port: 3479
  min_port: 50000
  max_port: 50100
  extra: {user-quota: 20}
metrics: false
valkey:
  image: registry.example.org/mirror/valkey
  version: "8.1.1"
admin:
  image: registry.example.org/mirror/ketesa
  version: v1.3.0
  service: family-admin
  container_name: family-ketesa
  limits: {memory: 6G, cpus: 6}
  allow_from: [10.0.0.0/8]
  extra: {externalAuthProvider: true}
bridges:
  signal:
    image: registry.example.org/mirror/mautrix/signal
    version: v0.2608.0
    service: family-bridge
    container_name: family-signal
    limits: {memory: 4G, cpus: 4}
    id: sig
    bot: sigbot
    username_prefix: sig
    port: 30328
    encryption: on
    permissions: {"@anna:example.org": admin, example.org: user}
    extra: {bridge: {split_portals: true}}
  telegram: {version: v0.15.3}
` + runningContainers + `permissions: {"*": relay, example.org: user, "@anna:example.org": admin}
backup:
  borgmatic:
    repositories: [{path: /mnt/usb/family, label: usb}]
    keep: {hourly: 2, daily: 7, weekly: 4, monthly: 6}
    directory: /srv/family
    sources: [/home/anna/family]
    heartbeat: uptime-kuma
    extra: {retries: 3}
secrets:
  command: [cat, all.yaml]
  store: [tee, all.yaml]
  from: {bridges.telegram.api_hash: {file: api-hash}}
compose:
  extra: {services: {family-hs: {mem_limit: 4g}}}
`

// turnSection is the relay of that spec, and withTurn what stands from within the section of Synapse to its end.
var (
	turnSection = running[strings.Index(running, "turn:\n"):strings.Index(running, "metrics:")]
	withTurn    = running[strings.Index(running, "  well_known_extra"):strings.Index(running, "bridges:\n")]
)

// What becomes of a change on a running stack.
const (
	isLost     = "irreversible" // refused by render, without --i-know-what-this-breaks
	isTold     = "told"         // a step by hand, or something that is made, says what to do
	isHarmless = "harmless"     // nothing but what Compose does is to be said
)

// leaves are the paths of all fields of a spec.
func leaves(t reflect.Type, path string) []string {
	switch {
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		return leaves(t.Elem(), path)
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var all []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported():
		case f.Anonymous:
			all = append(all, leaves(f.Type, path)...)
		default:
			all = append(all, leaves(f.Type, strings.TrimPrefix(path+"."+name, "."))...)
		}
	}
	return all
}

// TestEveryFieldIsTold: what a change of any field does to a stack that runs is told by both ways to compare and
// by render, and what cannot be undone is refused. A field without a line in the table fails, and so does a
// change that is called harmless and is not.
func TestEveryFieldIsTold(t *testing.T) {
	for _, field := range leaves(reflect.TypeFor[spec.Spec](), "") {
		if !slices.ContainsFunc(append(fields, clusterFields...), func(f struct{ field, old, new, want, say string }) bool { return f.field == field }) {
			t.Errorf("%s has no line in the table of fields: what does its change do to a stack that runs?", field)
		}
	}
	if fixture.Race {
		t.Skip("skipped: four runs for each field take too long under the race detector; the same commands run in TestScripts")
	}
	repository(t, "stack.yaml", running)
	for name, text := range besideContainers {
		commit(t, name, text)
	}
	s, findings := spec.Parse("stack.yaml", []byte(running))
	if s == nil {
		t.Fatal(findings)
	}
	var values strings.Builder
	set := secret.Placeholders(render.Needs(s))
	for _, n := range render.Needs(s) {
		if set.Get(n.Name) == "" { // there is none yet, such as a signing key before this one
			continue
		}
		text, err := json.Marshal(set.Get(n.Name))
		if err != nil {
			t.Fatal(err)
		}
		values.WriteString(n.Name + ": " + string(text) + "\n")
	}
	values.WriteString("synapse.turn_shared_secret: " + strings.Repeat("zebra-turn-", 3) + "\n") // which somebody else's relay has
	values.WriteString("auth.captcha_secret_key: " + strings.Repeat("zebra-captcha-", 3) + "\n") // which a service gave out
	values.WriteString("auth.pepper: " + strings.Repeat("zebra-pepper-", 3) + "\n")              // which the old homeserver has
	put(t, "all.yaml", values.String())
	put(t, "support.json", "{}\n")
	registration, _ := fixture.File("")
	put(t, "irc.yaml", string(registration))
	put(t, "api-hash", set.Get("bridges.telegram.api_hash")+"\n")
	stackgen(t, 0, "render", "-o", "run")
	for _, c := range fields {
		t.Run(c.field+" "+c.new, func(t *testing.T) {
			if !strings.Contains(running, c.old) {
				t.Fatalf("the spec does not hold %q", c.old)
			}
			put(t, "stack.yaml", strings.ReplaceAll(running, c.old, c.new))
			for _, with := range [][]string{{"--base", "HEAD"}, {"-o", "run"}} {
				d := difference(t, with...)
				if got := kindOf(d); got != c.want || c.want != isHarmless && !says(t, d, c.say) {
					t.Errorf("diff %v: %s, want %s (%s):\n%+v\n%q", with, got, c.want, c.say, d.Irreversible, d.Steps)
				}
			}
			if c.want == isLost {
				if text := printed(t, "diff", "-o", "run"); !strings.Contains(text, c.say) {
					t.Errorf("diff does not say %q:\n%s", c.say, text)
				}
			}
			if c.want != isHarmless {
				rendersAs(t, c.want, c.say)
			}
		})
	}
}

// rendersAs renders the change over what runs: a loss is refused and nothing is written; the rest is written, and told.
func rendersAs(t *testing.T, want, say string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS("run")); err != nil {
		t.Fatal(err)
	}
	before := filesOf(t, dir)
	if want == isLost {
		text, _ := stackgen(t, 1, "render", "-o", dir)
		if !strings.Contains(text, "[irreversible-change]") || !strings.Contains(text, say) {
			t.Errorf("render says:\n%s", text)
		}
		out, _ := stackgen(t, 1, "render", "-o", dir, "--format", "json")
		if !strings.Contains(out, `"irreversible-change"`) || !strings.Contains(out, say) {
			t.Errorf("render --format json says:\n%s", out)
		}
		if !reflect.DeepEqual(before, filesOf(t, dir)) {
			t.Error("something was written")
		}
		return
	}
	out, _ := stackgen(t, 0, "render", "-o", dir, "--format", "json")
	if want == isTold && !strings.Contains(out, say) {
		t.Errorf("render --format json does not say %q:\n%s", say, out)
	}
}

func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	return files
}

// printed is what a command prints on stdout, whether it finds a difference or not.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, talk strings.Builder
	if code := run(t.Context(), args, strings.NewReader(""), &out, &talk); code != 0 && code != 1 {
		t.Fatalf("stackgen %v: exit %d\n%s%s", args, code, out.String(), talk.String())
	}
	return out.String()
}

func difference(t *testing.T, with ...string) diff.Diff {
	t.Helper()
	out := printed(t, append([]string{"diff", "--format", "json"}, with...)...)
	var d diff.Diff
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err, out)
	}
	if strings.Contains(string(d.Findings), `"error"`) {
		t.Fatalf("%s", d.Findings)
	}
	return d
}

func kindOf(d diff.Diff) string {
	switch {
	case len(d.Irreversible) > 0:
		return isLost
	case len(d.Steps)+len(d.Databases)+len(d.Secrets) > 0:
		return isTold
	}
	return isHarmless
}

func says(t *testing.T, d diff.Diff, say string) bool {
	t.Helper()
	text, err := json.Marshal([]any{d.Irreversible, d.Steps})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), say)
}
