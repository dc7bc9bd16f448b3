package traefik_test

import (
	"cmp"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// readLabels reads the containers of a testdata file: `container NAME in NETWORK,...` and label lines.
func readLabels(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func containers(text string) []traefik.Container {
	var list []traefik.Container
	for i, line := range strings.Split(text, "\n") {
		site := source.Site{Pos: source.Pos{File: "labels", Line: i + 1, Col: 1}}
		if rest, ok := strings.CutPrefix(line, "container "); ok {
			name, networks, _ := strings.Cut(rest, " in ")
			c := traefik.Container{Name: name, Project: "matrix", Site: site}
			if networks != "" {
				c.Networks = strings.Split(networks, ",")
			}
			list = append(list, c)
		} else if k, v, ok := strings.Cut(line, "="); ok && len(list) > 0 {
			c := &list[len(list)-1]
			c.Labels = append(c.Labels, traefik.Label{Key: k, Value: v, Site: site})
		}
	}
	return list
}

type row struct{ host, method, path, want string }

// matrix gives the rows of the routing matrix. Those of level entrypoint have their path cleaned first, as
// the entrypoint does before it asks the routers.
func matrix(t *testing.T) []row {
	t.Helper()
	b, err := os.ReadFile("../testdata/routing-matrix.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		f := strings.Split(line, "\t")
		if f[4] == "entrypoint" {
			f[2] = path.Clean(strings.ReplaceAll(f[2], "%2e", "."))
		}
		rows = append(rows, row{f[0], f[1], f[2], f[3]})
	}
	if len(rows) != 92 {
		t.Fatalf("%d rows, want 92", len(rows))
	}
	return rows
}

func backend(r route.Result) string {
	switch {
	case r.Unknown != "":
		return "unknown: " + r.Unknown
	case r.Tie != nil:
		return "tie"
	case r.Backend == nil:
		return "none"
	}
	return r.Backend.Container
}

func wrong(tab *route.Table, rows []row) []string {
	var bad []string
	for _, r := range rows {
		if got := backend(tab.Match(r.method, r.host, r.path)); got != r.want {
			bad = append(bad, r.method+" "+r.host+r.path+": "+got+", want "+r.want)
		}
	}
	return bad
}

// byHTTPS is a Traefik with an entrypoint for each scheme, the second one published twice.
var byHTTPS = traefik.Options{
	Entries: []traefik.EntryPoint{{Entry: route.Entry{Name: "web", Default: true}}, {Entry: route.Entry{Name: "websecure", Default: true}}},
	Public:  map[string]string{"443": "websecure", "8448": "websecure"},
}

func kinds(tab *route.Table) []string {
	var list []string
	for _, p := range tab.Problems {
		list = append(list, string(p.Kind))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestMatrix(t *testing.T) {
	for major, file := range map[int]string{2: "v2.labels", 3: "v3.labels"} {
		tab := traefik.New(containers(readLabels(t, file)), traefik.Options{Major: major})
		for _, p := range tab.Problems {
			t.Errorf("%s: %s", file, p.Message)
		}
		for _, w := range wrong(tab, matrix(t)) {
			t.Errorf("%s: %s", file, w)
		}
	}
}

func TestMatchDetails(t *testing.T) {
	tab := traefik.New(containers(readLabels(t, "v3.labels")), traefik.Options{})
	for _, c := range []struct{ host, path, router, at, redirect string }{
		{"matrix.philipp.info", "/auth/authorize?x=1", "mas", "/authorize", ""},
		{"matrix.philipp.info", "/auth/", "mas", "/", ""},
		{"matrix.philipp.info", "/auth/a%2Fb%20c", "mas", "/a%2Fb%20c", ""},
		{"matrix.philipp.info", "/auth", "mas", "", "https://matrix.philipp.info/auth/"},
		{"Matrix.Philipp.Info.:443", "/_matrix/client/v3/login", "mas-compat", "/_matrix/client/v3/login", ""},
		{"matrix.philipp.info", "/_matrix%2fclient", "matrix", "/_matrix%2fclient", ""},
		{"matrix.philipp.info", "/authentication", "", "", ""},
		{"", "/", "", "", ""},
	} {
		got := tab.Match("GET", c.host, c.path)
		name := ""
		if got.Router != nil {
			name = got.Router.Name
		}
		if diff := gocmp.Diff([]string{c.router, c.at, c.redirect}, []string{name, got.Path, got.Redirect}); diff != "" {
			t.Errorf("%s%s (-want +got)\n%s", c.host, c.path, diff)
		}
	}
	res := tab.Match("GET", "matrix.philipp.info", "/_synapse/admin")
	var tried []string
	for _, a := range res.Tried {
		tried = append(tried, a.Router.Name+": "+a.Why)
	}
	if diff := gocmp.Diff([]string{
		"mas-compat: PathRegexp(`^/_matrix/client/[^/]+/(login|logout|refresh)(/|$)`)",
		"mas: Path(`/auth`), PathPrefix(`/auth/`)",
		"matrix-wellknown: Host(`philipp.info`)",
		"matrix-apex: Host(`philipp.info`)",
		"matrix: PathPrefix(`/_matrix`), PathPrefix(`/_synapse/client`)",
	}, tried); diff != "" {
		t.Errorf("tried (-want +got)\n%s", diff)
	}
	for _, path := range []string{"no slash", "/_matrix/a space", "/%zz"} {
		if r := tab.Match("GET", "matrix.philipp.info", path); r.Unknown == "" {
			t.Errorf("%q is answered, which no request can hold", path)
		}
	}
}

// TestMutations breaks the labels of philipp.info. The numbers of wrong rows of the first mutations of each kind
// are those that a real Traefik 3.7 gave (33, 19, 42, 13, 10); the others follow from the rows.
func TestMutations(t *testing.T) {
	const compat = "traefik.http.routers.mas-compat."
	compatRule := "PathRegexp(`^/_matrix/client/[^/]+/(login|logout|refresh)(/|$)`)"
	cases := []struct {
		name, old, new string
		kinds          string
		wrong          int
	}{
		{"two services, router without service", "traefik.http.routers.matrix.service=synapse", "traefik.http.services.other.loadbalancer.server.port=1", "missing-service", 33},
		{"undefined middleware", compat + "service=mas", compat + "service=mas\n" + compat + "middlewares=nope", "undefined-middleware", 19},
		{"middleware of another provider", compat + "service=mas", compat + "service=mas\n" + compat + "middlewares=auth@file", "not-checked", 19},
		{"same router in two containers", "container mas ", "container twin in proxy\ntraefik.enable=true\ntraefik.http.services.twin.loadbalancer.server.port=1\ntraefik.http.routers.matrix.rule=Host(`x`)\ntraefik.http.routers.matrix.tls=true\n\ncontainer mas ", "duplicate", 33},
		{"same service in two containers", "container mas ", "container twin in proxy\ntraefik.enable=true\ntraefik.http.services.synapse.loadbalancer.server.port=1\ntraefik.http.services.synapse.loadbalancer.passhostheader=false\ntraefik.http.routers.twin.rule=Host(`x`)\ntraefik.http.routers.twin.tls=true\n\ncontainer mas ", "duplicate", 42},
		{"no network", "traefik.docker.network=proxy", "", "missing-network", 0},
		{"wrong network", "traefik.docker.network=proxy", "traefik.docker.network=prox", "unknown-network", 0},
		{"unknown key", "matrix.priority", "matrix.prio", "bad-label", 42},
		{"priority not an integer", "matrix.priority=100", "matrix.priority=high", "bad-label", 42},
		{"undefined service", "routers.matrix.service=synapse", "routers.matrix.service=synapze", "undefined-service", 33},
		{"root not lower-case", "traefik.http.routers.matrix.priority", "TRAEFIK.http.routers.matrix.priority", "bad-label", 42},
		{"root of enable not lower-case", "traefik.enable=true", "Traefik.enable=true", "bad-label", 42},
		{"enable is no boolean", "traefik.enable=true", "traefik.enable=yes", "bad-label", 42},
		{"not enabled", "traefik.enable=true", "", "not-enabled", 42},
		{"regexp of the MAS docs", "[^/]+/(login|logout|refresh)(/|$)", "(.*)/(login|logout|refresh)", "", 9},
		{"regexp of the MAS docs, matrix host only", "(Host(`matrix.philipp.info`) || Host(`philipp.info`)) && " + compatRule, "Host(`matrix.philipp.info`) && PathRegexp(`^/_matrix/client/(.*)/(login|logout|refresh)`)", "", 13},
		{"client router as PathPrefix(/)", "(PathPrefix(`/_matrix`) || PathPrefix(`/_synapse/client`))", "PathPrefix(`/`)", "", 10},
		{"v2 braces", compatRule, "PathPrefix(`/_matrix/client/{v:[^/]+}/{w:login|logout|refresh}`)", "never-matches", 19},
		{"several values", "Host(`matrix.philipp.info`) || Host(`philipp.info`)", "Host(`matrix.philipp.info`, `philipp.info`)", "bad-rule", 19},
		{"unknown matcher", "PathRegexp", "PathRegex", "bad-rule", 19},
		{"rule cut short", "(/|$)`)", "(/|$)`", "bad-rule", 19},
		{"tie", "matrix-apex.priority=200", "matrix-apex.priority=300", "tie", 6},
		{"tie of rules that exclude each other", "matrix-apex.priority=200", "matrix-apex.priority=210", "", 0},
		{"no tls", "traefik.http.routers.matrix.tls=true\ntraefik.http.routers.matrix.tls.certresolver=le\n", "", "no-tls", 33},
		{"no port", "traefik.http.services.synapse.loadbalancer.server.port=8008", "traefik.http.services.synapse.loadbalancer.passhostheader=true", "no-port", 0},
		{"bad middleware", "${1}/", "${1}/\ntraefik.http.middlewares.mas-slash.addprefix.prefix=/x", "bad-middleware", 12},
		{"bad regexp in a middleware", "^(https://[^/]+/auth)$", "(", "bad-middleware", 12},
		{"unknown certificate resolver", "matrix.tls.certresolver=le", "matrix.tls.certresolver=lf", "", 0},
		{"name with an @", "routers.matrix-wellknown.rule", "routers.matrix@wellknown.rule", "bad-name default-rule no-tls", 2},
		{"misspelt provider key", "traefik.http.services.mas", "traefik.htpp.services.mas", "ignored-label no-port undefined-service", 31},
	}
	base := readLabels(t, "v3.labels")
	for _, c := range cases {
		if !strings.Contains(base, c.old) {
			t.Errorf("%s: nothing to replace", c.name)
			continue
		}
		tab := traefik.New(containers(strings.Replace(base, c.old, c.new, 1)), traefik.Options{})
		if got := strings.Join(kinds(tab), " "); got != c.kinds {
			t.Errorf("%s: problems %q, want %q: %+v", c.name, got, c.kinds, tab.Problems)
		}
		if got := wrong(tab, matrix(t)); len(got) != c.wrong {
			t.Errorf("%s: %d wrong rows, want %d:\n%s", c.name, len(got), c.wrong, strings.Join(got, "\n"))
		}
		for _, p := range tab.Problems {
			if len(p.Sites) == 0 || p.Message == "" || slices.ContainsFunc(p.Sites, func(s source.Site) bool { return s.Line == 0 }) {
				t.Errorf("%s: problem without place: %+v", c.name, p)
			}
		}
	}
}

// TestNetwork counts the rows that a container answers which Traefik may look for in the wrong network. All 73 of
// them were 502 when a real Traefik, which takes a random one, took the other.
func TestNetwork(t *testing.T) {
	const label = "traefik.docker.network=proxy\n"
	for name, c := range map[string]struct {
		new  string
		kind route.ProblemKind
	}{
		"no traefik.docker.network": {"", traefik.MissingNetwork},
		"a wrong name":              {"traefik.docker.network=matrix_proxy\n", traefik.UnknownNetwork},
	} {
		tab := traefik.New(containers(strings.ReplaceAll(readLabels(t, "v3.labels"), label, c.new)), traefik.Options{})
		lost := make(map[string]bool)
		for _, p := range tab.Problems {
			if p.Kind != c.kind {
				t.Errorf("%s: %s", name, p.Message)
			}
			lost[p.Container] = true
		}
		n := 0
		for _, r := range matrix(t) {
			if lost[backend(tab.Match(r.method, r.host, r.path))] {
				n++
			}
		}
		if n != 73 {
			t.Errorf("%s: %d rows may be lost, want 73", name, n)
		}
	}
	one := strings.ReplaceAll(readLabels(t, "v3.labels"), label, "")
	if tab := traefik.New(containers(one), traefik.Options{DefaultNetwork: "proxy"}); len(tab.Problems) > 0 {
		t.Errorf("with the network in Traefik's own settings: %+v", tab.Problems)
	}
	one = strings.ReplaceAll(one, " in proxy,matrix_internal", " in proxy")
	if tab := traefik.New(containers(one), traefik.Options{}); len(tab.Problems) > 0 {
		t.Errorf("with one network alone: %+v", tab.Problems)
	}
}

// TestStatic breaks what only Traefik's own settings show: a real Traefik gave 33 wrong rows for a router on an
// entrypoint that it does not have, and 42 for a container whose routers have no tls.
func TestStatic(t *testing.T) {
	base := readLabels(t, "v3.labels")
	for _, c := range []struct {
		name, text string
		wrong      int
	}{
		{"as it is", base, 0},
		{"unknown entrypoint", strings.Replace(base, "matrix.entrypoints=websecure", "matrix.entrypoints=websecur", 1), 33},
		{"no tls", withoutLines(base, "routers.matrix.tls", "routers.matrix-apex.tls", "routers.matrix-wellknown.tls"), 42},
	} {
		tab := traefik.New(containers(c.text), byHTTPS)
		if got := wrong(tab, matrix(t)); len(got) != c.wrong {
			t.Errorf("%s: %d wrong rows, want %d:\n%s", c.name, len(got), c.wrong, strings.Join(got, "\n"))
		}
	}
}

func withoutLines(text string, parts ...string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(line, p) }) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestPrioritiesRemoved(t *testing.T) {
	tab := traefik.New(containers(withoutLines(readLabels(t, "v3.labels"), ".priority=")), traefik.Options{})
	if got := wrong(tab, matrix(t)); len(got) != 0 {
		t.Error(strings.Join(got, "\n"))
	}
	for _, r := range tab.Routers {
		if r.Explicit || r.Priority != len(r.Rule) {
			t.Errorf("router %q has priority %d", r.Name, r.Priority)
		}
	}
	if !slices.IsSortedFunc(tab.Routers, func(a, b *route.Router) int { return cmp.Compare(b.Priority, a.Priority) }) {
		t.Error("routers are not in order")
	}
}
