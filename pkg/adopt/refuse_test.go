package adopt_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/deployment/compose"
)

// A refusal names what is missing, and what to do for it to be read.
func TestRefusals(t *testing.T) {
	const synapse = "services: {hs: {image: 'matrixdotorg/synapse:v1.150.0', volumes: ['SOURCE:/data']}}\nvolumes: {data: {}}\n"
	for name, c := range map[string]struct {
		compose      string
		files        map[string]string
		message, fix string
		also         string // a file that is named
	}{
		"a named volume":         {compose: strings.Replace(synapse, "SOURCE", "data", 1), message: "it is the named volume data", fix: "docker compose cp hs:/data/homeserver.yaml homeserver.yaml"},
		"its override":           {compose: strings.Replace(synapse, "SOURCE", "data", 1), message: "not seen", fix: `import.yaml: services: {hs: {volumes: ["./homeserver.yaml:/data/homeserver.yaml"]}}`},
		"how it is called then":  {compose: strings.Replace(synapse, "SOURCE", "data", 1), message: "not seen", fix: "stackgen import -f compose.yaml -f import.yaml"},
		"a path that is outside": {compose: strings.Replace(synapse, "SOURCE", "/var/hs", 1), message: "/var/hs is outside", fix: "cp /var/hs/homeserver.yaml homeserver.yaml"},
		"a path of the machine":  {compose: strings.Replace(synapse, "SOURCE", "/var/hs", 1), message: "/var/hs is outside", fix: "import it with --root /\nelsewhere, take it out"},
		"a MAS that is not seen": {
			compose: strings.Replace(strings.Replace(synapse, "}}\n", "}, mas: {image: 'ghcr.io/element-hq/matrix-authentication-service:1.26.0', environment: {MAS_CONFIG: /c/mas.yaml}, volumes: ['/etc/mas:/c']}}\n", 1), "SOURCE", "./hs", 1),
			files:   map[string]string{"hs/homeserver.yaml": "server_name: example.org\nmatrix_authentication_service: {enabled: true, endpoint: 'http://mas:8080/', secret: fake-mas-secret}\n"},
			message: "the configuration of MAS was not seen, and Synapse leaves all logins to it: /c/mas.yaml: /etc/mas is outside", fix: "cp /etc/mas/mas.yaml mas.yaml",
		},
		"a MAS elsewhere": {
			compose: strings.Replace(synapse, "SOURCE", "./hs", 1),
			files:   map[string]string{"hs/homeserver.yaml": "server_name: example.org\nexperimental_features: {msc3861: {enabled: true, issuer: 'https://account.example.org/', client_id: '0', client_auth_method: client_secret_basic, client_secret: fake-client-secret, admin_token: fake-admin-token}}\n"},
			message: "to a MAS that is no service here", fix: "also that of MAS",
		},
		"a variable":             {compose: strings.Replace(synapse, "SOURCE", "${DATA}/hs", 1), message: "variable", fix: "into .env"},
		"a file that is missing": {compose: strings.Replace(synapse, "SOURCE", "./hs", 1), message: "does not exist", fix: "put the file where it is read: hs/homeserver.yaml"},
		"a template alone": {
			compose: strings.Replace(synapse, "SOURCE", "./hs", 1), files: map[string]string{"hs/homeserver.yaml.j2": "server_name: x"},
			message: "does not exist", fix: "hs/homeserver.yaml", also: "hs/homeserver.yaml.j2: lies here, and is only a template",
		},
		"a file that nothing mounts": {
			compose: strings.Replace(synapse, "SOURCE", "data", 1), files: map[string]string{"homeserver.yaml": "server_name: x"},
			message: "named volume", fix: "docker compose cp", also: "homeserver.yaml: lies here, and nothing mounts it there",
		},
		"a template that is mounted": {
			compose: strings.Replace(synapse, "SOURCE", "./hs", 1), files: map[string]string{"hs/homeserver.yaml": "server_name: ${DOMAIN}\n"},
			message: "server_name is no name yet", fix: "fill it in",
		},
		"a placeholder": {
			compose: strings.Replace(synapse, "SOURCE", "./hs", 1), files: map[string]string{"hs/homeserver.yaml": "server_name: __DOMAIN__\n"},
			message: "server_name is no name yet", fix: "fill it in",
		},
		"a name in capitals": {
			compose: strings.Replace(synapse, "SOURCE", "./hs", 1), files: map[string]string{"hs/homeserver.yaml": "server_name: Example.ORG\ndatabase: {name: sqlite3}\n"},
			message: "has upper-case letters", fix: "the users of this one stay here",
		},
		"a name for a trial": {
			compose: strings.Replace(synapse, "SOURCE", "./hs", 1), files: map[string]string{"hs/homeserver.yaml": "server_name: localhost\n"},
			message: "localhost is a name for a trial", fix: "stackgen init",
		},
		"a profile":             {compose: "services: {hs: {image: 'matrixdotorg/synapse:v1.150.0', profiles: [chat]}}\n", message: "behind a profile", fix: "--profile chat"},
		"another homeserver":    {compose: "services: {hs: {image: 'ghcr.io/x/conduit:1'}}\n", message: "another homeserver", fix: "leave it"},
		"another compose file":  {compose: "services: {a: {image: 'x:1'}}\n", files: map[string]string{"compose.matrix.yaml": strings.Replace(synapse, "SOURCE", "data", 1)}, message: "no service here", fix: "-f compose.matrix.yaml"},
		"one in a directory":    {compose: "services: {a: {image: 'x:1'}}\n", files: map[string]string{"chat/compose.yaml": strings.Replace(synapse, "SOURCE", "data", 1)}, message: "no service here", fix: "import the directory chat"},
		"one makes for another": {compose: "services: {make: {image: 'matrixdotorg/synapse:v1.150.0', restart: 'no', command: generate, volumes: ['data:/data']}, hs: {image: 'matrixdotorg/synapse:v1.150.0', volumes: ['data:/data']}}\nvolumes: {data: {}}\n", message: "named volume", fix: "cp hs:/data"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{"compose.yaml": &fstest.MapFile{Data: []byte(c.compose)}}
			for name, text := range c.files {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
			}
			d, _ := compose.OpenWith(tree, compose.Options{Name: "matrix"})
			draft, refused := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside, KeepAuth: true})
			if draft != nil || len(refused) != 1 {
				t.Fatalf("it is taken over, or refused for %d reasons", len(refused))
			}
			f := refused[0]
			if !strings.Contains(f.Message, c.message) || !strings.Contains(f.Fix, c.fix) {
				t.Errorf("%s\nfix: %s", f.Message, f.Fix)
			}
			var all strings.Builder
			for _, s := range f.Sites {
				all.WriteString(s.File + ": " + s.Note + "\n")
			}
			if !strings.Contains(all.String(), c.also) {
				t.Errorf("the places are\n%s", &all)
			}
		})
	}
}
