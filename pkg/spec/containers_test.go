package spec

import (
	"strings"
	"testing"
)

// What no container can have is refused where it stands, with what to write instead.
func TestBadContainers(t *testing.T) {
	const irc = "appservices:\n  irc: {image: x/irc, version: '1', port: 9898, users: ['@irc_.*']"
	for _, c := range []struct{ name, text, want string }{
		{"an unknown word in a command", irc + ", command: ['{homeserve}']}", "5:79 {homeserve} stands for nothing that the service irc has"},
		{"a secret in a command", irc + ", command: [--token, '{as_token}']}", "5:88 {as_token} is a secret; in a command everybody who lists processes reads it"},
		{"a secret in a health check", irc + ", healthcheck: [CMD, curl, '{hs_token}']}", "{hs_token} is a secret"},
		{"a word of a database without one", irc + ", environment: {URL: '{database_url}'}}", "{database_url} stands for nothing"},
		{"a registration of a plain service", "services:\n  x: {image: x/x, version: '1', files: {/a: '{registration}'}}", "5:41 {registration} stands for nothing"},
		{"the name of a bridge", "appservices:\n  signal: {image: x/x, version: '1', port: 1}", "5:3 \"signal\" is the name of a service that stackgen renders"},
		{"the name of a file", "services:\n  homeserver: {image: x/x, version: '1'}", "5:3 \"homeserver\" is what other files of the stack are called"},
		{"a name that Twisted does not take", "services:\n  a_b: {image: x/x, version: '1'}", "5:3 \"a_b\" is no name for a service"},
		{"one name twice", irc + "}\nservices: {irc: {image: x/x, version: '1'}}", "two services are called \"irc\""},
		{"no port", "appservices:\n  irc: {image: x/x, version: '1'}", "appservices.irc has no port; Synapse could not reach it"},
		{"no version", "services:\n  x: {image: x/x}", "services.x.version is missing"},
		{"a tag in the image", "services:\n  x: {image: 'x/x:1', version: '1'}", "services.x.image holds a tag or a digest"},
		{"users of nobody", "appservices:\n  irc: {image: x/x, version: '1', port: 1, users: ['irc_.*']}", "fits nothing: the ids of users begin with @"},
		{"everybody for itself", "appservices:\n  irc: {image: x/x, version: '1', port: 1, users: ['@.*']}", "claims all users of the server for itself"},
		{"no expression", "appservices:\n  irc: {image: x/x, version: '1', port: 1, users: ['@irc_(']}", "is no regular expression"},
		{"the id of another", irc + "}\n  b: {image: x/x, version: '1', port: 1, id: irc}", "another appservice has the id \"irc\""},
		{"the bot of a bridge", irc + ", bot: signalbot}\nbridges: {signal: {}}\npermissions: {example.org: user}", "another appservice has the bot \"signalbot\""},
		{"the id of double puppets", irc + ", id: doublepuppet}", "another appservice has the id \"doublepuppet\""},
		{"users beside a file of one's own", "appservices:\n  irc: {image: x/x, version: '1', registration: a.yaml, users: ['@a']}", "belongs to a registration that is rendered"},
		{"a path that is none", "services:\n  x: {image: x/x, version: '1', files: {data: a}}", "\"data\" is no path in a container"},
		{"a file that is above", "services:\n  x: {image: x/x, version: '1', files: {/data: /etc/passwd}}", "is no path relative to the spec"},
		{"two on one path", "services:\n  x: {image: x/x, version: '1', files: {/data: a}, volumes: {/data: {}}}", "\"/data\" is mounted twice"},
		{"the place of the cluster", "services:\n  x: {image: x/x, version: '1', volumes: {/data: data/postgres}}", "the cluster of PostgreSQL are one place"},
		{"what is rendered", "services:\n  x: {image: x/x, version: '1', volumes: {/data: config/x}}", "lies in config, which is rendered"},
		{"a route to no port", "services:\n  x: {image: x/x, version: '1', routes: [{host: x.example.org}]}", "leads to no port"},
		{"a route that takes Synapse's host", "services:\n  x: {image: x/x, version: '1', port: 1, routes: [{}]}", "takes all of matrix.example.org, which is the host of the homeserver"},
		{"a route that takes the client API", "services:\n  x: {image: x/x, version: '1', port: 1, routes: [{path: /_matrix}]}", "takes /_matrix/client away"},
		{"two routes of one path", "services:\n  x: {image: x/x, version: '1', port: 1, routes: [{path: /a}, {path: /a/}]}", "two routes lead the same requests"},
		{"a network of the stack", "services:\n  x: {image: x/x, version: '1', networks: [stack]}", "is what the stack calls a network of its own"},
		{"a health check without its word", "services:\n  x: {image: x/x, version: '1', healthcheck: [curl]}", "must begin with CMD"},
		{"a word of its own that there is", irc + ", secrets: {as_token: token}}", "{as_token} is a word that the service has already"},
		{"a secret of no kind", "services:\n  x: {image: x/x, version: '1', secrets: {a: made}}", "services.x.secrets.a must be token, rsa or given"},
		{"googlechat", "bridges: {googlechat: {}}\npermissions: {example.org: user}", "4:11 bridges.googlechat is not rendered: its last release, v0.5.2, is of 2024"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, findings := Parse("stack.yaml", []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\n"+c.text+"\n"))
			if s != nil {
				t.Fatal("it is taken")
			}
			var said []string
			for _, f := range findings {
				said = append(said, f.Pos().String()+" "+f.Message)
				if f.Fix == "" {
					t.Errorf("%s: no fix", f.Message)
				}
			}
			if !strings.Contains(strings.Join(said, "\n"), c.want) {
				t.Errorf("%q is not in\n%s", c.want, strings.Join(said, "\n"))
			}
		})
	}
}

// Words in braces are told from what other languages put there.
func TestWords(t *testing.T) {
	got := Fill(`{server_name} {{room}} ${home} {A} {a b} {"x": 1} {x}{y}`, func(name string) string { return "<" + name + ">" })
	if want := `<server_name> {{room}} ${home} {A} {a b} {"x": 1} <x><y>`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
