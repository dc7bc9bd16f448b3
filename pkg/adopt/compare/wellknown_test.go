package compare_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt/compare"
)

// Where the homeserver is at the name of the server itself, clients and servers ask that host for /.well-known/matrix: what
// Synapse answered there is lost with its router, also where the name begins with matrix.
func TestWellKnownOfTheServerName(t *testing.T) {
	at := func(wellKnown string) fstest.MapFS {
		return renderedFrom(t, []byte("version: 1\nserver_name: matrix.example.org\nhosts: {matrix: matrix.example.org}\nauth: {kind: synapse, passwords: true}\n"+
			"ingress: {apex: {well_known: "+wellKnown+"}}\n"))
	}
	old, ours := at("synapse"), at("external")
	kind := func(old fstest.MapFS) compare.Kind {
		t.Helper()
		r := compare.Deployments(open(old), open(ours))
		i := slices.IndexFunc(r.Differences, func(d compare.Difference) bool {
			return strings.HasPrefix(d.Key, "GET matrix.example.org/.well-known/matrix/") || slices.ContainsFunc(d.Also, func(also string) bool { return also == "GET /.well-known/matrix/server" })
		})
		if i < 0 {
			t.Fatalf("it is not listed: %s", said(r))
		}
		return r.Differences[i].Kind
	}
	if got := kind(old); got != compare.Decision {
		t.Errorf("the router for it is gone, and that is %v", got)
	}
}

// A check that is taken away is a loss of it, and not of the same worth as one that is added.
func TestHealthcheckGone(t *testing.T) {
	ours := rendered(t, "minimal")
	old := maps.Clone(ours)
	gone := maps.Clone(ours)
	lines := strings.Split(string(ours["docker-compose.yml"].Data), "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "healthcheck:") })
	if i < 0 {
		t.Fatal("no healthcheck is rendered")
	}
	end := i + 1
	indent := len(lines[i]) - len(strings.TrimLeft(lines[i], " "))
	for end < len(lines) && len(lines[end])-len(strings.TrimLeft(lines[end], " ")) > indent {
		end++
	}
	gone["docker-compose.yml"] = &fstest.MapFile{Data: []byte(strings.Join(slices.Delete(lines, i, end), "\n")), Mode: 0o600}
	r := compare.Deployments(open(old), open(gone))
	if !slices.ContainsFunc(r.Differences, func(d compare.Difference) bool {
		return d.Key == "healthcheck.test" && d.Kind == compare.Decision
	}) {
		t.Errorf("the check that is gone is no decision: %s", said(r))
	}
}
