package caddy

import (
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

func bundle(t *testing.T, ingress string) *render.Bundle {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", []byte(fixture.Ingress(ingress)))
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	b, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func tableOf(t *testing.T, ingress string) *route.Table {
	t.Helper()
	d, problems := compose.Open(bundle(t, ingress).FS())
	if len(problems) > 0 || len(d.Routes().Problems) > 0 {
		t.Fatal(problems, d.Routes().Problems)
	}
	d.Routes().Behind("haproxy", nil) // which the real one answers for
	return d.Routes()
}

// corpus are the requests that a stack is asked: with workers those of which each kind has a process of its own, too.
func corpus(t *testing.T, ingress string, n int) []fixture.Request {
	t.Helper()
	rows := matrix(t)
	if strings.HasSuffix(ingress, fixture.Workers) {
		rows = append(rows, fixture.WorkerRows()...)
	}
	return fixture.Requests(rows, n)
}

// upstreams tells the service of each address that a proxy asks: of its port on the host, and of its name in a network.
func upstreams(t *testing.T, ingress string) map[string]string {
	t.Helper()
	d, problems := compose.Open(bundle(t, ingress).FS())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	services := make(map[string]string)
	for _, s := range d.Services {
		for _, p := range s.Ports {
			services[net.JoinHostPort(p.IP, strconv.Itoa(p.First))] = door(s.Name)
			services["matrix-stack-"+s.Name+":"+strconv.Itoa(p.Inner)] = door(s.Name)
		}
	}
	return services
}

// ways are where a request may end: each must be gone often.
var ways = []string{"synapse", "mas", "element", "livekit", "lk-jwt", "hooks", "status", "redirect", ""}

// matrix gives the rows of the routing matrix.
func matrix(t *testing.T) (rows []fixture.Request) {
	t.Helper()
	for _, r := range fixture.MatrixRows(string(read(t, "../../pkg/route/testdata/routing-matrix.tsv"))) {
		if !strings.Contains(r.Host, ":") {
			r.Host = strings.ToLower(r.Host)
			rows = append(rows, r)
		}
	}
	if len(rows) < 80 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows
}

// goes is what becomes of a request: the service, or a redirect.
func goes(res route.Result) string {
	switch {
	case res.Redirect != "":
		return "redirect"
	case res.Backend != nil && res.Refused == "":
		return door(res.Backend.Container)
	}
	return ""
}

// door is who answers for Synapse: where there are workers, HAProxy before them. To which process it goes on, the real one says in
// conformance, for the same requests.
func door(service string) string {
	if service == "haproxy" {
		return "synapse"
	}
	return service
}

// Behind a Caddy a request comes to the service to which it comes behind Traefik, and to Synapse under the very path that
// was asked for. conformance/traefik holds the real Traefik against the same table, with the same requests.
func TestRendered(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/caddyserver/caddy/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, ingress := range []string{"{kind: caddy}", "{kind: caddy, caddy: {network: caddy}}", "{kind: caddy}" + fixture.Workers} {
		t.Run(ingress, func(t *testing.T) {
			_, workers, _ := strings.Cut(ingress, "\n")
			theirs := tableOf(t, "{kind: traefik}\n"+workers)
			dir := t.TempDir()
			for _, f := range bundle(t, ingress).Files {
				if filepath.Dir(f.Path) == "config/caddy" {
					if err := os.WriteFile(filepath.Join(dir, filepath.Base(f.Path)), f.Data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			file := filepath.Join(dir, "Caddyfile")
			caddy, ours := newReal(t, file, read(t, file)), tableOf(t, ingress)
			services := upstreams(t, "{kind: caddy}\n"+workers)
			reached := make(map[string]int)
			for _, q := range corpus(t, ingress, requests) {
				got, valid := caddy.ask(t, request{q.Method, q.Host, "443", q.Path})
				if !valid {
					continue
				}
				to := services[got.Upstream]
				if to == "" && got.Upstream != "" {
					t.Fatalf("%s comes to %s, which is nobody's", q, got.Upstream)
				}
				if got.Redirect != "" {
					to = "redirect"
				}
				if said := goes(ours.Match(q.Method, q.Host, q.Path)); said != to {
					t.Errorf("%s: pkg/route/caddy says %q, Caddy does %q", q, said, to)
				}
				hold(t, theirs, q, to, got.Path)
				reached[to]++
			}
			t.Logf("%v", reached)
			for _, way := range ways {
				if reached[way] < 20 {
					t.Errorf("only %d requests went to %q: this proves little", reached[way], way)
				}
			}
			if !t.Failed() {
				t.Logf("accepted: Caddy %s: what is rendered for %s, all rows of the routing matrix and %d random requests as Traefik answers them", strings.TrimSpace(string(out)), strings.ReplaceAll(ingress, "\n", " with "), requests)
			}
		})
	}
}

// Caddy lets the networks of admin.allow_from ask the admin APIs, and nobody else.
func TestAdmin(t *testing.T) {
	for network, in := range map[string]bool{"192.0.2.0/24": true, "10.0.0.0/8": false} {
		dir := t.TempDir()
		for _, f := range bundle(t, "{kind: caddy}\nadmin: {allow_from: ["+network+"]}").Files {
			if filepath.Dir(f.Path) == "config/caddy" {
				if err := os.WriteFile(filepath.Join(dir, filepath.Base(f.Path)), f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		file := filepath.Join(dir, "Caddyfile")
		caddy := newReal(t, file, read(t, file))
		for path, upstream := range map[string]string{
			"/_synapse/admin/v1/server_version": "127.0.0.1:8008", "/auth/api/admin/v1/users": "127.0.0.1:8009", "/_synapse/mas/query_user": "",
			"/_matrix/client/versions": "127.0.0.1:8008", "/auth/account/": "127.0.0.1:8009",
		} {
			if !in && strings.Contains(path, "admin") {
				upstream = ""
			}
			if got, _ := caddy.ask(t, request{"GET", "matrix.philipp.info", "443", path}); got.Upstream != upstream {
				t.Errorf("%s with %s: %+v, want %q", network, path, got, upstream)
			}
		}
	}
	if !t.Failed() {
		t.Log("accepted: Caddy: the networks of administrators")
	}
}

// hold compares with what becomes of the request behind Traefik. A path that can be read in two ways may be taken for
// one of its readings, or refused.
func hold(t *testing.T, theirs *route.Table, q fixture.Request, to, path string) {
	t.Helper()
	asked, _, _ := strings.Cut(q.Path, "?")
	if to == "synapse" && path != asked {
		t.Errorf("%s comes to Synapse as %s", q, path)
	}
	res := theirs.Match(q.Method, q.Host, q.Path)
	if q.Plain() {
		if want := goes(res); to != want {
			t.Errorf("%s goes to %q, behind Traefik to %q", q, to, want)
		}
		if !slices.Contains([]string{"synapse", "redirect", ""}, to) && path != res.Path {
			t.Errorf("%s comes to %s as %s, behind Traefik as %s", q, to, path, res.Path)
		}
		return
	}
	if to == "" {
		return
	}
	var ways []string
	for _, reading := range q.Readings() {
		ways = append(ways, goes(theirs.Match(q.Method, q.Host, (&url.URL{Path: reading}).EscapedPath())))
	}
	if !slices.Contains(append(ways, goes(res)), to) {
		t.Errorf("%s goes to %q, behind Traefik to one of %q", q, to, ways)
	}
}
