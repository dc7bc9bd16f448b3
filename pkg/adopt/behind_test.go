package adopt_test

import (
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// What leads to a container is read from the files of every proxy that the stack is rendered for: paths of a shared host and
// of the stack's own, one within another, a whole host, and one host with a path of another port.
func TestContainersBehindEveryProxy(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: 48 stacks take too long under the race detector; TestExamples runs the same code")
	}
	for _, ingress := range []string{
		"{}", "{traefik: {rule_syntax: v2}}", "{traefik: {managed: true, email: anna@example.org}}",
		"{kind: caddy}", "{kind: caddy, caddy: {network: proxy}}", "{kind: caddy, caddy: {network: proxy, form: labels}}",
		"{kind: nginx}", "{kind: nginx, nginx: {network: proxy}}",
	} {
		for _, routes := range []string{
			"[{host: a.example.com}]",
			"[{host: z.example.com, port: 81}, {path: /_matrix/x.y}]",
			"[{host: a.example.com, path: /up, strip: true}, {host: a.example.com, port: 81}]",
			"[{host: example.org, path: /in}, {host: example.org, path: /in/side, port: 81, strip: true}]",
			"[{host: a.example.com, path: /one}, {host: b.example.com, path: /one, strip: true}]",
			"[{host: a.example.com, path: /one}, {host: a.example.com}]",
		} {
			t.Run(ingress+" "+routes, func(t *testing.T) {
				taken(t, []byte(`version: 1
server_name: example.org
auth: {passwords: true}
permissions: {example.org: user}
ingress: `+ingress+`
services:
  page: {image: x/page, version: '1', port: 80, routes: `+routes+`}
backup: {borgmatic: {repositories: [{path: /mnt/b}]}}
`), fixture.File)
			})
		}
	}
}
