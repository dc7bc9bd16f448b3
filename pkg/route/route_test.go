package route_test

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/route"
)

// under is a rule for all paths below a prefix, as a reader of some proxy would make it.
func under(prefix string) *route.Expr {
	return &route.Expr{Matcher: &route.Matcher{
		Text: prefix + "*", Kind: route.Path, Prefixes: []string{prefix}, Whole: true,
		Eval: func(r *route.Request) route.Truth { return route.TruthOf(strings.HasPrefix(r.Path, prefix)) },
	}}
}

func seen(escaped string) (string, error) { return escaped, nil }

func to(name string) *route.Service {
	return &route.Service{Name: name, Backends: []route.Backend{{Service: name, Container: name, Port: "80", Scheme: "http"}}}
}

// The table needs nothing of any proxy: whatever gives it routers with rules is answered by priority.
func TestTable(t *testing.T) {
	all := &route.Router{Name: "all", Priority: 1, Explicit: true, Expr: under("/"), Service: "site", To: to("site")}
	api := &route.Router{Name: "api", Priority: 2, Explicit: true, Expr: under("/_matrix/"), Service: "synapse", To: to("synapse")}
	but := &route.Router{
		Name: "but", Priority: 3, Explicit: true, Service: "mas", To: to("mas"),
		Expr: &route.Expr{Op: '&', Left: under("/_matrix/client/"), Right: route.Invert(under("/_matrix/client/v3/sync"))},
	}
	table := route.New(route.Parts{Routers: []*route.Router{all, api, but}, Seen: seen})
	if len(table.Problems) > 0 {
		t.Errorf("%+v", table.Problems)
	}
	for path, want := range map[string]string{
		"/": "site", "/_matrix/federation/v1/version": "synapse",
		"/_matrix/client/v3/login": "mas", "/_matrix/client/v3/sync?since=1": "synapse",
	} {
		if res := table.Match("GET", "example.org", path); res.Backend == nil || res.Backend.Container != want {
			t.Errorf("%s goes to %+v, want %s", path, res.Backend, want)
		}
	}
}

// Two rules can meet, or cannot, by what their matchers say of themselves.
func TestTies(t *testing.T) {
	for _, c := range []struct {
		a, b *route.Expr
		want bool
	}{
		{under("/a"), under("/b"), false},
		{under("/a"), under("/ab"), true},
		{under("/ab"), route.Invert(under("/a")), false},
		{under("/a"), route.Invert(under("/ab")), true},
	} {
		one := &route.Router{Name: "one", Priority: 5, Explicit: true, Expr: c.a, Service: "x", To: to("x")}
		two := &route.Router{Name: "two", Priority: 5, Explicit: true, Expr: c.b, Service: "y", To: to("y")}
		table := route.New(route.Parts{Routers: []*route.Router{one, two}, Seen: seen})
		if got := len(table.Problems) == 1 && table.Problems[0].Kind == route.Tie; got != c.want {
			t.Errorf("%s and %s: tie %v, want %v", c.a.Text, c.b.Text, got, c.want)
		}
	}
}
