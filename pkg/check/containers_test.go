package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// containerFaults are put by hand into what examples/appservices renders: the rule that finds each.
var containerFaults = []struct{ name, file, old, new, rule string }{
	{"irc: another port", "config/matrix/irc.yaml", ":9898", ":9899", "appservice-agrees"},
	{"irc: another host", "config/matrix/irc.yaml", "stack-irc:", "stack-irk:", "appservice-agrees"},
	{"irc: Synapse itself", "config/matrix/irc.yaml", "matrix-stack-irc", "localhost", "appservice-agrees"},
	{"irc: a token of its own", "config/irc/registration.yaml", `as_token: "`, `as_token: "x`, "appservice-agrees"},
	{"irc: a listener elsewhere", "docker-compose.yml", `command: ["-c", "/registration.yaml"`, `command: ["-p", "9000", "-c", "/registration.yaml"`, "appservice-agrees"},
	{"irc: no such file for Synapse", "config/matrix/homeserver.yaml", "/config/irc.yaml", "/config/irk.yaml", "registration-listed"},
	{"irc: the id of the other", "config/matrix/irc.yaml", `id: "irc"`, `id: "hookshot"`, "registration-ids-unique"},
	{"irc: the users of the other", "config/matrix/irc.yaml", "@irc_.*", "@_web.*", "registration-namespaces-disjoint"},
	{"irc: a sender that no URL has", "config/matrix/irc.yaml", `sender_localpart: "heisenbridge"`, `sender_localpart: "heisen bridge"`, "registration-sender-not-bot"},
	{"irc: no list of users", "config/matrix/irc.yaml", "  users:\n    - regex", "  users: x\n  rooms:\n    - regex", "registration-shape"},
	{"irc: a token that is a number", "config/matrix/irc.yaml", `sender_localpart: "heisenbridge"`, "sender_localpart: 7", "registration-shape"},
	{"irc: a file that is not mounted", "docker-compose.yml", "./config/irc/registration.yaml:", "./config/irk/registration.yaml:", "compose-mount-exists"},
	{"hookshot: a token of its own", "config/hookshot/data/registration.yml", `hs_token: "`, `hs_token: "x`, "appservice-agrees"},
	{"hookshot: loopback", "config/hookshot/data/config.yml", "port: 9993\n  bindAddress: 0.0.0.0", "port: 9993\n  bindAddress: 127.0.0.1", "appservice-agrees"},
	{"hookshot: another port", "config/hookshot/data/config.yml", "port: 9993", "port: 9994", "appservice-agrees"},
	{"hookshot: another server", "config/hookshot/data/config.yml", `domain: "example.org"`, "domain: example.net", "appservice-agrees"},
	{"hookshot: another port of Synapse", "config/hookshot/data/config.yml", ":8008", ":8009", "appservice-agrees"},
	{"hookshot: a route of nobody's", "docker-compose.yml", "/_matrix/hookshot/", "/_matrix/", "well-known-agrees"},
	{"maubot: a file that changed", "config/maubot/config/config.yaml", "29316", "29317", "compose-config-hash"},
	{"maubot: a file that is gone", "docker-compose.yml", "./config/maubot/config/config.yaml:", "./config/maubot/config.yaml:", "compose-mount-exists"},
	{"maubot: a variable", "docker-compose.yml", "dock.mau.dev/maubot/maubot:v0.6.0", "dock.mau.dev/maubot/maubot:${MAUBOT}", "compose-interpolation"},
	{"maubot: another network", "docker-compose.yml", "./data/maubot:/data\"\n    networks:\n      stack: {aliases: [\"matrix-stack-maubot\"]}\n      ingress: {}", "./data/maubot:/data\"\n    networks:\n      stack: {aliases: [\"matrix-stack-maubot\"]}", "traefik-network-shared"},
	{"maubot: the host of Synapse", "docker-compose.yml", "Host(`maubot.example.org`)", "Host(`matrix.example.org`)", "mas-path-routing"},
	{"maubot: another user", "docker-compose.yml", "1337:1337", "1338:1338", "config-readable"},
	{"maubot: a job that nobody has", "docker-compose.yml", "./data/maubot:/data\"\n", "./data/maubot:/data\"\n    depends_on: [nobody]\n", "compose-valid"},
	{"maubot: a secret that is not there", "docker-compose.yml", "./data/maubot:/data\"\n", "./data/maubot:/data\"\n    secrets: [nobody]\n", "compose-valid"},
	{"maubot: a name that another has", "docker-compose.yml", `aliases: ["matrix-stack-maubot"]`, `aliases: ["matrix-stack-synapse"]`, "compose-name-unique"},
	{"maubot: a router twice", "docker-compose.yml", "traefik.http.routers.matrix-maubot.rule", "traefik.http.routers.matrix-mas.rule", "traefik-router-unique"},
}

// Each fault put by hand into an appservice or a plain service is found by the rule that knows it.
func TestContainerFaults(t *testing.T) {
	const path = "../../examples/appservices/stack.yaml"
	s, findings, err := spec.Load(path)
	if err != nil || s == nil {
		t.Fatal(findings, err)
	}
	set := secret.Placeholders(render.Needs(s))
	st := render.Resolve(s, set, "/srv/matrix")
	st.Files, _ = prove.Copies(s, ".", func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(path), name)) })
	b, err := render.Render(s, st, set.Get)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containerFaults {
		t.Run(c.name, func(t *testing.T) {
			var files []memfs.File
			changed := false
			for _, f := range b.Files {
				data := string(f.Data)
				if f.Path == c.file && strings.Contains(data, c.old) {
					changed, data = true, strings.ReplaceAll(data, c.old, c.new)
				}
				file := memfs.File{Path: f.Path, Owner: &memfs.Owner{UID: f.UID, GID: f.GID}}
				if f.Data != nil {
					file.Data = []byte(data)
				}
				files = append(files, file)
			}
			if !changed {
				t.Fatalf("%s does not hold %q", c.file, c.old)
			}
			d, problems := compose.Open(memfs.New(files))
			found, _ := check.Run(d, composego.Judge)
			var rules []string
			for _, f := range append(problems, found...) {
				if f.Status != finding.NotChecked {
					rules = append(rules, f.Rule)
				}
			}
			if !slices.Contains(rules, c.rule) {
				t.Errorf("%s is not among %v", c.rule, rules)
			}
		})
	}
}
