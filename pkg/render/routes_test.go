package render_test

import (
	"cmp"
	"os"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/route"
)

// routes renders a spec and reads the routes back from the labels of its docker-compose.yml.
func routes(t *testing.T, text string) *route.Table {
	t.Helper()
	d, problems := compose.Open(load(t, "stack.yaml", []byte(text)).FS())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, p := range d.Routes().Problems {
		t.Errorf("%s: %s", p.Kind, p.Message)
	}
	return d.Routes()
}

type row struct{ host, method, path, want string }

// matrixRows are the rows that hold for labels alone; the others need Traefik's entrypoint to clean the path.
func matrixRows(t *testing.T) []row {
	t.Helper()
	src, err := os.ReadFile("../route/testdata/routing-matrix.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for line := range strings.Lines(string(src)) {
		if c := strings.Split(strings.TrimSpace(line), "\t"); len(c) > 4 && c[4] == "mux" {
			rows = append(rows, row{c[0], c[1], c[2], c[3]})
		}
	}
	if len(rows) != 89 {
		t.Fatalf("%d rows instead of 89", len(rows))
	}
	return rows
}

func (r row) hold(t *testing.T, table *route.Table) {
	t.Helper()
	res := table.Match(r.method, r.host, r.path)
	got := "none"
	if res.Backend != nil {
		got = res.Backend.Container
	}
	if got != r.want || res.Unknown != "" || res.Tie != nil {
		t.Errorf("%s %s%s is answered by %s, not by %s %s", r.method, r.host, r.path, got, r.want, res.Unknown)
	}
}

// TestRoutingMatrix holds every row on the labels of four stacks. Where a stack differs from the one that the matrix
// was written for, adapt says what becomes of a row; none is left out.
func TestRoutingMatrix(t *testing.T) {
	src, err := os.ReadFile("../../examples/phil-app/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, with string) string {
		if !strings.Contains(string(src), old) {
			t.Fatalf("the example has no %q", old)
		}
		return strings.Replace(string(src), old, with, 1)
	}
	// These proxies redirect the bare path themselves, where Traefik does so in front of MAS.
	bare := func(r row) []row {
		if r.path == "/auth" {
			r.want = "none"
		}
		return []row{r}
	}
	const traefik = "  traefik:\n    network: traefik-ingress          # existing network\n    entrypoint: websecure\n    cert_resolver: letsencrypt\n"
	const auth = "https://matrix.philipp.info/auth/"
	for name, stack := range map[string]struct {
		spec  string
		adapt func(row) []row
	}{
		"phil-app": {string(src), func(r row) []row { return []row{r} }},
		"MAS on a host of its own": {replace(auth, "https://account.philipp.info/"), func(r row) []row {
			rest, ok := strings.CutPrefix(r.path, "/auth")
			if !ok || r.want != "mas" {
				return []row{r}
			}
			return []row{{r.host, r.method, r.path, "none"}, {"account.philipp.info", r.method, cmp.Or(rest, "/"), "mas"}}
		}},
		"the API on the server name's host": {
			strings.Replace(replace("matrix: matrix.philipp.info", "matrix: philipp.info"), auth, "https://philipp.info/auth/", 1),
			func(r row) []row {
				switch apex := strings.HasPrefix(r.host, "philipp.info"); {
				// What the matrix keeps off the apex is at home there now.
				case apex && strings.HasPrefix(r.path, "/auth/"):
					r.want = "mas"
				case apex && strings.HasPrefix(r.path, "/_synapse/client/"):
					r.want = "synapse"
				case !apex && strings.HasPrefix(strings.ToLower(r.host), "matrix.philipp.info"):
					_, there, _ := strings.Cut(strings.ToLower(r.host), "matrix.")
					return []row{{r.host, r.method, r.path, "none"}, {there, r.method, r.path, r.want}}
				}
				return []row{r}
			},
		},
		"behind a Caddy":            {replace(traefik, "  kind: caddy\n"), bare},
		"behind caddy-docker-proxy": {replace(traefik, "  kind: caddy\n  caddy: {network: caddy, form: labels}\n"), bare},
		"behind nginx in a container": {replace(traefik, "  kind: nginx\n  nginx: {network: proxy}\n"), func(r row) []row {
			if r.host == "other.example" || strings.HasPrefix(r.host, "evil.") {
				return nil // any other host is answered by nginx's first server, which is not the stack's to choose
			}
			return bare(r)
		}},
		"the well-known files are served elsewhere": {replace("well_known: synapse ", "well_known: external "), func(r row) []row {
			if strings.HasPrefix(r.path, "/.well-known/matrix/") {
				r.want = "none"
			}
			return []row{r}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			table := routes(t, stack.spec)
			for _, r := range matrixRows(t) {
				for _, r := range stack.adapt(r) {
					r.hold(t, table)
				}
			}
		})
	}
}

// With workers a request comes to the same process of Synapse, under the same path, whichever proxy stands before HAProxy: what proxies
// answer differently, they do before it.
func TestWorkersBehindEachProxy(t *testing.T) {
	theirs := routes(t, fixture.Ingress("{kind: traefik}")+fixture.Workers[1:]+"\n")
	rows := fixture.WorkerRows()
	for _, r := range matrixRows(t) {
		rows = append(rows, fixture.Request{Method: r.method, Host: r.host, Path: r.path})
	}
	corpus := fixture.Requests(rows, 10_000)
	for _, ingress := range []string{"{kind: caddy}", "{kind: caddy, caddy: {network: caddy, form: labels}}", "{kind: nginx}", "{kind: nginx, nginx: {network: proxy}}", "{traefik: {managed: true, email: anna@example.org}}"} {
		t.Run(ingress, func(t *testing.T) {
			ours, reached := routes(t, fixture.Ingress(ingress)+fixture.Workers[1:]+"\n"), make(map[string]int)
			for _, q := range corpus {
				here, there := ours.Match(q.Method, q.Host, q.Path), theirs.Match(q.Method, q.Host, q.Path)
				if !strings.HasPrefix(answering(here), "synapse") || !strings.HasPrefix(answering(there), "synapse") {
					// Which requests are MAS's, or nobody's, conformance holds each real proxy to.
					if q.Plain() && answering(here) != answering(there) && here.Redirect == "" && there.Redirect == "" && !otherServer(q.Host) {
						t.Errorf("%s is answered by %q, behind Traefik by %q", q, answering(here), answering(there))
					}
					continue
				}
				if asked, _, _ := strings.Cut(q.Path, "?"); answering(here) != answering(there) || here.Path != asked {
					t.Errorf("%s is answered by %s as %s, behind Traefik by %s", q, answering(here), here.Path, answering(there))
				}
				reached[answering(here)]++
			}
			for _, process := range []string{
				"synapse", "synapse-sync1", "synapse-client1", "synapse-federation-reader1", "synapse-media1", "synapse-typing1", "synapse-to-device1", "synapse-account-data1", "synapse-receipts1",
				"synapse-presence1", "synapse-push-rules1", "synapse-device-lists1",
			} {
				if reached[process] < 5 {
					t.Errorf("only %d requests came to %s: %v", reached[process], process, reached)
				}
			}
		})
	}
}

// answering is the service that answers, "" where none does.
func answering(res route.Result) string {
	if res.Backend == nil || res.Refused != "" || res.Redirect != "" {
		return ""
	}
	return res.Backend.Container
}

// otherServer reports whether a host is none of the stack's, which nginx's first server answers.
func otherServer(host string) bool {
	return !strings.HasSuffix("."+strings.ToLower(host), ".philipp.info") || strings.HasPrefix(host, "evil.")
}
