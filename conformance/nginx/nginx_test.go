// Package nginx holds pkg/route/nginx against the real nginx, through the loopback address.
package nginx

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/route"
	ours "philipp.info/stackgen/pkg/route/nginx"
	"philipp.info/stackgen/pkg/source"
)

const nginxRequests = 10_000

// proxied is what becomes of a request: the upstream and the path that it is asked for, a redirect, or nginx's refusal.
type proxied struct {
	Upstream, Path, Redirect, Text string
	Refused                        bool
}

// nginxProgram is Debian's, on the machine or as conformance/run unpacked it.
func nginxProgram(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"../.nginx/usr/sbin/nginx", "/usr/sbin/nginx"} {
		if _, err := os.Stat(name); err == nil {
			path, _ := filepath.Abs(name)
			return path
		}
	}
	t.Skip("nginx is not to be had here")
	return ""
}

// startNginx runs nginx with a configuration in which each port and each upstream is one of the loopback address. It
// gives the loopback ports by those of the configuration.
func startNginx(t *testing.T, program, conf string) map[string]string {
	t.Helper()
	head, _, _ := strings.Cut(conf, "\n")
	for _, name := range strings.Fields(strings.TrimPrefix(head, "# upstreams:")) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path, _, _ := strings.Cut(r.RequestURI, "?")
			w.Header().Set("Upstream", name)
			w.Header().Set("Path", path)
		})}
		go func() { _ = srv.Serve(ln) }()
		t.Cleanup(func() { srv.Close() })
		conf = regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).ReplaceAllString(conf, ln.Addr().String())
	}
	ports := make(map[string]string)
	conf = regexp.MustCompile(`listen (\[::\]:)?(\d+)( ssl)?`).ReplaceAllStringFunc(conf, func(m string) string {
		g := regexp.MustCompile(`(\[::\]:)?(\d+)`).FindStringSubmatch(m)
		if ports[g[2]] == "" {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_, ports[g[2]], _ = net.SplitHostPort(ln.Addr().String())
			ln.Close()
		}
		if g[1] != "" {
			return "listen 127.0.0.2:" + ports[g[2]]
		}
		return "listen 127.0.0.1:" + ports[g[2]]
	})
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	whole := fmt.Sprintf("daemon off;\nmaster_process off;\nworker_processes 1;\npid %s/pid;\nerror_log %s/error.log;\nevents {}\nhttp {\nroot /nonexistent;\naccess_log off;\nport_in_redirect off;\nserver_names_hash_bucket_size 128;\n%s%s\n}\n", dir, dir, temp, conf)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file, "-e", dir+"/error.log")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 200 {
		ready := true
		for _, port := range ports {
			c, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err != nil {
				ready = false
				break
			}
			c.Close()
		}
		if ready {
			return ports
		}
		time.Sleep(20 * time.Millisecond)
	}
	log, _ := os.ReadFile(dir + "/error.log")
	t.Fatalf("nginx does not start: %s", log)
	return nil
}

// asNginx sends a request as it stands on the wire.
func asNginx(t *testing.T, port, method, host, path string) proxied {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method, path, host)
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		return proxied{Refused: true} // it ends the connection
	}
	defer resp.Body.Close()
	a := proxied{Upstream: resp.Header.Get("Upstream"), Path: resp.Header.Get("Path")}
	switch to := resp.Header.Get("Location"); {
	case to != "":
		a.Redirect = strings.Replace(to, "http://", "https://", 1)
	case resp.StatusCode >= 400:
		a.Refused = true
	case a.Upstream == "" && method != "HEAD":
		var b strings.Builder
		_, _ = bufio.NewReader(resp.Body).WriteTo(&b)
		a.Text = b.String()
	}
	return a
}

func sayNginx(t *testing.T, tab *route.Table, port, method, host, path string) (a proxied, ok bool) {
	if port != "443" {
		host += ":" + port
	}
	res := tab.Match(method, host, path)
	switch {
	case strings.Contains(res.Unknown, "valid request"):
		return a, false
	case res.Unknown != "" || res.Closed != "":
		t.Errorf("%s %s on %s%s: it cannot be told: %s%s", method, host, port, path, res.Unknown, res.Closed)
	case res.Redirect != "":
		a.Redirect = res.Redirect
	case res.Router != nil && strings.Contains(res.Router.Name, "files"): // of which there are none
		a.Refused = true
	case res.Refused != "":
		a.Refused = true
	case res.Backend != nil:
		a.Upstream, a.Path = res.Backend.Container+":"+res.Backend.Port, res.Path
	case res.Router != nil && strings.Contains(res.Router.Name, "return 444"):
		a.Refused = true
	case method != "HEAD":
		a.Text = res.Answer
	}
	return a, true
}

