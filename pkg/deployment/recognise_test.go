package deployment_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
)

const goConfig = `homeserver: {address: "http://synapse:8008", domain: example.org}
bridge: {permissions: {example.org: user}}
database: {uri: "postgres://b@postgres/b"}
appservice: {id: steam, as_token: placeholder-as, hs_token: placeholder-hs}
`

const pythonConfig = `homeserver: {address: "http://synapse:8008", domain: example.org}
bridge: {permissions: {example.org: user}, username_template: "x_{userid}"}
appservice: {id: x, as_token: placeholder-as, hs_token: placeholder-hs, bot_username: xbot, database: "postgres://b@postgres/b"}
`

// A helper that sees the configuration of a bridge is no bridge, and of two that may be it neither is taken for it.
func TestRecogniseHelpers(t *testing.T) {
	for name, tt := range map[string]struct {
		services string
		bridge   string
		problems int
	}{
		"beside the bridge's own image": {"{steam: {image: 'mautrix/slack:v0.2608.0', volumes: ['./x:/data']}, tool: {image: alpine, volumes: ['./x:/data']}}", "steam", 0},
		"one that ends":                 {"{tool: {image: alpine, restart: 'no', volumes: ['./x:/data']}, steam: {image: own/steam, volumes: ['./x:/data']}}", "steam", 0},
		"one that is waited for":        {"{tool: {image: alpine, volumes: ['./x:/data']}, steam: {image: own/steam, volumes: ['./x:/data'], depends_on: {tool: {condition: service_completed_successfully}}}}", "steam", 0},
		"a backup":                      {"{tool: {image: b3vis/borgmatic, volumes: ['./x:/data']}, steam: {build: ., volumes: ['./x:/data']}}", "steam", 0},
		"two that may be it":            {"{tool: {image: alpine, volumes: ['./x:/data']}, steam: {image: own/steam, volumes: ['./x:/data']}}", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := compose.Open(fstest.MapFS{"docker-compose.yml": {Data: []byte("services: " + tt.services + "\n")}, "x/config.yaml": {Data: []byte(goConfig)}})
			var names []string
			for _, b := range d.Bridges {
				names = append(names, b.Name)
			}
			if got := strings.Join(names, " "); got != tt.bridge || len(d.Problems()) != tt.problems {
				t.Errorf("the bridge is %q, want %q: %v", got, tt.bridge, d.Problems())
			}
		})
	}
}

// Two images that are built here are one only where they are built by the same file: many programs are built on one base.
func TestRecogniseBuilds(t *testing.T) {
	const base = "FROM python:3.12-slim\n"
	d, _ := compose.Open(fstest.MapFS{
		"docker-compose.yml": {Data: []byte(`services:
  synapse: {build: ./synapse, environment: {SYNAPSE_CONFIG_PATH: /data/homeserver.yaml}, volumes: ["./files:/data"]}
  second: {build: ./synapse, command: [generate]}
  worker: {build: ./worker, environment: {SYNAPSE_WORKER: synapse.app.generic_worker}}
  bot: {build: ./bot, volumes: ["./bot-data:/data"]}
  db: {image: "example/bundle:2.1-db", environment: {POSTGRES_PASSWORD: x}, volumes: ["db:/var/lib/postgresql/data"]}
  db2: {image: "example/bundle:2.0-db"}
  other: {image: "example/bundle:2.1-other"}
volumes: {db: {}}
`)},
		"synapse/Dockerfile":    {Data: []byte(base)},
		"worker/Dockerfile":     {Data: []byte(base)},
		"bot/Dockerfile":        {Data: []byte(base)},
		"files/homeserver.yaml": {Data: []byte("server_name: example.org\nreport_stats: false\ndatabase: {name: sqlite3}\n")},
	})
	for name, want := range map[string]component.Program{
		"synapse": component.Synapse, "second": component.Synapse, "worker": component.Synapse, "bot": component.Unknown,
		"db": component.Postgres, "db2": component.Postgres, "other": component.Unknown,
	} {
		if got := d.Service(name).Program; got != want {
			t.Errorf("%s is taken for %q, want %q", name, got, want)
		}
	}
}

// A bridge is known by its image or by its configuration; what has another dialect than any that is known under its
// name is named as not checked, and what is no bridge is left alone.
func TestRecognise(t *testing.T) {
	for name, tt := range map[string]struct {
		image, config, command string
		want                   string // bridge, unchecked or nothing
	}{
		"its own image":                   {"dock.mau.dev/mautrix/slack:v0.2608.0", goConfig, "", "bridge"},
		"an image of another name":        {"registry.example.org/own/steam:1", goConfig, "", "bridge"},
		"its configuration elsewhere":     {"registry.example.org/own/steam:1", goConfig, "/usr/bin/steam -c /data/config.yaml -n", "bridge"},
		"Python, as Telegram was":         {"dock.mau.dev/mautrix/telegram:v0.15.3", pythonConfig, "", "bridge"},
		"Python, as Twitter was":          {"dock.mau.dev/mautrix/twitter:v0.1.8", pythonConfig, "", "unchecked"},
		"Python, as LinkedIn was":         {"dock.mau.dev/mautrix/linkedin:v0.5.4", pythonConfig, "", "unchecked"},
		"Python, of another name":         {"dock.mau.dev/mautrix/googlechat:v0.5.2", pythonConfig, "", "bridge"},
		"a token less":                    {"registry.example.org/own/steam:1", strings.Replace(goConfig, ", hs_token: placeholder-hs", "", 1), "", "nothing"},
		"a bot with a configuration":      {"registry.example.org/own/bot:1", "homeserver: https://example.org\nuser_id: '@bot:example.org'\naccess_token: placeholder\n", "", "nothing"},
		"a list":                          {"registry.example.org/own/bot:1", "- homeserver\n", "", "nothing"},
		"no YAML":                         {"registry.example.org/own/bot:1", "a: b: c: {{ .X }}\n", "", "nothing"},
		"a configuration of its own kind": {"docker.io/library/postgres:17", goConfig, "", "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "services:\n  x:\n    image: " + tt.image + "\n    volumes: ['./x:/data']\n"
			if tt.command != "" {
				text += "    command: " + tt.command + "\n"
			}
			d, problems := compose.Open(fstest.MapFS{"docker-compose.yml": {Data: []byte(text)}, "x/config.yaml": {Data: []byte(tt.config)}})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			got := "nothing"
			switch {
			case len(d.Bridges) == 1:
				got = "bridge"
			case slices.ContainsFunc(d.Problems(), func(f finding.Finding) bool { return f.Rule == "bridge-dialect" && f.Status == finding.NotChecked }):
				got = "unchecked"
			case len(d.Problems()) > 0:
				t.Error(d.Problems())
			}
			if got != tt.want {
				t.Errorf("it is %s, want %s", got, tt.want)
			}
			findings, _ := check.Run(d, nil)
			for _, f := range findings {
				if strings.Contains(f.Message, "of a fault in stackgen") {
					t.Error(f.Message)
				}
			}
		})
	}
}
