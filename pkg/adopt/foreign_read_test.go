package adopt_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/deployment/compose"
)

// What is read of a stack that somebody else wrote, and what is not to be.
func TestForeignRead(t *testing.T) {
	const (
		homeserver = "server_name: example.org\npublic_baseurl: https://example.org/\nmedia_store_path: /data/media_store\ndatabase: {name: psycopg2, args: {user: hs, password: fake-password-of-hs, dbname: hs, host: db}}\n" +
			"listeners: [{port: 8008, type: http, resources: [{names: [client, federation]}]}]\n"
		stack = `services:
  hs: {image: 'matrixdotorg/synapse:v1.163.2', volumes: [./hs:/data]}
  db: {image: 'postgres:17', environment: {POSTGRES_USER: hs, POSTGRES_PASSWORD: fake-password-of-hs}, volumes: ['pg:/var/lib/postgresql/data']}
  web: {image: 'vectorim/element-web:v1.12.30', ports: ['8080:80'], volumes: ['./element.json:/app/config.json']}
volumes: {pg: {}}
`
	)
	for name, c := range map[string]struct {
		from, to      string // edits of the stack
		homeserver    string // in the place of that above
		want, notWant string // of the spec
	}{
		"a PostgreSQL of no release whose volume lies where that of 18 does": {from: "'postgres:17'", to: "'postgres:latest'", want: "version: \"18\"\n", notWant: "volumes: [\"pg:"},
		"and of Alpine":                        {from: "'postgres:17'", to: "'postgres:alpine'", want: "version: 18-alpine\n"},
		"a PostgreSQL of no release":           {from: "'postgres:17'", to: "'postgres:latest' ", notWant: "version: \"18\""},
		"a PostgreSQL that is too old":         {from: "'postgres:17'", to: "'postgres:13'", want: "# PostgreSQL 17 does not start on the data of 13: dump all of it"},
		"media that are mounted by themselves": {from: "[./hs:/data]", to: "[./hs:/data, ./hs/media_store:/data/media_store]", want: "  data: ./hs\n", notWant: "./data/matrix"},
		"media beside other data":              {from: "[./hs:/data]", to: "[./hs:/data, ./all/media_store:/data/media_store]", notWant: "data: ./all"},
		"a page with a certificate of its own": {from: "'8080:80'", to: "'443:443'", notWant: "443:8080"},
		"a page without":                       {want: "8080:8080"},
		"a host that looks random":             {from: "./element.json:/app/config.json']", to: "./element.json:/app/config.json']}\n  page: {image: 'x/page:1', labels: ['traefik.http.routers.page.rule=Host(`q7w8e9r0t1y2u3i4o5p6a7s8d9f0.example.net`)', 'traefik.http.middlewares.a.basicauth.users=${WHO}:${HASH}']", want: "Host(`q7w8e9r0t1y2u3i4o5p6a7s8d9f0.example.net`)", notWant: "secret: page"},
		"a sender of mails that is none":       {homeserver: homeserver + "email: {smtp_host: mail.example.org, notif_from: The Team}\n", want: "# email.from is not an address", notWant: "email.from is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(stack, c.from, c.to, 1)
			if strings.Contains(c.to, "postgres:latest'") && !strings.HasSuffix(c.to, " ") || strings.Contains(c.to, "alpine") {
				text = strings.Replace(text, "pg:/var/lib/postgresql/data", "pg:/var/lib/postgresql", 1)
			}
			if c.homeserver == "" {
				c.homeserver = homeserver
			}
			tree := fstest.MapFS{
				"compose.yaml": &fstest.MapFile{Data: []byte(text)}, "hs/homeserver.yaml": &fstest.MapFile{Data: []byte(c.homeserver)},
				"element.json": &fstest.MapFile{Data: []byte(`{"default_server_name": "example.org"}`)},
			}
			d, _ := compose.OpenWith(tree, compose.Options{Name: "matrix"})
			draft, refused := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside, KeepAuth: true})
			if draft == nil {
				t.Fatal(refused)
			}
			if got := string(draft.Text); !strings.Contains(got, c.want) || c.notWant != "" && strings.Contains(got, c.notWant) {
				t.Errorf("it has no %q, or has %q:\n%s", c.want, c.notWant, got)
			}
		})
	}
}

// Synapse without macaroon_secret_key signs with registration_shared_secret: that is taken over where somebody keeps what it signed.
func TestMacaroonsOfTheRegistration(t *testing.T) {
	const shared = "registration_shared_secret: fake-secret-of-the-registration\n"
	for more, want := range map[string]string{
		"":                           "",
		"allow_guest_access: true\n": "fake-secret-of-the-registration",
		"allow_guest_access: true\nmacaroon_secret_key: fake-macaroons\n":   "fake-macaroons",
		"email: {smtp_host: mail.example.org, notif_from: m@example.org}\n": "fake-secret-of-the-registration",
	} {
		draft, r := read(t, foreignStack(withParts, map[string]string{"synapse/homeserver.yaml": strings.Replace(homeserver, "macaroon_secret_key:", "form_secret:", 1) + shared + more}))
		if got := draft.Secrets["synapse.macaroon_secret_key"]; got != want && want != "" || want == "" && strings.HasPrefix(got, "fake-") {
			t.Errorf("%q: another secret is taken over", more)
		}
		if lines := listed(r, compare.Decision, compare.Lost); strings.Contains(lines, "macaroon") {
			t.Errorf("%q: %s", more, lines)
		}
	}
}
