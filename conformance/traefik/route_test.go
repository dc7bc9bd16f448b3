package traefik

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/route"
)

const (
	requests = 10_000
	seed     = 2026
)

type request struct{ method, host, path string }

func (q request) String() string { return q.method + " " + q.host + q.path }

// version is that of Traefik in this module.
func version(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/traefik/traefik/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// rendered gives the compose file of an example: a test of pkg/render holds the golden trees up to date.
func rendered(t *testing.T, name string) fs.FS {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("../../pkg/render/testdata/golden", name, composeFile+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	// The middlewares of other stacks are taken for some that let every request pass: what they do cannot be seen.
	text := strings.NewReplacer(",hsts@file,crowdsec@docker", "", "hsts@file,crowdsec@docker,", "", "hsts@file,crowdsec@docker", "").Replace(string(src))
	tree := fstest.MapFS{composeFile: {Data: []byte(text)}}
	golden := os.DirFS(filepath.Join("../../pkg/render/testdata/golden", name))
	for _, pattern := range []string{"config/traefik/*.golden", "config/traefik/routes/*.golden"} {
		names, err := fs.Glob(golden, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range names {
			src, err := fs.ReadFile(golden, file)
			if err != nil {
				t.Fatal(err)
			}
			tree[strings.TrimSuffix(file, ".golden")] = &fstest.MapFile{Data: src}
		}
	}
	return tree
}

func table(t *testing.T, tree fs.FS) *route.Table {
	t.Helper()
	d, problems := compose.Open(tree)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	routes := d.Routes()
	for _, s := range d.Services { // what another proxy behind it does is not Traefik's to say
		routes.Behind(s.Name, nil)
	}
	return routes
}

// ours is what pkg/route says. It is false where it says that the request is none.
func ours(t *testing.T, table *route.Table, q request) (answer, bool) {
	t.Helper()
	res := table.Match(q.method, q.host, q.path)
	switch {
	case strings.Contains(res.Unknown, "valid request"):
		return answer{}, false
	case res.Unknown != "" || res.Tie != nil:
		t.Errorf("%s: pkg/route cannot tell: %s %v", q, res.Unknown, res.Tie)
	case res.Backend != nil:
		return answer{res.Backend.Container, res.Path, res.Redirect, res.Refused != ""}, true
	}
	return answer{}, true
}

// matrix gives the rows that hold for routers alone, each with the container that has to answer.
func matrix(t *testing.T) (rows []request, want []string) {
	t.Helper()
	src, err := os.ReadFile("../../pkg/route/testdata/routing-matrix.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(src)) {
		if c := strings.Split(strings.TrimSpace(line), "\t"); len(c) > 4 && c[4] == "mux" {
			rows, want = append(rows, request{c[1], c[0], c[2]}), append(want, c[3])
		}
	}
	if len(rows) != 89 {
		t.Fatalf("%d rows instead of 89", len(rows))
	}
	return rows, want
}

// Traefik answers every row of the routing matrix as it is written down, and pkg/route says the same.
func TestMatrix(t *testing.T) {
	rows, want := matrix(t)
	tree := rendered(t, "phil-app")
	tr, tab := newTraefik(t, tree), table(t, tree)
	for i, q := range rows {
		theirs, ok := tr.ask(t.Context(), q)
		if !ok || theirs.Container != strings.TrimSuffix(want[i], "none") {
			t.Errorf("%s: Traefik does %+v instead of asking %s", q, theirs, want[i])
		}
		if got, _ := ours(t, tab, q); got != theirs {
			t.Errorf("%s: pkg/route says %+v, Traefik does %+v", q, got, theirs)
		}
	}
	if !t.Failed() {
		t.Logf("accepted: Traefik %s: phil-app/%s, all %d rows of the routing matrix", version(t), composeFile, len(rows))
	}
}

// Traefik and pkg/route agree on requests that nobody thought of: made from the rules' own words, and from
// rows of the matrix with something wrong in them.
func TestRandomRequests(t *testing.T) {
	rows, _ := matrix(t)
	examples, err := os.ReadDir("../../examples")
	if err != nil || len(examples) < 3 {
		t.Fatalf("examples: %v %v", examples, err)
	}
	for _, example := range examples {
		golden := filepath.Join("../../pkg/render/testdata/golden", example.Name())
		if _, err := os.Stat(filepath.Join(golden, "kustomization.yaml.golden")); err == nil {
			t.Logf("%s is for a cluster: TestRoutesAlike of pkg/manifests asks its routes", example.Name())
			continue
		}
		if src, err := fs.ReadFile(rendered(t, example.Name()), composeFile); err == nil && !strings.Contains(string(src), "traefik.enable") {
			continue // it is for another proxy
		}
		t.Run(example.Name(), func(t *testing.T) { tryRandom(t, example.Name(), rows) })
	}
}

func tryRandom(t *testing.T, name string, rows []request) {
	tree := rendered(t, name)
	tr, tab := newTraefik(t, tree), table(t, tree)
	g := newGenerator(tab, rows)
	reached, wrong := map[string]int{}, 0
	for range requests {
		q := g.request()
		theirs, valid := tr.ask(t.Context(), q)
		got, possible := ours(t, tab, q)
		if got != theirs || valid != possible {
			if wrong++; wrong <= 10 {
				t.Errorf("%s: pkg/route says %+v, Traefik does %+v (a request: %v, %v)", q, got, theirs, possible, valid)
			}
		}
		switch {
		case !valid:
			reached["no request"]++
		case theirs.Redirect != "":
			reached["redirected"]++
		case theirs.Refused:
			reached["refused"]++
		default:
			reached["to "+theirs.Container]++
		}
	}
	t.Logf("of %d requests: %v", requests, reached)
	var ways []string // whatever the services are called
	for way, times := range reached {
		if strings.HasPrefix(way, "to ") && times >= requests/50 {
			ways = append(ways, way)
		}
	}
	if len(ways) < 3 {
		t.Errorf("of %d requests enough went to %q alone: this proves little", requests, ways)
	}
	if !t.Failed() {
		t.Logf("accepted: Traefik %s: %s/%s, %d random requests", version(t), name, composeFile, requests)
	} else {
		t.Errorf("%d of %d requests differ", wrong, requests)
	}
}

// generator makes requests near the borders of the rules.
type generator struct {
	*rand.Rand
	rows         []request
	hosts, words []string
}

func newGenerator(tab *route.Table, rows []request) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, seed)), rows: rows}
	hosts, words := map[string]bool{}, map[string]bool{"": true, "x": true, "sso": true, "redirect": true, "v3": true, "r0": true}
	for _, r := range tab.Routers {
		for _, literal := range strings.Split(r.Rule, "`") {
			if !strings.ContainsAny(literal, "/(") && strings.Contains(literal, ".") {
				hosts[literal] = true
			}
			for _, word := range strings.FieldsFunc(literal, func(c rune) bool { return strings.ContainsRune(" /()|^$[]+*&!,", c) }) {
				words[word] = true
			}
		}
	}
	g.hosts, g.words = slices.Sorted(maps.Keys(hosts)), slices.Sorted(maps.Keys(words))
	return g
}

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g *generator) request() request {
	q := request{g.pick("GET", "GET", "POST", "PUT", "OPTIONS", "HEAD", "DELETE", "get", "BREW"), g.host(), ""}
	if g.IntN(2) == 0 {
		q.path = g.rows[g.IntN(len(g.rows))].path
	} else {
		for range 1 + g.IntN(6) {
			q.path += "/" + g.pick(g.words...)
		}
	}
	for range g.IntN(3) {
		q.path = "/" + strings.TrimPrefix(g.damage(q.path), "/")
	}
	return q
}