// nginx and pkg/route/nginx agree on requests that nobody thought of, over configurations in which all is mixed.
func TestRandomRequests(t *testing.T) {
	program := nginxProgram(t)
	out, err := exec.Command(program, "-v").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSpace(string(out)[strings.LastIndexByte(string(out), '/')+1:])
	files, err := filepath.Glob("../../pkg/route/nginx/testdata/*.conf")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			ports := startNginx(t, program, string(src))
			tab := ours.New(&source.File{Path: file, Src: append([]byte("http {\nport_in_redirect off;\n"), append(src, "\n}\n"...)...)}, nil, ours.Options{
				Glob:     func(string, string) ([]*source.File, string) { return nil, "" },
				Upstream: func(host, port string) (string, string) { return host, port },
				Public:   map[string]string{"443": "443", "80": "80", "8448": "8448"},
			})
			for _, p := range tab.Problems {
				t.Fatal(p.Message)
			}
			g := newNginxGenerator(string(src), slices.Sorted(maps.Keys(ports)))
			reached, wrong := make(map[string]int), 0
			for range nginxRequests {
				method, host, port, path := g.request()
				got, ok := sayNginx(t, tab, port, method, host, path)
				if !ok {
					reached["no request"]++
					continue
				}
				want := asNginx(t, ports[port], method, host, path)
				if got != want && !sameRedirect(got, want) {
					if wrong++; wrong <= 12 {
						t.Errorf("%s %s on %s%s: pkg/route/nginx says %+v, nginx does %+v", method, host, port, path, got, want)
					}
				}
				reached[want.Upstream+map[bool]string{true: "refused"}[want.Refused]+map[bool]string{true: "redirected"}[want.Redirect != ""]]++
			}
			t.Logf("of %d requests: %v", nginxRequests, reached)
			if len(reached) < 4 {
				t.Error("this proves little")
			}
			if !t.Failed() {
				t.Logf("accepted: nginx %s: %s, %s random requests", version, filepath.Base(file), strconv.Itoa(nginxRequests))
			} else {
				t.Errorf("%d of %d requests differ", wrong, nginxRequests)
			}
		})
	}
}

// sameRedirect compares where a client ends up: nginx writes some characters of a path as they are.
func sameRedirect(a, b proxied) bool {
	x, errX := url.Parse(a.Redirect)
	y, errY := url.Parse(b.Redirect)
	if a.Redirect == "" || b.Redirect == "" || errX != nil || errY != nil {
		return false
	}
	return x.Host == y.Host && x.Path == y.Path && x.RawQuery == y.RawQuery
}

type nginxGenerator struct {
	*rand.Rand
	hosts, ports, paths, words []string
}

func newNginxGenerator(src string, ports []string) *nginxGenerator {
	g := &nginxGenerator{Rand: rand.New(rand.NewPCG(2026, 2026)), ports: ports}
	hosts, paths := map[string]bool{}, map[string]bool{"/": true}
	words := map[string]bool{"": true, "x": true, "v3": true, "a": true, "1": true, "sync": true, "login": true}
	for _, h := range regexp.MustCompile(`[a-z*.\\]*example\\?\.(?:org|net|\*)`).FindAllString(src, -1) {
		h = strings.Trim(strings.NewReplacer("*", "w", `\`, "").Replace(h), ".")
		hosts[h] = true
	}
	for _, p := range regexp.MustCompile(`[\s"^(](\\?/[^\s"{;]*)`).FindAllStringSubmatch(src, -1) {
		p[1] = strings.NewReplacer(`\`, "", "$", "", "(", "", ")", "", "*", "", "^", "").Replace(p[1])
		paths[strings.Split(p[1], "|")[0]] = true
		for _, word := range strings.FieldsFunc(p[1], func(r rune) bool { return strings.ContainsRune("/*()|^$[]+?\\", r) }) {
			words[word] = true
		}
	}
	g.hosts, g.paths, g.words = slices.Sorted(maps.Keys(hosts)), slices.Sorted(maps.Keys(paths)), slices.Sorted(maps.Keys(words))
	return g
}

func (g *nginxGenerator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g *nginxGenerator) request() (method, host, port, path string) {
	method, host, port = g.pick("GET", "GET", "POST", "PUT", "OPTIONS", "HEAD", "DELETE"), g.pick(g.hosts...), g.pick(g.ports...)
	switch g.IntN(10) {
	case 0:
		host = strings.ToUpper(host)
	case 1:
		host = g.pick("x.", "evil-", "") + host + g.pick("", ".", "x")
	}
	if g.IntN(3) > 0 {
		path = g.pick(g.paths...)
		if g.IntN(2) == 0 {
			path += g.pick("/", "x", "/x", "/"+g.pick(g.words...), g.pick(g.words...)+"/"+g.pick(g.words...))
		}
	} else {
		for range 1 + g.IntN(5) {
			path += "/" + g.pick(g.words...)
		}
	}
	if g.IntN(4) == 0 {
		path += g.pick("?a=1", "?a=2&b=3", "?b", "?a=x&b=0", "?", "?x=/y/", "?since=s")
	}
	for range g.IntN(3) {
		i := g.IntN(len(path) + 1)
		before, after := path[:i], path[i:]
		switch g.IntN(8) {
		case 0:
			path = before + g.pick("/", "//", "/./", "/../", "/..", "/.", ";", "&", "=", ":", "@", "%2F", "%2f", "%2e", "%41", "%25", "%20", "%3F", "%23", "~", "+", "%C3%A9", "\\", "{", "%", "\"") + after
		case 1:
			if after != "" {
				path = before + after[1:]
			}
		case 2:
			if after != "" {
				path = before + fmt.Sprintf("%%%02X", after[0]) + after[1:]
			}
		case 3:
			path = before + strings.ToUpper(after)
		case 4:
			path += g.pick("/", "/x", "x", ".txt", ".PNG")
		case 5:
			path = before + "/" + g.pick(g.words...) + after
		case 6:
			path = before
		case 7:
			path = after
		}
	}
	return method, host, port, "/" + strings.TrimPrefix(path, "/")
}
