package caddy

import (
	"crypto/tls"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/route"
	ours "philipp.info/stackgen/pkg/route/caddy"
	"philipp.info/stackgen/pkg/source"
)

const (
	requests = 10_000
	seed     = 2026
)

var tlsState = &tls.ConnectionState{HandshakeComplete: true}

type request struct{ method, host, port, path string }

func (q request) String() string { return q.method + " " + q.host + " on " + q.port + q.path }

// environment is what the Caddyfiles are given.
var environment = map[string]string{"HOST": "env.example.org", "PORT": "9"}

func table(name string, src []byte) *route.Table {
	return ours.New(&source.File{Path: name, Src: src}, nil, ours.Options{
		Env:      func(name string) (string, bool, string) { val, ok := environment[name]; return val, ok, "" },
		Glob:     func(string, string) ([]*source.File, string) { return nil, "" },
		Upstream: func(host, port string) (string, string) { return host, port },
		Public:   map[string]string{"443": "443", "80": "80", "8448": "8448"},
	})
}

func said(t *testing.T, tab *route.Table, q request) (a answer, ok bool) {
	host := q.host
	if q.port != "443" {
		host += ":" + q.port
	}
	res := tab.Match(q.method, host, q.path)
	switch {
	case strings.Contains(res.Unknown, "valid request"):
		return a, false
	case res.Unknown != "" || res.Closed != "":
		t.Errorf("%s: it cannot be told: %s%s", q, res.Unknown, res.Closed)
	case res.Router != nil && res.Router.Name == "file_server":
		a.Files = true
	case res.Redirect != "":
		a.Redirect = res.Redirect
	case res.Refused != "":
		a.Refused = true
	case res.Backend != nil:
		a.Upstream, a.Path = res.Backend.Container+":"+res.Backend.Port, res.Path
	default:
		a.Text = res.Answer
	}
	return a, true
}

// Caddy and pkg/route/caddy agree on requests that nobody thought of, over Caddyfiles in which all is mixed.
func TestRandomRequests(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/caddyserver/caddy/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, val := range environment {
		t.Setenv(name, val)
	}
	for _, file := range caddyfiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src := read(t, file)
			theirs, tab := newReal(t, file, src), table(file, src)
			for _, p := range tab.Problems {
				t.Fatal(p.Message)
			}
			g := newGenerator(string(src), slices.Sorted(maps.Keys(theirs)))
			reached, wrong := make(map[string]int), 0
			for range requests {
				q := g.request()
				want, valid := theirs.ask(t, q)
				got, possible := said(t, tab, q)
				if got != want || valid != possible {
					if wrong++; wrong <= 12 {
						t.Errorf("%s: pkg/route/caddy says %+v, Caddy does %+v (a request: %v, %v)", q, got, want, possible, valid)
					}
				}
				reached[want.Upstream+map[bool]string{true: "refused"}[want.Refused]+map[bool]string{true: "redirected"}[want.Redirect != ""]]++
			}
			t.Logf("of %d requests: %v", requests, reached)
			if len(reached) < 4 {
				t.Error("this proves little")
			}
			if wrong == 0 && !t.Failed() {
				t.Logf("accepted: Caddy %s: %s, %d random requests", strings.TrimSpace(string(out)), filepath.Base(file), requests)
			} else {
				t.Errorf("%d of %d requests differ", wrong, requests)
			}
		})
	}
}

// generator makes requests of the words of a Caddyfile, near the borders of its matchers.
type generator struct {
	*rand.Rand
	hosts, ports, paths, words []string
}

func newGenerator(src string, ports []string) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, seed)), ports: ports}
	hosts, paths := map[string]bool{"env.example.org": true}, map[string]bool{"/": true}
	words := map[string]bool{"": true, "x": true, "v3": true, "a": true, "login": true, "sso": true}
	for _, h := range regexp.MustCompile(`[a-z*.]*example\.org`).FindAllString(src, -1) {
		hosts[strings.ReplaceAll(h, "*", "w")] = true
	}
	for _, p := range regexp.MustCompile(`[\s"^](/[^\s"{]*)`).FindAllStringSubmatch(src, -1) {
		paths[p[1]] = true
		for _, word := range strings.FieldsFunc(p[1], func(r rune) bool { return strings.ContainsRune("/*()|^$[]+?\\", r) }) {
			words[word] = true
		}
	}
	g.hosts, g.paths, g.words = slices.Sorted(maps.Keys(hosts)), slices.Sorted(maps.Keys(paths)), slices.Sorted(maps.Keys(words))
	return g
}

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g *generator) request() request {
	q := request{g.pick("GET", "GET", "POST", "PUT", "OPTIONS", "HEAD", "DELETE"), g.pick(g.hosts...), g.pick(g.ports...), ""}
	switch g.IntN(10) {
	case 0:
		q.host = strings.ToUpper(q.host)
	case 1:
		q.host = g.pick("x.", "evil-", "") + q.host + g.pick("", ".", "x")
	}
	if g.IntN(3) > 0 {
		q.path = g.pick(g.paths...)
		for strings.Contains(q.path, "*") {
			q.path = strings.Replace(q.path, "*", g.pick(g.words...), 1)
		}
		if g.IntN(2) == 0 {
			q.path += g.pick("/", "x", "/x", "/"+g.pick(g.words...))
		}
	} else {
		for range 1 + g.IntN(5) {
			q.path += "/" + g.pick(g.words...)
		}
	}
	if g.IntN(4) == 0 {
		q.path += g.pick("?a=1", "?a=2&b=3", "?b", "?a=1&b=2&a=3", "?", "?x=/y/")
	}
	for range g.IntN(3) {
		q.path = g.damage(q.path)
	}
	if !strings.HasPrefix(q.path, "/") {
		q.path = "/" + q.path
	}
	return q
}

// damage does one small thing to a path: mostly what a careless client, proxy or attacker does.
func (g *generator) damage(path string) string {
	i := g.IntN(len(path) + 1)
	before, after := path[:i], path[i:]
	if before == "" {
		return path
	}
	switch g.IntN(8) {
	case 0:
		return before + g.pick("/", "//", "/./", "/../", ";", "&", "=", ":", "@", "%2F", "%2f", "%2e", "%41", "%25", "%20", "~", "+", "%C3%A9", "\\", "{", "%") + after
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
		return path + g.pick("/", "/x", "x", ".html", ".php")
	case 5:
		return before + "/" + g.pick(g.words...) + after
	case 6:
		return before
	case 7:
		return "/" + after
	}
	return path
}
