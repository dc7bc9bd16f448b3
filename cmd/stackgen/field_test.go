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
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// running is the spec of a stack that runs, with every field of a spec.
const running = `version: 1
name: family
server_name: example.org
owner: "1000:1000"
hosts: {matrix: synapse.example.org, element: app.example.org}
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
  turn: {uris: ["turn:turn.example.org?transport=udp"]}
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
permissions: {"*": relay, example.org: user, "@anna:example.org": admin}
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

// What becomes of a change on a running stack.
const (
	isLost     = "irreversible" // refused by render, without --i-know-what-this-breaks
	isTold     = "told"         // a step by hand, or something that is made, says what to do
	isHarmless = "harmless"     // nothing but what Compose does is to be said
)

// fields has at least one change for every field of a spec. say is a part of what is told, or why nothing is.
var fields = []struct{ field, old, new, want, say string }{
	{"version", "version: 1\n", "version: 1 # the only one\n", isHarmless, "there is one version of the format"},
	{"name", "\nname: family\n", "\nname: matrix\n", isTold, "docker compose -p family down"},
	{"server_name", "example.org", "example.net", isLost, "server_name"},
	{"owner", `owner: "1000:1000"`, `owner: "2000:2000"`, isTold, "sudo chown -R 2000:2000"},
	{"owner", "owner: \"1000:1000\"\n", "", isTold, "data/postgres"},
	{"hosts.matrix", "matrix: synapse.example.org", "matrix: matrix.example.org", isTold, "log in again"},
	{"hosts.element", "element: app.example.org", "element: chat.example.org", isTold, "log in again there"},
	{"hosts.element", "element: app.example.org", "element: chat.example.org", isTold, "let the DNS names of chat.example.org"},
	{"element.image", "mirror/element-web", "other/element-web", isHarmless, "the same program from another place"},
	{"element.version", "version: v1.12.29", "version: v1.12.30", isHarmless, "it keeps nothing of its own, neither way"},
	{"element.limits.memory", "memory: 5G", "memory: 6G", isHarmless, "Compose recreates the service"},
	{"element.limits.cpus", "cpus: 5}", "cpus: 6}", isHarmless, "Compose recreates the service"},
	{"element.extra", "extra: {brand: Family}", "extra: {brand: Friends}", isHarmless, "a word on the page"},
	{"auth.image", "mirror/matrix-authentication-service", "other/matrix-authentication-service", isHarmless, "the same program from another place"},
	{"auth.version", "version: 1.22.0", "version: 1.21.0", isLost, "auth.version"},
	{"auth.version", "version: 1.22.0", "version: 1.23.0", isTold, "take a backup before the upgrade"},
	{"auth.public_url", "https://account.example.org/", "https://login.example.org/", isTold, "set the redirect URI"},
	{"auth.public_url", "https://account.example.org/", "https://login.example.org/", isTold, "log in again"},
	{"auth.passwords", "passwords: true", "passwords: false", isTold, "cannot log in any more"},
	{"auth.kind", strings.SplitAfter(strings.SplitAfter(running, "\nauth:\n")[1], "Family}}\n")[0], "  kind: synapse\n  passwords: true\n", isTold, "every session"},
	{"auth.registration", "passwords: true", "passwords: true\n  registration: token", isHarmless, "who may make an account from now on"},
	{"auth.migration", "migration: false", "migration: true", isTold, "with syn2mas"},
	{"auth.migrated", "migrated: false", "migrated: true", isLost, "auth.passwords.schemes"},
	{"auth.pepper", "migration: false\n  migrated: false\n  pepper: false", "migration: true\n  pepper: true", isTold, "with syn2mas"},
	{"auth.upstream.issuer", "issuer: https://sso.example.org/realms/family", "issuer: https://sso.example.org/realms/friends", isTold, "import"},
	{"auth.upstream.client_id", "client_id: matrix", "client_id: synapse", isTold, "its client can be deleted there"},
	{"auth.upstream.human_name", "human_name: Family", "human_name: Friends", isHarmless, "a word on the login page"},
	{"auth.upstream.existing_users", "existing_users: link", "existing_users: fail", isHarmless, "users that are linked stay linked"},
	{"auth.upstream.synapse_idp_id", "synapse_idp_id: oidc-keycloak", "synapse_idp_id: oidc-sso", isHarmless, "syn2mas alone reads it"},
	{"auth.upstream.scope", "scope: openid profile email", "scope: openid email profile", isHarmless, "what MAS asks for at the next login"},
	{"auth.upstream", "    work: {issuer: \"https://id.example.com\", client_id: family-matrix, synapse_idp_id: oidc-work}\n", "", isTold, "give another one to whoever has no other"},
	{"auth.extra", "service_name: Family", "service_name: Friends", isHarmless, "laid onto a file, and checked there"},
	{"synapse.image", "mirror/synapse", "other/synapse", isHarmless, "the same program from another place"},
	{"synapse.version", "version: v1.157.1", "version: v1.150.0", isLost, "synapse.version"},
	{"synapse.version", "version: v1.157.1", "version: v1.157.0", isTold, "goes back within a release"},
	{"synapse.version", "version: v1.157.1", "version: v1.163.2", isTold, "of version 12"},
	{"synapse.max_upload_size", "max_upload_size: 100M", "max_upload_size: 20M", isHarmless, "what is uploaded stays"},
	{"synapse.media_retention.local", "local: 365d", "local: 30d", isLost, "synapse.media_retention.local"},
	{"synapse.media_retention.local", "local: 365d", "local: 8761h", isHarmless, "an hour longer"},
	{"synapse.media_retention.remote", "remote: 30d", "remote: 7d", isTold, "fetched again"},
	{"synapse.retention.max_lifetime", "max_lifetime: 730d", "max_lifetime: 1y", isLost, "synapse.retention.max_lifetime"},
	{"synapse.url_preview", "url_preview: true", "url_preview: false", isHarmless, "messages have no preview until it is on again"},
	{"email.host", "host: smtp.example.org", "host: mail.example.org", isHarmless, "where the next mail goes"},
	{"email.port", "port: 587", "port: 2525", isHarmless, "where the next mail goes"},
	{"email.mode", "port: 587, mode: starttls", "port: 465, mode: tls", isHarmless, "how the next mail goes"},
	{"email.user", "user: matrix@example.org", "user: synapse@example.org", isHarmless, "who logs in for the next mail; its secret is asked for by name"},
	{"email.from", "from: matrix@example.org", "from: chat@example.org", isHarmless, "the sender of the next mail"},
	{"synapse.turn.uris", "turn:turn.example.org", "turn:calls.example.org", isHarmless, "clients ask for it before each call"},
	{"synapse.well_known_extra", "{default: true}", "{default: false}", isHarmless, "clients ask for it again"},
	{"synapse.extra", "presence: {enabled: false}", "redaction_retention_period: 1d", isLost, "synapse.redaction_retention_period"},
	{"synapse.extra", "presence: {enabled: false}", "delete_stale_devices_after: 1y", isLost, "synapse.delete_stale_devices_after"},
	{"ingress.kind", "  traefik: {network: proxy, entrypoint: https, cert_resolver: acme, middlewares: [hsts@file]}\n", "  kind: caddy\n", isTold, "come to Caddy and no longer to Traefik"},
	{"ingress.kind", "  traefik: {network: proxy, entrypoint: https, cert_resolver: acme, middlewares: [hsts@file]}\n", "  kind: nginx\n", isTold, "come to nginx and no longer to Traefik"},
	{"ingress.kind", "  traefik: {network: proxy, entrypoint: https, cert_resolver: acme, middlewares: [hsts@file]}\n", "  kind: none\n", isTold, "come to the proxy and no longer to Traefik"},
	{"ingress.nginx.network", "  traefik: {network: proxy, entrypoint: https, cert_resolver: acme, middlewares: [hsts@file]}\n", "  kind: nginx\n  nginx: {network: web}\n", isTold, "attach nginx to the network web"},
	{"ingress.port", "  traefik: {network: proxy, entrypoint: https, cert_resolver: acme, middlewares: [hsts@file]}\n", "  kind: caddy\n  port: 8018\n", isTold, "family.caddy"},
	{"ingress.caddy.network", "  traefik: {network: proxy, entrypoint: https, cert_resolver: acme, middlewares: [hsts@file]}\n", "  kind: caddy\n  caddy: {network: web}\n", isTold, "attach Caddy to the network web"},
	{"ingress.caddy.form", "  traefik: {network: proxy, entrypoint: https, cert_resolver: acme, middlewares: [hsts@file]}\n", "  kind: caddy\n  caddy: {network: web, form: labels}\n", isTold, "come to Caddy and no longer to Traefik"},
	{"ingress.traefik.network", "network: proxy", "network: web", isTold, "attach Traefik to the network web"},
	{"ingress.traefik.entrypoint", "entrypoint: https", "entrypoint: websecure", isTold, "an entrypoint called websecure"},
	{"ingress.traefik.middlewares", "middlewares: [hsts@file]", "middlewares: [hsts@file, crowdsec@docker]", isTold, "a middleware called crowdsec@docker"},
	{"ingress.traefik.cert_resolver", "cert_resolver: acme", "cert_resolver: le", isTold, "a certificate resolver called le"},
	{"ingress.apex.matrix", "{matrix: true, well_known: synapse}", "{matrix: false, well_known: external}", isTold, "nothing here answers any more"},
	{"ingress.apex.well_known", "well_known: synapse", "well_known: external", isTold, "/.well-known/matrix/"},
	{"database.image", "mirror/postgres", "other/postgres", isHarmless, "the same program from another place"},
	{"database.version", `version: "17"`, `version: "18"`, isLost, "database.version"},
	{"database.version", `version: "17"`, `version: "16"`, isLost, "database.version"},
	{"element.service", "family-client", "family-client-2", isTold, "family-client is called family-client-2 from now on"},
	{"element.container_name", "container_name: family-element", "container_name: family-element-2", isHarmless, "Compose recreates the service"},
	{"auth.service", "family-auth", "family-auth-2", isTold, "family-auth is called family-auth-2 from now on"},
	{"auth.container_name", "container_name: family-mas", "container_name: family-mas-2", isHarmless, "Compose recreates the service"},
	{"synapse.service", "family-hs", "family-hs-2", isTold, "family-hs is called family-hs-2 from now on"},
	{"synapse.container_name", "container_name: family-synapse", "container_name: family-synapse-2", isHarmless, "Compose recreates the service"},
	{"database.service", "family-postgres", "family-postgres-2", isTold, "family-postgres is called family-postgres-2 from now on"},
	{"bridges.service", "family-bridge", "family-bridge-2", isTold, "family-bridge is called family-bridge-2 from now on"},
	{"bridges.container_name", "container_name: family-signal", "container_name: family-signal-2", isHarmless, "Compose recreates the service"},
	{"database.container_name", "container_name: family-db", "container_name: db", isHarmless, "what is rendered names it anew; scripts of one's own are not known"},
	{"database.data.path", "data: ./data/postgres", "data: /srv/pg", isLost, "database.data"},
	{"database.data.volume", "data: ./data/postgres", "data: {volume: pg}", isLost, "database.data"},
	{"database.data.external", "data: ./data/postgres", "data: {volume: pg, external: true}", isLost, "database.data"},
	{"synapse.data.path", "data: {volume: media, external: true}", "data: ./data/matrix", isLost, "synapse.media_store"},
	{"synapse.data.volume", "{volume: media, external: true}", "{volume: media2, external: true}", isLost, "synapse.media_store"},
	{"synapse.data.external", "{volume: media, external: true}", "{volume: media}", isLost, "synapse.media_store"},
	{"database.superuser", "superuser: family\n  names: {synapse: {name: homeserver, user: family}, ", "superuser: root\n  names: {synapse: {name: homeserver, user: family}, ", isLost, "database.superuser"},
	{"database.names.name", "name: signal_bridge", "name: signal", isLost, "bridges.signal.database"},
	{"database.names.user", "user: signal_user", "user: signal", isTold, "the role"},
	{"database.extra", "max_connections: 200", "max_connections: 300", isHarmless, "settings of the server"},
	{"bridges.image", "mirror/mautrix/signal", "other/mautrix/signal", isHarmless, "the same program from another place"},
	{"bridges.version", "version: v0.2608.0", "version: v0.2607.0", isLost, "bridges.signal.version"},
	{"bridges.version", "version: v0.15.3", "version: v0.2608.0", isTold, "set-management-room"},
	{"bridges.id", "id: sig\n", "id: signal\n", isLost, "bridges.signal.id"},
	{"bridges.bot", "bot: sigbot", "bot: signalbot", isLost, "bridges.signal.bot"},
	{"bridges.username_prefix", "username_prefix: sig", "username_prefix: signal", isLost, "bridges.signal.username_template"},
	{"bridges.port", "port: 30328", "port: 30329", isHarmless, "both ends are rendered"},
	{"bridges.encryption", "encryption: on", "encryption: off", isTold, "reads and writes nothing in them"},
	{"bridges.encryption", "encryption: on", "encryption: required", isTold, "drops what is written"},
	{"bridges.permissions", "admin, example.org: user}\n    extra", "admin}\n    extra", isHarmless, "logins stay, and count again with the permission"},
	{"bridges.extra", "{split_portals: true}", "{split_portals: false}", isLost, "bridges.signal.split_portals"},
	{"bridges", "  telegram: {version: v0.15.3}\n", "", isTold, "let its users log out"},
	{"permissions", `{"*": relay, example.org: user, `, `{example.org: user, `, isHarmless, "logins stay, and count again with the permission"},
	{"backup.borgmatic.repositories.path", "path: /mnt/usb/family", "path: /mnt/nas/family", isTold, "make the repository"},
	{"backup.borgmatic.repositories.label", "label: usb", "label: stick", isHarmless, "a name for the command line"},
	{"backup.borgmatic.keep.hourly", "hourly: 2", "hourly: 1", isLost, "backup.keep.hourly"},
	{"backup.borgmatic.keep.daily", "daily: 7", "daily: 3", isLost, "backup.keep.daily"},
	{"backup.borgmatic.keep.weekly", "weekly: 4", "weekly: 0", isLost, "backup.keep.weekly"},
	{"backup.borgmatic.keep.monthly", "monthly: 6", "monthly: 12", isHarmless, "more archives are kept"},
	{"backup.borgmatic.directory", "directory: /srv/family", "directory: /srv/matrix", isTold, "move it there"},
	{"backup.borgmatic.heartbeat", "    heartbeat: uptime-kuma\n", "", isHarmless, "the monitor itself says that it hears nothing"},
	{"backup.borgmatic.sources", "[/home/anna/family]", "[/home/anna/stack]", isHarmless, "the archives that exist keep what was in them"},
	{"backup.borgmatic.extra", "{retries: 3}", "{retries: 5}", isHarmless, "how the next backup runs"},
	{"secrets.store", "[tee, all.yaml]", "[tee, ./all.yaml]", isHarmless, "where the next new secret goes"},
	{"secrets.command", "[cat, all.yaml]", "[cat, ./all.yaml]", isHarmless, "a value that differs is told as itself"},
	{"secrets.from.file", "{file: api-hash}", "{file: ./api-hash}", isHarmless, "a value that differs is told as itself"},
	{"secrets.from.command", "{file: api-hash}", "{command: [cat, api-hash]}", isHarmless, "a value that differs is told as itself"},
	{"auth.limits.memory", "memory: 1G, cpus", "memory: 5G, cpus", isHarmless, "Compose recreates the service"},
	{"auth.limits.cpus", "cpus: 1}", "cpus: 0.5}", isHarmless, "Compose recreates the service"},
	{"synapse.limits.memory", "memory: 2G, cpus", "memory: 6G, cpus", isHarmless, "Compose recreates the service"},
	{"synapse.limits.cpus", "cpus: 2}", "cpus: 0.5}", isHarmless, "Compose recreates the service"},
	{"database.limits.memory", "memory: 3G, cpus", "memory: 7G, cpus", isHarmless, "Compose recreates the service"},
	{"database.limits.cpus", "cpus: 3}", "cpus: 0.5}", isHarmless, "Compose recreates the service"},
	{"bridges.limits.memory", "memory: 4G, cpus", "memory: 8G, cpus", isHarmless, "Compose recreates the service"},
	{"bridges.limits.cpus", "cpus: 4}", "cpus: 0.5}", isHarmless, "Compose recreates the service"},
	{"compose.files", "compose:\n", "compose:\n  files: {config/site/support.json: support.json}\n", isHarmless, "a file more, which a service of extra reads"},
	{"compose.extra", "{mem_limit: 4g}", "{mem_limit: 8g}", isHarmless, "Compose recreates the service"},
	{"compose.extra", "{family-hs: {mem_limit: 4g}}", "{family-postgres: {volumes: [\"./data/elsewhere:/var/lib/postgresql/data\"]}}", isLost, "database.data"},
}

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
		if !slices.ContainsFunc(fields, func(f struct{ field, old, new, want, say string }) bool { return f.field == field }) {
			t.Errorf("%s has no line in the table of fields: what does its change do to a stack that runs?", field)
		}
	}
	if raceEnabled {
		t.Skip("skipped: four runs for each field take too long under the race detector; the same commands run in TestScripts")
	}
	repository(t, "stack.yaml", running)
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
	values.WriteString("auth.pepper: " + strings.Repeat("zebra-pepper-", 3) + "\n") // which the old homeserver has
	put(t, "all.yaml", values.String())
	put(t, "support.json", "{}\n")
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
