package render_test

import (
	"os"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/route"
)

// routes renders a spec and reads the routes back from the labels of its docker-compose.yml.
func routes(t *testing.T, text string) *route.Table {
	t.Helper()
	d, problems := check.Open(load(t, "stack.yaml", []byte(text)).FS())
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

func TestRoutingMatrix(t *testing.T) {
	src, err := os.ReadFile("../../examples/phil-app/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	phil := string(src)
	t.Run("phil-app", func(t *testing.T) {
		table := routes(t, phil)
		for _, r := range matrixRows(t) {
			r.hold(t, table)
		}
	})
	t.Run("MAS on a host of its own", func(t *testing.T) {
		table := routes(t, strings.Replace(phil, "https://matrix.philipp.info/auth/", "https://account.philipp.info/", 1))
		for _, r := range matrixRows(t) {
			if r.want == "mas" && strings.HasPrefix(r.path, "/auth") {
				if r.path == "/auth" {
					continue // there is no bare path: the host is MAS's own
				}
				r.want = "none"
				r.hold(t, table)
				r.host, r.path, r.want = "account.philipp.info", strings.TrimPrefix(r.path, "/auth"), "mas"
			}
			r.hold(t, table)
		}
	})
	t.Run("the API on the server name's host", func(t *testing.T) {
		table := routes(t, strings.ReplaceAll(strings.Replace(phil, "matrix: matrix.philipp.info", "matrix: philipp.info", 1), "https://matrix.philipp.info/auth/", "https://philipp.info/auth/"))
		for _, r := range matrixRows(t) {
			if strings.HasPrefix(r.host, "philipp.info") && (strings.HasPrefix(r.path, "/auth/") || strings.HasPrefix(r.path, "/_synapse/client")) {
				continue // what the matrix keeps off the apex is at home there now
			}
			r.host = strings.Replace(strings.ToLower(r.host), "matrix.philipp.info", "philipp.info", 1)
			if strings.HasPrefix(r.host, "evil.") {
				r.host = "evil.philipp.info"
			}
			r.hold(t, table)
		}
	})
	t.Run("the well-known files are served elsewhere", func(t *testing.T) {
		table := routes(t, strings.Replace(phil, "well_known: synapse ", "well_known: external ", 1))
		for _, r := range matrixRows(t) {
			if strings.HasPrefix(r.path, "/.well-known/matrix/") {
				r.want = "none"
			}
			r.hold(t, table)
		}
	})
}
