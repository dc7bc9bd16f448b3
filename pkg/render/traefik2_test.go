package render_test

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/route"
)

// traefikOf is a Compose file with a Traefik of a release, on the stack's network for the proxy.
func traefikOf(version string) string {
	return "services:\n  traefik:\n    image: traefik:" + version + `
    command: [--providers.docker=true, --providers.docker.exposedbydefault=false, "--entrypoints.websecure.address=:443", "--entrypoints.federation.address=:8448"]
    ports: ["443:443", "8448:8448"]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]
    networks: [ingress]
`
}

// routedBy is the table that a Traefik of a release makes of the labels of a stack.
func routedBy(t *testing.T, version, ingress string) *route.Table {
	t.Helper()
	b := load(t, "stack.yaml", []byte(fixture.Ingress(ingress)))
	d, problems := compose.OpenWith(b.FS(memfs.File{Path: "proxy.yml", Data: []byte(traefikOf(version))}), compose.Options{Files: []string{"docker-compose.yml", "proxy.yml"}})
	for _, f := range problems {
		t.Errorf("%s: %s", f.Pos(), f.Message)
	}
	if major := d.Proxy().Major; !strings.HasPrefix(version, "v"+string(rune('0'+major))) {
		t.Fatalf("%s is taken for Traefik %d", version, major)
	}
	return d.Routes()
}

// Traefik 2 answers every request by its labels as Traefik 3 does by its own.
func TestTraefik2(t *testing.T) {
	for _, f := range audit(t, load(t, "stack.yaml", []byte(fixture.Ingress("{traefik: {rule_syntax: v2}}")))) {
		t.Errorf("%s: %s [%s]", f.Pos(), f.Message, f.Rule)
	}
	three := routedBy(t, "v3.7.13", "{}")
	two := routedBy(t, "v2.11.40", "{traefik: {rule_syntax: v2}}")
	for _, r := range two.Routers {
		if r.Dropped != "" {
			t.Errorf("Traefik 2 drops %s: %s", r.Name, r.Dropped)
		}
	}
	answered := 0
	var rows []fixture.Request
	for _, r := range matrixRows(t) {
		rows = append(rows, fixture.Request{Method: r.method, Host: r.host, Path: r.path})
	}
	for _, req := range fixture.Requests(rows, 3000) {
		if !req.Plain() {
			continue
		}
		want, got := three.Match(req.Method, req.Host, req.Path), two.Match(req.Method, req.Host, req.Path)
		if to(want) != to(got) || want.Path != got.Path || want.Redirect != got.Redirect {
			t.Errorf("%v: %s %s %s, want %s %s %s", req, to(got), got.Path, got.Redirect, to(want), want.Path, want.Redirect)
		}
		if to(want) != "" {
			answered++
		}
	}
	if answered < 500 {
		t.Errorf("only %d requests were answered", answered)
	}
	// Without the words of Traefik 2 it would not know who logs users in.
	if res := routedBy(t, "v2.11.40", "{}").Match("POST", "matrix.philipp.info", "/_matrix/client/v3/login"); to(res) != "synapse" {
		t.Errorf("%s answers", to(res))
	}
}

func to(res route.Result) string {
	if res.Backend == nil {
		return ""
	}
	return res.Backend.Container
}

// Other servers are answered at an entrypoint of their own, and nobody else is.
func TestFederationEntrypoint(t *testing.T) {
	table := routedBy(t, "v3.7.13", "{traefik: {federation_entrypoint: federation}}")
	for _, c := range []struct{ host, path, want string }{
		{"matrix.philipp.info", "/_matrix/federation/v1/version", "synapse"},
		{"philipp.info", "/_matrix/key/v2/server", "synapse"},
		{"matrix.philipp.info", "/_matrix/client/v3/login", ""},
		{"matrix.philipp.info", "/_synapse/admin/v1/users", ""},
	} {
		if res := table.MatchOn("federation", "GET", c.host, c.path); to(res) != c.want {
			t.Errorf("%s%s: %q, want %q", c.host, c.path, to(res), c.want)
		}
	}
}
