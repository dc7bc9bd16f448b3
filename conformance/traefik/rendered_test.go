package traefik

import (
	"testing"

	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// Traefik answers the requests that the other proxies are held to as the table says that they are compared with.
func TestRequestsOfAll(t *testing.T) {
	s, findings := spec.Parse("stack.yaml", []byte(fixture.Ingress("{kind: traefik}")))
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	b, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	tree := b.FS()
	tr, tab := newTraefik(t, tree), table(t, tree)
	rows, want := matrix(t)
	for i, q := range rows {
		if theirs, ok := tr.ask(t.Context(), q); !ok || theirs.Container != want[i] && want[i] != "none" {
			t.Errorf("%s: Traefik does %+v instead of asking %s", q, theirs, want[i])
		}
	}
	var plain []fixture.Request
	for _, q := range rows {
		plain = append(plain, fixture.Request{Method: q.method, Host: q.host, Path: q.path})
	}
	reached := make(map[string]int)
	for _, r := range fixture.Requests(plain, requests) {
		q := request{r.Method, r.Host, r.Path}
		theirs, valid := tr.ask(t.Context(), q)
		got, possible := ours(t, tab, q)
		if got != theirs || valid != possible {
			t.Errorf("%s: pkg/route says %+v, Traefik does %+v", q, got, theirs)
		}
		reached[theirs.Container]++
	}
	t.Logf("%v", reached)
	for _, way := range []string{"synapse", "mas", "element", ""} {
		if reached[way] < 100 {
			t.Errorf("only %d requests went to %q: this proves little", reached[way], way)
		}
	}
	if !t.Failed() {
		t.Logf("accepted: Traefik %s: what is rendered for {kind: traefik}, all rows of the routing matrix and %d random requests", version(t), requests)
	}
}
