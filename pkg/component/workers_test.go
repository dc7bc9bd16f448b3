package component

import (
	"strings"
	"testing"
)

// Each example belongs to its own route, and each group to a stream that there is.
func TestWorkerTables(t *testing.T) {
	for _, g := range WorkerGroups {
		if s := StreamOf(g.Stream); (s == nil) != (g.Stream == "") {
			t.Errorf("%s: there is no stream %s", g.Name, g.Stream)
		} else if s != nil && (s.Several == Version{}) != (g.Balance == NoSpread) {
			t.Errorf("%s: the stream has one writer, and the requests are spread, or the other way round", g.Name)
		}
		for i := range g.Routes {
			r := &g.Routes[i]
			method, path, _ := strings.Cut(r.Example, " ")
			if got, route := WorkerGroupOf(method, path, Version{}); got == nil || got.Name != g.Name || route.Path != r.Path {
				t.Errorf("%s of %s goes to %v", r.Example, g.Name, got)
			}
			if _, late := WorkerGroupOf(method, path, Version{1, 136, 0}); late != nil && late.Path == r.Path && (Version{1, 136, 0}).Less(r.Since) {
				t.Errorf("%s is given to workers of 1.136", r.Example)
			}
			if MainRouteOf(method, path) != nil {
				t.Errorf("%s is left to the main process, too", r.Example)
			}
		}
	}
	for _, r := range MainOnly {
		method, path, ok := strings.Cut(r.Example, " ")
		if got := MainRouteOf(method, path); ok && (got == nil || got.Path != r.Path) {
			t.Errorf("%s: %v", r.Example, got)
		}
		if r.Lost == "" {
			t.Errorf("%s: nothing is lost", r.Path)
		}
	}
	for request, want := range map[string]string{
		"GET /_matrix/client/v3/rooms/!a:example.org/state":                         "client",
		"PUT /_matrix/client/v3/rooms/!a:example.org/state/m.room.name":             "event-sending",
		"GET /_matrix/client/v3/rooms/!a:example.org/initialSync":                   "sync",
		"GET /_synapse/admin/v1/users/@b:example.org/admin":                         "",
		"PUT /_synapse/admin/v2/users/@b:example.org":                               "",
		"POST /_synapse/admin/v1/room/!a:example.org/media/quarantine":              "quarantine",
		"POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/1":         "",
		"POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/1/restart": "event-sending",
		"POST /_matrix/client/v3/logout":                                            "",
	} {
		method, path, _ := strings.Cut(request, " ")
		name := ""
		if g, _ := WorkerGroupOf(method, path, Version{}); g != nil {
			name = g.Name
		}
		if name != want {
			t.Errorf("%s goes to %q, not %q", request, name, want)
		}
	}
}
