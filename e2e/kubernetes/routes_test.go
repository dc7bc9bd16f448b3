package kubernetes

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	deployed "philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/route"
)

// asText is what Traefik answers by an Ingress as pkg/route does not, which goes by the API of Kubernetes: Traefik compares a prefix as a
// text, and not what stands between slashes, unless its strictPrefixMatching is on (pkg/provider/kubernetes/ingress/kubernetes.go of 3.7).
// Of the API of clients and servers nothing begins so.
var asText = regexp.MustCompile(`^/(_matrix|_synapse/client|hooks|status|_matrix/client/[^/]+/(login|logout|refresh))[^/]`)

// The real Traefik answers requests by the HTTPRoutes and Ingresses that are rendered as pkg/route says: each row of the routing matrix and
// 10,000 requests at random. pkg/manifests holds those answers against what Traefik's labels do, with the reason of each difference,
// and conformance the labels against Traefik. Behind each Service is one server that says whom it stands for; HAProxy is one of them.
func TestRoutes(t *testing.T) {
	const space = "routes"
	cl.define(t)
	cl.load(t)
	cl.proxy(t)
	gateway, ingress := manifests.Options{Namespace: space, Gateway: &manifests.Gateway{Name: "public", Namespace: "infra"}}, manifests.Options{Namespace: space, Ingress: &manifests.Ingress{Class: "traefik"}}
	requests := fixture.Requests(matrixRows(t), 10_000)
	for _, c := range []struct {
		name, spec string
		options    manifests.Options
		long       bool
	}{
		{"HTTPRoutes", fixture.Ingress("{kind: traefik}"), gateway, false},
		{"HTTPRoutes before workers", fixture.Ingress("{kind: traefik}") + fixture.SomeWorkers, gateway, false},
		{"HTTPRoutes with MAS on its own host", fixture.OnHosts, gateway, true},
		{"an Ingress", fixture.OnHosts, ingress, true},
		{"an Ingress before workers", fixture.OnHosts + fixture.SomeWorkers, ingress, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long && testing.Short() {
				t.Skip("the same routes are asked before workers, or behind paths that are taken off: this is a short run")
			}
			file := filepath.Join(t.TempDir(), "stack.yaml")
			if err := os.WriteFile(file, []byte(c.spec), 0o600); err != nil {
				t.Fatal(err)
			}
			files, unsaid := of(t, file, c.options)
			if unsaid != nil {
				t.Fatal(unsaid)
			}
			d, findings := deployed.Open(memfs.New(files))
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			t.Cleanup(func() { cl.kubectl(t, "delete", "namespace", space, "--timeout", "1m") })
			if err := cl.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + space + "}\n---\n" + echoed(t, files)); err != nil {
				t.Fatal(err)
			}
			first := fixture.Request{Method: http.MethodGet, Host: publicHost, Path: "/_matrix/client/versions"}
			var line traefikLine
			defer line.close()
			if want := foretold(d.Routes(), first); !within(30*time.Second, func() bool { return line.ask(first) == want }) {
				t.Fatalf("%s: %s, want %s", first, line.ask(first), want)
			}
			var (
				lock               sync.Mutex
				wrong, alike, text int
				group              sync.WaitGroup
				next               = make(chan fixture.Request)
			)
			for range 4 {
				group.Go(func() {
					var line traefikLine
					defer line.close()
					for r := range next {
						got := line.ask(r)
						lock.Lock()
						switch want := foretold(d.Routes(), r); {
						case got != want:
							if path, err := entered(r.Path); err == nil && c.options.Ingress != nil && asText.MatchString(path) {
								text++
							} else if wrong++; wrong < 40 {
								t.Errorf("%s: Traefik: %s, pkg/route: %s", r, got, want)
							}
						case got != "nobody":
							alike++
						}
						lock.Unlock()
					}
				})
			}
			start := time.Now()
			for _, r := range requests {
				next <- r
			}
			close(next)
			group.Wait()
			t.Logf("%d requests: %d answered alike by somebody, %d not alike, %d to a prefix that Traefik takes for a text, in %.0f s", len(requests), alike, wrong, text, time.Since(start).Seconds())
			if alike < 2000 || wrong > 0 || (text > 0) != (c.options.Ingress != nil) {
				t.Errorf("%d not alike, %d answered by somebody, %d to a prefix as a text", wrong, alike, text)
			}
		})
	}
	version, err := moduleVersion("traefik", "github.com/traefik/traefik/v3")
	if err != nil {
		t.Fatal(err)
	}
	fact("Traefik", version, fmt.Sprintf("%d requests by HTTPRoutes and Ingresses as pkg/route says", len(requests)))
}

// matrixRows are the rows of the routing matrix, as requests.
func matrixRows(t *testing.T) []fixture.Request {
	t.Helper()
	src, err := os.ReadFile("../../pkg/route/testdata/routing-matrix.tsv")
	if err != nil {
		t.Fatal(err)
	}
	return fixture.MatrixRows(string(src))
}

