// Package traefik holds pkg/route against Traefik's own code. It is a module of its own: Traefik brings more
// dependencies than all else here, and some only in the versions that it replaces.
package traefik

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/traefik/paerser/file"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/label"
	"github.com/traefik/traefik/v3/pkg/ip"
	"github.com/traefik/traefik/v3/pkg/middlewares/headers"
	"github.com/traefik/traefik/v3/pkg/middlewares/redirect"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	"github.com/traefik/traefik/v3/pkg/middlewares/stripprefix"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
	"github.com/traefik/traefik/v3/pkg/provider"
)

const composeFile = "docker-compose.yml"

// answer is what becomes of a request: the container whose router takes it, and the path that is asked for
// there, the URL that a middleware redirects to, or that a middleware refuses it.
type answer struct {
	Container, Path, Redirect string
	Refused                   bool
}

// traefik is Traefik's routing code: its label decoder, merge, rules, muxer and path middlewares.
type traefik struct {
	mux      *muxer.Muxer
	decorate *requestdecorator.RequestDecorator
}

// newTraefik does what the Docker provider does with the labels of a compose file. Its own entry is not
// exported, and the rest of it talks to an engine.
func newTraefik(t *testing.T, tree fs.FS) *traefik {
	t.Helper()
	var confs []provider.NamedConfiguration
	containers := map[string]string{}
	for name, labels := range composeLabels(t, tree) {
		if labels["traefik.enable"] != "true" {
			continue
		}
		conf, err := label.DecodeConfiguration(labels)
		if err != nil {
			t.Fatalf("Traefik refuses the labels of %s: %v", name, err)
		}
		noDefault := template.Must(template.New("").Parse(""))
		provider.BuildRouterConfiguration(t.Context(), conf.HTTP, name, noDefault, nil)
		for service := range conf.HTTP.Services {
			containers[service] = name
		}
		confs = append(confs, provider.NamedConfiguration{Name: name, Configuration: conf})
	}
	routes, err := fs.Glob(tree, "config/traefik/routes/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range routes { // as the file provider does
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			t.Fatal(err)
		}
		conf := &dynamic.Configuration{HTTP: &dynamic.HTTPConfiguration{}}
		if err := file.DecodeContent(string(src), ".yml", conf); err != nil {
			t.Fatalf("Traefik refuses %s: %v", name, err)
		}
		for service, s := range conf.HTTP.Services {
			u, err := url.Parse(s.LoadBalancer.Servers[0].URL)
			if err != nil {
				t.Fatal(err)
			}
			_, containers[service], _ = strings.Cut(u.Hostname(), "-stack-")
		}
		confs = append(confs, provider.NamedConfiguration{Name: name, Configuration: conf})
	}
	merged := provider.Merge(t.Context(), confs, provider.ResourceStrategyMerge).HTTP
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		t.Fatal(err)
	}
	tr := &traefik{mux: muxer.NewMuxer(parser, []string{"docker"}), decorate: requestdecorator.New(nil)}
	for _, name := range slices.Sorted(maps.Keys(merged.Routers)) {
		r := merged.Routers[name]
		if r.TLS == nil {
			continue // not on the entrypoint for HTTPS
		}
		handler := chain(t, merged, r, containers[r.Service])
		if r.Priority == 0 {
			r.Priority = muxer.GetRulePriority(r.Rule)
		}
		if err := tr.mux.AddRoute(r.Rule, r.RuleSyntax, r.Priority, "docker", handler); err != nil {
			t.Fatalf("Traefik refuses the router %s: %v", name, err)
		}
	}
	return tr
}

// composeLabels reads the file with compose-go and nothing of ours.
func composeLabels(t *testing.T, tree fs.FS) map[string]map[string]string {
	t.Helper()
	src, err := fs.ReadFile(tree, composeFile)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: "/", ConfigFiles: []types.ConfigFile{{Filename: composeFile, Content: src}},
	}, func(o *loader.Options) { o.SetProjectName("matrix", true) })
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]map[string]string{}
	for name, service := range project.Services {
		labels[name] = service.Labels
	}
	return labels
}

// chain builds the middlewares of a router around the container at its end.
func chain(t *testing.T, conf *dynamic.HTTPConfiguration, r *dynamic.Router, container string) http.Handler {
	t.Helper()
	var next http.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		// The proxy behind the middlewares asks for what stands here, and not for req.URL.
		u, err := url.ParseRequestURI(req.RequestURI)
		if err != nil {
			t.Errorf("%s leaves %q: %v", container, req.RequestURI, err)
			return
		}
		w.Header().Set("Path", u.EscapedPath())
		w.WriteHeader(http.StatusOK) // upon which Traefik adds its headers
	})
	for _, name := range slices.Backward(r.Middlewares) {
		m := conf.Middlewares[name]
		var err error
		switch {
		case m != nil && m.IPAllowList != nil:
			next, err = allowing(next, *m.IPAllowList)
		case m != nil && m.StripPrefix != nil:
			next, err = stripprefix.New(t.Context(), next, *m.StripPrefix, name)
		case m != nil && m.RedirectRegex != nil:
			next, err = redirect.NewRedirectRegex(t.Context(), next, *m.RedirectRegex, name)
		case m != nil && m.Headers != nil:
			next, err = headers.New(t.Context(), next, *m.Headers, name)
		default:
			t.Fatalf("the middleware %s is none that is built here", name)
		}
		if err != nil {
			t.Fatalf("Traefik refuses the middleware %s: %v", name, err)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Container", container)
		next.ServeHTTP(w, req)
	})
}

// allowing does what pkg/middlewares/ipallowlist does, with Traefik's own code for addresses: the package itself brings clients of
// providers of names.
func allowing(next http.Handler, conf dynamic.IPAllowList) (http.Handler, error) {
	checker, err := ip.NewChecker(conf.SourceRange)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := checker.IsAuthorized((&ip.RemoteAddrStrategy{}).GetIP(req)); err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, req)
	}), nil
}

// ask sends a request as it stands on the wire. It is false where net/http, which Traefik's entrypoint is
// made of, does not take the request at all.
func (tr *traefik) ask(ctx context.Context, q request) (answer, bool) {
	wire := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", q.method, q.path, q.host)
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return answer{}, false
	}
	req.TLS, req.RemoteAddr = &tls.ConnectionState{}, "192.168.7.7:7777"
	w := tr.serve(req.WithContext(ctx))
	a := answer{Container: w.Header().Get("Container"), Path: w.Header().Get("Path"), Redirect: w.Header().Get("Location")}
	if w.Code == http.StatusForbidden { // by an allow-list
		return answer{Refused: true}, true
	}
	if w.Code == http.StatusBadRequest {
		a.Refused = a.Container != ""
		return a, a.Refused
	}
	return a, true
}

func (tr *traefik) serve(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	tr.decorate.ServeHTTP(w, req, tr.mux.ServeHTTP)
	return w
}

// Traefik answers for Element Web with the headers that Element Web's own documentation asks for.
func TestElementHeaders(t *testing.T) {
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://app.example.org/", nil)
	got := newTraefik(t, rendered(t, "full")).serve(req).Header()
	for name, want := range map[string]string{
		"Container": "element-web", "X-Frame-Options": "SAMEORIGIN", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "frame-ancestors 'self'", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex",
	} {
		if got.Get(name) != want {
			t.Errorf("%s is %q, and not %q", name, got.Get(name), want)
		}
	}
}
