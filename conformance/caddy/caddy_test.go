// Package caddy holds pkg/route/caddy against Caddy's own adapter and handlers. It is a module of its own: Caddy brings
// more dependencies than all else here.
package caddy

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/encode"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/encode/gzip"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/encode/zstd"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/fileserver"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/requestbody"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

// answer is what becomes of a request: the upstream and the path that it is asked for, a redirect, Caddy's own text or
// its refusal.
type answer struct {
	Upstream, Path, Redirect, Text string
	Refused, Files                 bool
}

func init() { caddy.RegisterModule(probe{}) }

// probe stands in the place of a proxy, a file server: it says what would be asked.
type probe struct {
	Upstream string `json:"upstream"`
	Files    bool   `json:"files"`
}

func (probe) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.probe", New: func() caddy.Module { return new(probe) }}
}

func (p probe) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	w.Header().Set("Upstream", p.Upstream)
	if p.Files {
		w.Header().Set("Files", "yes")
		return nil
	}
	u, err := url.ParseRequestURI(r.URL.RequestURI())
	if err != nil {
		return err
	}
	w.Header().Set("Path", u.EscapedPath())
	return nil
}

// probed puts probes into a configuration. What a proxy rewrites comes before its probe.
func probed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, val := range v {
			if list, ok := val.([]any); ok && key == "handle" {
				var handlers []any
				for _, h := range list {
					m := h.(map[string]any)
					switch m["handler"] {
					case "reverse_proxy":
						if rewrite, ok := m["rewrite"].(map[string]any); ok {
							rewrite["handler"] = "rewrite"
							handlers = append(handlers, rewrite)
						}
						dial := m["upstreams"].([]any)[0].(map[string]any)["dial"]
						handlers = append(handlers, map[string]any{"handler": "probe", "upstream": dial})
					case "file_server":
						handlers = append(handlers, map[string]any{"handler": "probe", "files": true})
					default:
						handlers = append(handlers, probed(h))
					}
				}
				v[key] = handlers
				continue
			}
			v[key] = probed(val)
		}
	case []any:
		for i := range v {
			v[i] = probed(v[i])
		}
	}
	return v
}

// real is Caddy's own servers, by the port on which they listen.
type real map[string]caddyhttp.Handler

func newReal(t *testing.T, name string, src []byte) real { return started(t, name, src, asProbes) }

// started are the servers of a Caddyfile, whose routes are taken as the last argument does.
func started(t *testing.T, name string, src []byte, take func(t *testing.T, raw json.RawMessage, into any)) real {
	t.Helper()
	adapted, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(src, map[string]any{"filename": name})
	if err != nil {
		t.Fatalf("Caddy refuses %s: %v %v", name, err, warnings)
	}
	var conf struct {
		Apps struct {
			HTTP struct {
				Servers map[string]struct {
					Listen      []string
					Routes      json.RawMessage
					NamedRoutes json.RawMessage `json:"named_routes"`
				}
			}
		}
	}
	if err := json.Unmarshal(adapted, &conf); err != nil {
		t.Fatal(err)
	}
	off := false
	ctx, err := caddy.ProvisionContext(&caddy.Config{
		Admin:   &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: &off}},
		Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{"default": {BaseLog: caddy.BaseLog{Level: "ERROR"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	servers := make(real)
	for _, s := range conf.Apps.HTTP.Servers {
		var routes caddyhttp.RouteList
		take(t, s.Routes, &routes)
		if err := routes.Provision(ctx); err != nil {
			t.Fatalf("Caddy refuses %s: %v", name, err)
		}
		srv := new(caddyhttp.Server)
		if s.NamedRoutes != nil {
			take(t, s.NamedRoutes, &srv.NamedRoutes)
			for _, r := range srv.NamedRoutes {
				if err := r.Provision(ctx, nil); err != nil {
					t.Fatalf("Caddy refuses %s: %v", name, err)
				}
			}
		}
		empty := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
		for _, listen := range s.Listen {
			servers[strings.TrimPrefix(listen, ":")] = caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
				repl := caddy.NewReplacer()
				r = caddyhttp.PrepareRequest(r, repl, w, srv)
				return routes.Compile(empty).ServeHTTP(w, r)
			})
		}
	}
	return servers
}

func asProbes(t *testing.T, raw json.RawMessage, into any) {
	t.Helper()
	var tree any
	err := json.Unmarshal(raw, &tree)
	if err == nil {
		raw, err = json.Marshal(probed(tree))
	}
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ask sends a request as it stands on the wire; ok is false where net/http does not take it.
func (s real) ask(t *testing.T, q request) (a answer, ok bool) {
	wire := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", q.method, q.path, q.host)
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return a, false
	}
	req.RemoteAddr = "192.0.2.1:4711"
	req.TLS = tlsState
	w := httptest.NewRecorder()
	handler := s[q.port]
	if handler == nil {
		t.Fatalf("Caddy does not listen on %s", q.port)
	}
	err = func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				if p != http.ErrAbortHandler {
					panic(p)
				}
				err = http.ErrAbortHandler
			}
		}()
		return handler.ServeHTTP(w, req.WithContext(t.Context()))
	}()
	a = answer{Upstream: w.Header().Get("Upstream"), Path: w.Header().Get("Path"), Files: w.Header().Get("Files") != "", Text: w.Body.String()}
	var handled caddyhttp.HandlerError
	switch {
	case err != nil && !errors.As(err, &handled) && !errors.Is(err, http.ErrAbortHandler):
		t.Errorf("%s: %v", q, err)
	case err != nil, w.Code >= 400:
		a.Refused, a.Text = true, ""
	}
	if to := w.Header().Get("Location"); to != "" {
		at, err := url.Parse(to)
		if err != nil {
			a.Refused = true
			return a, true
		}
		u := *req.URL
		u.Scheme, u.Host, u.RawQuery = "https", q.host, ""
		a.Redirect, a.Text = u.ResolveReference(at).String(), ""
	}
	return a, true
}

func caddyfiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../pkg/route/caddy/testdata/*.Caddyfile")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	slices.Sort(files)
	return files
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
