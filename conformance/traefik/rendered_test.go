package traefik

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/traefik/paerser/file"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/middlewares/headers"

	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// managed is the ingress of a stack that has its own Traefik.
const managed = "{traefik: {managed: true, email: anna@example.org}}"

func renderedFor(t *testing.T, ingress string) fs.FS {
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
	return b.FS()
}

// Traefik answers the requests that the other proxies are held to as the table says that they are compared with.
func TestRequestsOfAll(t *testing.T) {
	for _, ingress := range []string{"{kind: traefik}", managed, "{kind: traefik}" + fixture.Workers} {
		t.Run(ingress, func(t *testing.T) { requestsOfAll(t, ingress) })
	}
}

func requestsOfAll(t *testing.T, ingress string) {
	t.Helper()
	tree := renderedFor(t, ingress)
	tr, tab := newTraefik(t, tree), table(t, tree)
	rows, want := matrix(t)
	// Where there are workers, HAProxy answers for Synapse, and the real one says in conformance to which of them it goes on.
	door := func(container string) string {
		if container == "haproxy" {
			return "synapse"
		}
		return container
	}
	for i, q := range rows {
		if theirs, ok := tr.ask(t.Context(), q); !ok || door(theirs.Container) != want[i] && want[i] != "none" {
			t.Errorf("%s: Traefik does %+v instead of asking %s", q, theirs, want[i])
		}
	}
	var plain []fixture.Request
	for _, q := range rows {
		plain = append(plain, fixture.Request{Method: q.method, Host: q.host, Path: q.path})
	}
	if strings.HasSuffix(ingress, fixture.Workers) {
		plain = append(plain, fixture.WorkerRows()...)
	}
	reached := make(map[string]int)
	for _, r := range fixture.Requests(plain, requests) {
		q := request{r.Method, r.Host, r.Path}
		if ingress == managed && strings.Contains(q.host, ":") {
			continue // pkg/route knows which ports are published, and this is the router alone
		}
		theirs, valid := tr.ask(t.Context(), q)
		got, possible := ours(t, tab, q)
		if got != theirs || valid != possible {
			t.Errorf("%s: pkg/route says %+v, Traefik does %+v", q, got, theirs)
		}
		reached[door(theirs.Container)]++
	}
	t.Logf("%v", reached)
	for _, way := range []string{"synapse", "mas", "element", "livekit", "lk-jwt", "hooks", "status", ""} {
		if reached[way] < 100 {
			t.Errorf("only %d requests went to %q: this proves little", reached[way], way)
		}
	}
	if !t.Failed() {
		t.Logf("accepted: Traefik %s: what is rendered for %s, all rows of the routing matrix and %d random requests", version(t), strings.ReplaceAll(ingress, "\n", " with "), requests)
	}
}

// Traefik's own decoder takes the static configuration of a Traefik in the stack, every key of it, and what stands there is
// what Traefik is to do.
func TestManaged(t *testing.T) {
	tree := renderedFor(t, managed)
	src, err := fs.ReadFile(tree, render.TraefikFile)
	if err != nil {
		t.Fatal(err)
	}
	_, conf := configuration(t)
	read := reflect.New(conf)
	if err := file.DecodeContent(string(src), ".yml", read.Interface()); err != nil {
		t.Fatalf("Traefik refuses %s: %v\n%s", render.TraefikFile, err, src)
	}
	at := func(v reflect.Value, path ...string) any {
		for _, name := range path {
			if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
				v = v.Elem()
			}
			if v.Kind() == reflect.Map {
				v = v.MapIndex(reflect.ValueOf(name))
			} else {
				v = v.FieldByName(name)
			}
			if !v.IsValid() {
				t.Fatalf("Traefik has no %v", path)
			}
		}
		return v.Interface()
	}
	for _, want := range []struct {
		value any
		path  []string
	}{
		{":8443", []string{"EntryPoints", "websecure", "Address"}},
		{":443", []string{"EntryPoints", "web", "HTTP", "Redirections", "EntryPoint", "To"}},
		{"127.0.0.1:8082", []string{"EntryPoints", "ping", "Address"}},
		{"anna@example.org", []string{"CertificatesResolvers", "letsencrypt", "ACME", "Email"}},
		{"/data/acme.json", []string{"CertificatesResolvers", "letsencrypt", "ACME", "Storage"}},
		{"/etc/traefik/routes", []string{"Providers", "File", "Directory"}},
	} {
		if got := at(read, want.path...); got != want.value {
			t.Errorf("%v is %v, and not %v", want.path, got, want.value)
		}
	}
	if !read.Elem().FieldByName("API").IsNil() || !read.Elem().FieldByName("Providers").Elem().FieldByName("Docker").IsNil() {
		t.Error("there is a dashboard, or Docker is asked")
	}

	routes, err := fs.ReadFile(tree, "config/traefik/routes/matrix.yml")
	if err != nil {
		t.Fatal(err)
	}
	var given dynamic.Configuration
	if err := file.DecodeContent(string(routes), ".yml", &given); err != nil {
		t.Fatal(err)
	}
	handler, err := headers.New(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }), *given.HTTP.Middlewares["hsts"].Headers, "hsts")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://matrix.philipp.info/", nil)
	req.Header.Set("X-Forwarded-Proto", "https")
	handler.ServeHTTP(w, req)
	if got := w.Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
	if !t.Failed() {
		t.Logf("accepted: Traefik %s: the static configuration of a Traefik in the stack, and its HSTS", version(t))
	}
}

// Traefik lets the networks of admin.allow_from ask the admin APIs, and nobody else, and reads what it is told of them.
func TestAdmin(t *testing.T) {
	for _, ingress := range []string{"{kind: traefik}", managed} {
		for network, refused := range map[string]bool{"192.168.0.0/16": false, "192.168.7.7": false, "10.0.0.0/8": true} {
			tr := newTraefik(t, renderedFor(t, ingress+"\nadmin: {allow_from: ["+network+"]}"))
			for path, want := range map[string]answer{
				"/_synapse/admin/v1/server_version": {Container: "synapse", Path: "/_synapse/admin/v1/server_version"},
				"/auth/api/admin/v1/users":          {Container: "mas", Path: "/api/admin/v1/users"},
				"/_synapse/mas/query_user":          {},
				"/_matrix/client/versions":          {Container: "synapse", Path: "/_matrix/client/versions"},
				"/auth/account/":                    {Container: "mas", Path: "/account/"},
			} {
				if refused && strings.Contains(path, "admin") {
					want = answer{Refused: true}
				}
				if got, _ := tr.ask(t.Context(), request{"GET", "matrix.philipp.info", path}); got != want {
					t.Errorf("%s with %s: %s: %+v, want %+v", ingress, network, path, got, want)
				}
			}
		}
	}
	if !t.Failed() {
		t.Logf("accepted: Traefik %s: the networks of administrators", version(t))
	}
}
