package conformance

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
)

// wholeRegistration has every key that Synapse looks at, one to a line.
const wholeRegistration = `id: bridge
url: http://bridge:29328
as_token: an-as-token
hs_token: an-hs-token
sender_localpart: sender
rate_limited: false
namespaces: {users: [{regex: '@bridge_.*', exclusive: true}]}
protocols: [bridge]
ip_range_whitelist: [10.0.0.0/8]
receive_ephemeral: true
org.matrix.msc3202: false
io.element.msc4190: true
io.element.msc4502.scopes: ["urn:matrix:client:io.element.msc4502:rooms:is_joined"]
io.element.msc4512.proxy_prefix: rtc/livekit
io.element.msc4512.proxy_url: http://jwt:8080
`

// oddPrefixes go in place of the part of the API that a registration takes.
var oddPrefixes = []string{"rtc/livekit/", "rtc/livekit/sfu", "rtc", "rtc/livekits", "/rtc/livekit", "rtc/livekit//"}

// oddValues are what a person may write, or leave standing, behind any key.
var oddValues = []string{
	"", "null", "word", "'quoted'", "two words", "1", "0x1f", "1e5", "1.5", "12:30", "2024-01-01", "yes", "False", "'true'",
	"[]", "[word]", "[1]", "[null]", "{}", "{a: b}", "a|b", "@sender:example.org", "10.0.0.1", "[10.1/16]", "[fd00::/8]", "[10.0.0.0/255.0.0.0]",
}

// oddNamespaces go in place of the namespaces.
var oddNamespaces = []string{
	"{users: null}", "{users: {}}", "{users: [word]}", "{users: [{}]}", "{rooms: [], aliases: []}", "{users: [{regex: 1, exclusive: true}]}",
	"{users: [{regex: a, exclusive: 'true'}]}", "{users: [{regex: a, exclusive: no}]}", "{users: [{regex: a}]}", "{users: [{exclusive: true}]}",
	"{users: [{regex: '(', exclusive: true}]}", "{users: [{regex: 'a)(b', exclusive: true}]}", "{users: [{regex: '*', exclusive: true}]}",
	`{users: [{regex: 'a\z', exclusive: true}]}`, `{users: [{regex: '\Qa\E', exclusive: true}]}`, `{users: [{regex: '\\z', exclusive: true}]}`,
	"{users: [{regex: 'a(?!b)', exclusive: true}]}", `{users: [{regex: '(a)\1', exclusive: true}]}`, "{users: [{regex: 'a++', exclusive: true}]}",
	"{users: [{regex: 'a{2000}', exclusive: true}]}", "{users: [{regex: '[[:alpha:]]', exclusive: true}]}", "{users: [{regex: '(?<n>a)', exclusive: true}]}",
	"{users: [{regex: 'a(?i)b', exclusive: true}]}", `{users: [{regex: '\pL', exclusive: true}]}`, "{users: [{regex: '(?P<n>a)', exclusive: true}]}",
	"{users: [{regex: 'a{,3}', exclusive: true}]}", "{users: [{regex: '(?#c)a', exclusive: true}]}", "{users: [{regex: '', exclusive: true}]}",
	"{devices: null}", "{users: [{regex: 'a(?-i)b', exclusive: true}]}", "{users: [{regex: '(?i)a(?-i:b)', exclusive: true}]}", "{users: [{regex: '(?<=a)b', exclusive: true}]}",
	"{users: [{regex: 'a(?>b)', exclusive: true}]}", `{users: [{regex: 'a\Z', exclusive: true}]}`, "{users: [{regex: 'a{3,1}', exclusive: true}]}",
	"{users: [{regex: 'a**', exclusive: true}]}", "{users: [{regex: '[z-a]', exclusive: true}]}", "{aliases: [{regex: '(?s-i:a)', exclusive: true}]}", "{users: [{regex: '(?U)a', exclusive: true}]}",
}

// Synapse's own parser refuses exactly those registrations of which check says that Synapse does not start.
func TestRegistrationShape(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	var docs []string
	add := func(key, line string) {
		var doc strings.Builder
		for l := range strings.Lines(wholeRegistration) {
			if strings.HasPrefix(l, key+":") {
				l = line
			}
			doc.WriteString(l)
		}
		docs = append(docs, doc.String())
	}
	for l := range strings.Lines(wholeRegistration) {
		key, _, _ := strings.Cut(l, ":")
		add(key, "")
		for _, v := range oddValues {
			add(key, key+": "+v+"\n")
		}
	}
	for _, ns := range oddNamespaces {
		add("namespaces", "namespaces: "+ns+"\n")
	}
	for _, prefix := range oddPrefixes {
		add("io.element.msc4512.proxy_prefix", "io.element.msc4512.proxy_prefix: "+prefix+"\n")
	}
	refused := loadAppservices(t, bin, docs)
	for i, doc := range docs {
		if ours := refuses(doc); ours != (refused[i] != "") {
			t.Errorf("Synapse says %q, check refuses: %v, of\n%s", refused[i], ours, doc)
		}
	}
	version := output(t, bin, "-c", "import synapse; print(synapse.__version__.split()[0])")
	accepted(t, "Synapse "+version, "registrations, but for those that check refuses")
	t.Logf("%d registrations were tried", len(docs))
}

// loadAppservices gives what Synapse says against each registration; "" when it takes it.
func loadAppservices(t *testing.T, python string, docs []string) []string {
	t.Helper()
	in, err := json.Marshal(docs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-W", "ignore", "-c", `import json, sys, yaml
from synapse.config.appservice import _load_appservice
def load(doc):
    try:
        _load_appservice("example.org", yaml.safe_load(doc), "registration.yaml")
        return ""
    except Exception as e:
        return type(e).__name__ + ": " + str(e)
print(json.dumps([load(doc) for doc in json.load(sys.stdin)]))`)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(docs) {
		t.Fatalf("%v: %d answers", err, len(said))
	}
	return said
}

// refuses reports whether check says of a registration that Synapse does not start with it.
func refuses(doc string) bool {
	d, findings := compose.Open(fstest.MapFS{
		"compose.yaml": {Data: []byte("services: {synapse: {image: 'matrixdotorg/synapse:v1.163.2', volumes: ['./data:/data']}}\n")},
		"data/homeserver.yaml": {Data: []byte(`server_name: example.org
listeners: [{port: 8008, resources: [{names: [client]}]}]
database: {name: sqlite3, args: {database: /data/homeserver.db}}
app_service_config_files: [/data/registration.yaml]
`)},
		"data/registration.yaml": {Data: []byte(doc)},
	})
	found, _ := check.Run(d, composego.Judge)
	for _, f := range append(findings, found...) {
		// What is no YAML has a finding of its own.
		if f.Pos().File == "data/registration.yaml" && (f.Rule == "yaml" || strings.Contains(f.Message, "Synapse does not start")) {
			return true
		}
	}
	return false
}
