package render_test

import (
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
)

const governedSpec = `version: 1
name: family
server_name: example.org
owner: "1000:1000"
hosts:
  matrix: matrix.example.org
auth:
  public_url: https://login.example.org/
  passwords: true
  version: 1.26.0
  upstream:
    sso: {client_id: a, issuer: "https://sso.example.org/"}
synapse:
  version: v1.163.2
  max_upload_size: 100M
  media_retention:
    local: 300d
    remote: 30d
  retention:
    max_lifetime: 400d
  url_preview: true
  turn:
    uris: ["turn:turn.example.org"]
email:
  host: smtp.example.org
  port: 587
  user: anna
  from: a@example.org
database:
  container_name: family-db
permissions:
  example.org: user
bridges:
  signal:
    version: v0.2610.0
    id: sig
    port: 30001
    bot: sigbot
    username_prefix: sig
    encryption: required
    permissions: {"@anna:example.org": admin}
    extra:
      network:
        number_in_topic: false
  whatsapp: {}
  telegram:
    version: v0.15.3
    port: 30002
    bot: telbot
    username_prefix: tel
    encryption: required
  discord:
    username_prefix: dis
    encryption: required
compose:
  extra:
    services:
      mas: {cpu_shares: 3}
`

// inFile are the places of one file.
type inFile struct{ *source.File }

func (inFile) HeldAt(source.Pos) ([]byte, []string) { return nil, nil }

// A finding in a manifest names the line of the spec: of a file in a Secret that which governs the file of Compose, of an object its program's.
func TestGovernOfManifests(t *testing.T) {
	const text = "version: 1\nserver_name: example.org\ntarget: kubernetes\nkubernetes: {gateway: {name: public}}\nauth: {passwords: true, version: 1.26.0}\nsynapse: {version: v1.163.2}\n" +
		"bridges:\n  signal: {port: 30001, extra: {network: {number_in_topic: false}}}\npermissions: {example.org: user}\n"
	b := load(t, "stack.yaml", []byte(text))
	d, _ := kubernetes.Open(b.Manifests())
	s, _ := source.Parse("stack.yaml", []byte(text))
	for _, c := range []struct{ file, line, spec string }{
		{"secrets/signal.yaml", "      port: 30001", "bridges.signal.port"},
		{"secrets/signal.yaml", "number_in_topic", "bridges.signal.extra.network.number_in_topic"},
		{"secrets/synapse.yaml", "    server_name:", "server_name"},
		{"secrets/mas.yaml", "      enabled: true", "auth.passwords"},
		{"mas.yaml", "image: ghcr.io", "auth.version"},
		{"synapse.yaml", "image: ghcr.io", "synapse.version"},
		{"signal.yaml", "serviceName", "bridges.signal"},
		{"policies.yaml", "podSelector", "kubernetes"},
	} {
		i := slices.IndexFunc(b.Files, func(f render.File) bool { return f.Path == c.file })
		before, rest, is := strings.Cut(string(b.Files[i].Data), c.line)
		if !is {
			t.Fatalf("%s has no %q", c.file, c.line)
		}
		line, _, _ := strings.Cut(c.line+rest, "\n")
		start := before[strings.LastIndexByte(before, '\n')+1:] + line
		at := source.Pos{File: c.file, Line: strings.Count(before, "\n") + 1, Col: len(start) - len(strings.TrimLeft(start, " -")) + 1}
		found := []finding.Finding{{Sites: []source.Site{{Pos: at}}}}
		b.Govern(found, d)
		want := s.At(strings.Split(c.spec, ".")...).KeyPos()
		if len(found[0].Sites) != 2 || found[0].Sites[1].Pos != want {
			t.Errorf("%s %s: %+v, want %s", c.file, c.line, found[0].Sites[1:], want)
		}
	}
}

