package conformance

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/component"
)

// staysAtMain are the requests that workers answer and docs/workers.md has nobody send there.
var staysAtMain = []struct{ path, why string }{
	{`^/health$`, "asked of each process itself"},
	{`^/\.well-known/matrix/`, "served below the name of the server, which leads to the main process"},
	{`^/_synapse/client/(unsubscribe|media_upload_limit_exceeded)$`, "a page that people open now and then"},
	{`^/_synapse/client/oidc/backchannel_logout$`, "any process may take it"},
	{`^/_matrix/client/.*/login/cas/redirect$`, "the former name of login/sso/redirect"},
	{`^/_matrix/client/.*/createRoom/`, "the form with a transaction, which no client uses"},
	{`^/_matrix/client/.*/rooms/[^/]*/(join|invite|leave|ban|unban|kick)/`, "the form with a transaction, which no client uses"},
	{`^/_matrix/client/.*/events/`, "deprecated"},
	{`^/_matrix/client/(v1|unstable)/appservice/[^/]*/ping$`, "an appservice asks for it itself, of the main process"},
	{`^/_matrix/client/unstable/im\.nheko\.summary/rooms/`, "the former form of a room summary"},
	{`^/_matrix/client/unstable/(sync|delete_devices|events|initialSync|rooms/[^/]*/initialSync|register/m\.login)`, "the unstable form, which no client uses"},
	{`^/_matrix/client/unstable/org\.matrix\.(msc2697|msc3575)`, "gone since"},
	{`^/_matrix/client/unstable/io\.element\.msc4308/`, "reads all of a user; seldom"},
	{`^/_matrix/federation/v1/user/keys/(query|claim)$`, "not in docs/workers.md"},
	{`^/_matrix/federation/v1/(3pid/onbind|openid/userinfo)$`, "seldom, and not in docs/workers.md"},
	{`^/_matrix/federation/unstable/rooms/[^/]*/complexity$`, "not in docs/workers.md"},
	{`^/_matrix/key/v2/server`, "the key of the server, which it serves without reading the database"},
}

// answers are what worker_tree.py says.
type answers map[string]struct {
	Served  []bool
	All     [][2]string
	Refused []string
	Streams map[string]struct{ Two, Unmapped bool }
}

func askTrees(t *testing.T, pythonPath string, asked map[string][][2]string) (said answers) {
	t.Helper()
	in, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t, ".venv/bin/python"), "worker_tree.py", t.TempDir())
	cmd.Env = append(cmd.Environ(), "PYTHONPATH="+pythonPath, "PYTHONDONTWRITEBYTECODE=1")
	var talk strings.Builder
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, talk.String())
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	return said
}

// What the table of requests gives to workers is what the real Synapse answers in such a worker, what it leaves to
// the main process is what no worker answers, and what workers answer besides is known.
func TestWorkersAnswer(t *testing.T) {
	newest, _ := component.Of(component.Synapse).Tested.Version()
	for _, at := range []struct{ dir, version string }{
		{"", newest.String()},
		{program(t, ".synapse-oldest"), oldestSynapse(t)},
	} {
		t.Run(at.version, func(t *testing.T) {
			v, ok := component.Ref{Tag: at.version}.Version()
			if !ok {
				t.Fatal(at.version)
			}
			eachTree(t, at.dir, v)
			accepted(t, "Synapse "+at.version, "which process answers what, as each of its own does")
		})
	}
}

// roleOf is the worker that answers what a group has, with the listener that it needs alone.
func roleOf(g *component.WorkerGroup, r *component.WorkerRoute) string {
	switch {
	case r.Needs == component.NeedsMAS:
		return "worker-mas"
	case g.Resource == "media":
		return "media-alone"
	}
	return g.Resource
}