// foretold is who answers a request by pkg/route, and what for.
func foretold(table *route.Table, r fixture.Request) string {
	asked, err := entered(r.Path)
	if err != nil {
		return "refused"
	}
	res := table.Match(r.Method, r.Host, asked)
	switch {
	case len(res.Through) > 0: // what HAProxy makes of it is conformance's
		b := res.Through[0].To.Backends[0]
		asked, _, _ = strings.Cut(asked, "?")
		return fmt.Sprintf("%s %s %s", b.Container, b.Port, asked)
	case res.Unknown != "" && len(res.Among) == 0:
		return "unknown: " + res.Unknown
	case res.Redirect != "":
		to, _, _ := strings.Cut(res.Redirect, "?")
		return "redirect to " + to
	case res.Refused != "":
		return "refused"
	case res.Backend == nil:
		return "nobody"
	}
	return fmt.Sprintf("%s %s %s", res.Backend.Container, res.Backend.Port, res.Path)
}

// entered is a request's path with its query as an entrypoint of Traefik has it: no escape of what needs none, the others in upper case,
// and nothing that is superfluous (pkg/server/server_entrypoint_tcp.go of 3.4, normalizePath and sanitizePath).
func entered(asked string) (string, error) {
	escaped, query, _ := strings.Cut(asked, "?")
	var b strings.Builder
	for i := 0; i < len(escaped); i++ {
		if escaped[i] != '%' {
			b.WriteByte(escaped[i])
			continue
		}
		c, err := url.PathUnescape(escaped[i:min(i+3, len(escaped))])
		if err != nil {
			return "", err
		}
		if len(c) == 1 && strings.Contains("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", c) {
			b.WriteString(c)
		} else {
			b.WriteString(strings.ToUpper(escaped[i : i+3]))
		}
		i += 2
	}
	u, err := url.ParseRequestURI(b.String())
	if err != nil {
		return "", err
	}
	asked = u.JoinPath().EscapedPath()
	if query != "" {
		asked += "?" + query
	}
	return asked, nil
}

// traefikLine is a connection to Traefik for one host after the other.
type traefikLine struct {
	host string
	conn net.Conn
	read *bufio.Reader
}

func (l *traefikLine) close() {
	if l.conn != nil {
		_ = l.conn.Close()
	}
	l.conn = nil
}

// ask sends a request as it stands, and gives the answer in the words of foretold.
func (l *traefikLine) ask(r fixture.Request) string {
	if l.host != r.Host {
		l.close()
	}
	if l.conn == nil {
		conn, err := cl.dial(context.Background(), "tcp", proxyIP+":443")
		if err != nil {
			return err.Error()
		}
		// Whose certificate it is is looked at by TestStack; here are hosts that have none.
		l.host, l.conn = r.Host, tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: r.Host})
		l.read = bufio.NewReader(l.conn)
	}
	_ = l.conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(l.conn, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n\r\n", r.Method, r.Path, r.Host)
	res, err := http.ReadResponse(l.read, &http.Request{Method: r.Method})
	if err != nil {
		l.close()
		return err.Error()
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if err != nil || res.Close {
		l.close()
	}
	switch to := res.Header.Get("Location"); {
	case to != "":
		to, _, _ = strings.Cut(to, "?")
		return "redirect to " + to
	case res.Header.Get("Upstream") != "":
		return res.Header.Get("Upstream") + " " + res.Header.Get("Asked")
	case res.StatusCode == http.StatusNotFound:
		return "nobody"
	case res.StatusCode == http.StatusBadRequest:
		return "refused"
	}
	return res.Status
}

// echoed are the routes among manifests, and their Services, each of whose ports leads to a server of this test's.
func echoed(t *testing.T, files []memfs.File) string {
	t.Helper()
	var all strings.Builder
	for _, f := range files {
		if filepath.Ext(f.Path) != ".yaml" {
			continue
		}
		for doc := range strings.SplitSeq(string(f.Data), "\n---\n") {
			var o struct {
				Kind     string
				Metadata struct{ Name, Namespace string }
				Spec     struct {
					Selector map[string]any
					Ports    []struct {
						Name       string
						Port       int
						TargetPort string `yaml:"targetPort"`
					}
				}
			}
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				t.Fatalf("%s: %v", f.Path, err)
			}
			switch o.Kind {
			case "HTTPRoute", "Ingress":
				all.WriteString(doc + "\n---\n")
			case "Service":
				var outer, inner []string
				for _, p := range o.Spec.Ports {
					of, name := p.TargetPort, p.Name
					if of == "" {
						of = strconv.Itoa(p.Port)
					}
					outer = append(outer, fmt.Sprintf("{name: %q, port: %d}", name, p.Port))
					inner = append(inner, fmt.Sprintf("{name: %q, port: %d}", name, echo(t, fmt.Sprint(o.Spec.Selector["app.kubernetes.io/name"], " ", of))))
				}
				fmt.Fprintf(&all, "apiVersion: v1\nkind: Service\nmetadata: {name: %[1]s, namespace: %[2]s}\nspec: {ports: [%[3]s]}\n---\n"+
					"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %[1]s-echo, namespace: %[2]s, labels: {kubernetes.io/service-name: %[1]s}}\n"+
					"addressType: IPv4\nendpoints: [{addresses: [%[4]s], conditions: {ready: true}}]\nports: [%[5]s]\n---\n",
					o.Metadata.Name, o.Metadata.Namespace, strings.Join(outer, ", "), nodeIP, strings.Join(inner, ", "))
			}
		}
	}
	return all.String()
}

// echo starts a server on the node that says whom it stands for, and what it was asked for; port is where.
func echo(t *testing.T, of string) (port int) {
	t.Helper()
	l, err := cl.listen()
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 20 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _, _ := strings.Cut(r.RequestURI, "?")
		w.Header().Set("Upstream", of)
		w.Header().Set("Asked", asked)
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().(*net.TCPAddr).Port
}