// Each line of the table is true: when the spec has another value there, so has the rendered key, and the
// finding about that key names that line.
func TestGovern(t *testing.T) {
	const hs, mas, sig, wa, tel, dis, compose = "config/matrix/homeserver.yaml", "config/mas/config.yaml", "config/signal/config.yaml", "config/whatsapp/config.yaml",
		"config/telegram/config.yaml", "config/discord/config.yaml", "docker-compose.yml"
	for _, c := range []struct{ file, key, spec, old, now string }{
		{hs, "server_name", "server_name", "server_name: example.org", "server_name: example.com"},
		{hs, "public_baseurl", "hosts.matrix", "matrix: matrix.example.org", "matrix: m.example.org"},
		{hs, "max_upload_size", "synapse.max_upload_size", "100M", "200M"},
		{hs, "media_retention.local_media_lifetime", "synapse.media_retention.local", "300d", "301d"},
		{hs, "media_retention.remote_media_lifetime", "synapse.media_retention.remote", "30d", "31d"},
		{hs, "retention", "synapse.retention", "400d", "401d"},
		{hs, "url_preview_enabled", "synapse.url_preview", "url_preview: true", "url_preview: false"},
		{hs, "turn_uris", "synapse.turn.uris", "turn:turn.example.org", "turn:t.example.org"},
		{hs, "email.smtp_host", "email.host", "smtp.example.org", "s.example.org"},
		{hs, "email.smtp_port", "email.port", "587", "588"},
		{hs, "email.smtp_user", "email.user", "user: anna", "user: otto"},
		{hs, "email.notif_from", "email.from", "from: a@", "from: b@"},
		{mas, "http.public_base", "auth.public_url", "https://login.", "https://l."},
		{mas, "matrix.homeserver", "server_name", "server_name: example.org", "server_name: example.com"},
		{mas, "passwords.enabled", "auth.passwords", "passwords: true", "passwords: false"},
		{mas, "upstream_oauth2.providers", "auth.upstream", "client_id: a", "client_id: b"},
		{mas, "email.hostname", "email.host", "smtp.example.org", "s.example.org"},
		{mas, "email.port", "email.port", "587", "588"},
		{mas, "email.username", "email.user", "user: anna", "user: otto"},
		{mas, "email.from", "email.from", "from: a@", "from: b@"},
		{sig, "homeserver.domain", "server_name", "server_name: example.org", "server_name: example.com"},
		{sig, "bridge.permissions", "bridges.signal.permissions", `{"@anna:example.org": admin}`, `{"@anna:example.org": user}`},
		{sig, "encryption.require", "bridges.signal.encryption", "encryption: required\n    permissions", "encryption: on\n    permissions"},
		{sig, "appservice.id", "bridges.signal.id", "id: sig\n", "id: sag\n"},
		{sig, "appservice.port", "bridges.signal.port", "30001", "30011"},
		{sig, "appservice.bot.username", "bridges.signal.bot", "sigbot", "sagbot"},
		{sig, "appservice.username_template", "bridges.signal.username_prefix", "username_prefix: sig", "username_prefix: sag"},
		{sig, "network.number_in_topic", "bridges.signal.extra.network.number_in_topic", "number_in_topic: false", "number_in_topic: true"},
		{wa, "bridge.permissions", "permissions", "example.org: user", "example.org: admin"},
		{tel, "appservice.port", "bridges.telegram.port", "30002", "30012"},
		{tel, "appservice.bot_username", "bridges.telegram.bot", "telbot", "tolbot"},
		{tel, "bridge.username_template", "bridges.telegram.username_prefix", "username_prefix: tel", "username_prefix: tol"},
		{tel, "bridge.encryption.require", "bridges.telegram.encryption", "encryption: required\n  discord", "encryption: on\n  discord"},
		{tel, "bridge.permissions", "permissions", "example.org: user", "example.org: admin"},
		{dis, "bridge.username_template", "bridges.discord.username_prefix", "username_prefix: dis", "username_prefix: dos"},
		{compose, "name", "name", "name: family\n", "name: other\n"},
		{compose, "services.synapse.image", "synapse.version", "v1.163.2", "v1.163.1"},
		{compose, "services.mas.image", "auth.version", "1.26.0", "1.25.0"},
		{compose, "services.signal.image", "bridges.signal.version", "signal:\n    version: v0.2610.0", "signal:\n    version: v0.2609.0"},
		{compose, "services.synapse.user", "owner", "1000:1000", "1001:1001"},
		{compose, "services.postgres.container_name", "database.container_name", "family-db", "other-db"},
		{compose, "services.mas.cpu_shares", "compose.extra.services.mas.cpu_shares", "cpu_shares: 3", "cpu_shares: 4"},
		// No single key says these: it is the section, or nothing at all.
		{mas, "database.host", "auth", "", ""},
		{compose, "services.discord.restart", "bridges.discord", "", ""},
		{compose, "networks", "", "", ""},
	} {
		value := func(spec string) (source.Value, finding.Finding, *source.File) {
			b := load(t, "stack.yaml", []byte(spec))
			i := slices.IndexFunc(b.Files, func(f render.File) bool { return f.Path == c.file })
			f, problem := source.Parse(c.file, b.Files[i].Data)
			if problem != nil {
				t.Fatal(problem)
			}
			v := f.At(strings.Split(c.key, ".")...)
			if !v.Exists() {
				t.Fatalf("%s has no %s", c.file, c.key)
			}
			found := []finding.Finding{{Sites: []source.Site{v.Site("")}}}
			b.Govern(found, inFile{f})
			s, _ := source.Parse("stack.yaml", []byte(spec))
			return v, found[0], s
		}
		v, found, s := value(governedSpec)
		if c.old != "" {
			if !strings.Contains(governedSpec, c.old) {
				t.Fatalf("the spec has no %q", c.old)
			}
			changed := strings.Replace(governedSpec, c.old, c.now, 1)
			if c.spec == "server_name" { // which the users are on
				changed = strings.NewReplacer("  example.org: user", "  example.com: user", "@anna:example.org", "@anna:example.com").Replace(changed)
			}
			if other, _, _ := value(changed); v.Equal(other) {
				t.Errorf("%s: %s does not come from %q", c.file, c.key, c.old)
			}
		}
		want := []string{}
		if c.spec != "" {
			want = append(want, s.At(strings.Split(c.spec, ".")...).KeyPos().String())
		}
		got := []string{}
		for _, site := range found.Sites[1:] {
			got = append(got, site.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %s: from %v, want %v", c.file, c.key, got, want)
		}
	}
}
