package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// switched are what people turn on in a stack that runs, and off again. What is no new line of the spec takes the place of another one.
var switched = []struct{ name, old, new string }{
	{"element", "", "element: {}\n"},
	{"calls", "", "calls: {node_ip: 203.0.113.7}\n"},
	{"admin", "", "admin: {allow_from: [192.168.0.0/16]}\n"},
	{"turn", "", "turn: {external_ip: 203.0.113.7}\n"},
	{"metrics", "", "metrics: true\n"},
	{"workers", "", "synapse: {workers: small}\n"},
	{"bridge", "whatsapp: {}}", "whatsapp: {}, slack: {}}"},
	{"appservice", "", "appservices:\n  irc:\n    image: docker.io/hif1/heisenbridge\n    version: \"1.15.4\"\n    port: 9898\n    bot: heisenbridge\n" +
		"    users: [\"@irc_.*\"]\n    command: [-c, \"{registration}\", \"{homeserver}\"]\n"},
	{"service", "", "services:\n  status:\n    image: registry.example.org/status\n    version: \"3.2\"\n    environment: {DATABASE_URL: \"{database_url}\", REDIS_URL: \"{redis_url}\"}\n" +
		"    volumes: {/var/lib/status: ./data/status}\n    routes: [{host: status.example.org, port: 8080}]\n    database: true\n    redis: true\n    secrets: {token: token}\n"},
	{"email", "", "email: {host: smtp.example.org, port: 587, user: matrix@example.org, from: matrix@example.org}\n"},
	{"backup", "", "backup: {borgmatic: {repositories: [{path: \"ssh://borg@backup.example.org/./matrix\"}]}}\n"},
	{"ingress: Caddy on this host", "", "ingress: {kind: caddy, port: 8008}\n"},
	{"ingress: Caddy in a container", "", "ingress: {kind: caddy, caddy: {network: proxy}}\n"},
	{"ingress: labels for Caddy", "", "ingress: {kind: caddy, caddy: {network: caddy, form: labels}}\n"},
	{"ingress: nginx", "", "ingress: {kind: nginx, nginx: {network: proxy}}\n"},
	{"ingress: none", "", "ingress: {kind: none}\n"},
	{"ingress: a Traefik of its own", "", "ingress: {traefik: {managed: true, email: anna@example.org}}\n"},
	{"login by Keycloak", "auth: {passwords: true}\n", "auth: {passwords: true, upstream: {keycloak: {issuer: \"https://sso.example.org/realms/family\", client_id: matrix}}}\n"},
	{"registration by token", "auth: {passwords: true}\n", "auth: {passwords: true, registration: token}\n"},
	{"memory of the database", "", "database: {memory: 2G}\n"},
}

// switchedElsewhere are turned on and off where other things are to be done by hand than before Traefik: what the stack has besides, or the example that it is.
var switchedElsewhere = []struct{ where, name, new string }{
	{"ingress: {kind: caddy}\n", "element before Caddy", "element: {}\n"},
	{"ingress: {kind: nginx}\n", "element before nginx", "element: {}\n"},
	{"ingress: {kind: nginx}\n", "admin before nginx", "admin: {allow_from: [192.168.0.0/16]}\n"},
	{"ingress: {kind: none}\n", "calls before another proxy", "calls: {node_ip: 203.0.113.7}\n"},
	{"k3s", "metrics in a cluster", "metrics: true\n"},
	{"k3s", "workers in a cluster", "synapse: {workers: small}\n"},
	{"k3s", "email in a cluster", "email: {host: smtp.example.org, port: 587, user: matrix@example.org, from: matrix@example.org}\n"},
	{"k3s", "service in a cluster", "services:\n  status:\n    image: registry.example.org/status\n    version: \"3.2\"\n    environment: {DATABASE_URL: \"{database_url}\", REDIS_URL: \"{redis_url}\"}\n" +
		"    volumes: {/var/lib/status: {volume: status}}\n    routes: [{host: status.example.org, port: 8080}]\n    database: true\n    redis: true\n    secrets: {token: token}\n"},
}

// TestGoldenOnOff turns each part of a stack on and off, and holds what diff says of it in one file, to be read: services, databases,
// secrets, ports, and what is left to people.
func TestGoldenOnOff(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: two comparisons for each part take too long under the race detector; TestGoldenDiff runs the same command")
	}
	golden, err := filepath.Abs("testdata/diff/on-off.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../examples/minimal/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	minimal := string(text)
	var all strings.Builder
	onOff := func(name, without, with string) {
		for _, way := range []struct{ name, before, after string }{{"on", without, with}, {"off", with, without}} {
			repository(t, "stack.yaml", way.before)
			put(t, "stack.yaml", way.after)
			var b, c bytes.Buffer
			if code := run(t.Context(), []string{"diff", "--base", "HEAD"}, strings.NewReader(""), &b, &c); code != 1 {
				t.Errorf("%s %s: exit %d\n%s%s", name, way.name, code, &b, &c)
				continue
			}
			out, talk := b.String(), c.String()
			_, said, ok := strings.Cut(out, "\n\n")
			said, _, cut := strings.Cut(said, "\nfiles\n")
			said, _, _ = strings.Cut(said, "\nvalues\n")
			if !ok || !cut || talk != "" {
				t.Fatalf("%s %s: %s%s", name, way.name, out, talk)
			}
			fmt.Fprintf(&all, "=== %s: %s ===\n\n%s\n", name, way.name, said)
		}
	}
	for _, s := range switched {
		with := minimal + s.new
		if s.old != "" {
			with = strings.Replace(minimal, s.old, s.new, 1)
		}
		if with == minimal {
			t.Fatalf("%s: the example does not hold %q", s.name, s.old)
		}
		onOff(s.name, minimal, with)
	}
	cluster, err := os.ReadFile(filepath.Join(filepath.Dir(golden), "../../../../examples/k3s/stack.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range switchedElsewhere {
		without := minimal + s.where
		if s.where == "k3s" {
			without = string(cluster)
		}
		onOff(s.name, without, without+s.new)
	}
	sameAs(t, golden, all.String())
}
