package deployment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
)

const (
	homeserver = "server_name: example.org\nreport_stats: false\ndatabase: {name: psycopg2, args: {user: synapse, password: zebra-db-synapse, dbname: synapse, host: db}}\n"
	postgres   = "  db: {image: 'postgres:17', environment: {POSTGRES_USER: synapse, POSTGRES_PASSWORD: zebra-db-synapse}, volumes: ['pg:/var/lib/postgresql/data', './init:/docker-entrypoint-initdb.d']}\n"
	masConfig  = "http: {public_base: 'https://auth.example.org/'}\nmatrix: {homeserver: example.org}\nsecrets: {}\ndatabase: {uri: 'postgres://mas:zebra@pg.example.net/mas'}\n"
)

// Every program of a deployment has its line, which says how far it was read; what was not read has a finding, too, but
// for what no rule knows.
func TestParts(t *testing.T) {
	for name, tt := range map[string]struct {
		services string
		files    map[string]string
		want     string
		blank    string // its beginning
	}{
		"all of it": {
			services: "  synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', volumes: ['./s:/data'], labels: ['traefik.enable=true', 'traefik.http.routers.s.rule=Host(`example.org`)']}\n" + postgres,
			files:    map[string]string{"s/homeserver.yaml": homeserver, "init/all.sql": "CREATE DATABASE signal;\n"},
			want: `Synapse, read: s/homeserver.yaml
proxy Traefik, partly read: compose.yaml; Traefik itself is of another stack, with what is set there
PostgreSQL db, read: compose.yaml init/all.sql; scripts of /docker-entrypoint-initdb.d run only when a cluster is made
`,
		},
		"a configuration in a volume, and what no rule knows": {
			services: "  synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', volumes: ['data:/data']}\n  web: {image: nginxproxymanager}\n  cache: {image: redis}\n",
			want: `Synapse, not read: /data/homeserver.yaml: it is the named volume data
others, not read: web, cache: only what Compose is told
`,
			blank: "synapse (Synapse): /data/homeserver.yaml: it is the named volume data",
		},
		"a homeserver that only makes its configuration": {
			services: "  synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', command: generate, volumes: ['data:/data']}\n",
			want:     "tools, not read: synapse (generate): nothing here runs the program itself\n",
			blank:    "synapse (Synapse): it only runs generate",
		},
		"a homeserver that is started with what its image refuses, and one that only sleeps": {
			services: "  synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', command: [bash, -c, run]}\n  mas: {image: 'ghcr.io/element-hq/matrix-authentication-service:1.26.0', entrypoint: [sleep, infinity]}\n",
			want: `Synapse, not read: synapse: it is started with bash, which its image does not take
MAS, not read: mas: it runs sleep in its place
`,
			blank: "synapse (Synapse): it is started with bash, which its image does not take, mas (MAS): it runs sleep in its place",
		},
		"configurations that are mounted, and that a job writes or nobody": {
			services: "  synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', volumes: ['./s:/data']}\n" +
				"  web: {image: 'ghcr.io/element-hq/element-web:v1.12.30', volumes: ['./web/config.json:/app/config.json:ro']}\n  plain: {image: 'ghcr.io/element-hq/element-web:v1.12.30'}\n" +
				"  admin: {image: 'ghcr.io/etkecc/ketesa:v1.4.0', volumes: ['./admin.json:/var/public/config.json:ro']}\n" +
				"  setup: {image: 'alpine:3.22', volumes: ['./web:/out'], command: [sh, -c, 'echo > /out/config.json'], restart: 'no'}\n",
			files: map[string]string{"s/homeserver.yaml": homeserver},
			want: `Synapse, read: s/homeserver.yaml
Element Web web, not read: web/config.json does not exist; setup may write it
Element Web plain, not read: its configuration is the one in its image
ketesa admin, not read: admin.json does not exist
proxy, not read: none here, and no labels for one: what is routed where cannot be seen
PostgreSQL at db, not read: not of this stack; synapse uses it
others, not read: setup: only what Compose is told
`,
		},
		"nothing of Matrix": {
			services: "  web: {image: example/web}\n",
			want:     "others, not read: web: only what Compose is told\n",
			blank:    "no service is known as Synapse, MAS or a bridge by its image, command or files: web",
		},
		"two files, one of them elsewhere": {
			services: "  synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', command: [run, -c, /a/homeserver.yaml, -c, /b/more.yaml], volumes: ['./s:/a', 'b:/b']}\n" + postgres,
			files:    map[string]string{"s/homeserver.yaml": homeserver},
			want: `Synapse, partly read: s/homeserver.yaml; one of its configuration files cannot be seen
proxy, not read: none here, and no labels for one: what is routed where cannot be seen
PostgreSQL db, read: compose.yaml
`,
		},
		"MAS with a database elsewhere, and no Synapse": {
			services: "  mas: {image: 'ghcr.io/element-hq/matrix-authentication-service:1.26.0', environment: {MAS_CONFIG: /c/config.yaml}, volumes: ['./m:/c']}\n",
			files:    map[string]string{"m/config.yaml": masConfig},
			want: `MAS, read: m/config.yaml
Synapse, not read: no service is known as Synapse
proxy, not read: none here, and no labels for one: what is routed where cannot be seen
PostgreSQL at pg.example.net, not read: not of this stack; mas uses it
`,
		},
		"a Synapse that is off": {
			services: "  cache: {image: 'redis:7.4'}\n  synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', profiles: [chat]}\n",
			want:     "not started, not read: synapse (it stands behind the profile chat)\nothers, not read: cache: only what Compose is told\n",
			blank:    "no service is known as Synapse, MAS or a bridge by its image, command or files: cache; not started: synapse (it stands behind the profile chat)",
		},
		"a bridge, an appservice, and one that is off": {
			services: "  synapse: {image: 'ghcr.io/element-hq/synapse:v1.163.2', volumes: ['./s:/data']}\n" + postgres +
				"  signal: {image: 'dock.mau.dev/mautrix/signal:v0.2610.0', volumes: ['sig:/data']}\n  irc: {image: example/irc}\n  later: {image: example/later, profiles: [more]}\n",
			files: map[string]string{
				"s/homeserver.yaml": homeserver + "app_service_config_files: [/data/irc.yaml]\n",
				"s/irc.yaml":        "id: irc\nurl: http://irc:9999\nas_token: zebra-as\nhs_token: zebra-hs\nsender_localpart: ircbot\nnamespaces: {users: [{exclusive: true, regex: '@irc_.*'}]}\n",
			},
			want: `Synapse, read: s/homeserver.yaml
bridge signal, not read: /data/config.yaml: it is the named volume sig
appservice irc, partly read: s/irc.yaml; its registration alone
proxy, not read: none here, and no labels for one: what is routed where cannot be seen
PostgreSQL db, read: compose.yaml
not started, not read: later (it stands behind the profile more)
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{"compose.yaml": {Data: []byte("services:\n" + tt.services + "volumes: {pg: {}, data: {}, b: {}, sig: {}}\n")}}
			tree["init/none.sql"] = &fstest.MapFile{}
			for file, text := range tt.files {
				tree[file] = &fstest.MapFile{Data: []byte(text)}
			}
			d, findings := compose.Open(tree)
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			var got strings.Builder
			unread := 0
			for _, p := range d.Parts() {
				fmt.Fprintf(&got, "%s, %s: %s", p.Name, p.Seen, strings.Join(p.From, " "))
				if p.Why != "" && len(p.From) > 0 {
					got.WriteString("; ")
				}
				fmt.Fprintln(&got, p.Why)
				if p.Seen == finding.Unread && p.Name != "others" && p.Name != "tools" && p.Name != "not started" {
					unread++
				}
			}
			if got.String() != tt.want {
				t.Errorf("got\n%swant\n%s", &got, tt.want)
			}
			if got := d.Blank(); got != tt.blank {
				t.Errorf("blank: %q", got)
			}
			all, _ := check.Run(d, nil)
			all = slices.DeleteFunc(all, func(f finding.Finding) bool {
				return f.Status != finding.NotChecked && f.Rule != "service-runs" || f.Rule == "compose-valid"
			})
			if len(all) == 0 && (unread > 0 || tt.blank != "") {
				t.Error("a part was not read, and no finding says so")
			}
		})
	}
}
