package render_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// slots are the places of a spec with what may stand there, each alone or beside any of the others. An
// empty choice leaves the field out. A spec is one choice for each slot.
var slots = []struct {
	section string // the keys above it, and what it is below them
	choices []string
}{
	{"", []string{"", "name: family", "name: a-1"}},
	{"", []string{"", "owner: '1000:1000'"}},
	{"", []string{"", "hosts: {matrix: synapse.example.org}", "hosts: {matrix: example.org}", "hosts: {matrix: m.example.net}"}},
	{"", []string{"", "element: {}", "element: {extra: {brand: Family, default_server_config: null, default_server_name: example.org}}"}},
	{"auth", []string{"", "public_url: https://account.example.org/", "public_url: https://matrix.example.org/auth/", "public_url: https://example.org/account/"}},
	{"auth", []string{"passwords: true"}},
	{"auth", []string{"", "migration: true"}},
	{"auth", []string{"", "upstream: {keycloak: {issuer: 'https://sso.example.org/realms/a', client_id: matrix}}", "upstream: {a: {issuer: 'https://a.example.com', client_id: x, existing_users: fail}, b: {issuer: 'https://b.example.com/realms/b', client_id: y, existing_users: link, synapse_idp_id: oidc}}"}},
	{"synapse", []string{"", "max_upload_size: 1M", "max_upload_size: 2G"}},
	{"synapse", []string{"", "media_retention: {local: 365d}", "media_retention: {local: 1y, remote: 2w}"}},
	{"synapse", []string{"", "retention: {max_lifetime: 730d}"}},
	{"synapse", []string{"", "url_preview: true"}},
	{"synapse", []string{"", "turn: {uris: ['turn:turn.example.org?transport=udp', 'turns:turn.example.org']}"}},
	{"synapse", []string{"", "well_known_extra: {io.element.e2ee: {default: true}}"}},
	{"synapse", []string{"", "version: v1.150.0"}},
	{"ingress.traefik", []string{"", "network: proxy"}},
	{"ingress.traefik", []string{"", "entrypoint: https"}},
	{"ingress.traefik", []string{"", "cert_resolver: acme"}},
	{"ingress.apex", []string{"", "matrix: true", "matrix: false"}},
	{"ingress.apex", []string{"", "well_known: synapse", "well_known: external"}},
	{"database", []string{"", "version: '16'", "version: 18-alpine"}},
	{"database", []string{"", "container_name: db"}},
	{"bridges", []string{"", "signal: {}", "signal: {encryption: off}", "signal: {id: sig, bot: sigbot, username_prefix: sig, port: 30328}"}},
	{"bridges", []string{"", "whatsapp: {}", "whatsapp: {encryption: required, permissions: {'@anna:example.org': admin}}"}},
	{"bridges", []string{"", "telegram: {}", "telegram: {version: v0.15.3}", "telegram: {version: v0.15.3, encryption: off}"}},
	{"bridges", []string{"", "discord: {}", "discord: {encryption: off}", "discord: {encryption: required}"}},
	{"bridges", []string{"", "meta: {}", "meta: {encryption: on}"}},
	{"bridges", []string{"", "instagram: {}", "instagram: {bot: insta}"}},
	{"", []string{"permissions: {example.org: user}", "permissions: {'*': relay, example.org: admin}", "permissions: {'@anna:example.org': admin}"}},
	{"", []string{"", "email: {host: smtp.example.org, from: Matrix <m@example.org>}", "email: {host: smtp.example.org, port: 465, user: m, from: m@example.org}", "email: {host: relay, mode: plain, from: m@example.org}"}},
	{"backup.borgmatic", []string{"repositories: [{path: /mnt/b}]", "repositories: [{path: 'ssh://b@b.example.org/./x', label: off}, {path: /mnt/b}]"}},
	{"backup.borgmatic", []string{"", "heartbeat: uptime-kuma"}},
}

// randomSpec makes one choice for each byte; slots without one are left out or take the first.
func randomSpec(bytes []byte) string {
	var b strings.Builder
	b.WriteString("version: 1\nserver_name: example.org\n")
	open := ""
	for i, slot := range slots {
		choice := slot.choices[0]
		if i < len(bytes) {
			choice = slot.choices[int(bytes[i])%len(slot.choices)]
		}
		if choice == "" {
			continue
		}
		indent := ""
		if slot.section != "" {
			for depth, key := range strings.Split(slot.section, ".") {
				path := strings.Join(strings.Split(slot.section, ".")[:depth+1], ".")
				if path != open && !strings.HasPrefix(open, path+".") {
					b.WriteString(indent + key + ":\n")
				}
				indent += "  "
			}
		}
		open = slot.section
		b.WriteString(indent + choice + "\n")
	}
	return b.String()
}

// checkRandom holds what is true of every spec that is accepted: what is rendered holds all rules, and is
// the same the second time.
func checkRandom(t *testing.T, src string) {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", []byte(src))
	if s == nil {
		for _, f := range findings {
			if f.Rule != "spec" {
				t.Errorf("the spec does not even parse: %s %s\n%s", f.Pos(), f.Message, src)
			}
		}
		return
	}
	set := secret.Placeholders(render.Needs(s))
	b, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	d, problems := compose.Open(b.FS())
	found, _ := check.Run(d, composego.Judge)
	for _, f := range append(problems, found...) {
		if f.Severity == finding.Error || strings.Contains(f.Message, "of a fault in stackgen") {
			t.Errorf("%s: %s [%s]\n%s", f.Pos(), f.Message, f.Rule, src)
		}
	}
	again, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Files, again.Files, cmpopts.IgnoreUnexported(render.File{})); diff != "" {
		t.Errorf("the second time it is another:\n%s\n%s", diff, src)
	}
}

func TestRandomSpecs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 60 {
		choices := make([]byte, len(slots))
		for i := range choices {
			choices[i] = byte(random.IntN(256))
		}
		src := randomSpec(choices)
		if s, _ := spec.Parse("stack.yaml", []byte(src)); s != nil {
			accepted++
		}
		checkRandom(t, src)
	}
	if accepted < 30 {
		t.Errorf("only %d of 60 specs are accepted", accepted)
	}
	t.Logf("%d of 60 specs are accepted", accepted)
}

func FuzzRender(f *testing.F) {
	f.Add([]byte{})
	for fill := byte(1); fill < 4; fill++ {
		f.Add([]byte(strings.Repeat(string(rune(fill)), len(slots))))
	}
	f.Fuzz(func(t *testing.T, choices []byte) { checkRandom(t, randomSpec(choices)) })
}
