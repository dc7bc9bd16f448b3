package adopt_test

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/adopt/compare"
)

const withAppservice = `services:
  synapse:
    image: matrixdotorg/synapse:v1.163.2
    volumes: ["./synapse:/data"]
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD: fake-database-password, POSTGRES_USER: synapse, POSTGRES_INITDB_ARGS: "--encoding=UTF8 --locale=C"}
    volumes: ["./pg:/var/lib/postgresql/data"]
  hookshot:
    image: ghcr.io/matrix-org/matrix-hookshot:7.5.0
    user: "1000:1000"
    restart: unless-stopped
    depends_on: [synapse]
    environment: {NODE_ENV: production, HOOK_TOKEN: fake-token-of-the-hooks}
    env_file: [hookshot/.env]
    MORE
    volumes:
      - ./hookshot/config.yml:/data/config.yml:ro
      - ./hookshot/registration.yml:/data/registration.yml:ro
      - hooks:/data/cache
  page:
    image: docker.io/library/caddy:2.10
    user: "1001:1001"
    read_only: true
    command: caddy run --config /etc/caddy/Caddyfile
    volumes: ["./page/Caddyfile:/etc/caddy/Caddyfile:ro"]
volumes: {hooks: {}}
`

const hookRegistration = `# The one of hookshot, as it made it.
id: matrix-hookshot
as_token: fake-as-token-of-hookshot-zebra
hs_token: 'fake-hs-token-of-hookshot-zebra'
namespaces: {rooms: [], users: [{regex: '@_webhooks_.*:example.org', exclusive: true}], aliases: []}
sender_localpart: hookshot
url: http://hookshot:9993
rate_limited: false
`

func hookshot(more string) map[string]string {
	return map[string]string{
		"synapse/homeserver.yaml":   homeserver + "app_service_config_files: [/data/hookshot.yml]\n",
		"synapse/hookshot.yml":      hookRegistration,
		"hookshot/registration.yml": hookRegistration,
		"hookshot/.env":             "GITHUB_SECRET=fake-secret-of-github\n",
		"hookshot/config.yml":       "bridge: {domain: example.org, url: 'http://synapse:8008', port: 9993, bindAddress: 0.0.0.0}\npassFile: /data/passkey.pem\n" + more,
		"page/Caddyfile":            ":8080 {\n\trespond ok\n}\n",
	}
}

// An appservice of somebody else's and a plain container that the spec can say wholly are parts of it, with every byte of the
// registration, every secret by a name, and the same to everybody who calls them.
func TestForeignAppservice(t *testing.T) {
	draft, r := read(t, foreignStack(strings.Replace(withAppservice, "    MORE\n", "", 1), hookshot("")))
	says(t, string(draft.Text), "appservices:\n  hookshot:\n    image: ghcr.io/matrix-org/matrix-hookshot", "/data/registration.yml: \"{registration}\"", "HOOK_TOKEN: \"{hook_token}\"", "services:\n  page:", "user: \"1001:1001\"")
	for _, not := range []string{"compose:", "registrations:", "fake-"} {
		if strings.Contains(string(draft.Text), not) {
			t.Errorf("the spec has %q:\n%s", not, draft.Text)
		}
	}
	now := build(t, draft.Text, draft.Secrets, func(name string) ([]byte, error) { return draft.Files[name], nil })
	for _, f := range now.bundle.Files {
		if f.Path == "config/matrix/hookshot.yaml" && string(f.Data) != hookRegistration {
			t.Errorf("another registration:\n%s", f.Data)
		}
	}
	for line := range strings.SplitSeq(listed(r, compare.Decision, compare.Lost), "\n") {
		if strings.Contains(line, "hookshot") || strings.Contains(line, "page") {
			t.Error(line)
		}
	}
}

// What it cannot say stays as it is, and a comment says why; nothing has to be decided.
func TestForeignAppserviceIsKept(t *testing.T) {
	for more, why := range map[string]string{
		"cap_add: [NET_ADMIN]":                         "a container of the spec has no cap_add",
		`ports: ["9993:9993"]`:                         "a container of the spec has no ports",
		`command: sh -c "node hookshot"`:               "its command is written for a shell",
		"tmpfs: [/cache]":                              "it has a place in memory at /cache",
		"environment: {SECRET: \"${FROM_THE_SHELL}\"}": "a variable of it stands in no file here",
		"labels: [wud.watch=true]":                     "it has labels",
		`command: ["node", "{config}"]`:                "{config} stands for nothing",
		"networks: {default: {aliases: [webhooks]}}":   "it has names or addresses of its own",
		"healthcheck: {interval: 5s}":                  "its check of its health has no test",
		"restart: \"no\"":                              "it is not started again",
	} {
		text := withAppservice
		key, _, _ := strings.Cut(more, ":")
		if key == "environment" || key == "restart" { // which it has already
			lines := strings.Split(text, "\n")
			for i, line := range lines {
				if strings.HasPrefix(strings.TrimSpace(line), key+":") && i > 8 {
					lines[i] = ""
					break
				}
			}
			text = strings.Join(lines, "\n")
		}
		draft, _ := read(t, foreignStack(strings.Replace(text, "MORE", more, 1), hookshot("")))
		says(t, string(draft.Text), "hookshot is an appservice, and is kept as it is: ", why, "registrations: [files/config/matrix/hookshot.yml]", "  extra:\n    services:\n")
		if key == "environment" && !strings.Contains(string(draft.Text), "SECRET: \"${FROM_THE_SHELL}\"") {
			t.Errorf("a variable is taken for its value:\n%s", draft.Text)
		}
		if strings.Contains(string(draft.Text), "appservices:") {
			t.Errorf("%s: it is taken:\n%s", more, draft.Text)
		}
		decided(t, draft)
	}
	user := strings.Replace(strings.Replace(withAppservice, "    MORE\n", "", 1), "    user: \"1000:1000\"\n", "", 1)
	draft, _ := read(t, foreignStack(user, hookshot("")))
	says(t, string(draft.Text), "it runs as whom its image says")
}

// decided holds that of an appservice nothing is left to a person.
func decided(t *testing.T, draft *adopt.Draft) {
	t.Helper()
	for _, n := range draft.Notes {
		if !n.Aside && strings.Contains(n.Text, "appservice") {
			t.Errorf("it is to be decided: %s", n.Text)
		}
	}
}