func eachTree(t *testing.T, dir string, v component.Version) {
	t.Helper()
	asked := make(map[string][][2]string)
	type want struct {
		role, what string
		served     bool
	}
	var wants []want
	place := make(map[string][]int) // of the wants of a role
	ask := func(role, request string, served bool, what string) {
		method, path, _ := strings.Cut(request, " ")
		asked[role] = append(asked[role], [2]string{method, path})
		place[role] = append(place[role], len(wants))
		wants = append(wants, want{role, request + ": " + what, served})
	}
	for i := range component.WorkerGroups {
		g := &component.WorkerGroups[i]
		for j := range g.Routes {
			r := &g.Routes[j]
			if r.Needs == component.NeedsSAML {
				t.Logf("%s is not asked for: pysaml2 is not among what Synapse is installed with", r.Path)
				continue
			}
			ask(roleOf(g, r), r.Example, !v.Less(r.Since), "group "+g.Name)
			if r.Needs == component.NeedsNoMAS {
				ask("worker-mas", r.Example, false, "it needs "+r.Needs)
			}
			if r.Needs == component.NeedsMAS {
				ask("worker", r.Example, false, "it needs "+r.Needs)
			}
		}
	}
	for _, r := range component.MainOnly {
		if r.Example == "" {
			continue // heldByMain meets it
		}
		ask("main", r.Example, true, "the main process alone")
		for _, role := range []string{"worker", "worker-mas", "media"} {
			ask(role, r.Example, false, "the main process alone")
		}
	}
	said := askTrees(t, dir, asked)
	for role, places := range place {
		if len(said[role].Served) != len(places) {
			t.Fatalf("%s answered %d of %d", role, len(said[role].Served), len(places))
		}
		for i, p := range places {
			if w := wants[p]; said[role].Served[i] != w.served {
				t.Errorf("%s: %s, served: %v", role, w.what, !w.served)
			}
		}
	}
	heldByMain(t, said, v)
	heldByWorkers(t, said, v)
	heldStreams(t, said, v)
}

// served are the requests that one of these processes answers.
func (said answers) served(roles ...string) map[[2]string]bool {
	all := make(map[[2]string]bool)
	for _, role := range roles {
		for _, r := range said[role].All {
			all[r] = true
		}
	}
	return all
}

// heldByMain has everything that the main process answers be answered by the worker that gets it.
func heldByMain(t *testing.T, said answers, v component.Version) {
	t.Helper()
	workers := said.served("worker", "worker-mas", "media")
	main := said.served("main", "main-mas")
	if len(main) < 500 {
		t.Errorf("only %d requests to the main process", len(main))
	}
	for r := range main {
		g, route := component.WorkerGroupOf(r[0], r[1], v)
		only := component.MainRouteOf(r[0], r[1])
		switch {
		case g != nil && !said.served(roleOf(g, route))[r] && !said.served("worker", "worker-mas", "media")[r]:
			t.Errorf("%s %s goes to a worker (%s, %s), and none answers it", r[0], r[1], g.Name, route.Path)
		case g == nil && only == nil && !workers[r] && !lateAtWorkers(r):
			t.Errorf("%s %s is answered by the main process alone, and the table does not say so", r[0], r[1])
		}
	}
}

// lateAtWorkers says that workers of a later release answer the request.
func lateAtWorkers(r [2]string) bool {
	g, _ := component.WorkerGroupOf(r[0], r[1], component.Version{})
	return g != nil
}

// heldByWorkers has everything that a worker answers go to one, or be known to stay.
func heldByWorkers(t *testing.T, said answers, v component.Version) {
	t.Helper()
	used := make(map[string]bool)
	for r := range said.served("worker", "worker-mas", "media") {
		if g, _ := component.WorkerGroupOf(r[0], r[1], v); g != nil {
			continue
		}
		if only := component.MainRouteOf(r[0], r[1]); only != nil {
			t.Errorf("%s %s is answered by workers, and the table has it at the main process alone: %s", r[0], r[1], only.Path)
			continue
		}
		known := false
		for _, s := range staysAtMain {
			if regexp.MustCompile(s.path).MatchString(r[1]) {
				known, used[s.path] = true, true
			}
		}
		if !known {
			t.Errorf("%s %s is answered by workers, and the table sends nobody there", r[0], r[1])
		}
	}
	for _, s := range staysAtMain {
		if newest, _ := component.Of(component.Synapse).Tested.Version(); v == newest && !used[s.path] && s.why != "gone since" {
			t.Errorf("no worker answers %s, which is left to the main process", s.path)
		}
	}
}

// heldStreams has the streams be what the configuration of Synapse takes and its processes refuse.
func heldStreams(t *testing.T, said answers, v component.Version) {
	t.Helper()
	reader := said["reader"]
	for _, s := range component.Streams {
		is, known := reader.Streams[s.Name]
		if known == v.Less(s.Since) {
			t.Errorf("the stream %s is known: %v", s.Name, known)
			continue
		}
		if !known {
			continue
		}
		if several := s.Several != (component.Version{}) && !v.Less(s.Several); several != is.Two {
			t.Errorf("two writers of %s are taken: %v", s.Name, is.Two)
		}
		if v.Less(s.Mapped) != is.Unmapped {
			t.Errorf("a writer of %s that does not stand in instance_map is taken: %v", s.Name, is.Unmapped)
		}
		if refused := slices.Contains(reader.Refused, s.Name); refused != (s.Refused != "") {
			t.Errorf("a process that does not write %s refuses: %v", s.Name, refused)
		}
	}
	if len(reader.Streams) > len(component.Streams) {
		t.Errorf("streams: %v", reader.Streams)
	}
}