func (g *generator) host() string {
	host := g.pick(g.hosts...)
	switch g.IntN(12) {
	case 0:
		return strings.ToUpper(host)
	case 1:
		return host + ":" + g.pick("443", "8448", "")
	case 2:
		return g.pick("x.", "evil-", ".") + host
	case 3:
		return host + g.pick(".", ".evil.example", "x")
	}
	return host
}

// damage does one small thing to a path: mostly what a careless client, proxy or attacker does.
func (g *generator) damage(path string) string {
	i := g.IntN(len(path) + 1)
	before, after := path[:i], path[i:]
	switch g.IntN(8) {
	case 0:
		return before + g.pick("/", "//", "/./", "/../", ";", "?", "?a=b", "&", "=", ":", "@", "%", "%2F", "%2f", "%2e", "%41", "%25", "%00", "%zz", "~", "+", " ", "é", "\\", "\"", "{", "`") + after
	case 1:
		if after != "" {
			return before + after[1:]
		}
	case 2:
		if after != "" {
			return before + fmt.Sprintf("%%%02X", after[0]) + after[1:]
		}
	case 3:
		return before + strings.ToUpper(after)
	case 4:
		return path + g.pick("/", "/x", "x", "?q=/auth/", "#f")
	case 5:
		return before + "/" + g.pick(g.words...) + after
	case 6:
		return before
	case 7:
		return after
	}
	return path
}
