package nginx

import (
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"regexp"
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
	src, err := os.ReadFile("../../pkg/route/testdata/routing-matrix.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range fixture.MatrixRows(string(src)) {
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

// includes puts what nginx includes into its place, and leaves out what needs certificates. Whom it asks stands above.
func includes(t *testing.T, ingress string, services map[string]string) string {
	t.Helper()
	files := make(map[string]string)
	for _, f := range bundle(t, ingress).Files {
		if name, ok := strings.CutPrefix(f.Path, "config/nginx/"); ok {
			files[name] = string(f.Data)
		}
	}
	conf := regexp.MustCompile(`(?m)^\tinclude (.*);$`).ReplaceAllStringFunc(files["matrix.conf"], func(m string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(m, "\tinclude "), ";")
		if files[name] == "" {
			t.Fatalf("%s includes what is not rendered", name)
		}
		return files[name]
	})
	asked := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\t+(?:proxy_pass http://|set \$stackgen_backend )([\w.-]+:\d+);$`).FindAllStringSubmatch(conf, -1) {
		if services[m[1]] == "" {
			t.Fatalf("nginx asks %s, which is nobody's", m[1])
		}
		asked[m[1]] = true
	}
	return "# upstreams: " + strings.Join(slices.Sorted(maps.Keys(asked)), " ") + "\n" + regexp.MustCompile(`(?m)^\tssl_.*$`).ReplaceAllString(conf, "")
}

// Behind an nginx a request comes to the service to which it comes behind Traefik, and to Synapse under the very path that
// was asked for. conformance/traefik holds the real Traefik against the same table, with the same requests. In a container
// nginx asks Docker for addresses, which are written in their place here.
func TestRendered(t *testing.T) {
	program := nginxProgram(t)
	out, err := exec.Command(program, "-v").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSpace(string(out)[strings.LastIndexByte(string(out), '/')+1:])
	for _, ingress := range []string{"{kind: nginx}", "{kind: nginx, nginx: {network: proxy}}", "{kind: nginx}" + fixture.Workers} {
		t.Run(regexp.MustCompile(`[^a-z]+`).ReplaceAllString(ingress, "-"), func(t *testing.T) {
			_, workers, _ := strings.Cut(ingress, "\n")
			theirs, services := tableOf(t, "{kind: traefik}\n"+workers), upstreams(t, "{kind: nginx}\n"+workers)
			ports, ours := startNginx(t, program, includes(t, ingress, services)), tableOf(t, ingress)
			reached := make(map[string]int)
			for _, q := range corpus(t, ingress, nginxRequests) {
				if !strings.HasSuffix("."+q.Host, ".philipp.info") || strings.HasPrefix(q.Host, "evil") {
					continue // any other host is answered by nginx's first server, which is not the stack's to choose
				}
				got := asNginx(t, ports["443"], q.Method, q.Host, q.Path)
				to := services[got.Upstream]
				if got.Redirect != "" {
					to = "redirect"
				}
				res := ours.Match(q.Method, q.Host, q.Path)
				if strings.Contains(res.Unknown, "valid request") {
					continue
				}
				if said := goes(res); said != to {
					t.Errorf("%s: pkg/route/nginx says %q, nginx does %q", q, said, to)
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
				t.Logf("accepted: nginx %s: what is rendered for %s, all rows of the routing matrix and %d random requests as Traefik answers them", version, strings.ReplaceAll(ingress, "\n", " with "), nginxRequests)
			}
		})
	}
}

// nginx lets the networks of admin.allow_from ask the admin APIs, and nobody else.
func TestAdmin(t *testing.T) {
	program := nginxProgram(t)
	for network, in := range map[string]bool{"127.0.0.0/8": true, "10.0.0.0/8": false} {
		ingress := "{kind: nginx}\nadmin: {allow_from: [" + network + "]}"
		ports := startNginx(t, program, includes(t, ingress, upstreams(t, ingress)))
		for path, upstream := range map[string]string{
			"/_synapse/admin/v1/server_version": "127.0.0.1:8008", "/auth/api/admin/v1/users": "127.0.0.1:8009", "/_synapse/mas/query_user": "",
			"/_matrix/client/versions": "127.0.0.1:8008", "/auth/account/": "127.0.0.1:8009",
		} {
			if !in && strings.Contains(path, "admin") {
				upstream = ""
			}
			if got := asNginx(t, ports["443"], "GET", "matrix.philipp.info", path); got.Upstream != upstream {
				t.Errorf("%s with %s: %+v, want %q", network, path, got, upstream)
			}
		}
	}
	if !t.Failed() {
		t.Log("accepted: nginx: the networks of administrators")
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
