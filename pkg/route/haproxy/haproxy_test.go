package haproxy_test

import (
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/route/haproxy"
	"philipp.info/stackgen/pkg/source"
)

const cfg = `
global
    log stdout format raw local0 # not the end: "
defaults
    mode http
frontend web
    bind :80,:8080
    bind *:443 ssl crt /etc/ssl
    monitor-uri /alive
    acl api path_beg -i /API/ /also/
    acl one path_reg '^/a(/|$)' "^/b\\.c"
    acl here hdr(host) -i matrix.example.org
    acl odd src 10.0.0.0/8
    http-request deny if { path /secret }
    acl secure ssl_fc
    http-request redirect scheme https if { path_beg /tls } !{ ssl_fc }
    use_backend one if { path /tls/other } secure
    http-request set-header X-Y "a b"
    use_backend odd if odd { path_end .odd }
    use_backend api if api { method GET POST } or { path_sub api2 }
    use_backend one if one !here { nbsrv(one) gt 0 }
    use_backend two if here METH_PUT
    use_backend %[var(req.x)] if { path /chosen }
    default_backend rest
backend api
    server a1 api:8008 check
backend one
    server o1 one:1
    server o2 two:2 backup
backend two
    http-request replace-path /x(.*) \1
    server t1 two:2
backend odd
    server x odd:1
backend rest
    server main synapse:8008
listen plain
    bind :9000
    server m main:1
frontend raw
    mode tcp
    bind :25
    default_backend rest
`

func table(t *testing.T, text string) func(entry, method, host, path string) string {
	t.Helper()
	tab := haproxy.New(&source.File{Path: "haproxy.cfg", Src: []byte(text)}, haproxy.Options{Upstream: func(host, port string) (string, string) { return host, port }})
	return func(entry, method, host, path string) string {
		res := tab.MatchOn(entry, method, host, path)
		switch {
		case res.Unknown != "":
			return "unknown: " + res.Unknown
		case res.Refused != "":
			return "refused: " + res.Refused
		case res.Backend == nil:
			return "none"
		}
		return res.Backend.Container + ":" + res.Backend.Port + res.Path
	}
}

func TestMatch(t *testing.T) {
	match := table(t, cfg)
	for _, c := range []struct{ entry, method, host, path, want string }{
		{":80", "GET", "x.org", "/api/x?q=1", "api:8008/api/x"},
		{":8080", "GET", "x.org", "/Also/%2Fx", "api:8008/Also/%2Fx"},
		{":443", "PUT", "x.org", "/api/x", "synapse:8008/api/x"},
		{":80", "PUT", "x.org", "/xapi2x", "api:8008/xapi2x"},
		{":80", "GET", "x.org", "/a", "one:1/a"},
		{":80", "GET", "x.org", "/ab", "synapse:8008/ab"},
		{":80", "GET", "x.org", "/b.c", "one:1/b.c"},
		{":80", "GET", "x.org", "/bxc", "synapse:8008/bxc"},
		{":80", "GET", "matrix.example.org", "/a/b", "synapse:8008/a/b"},
		{":80", "PUT", "Matrix.example.org", "/a/b", "unknown: the backend two has `http-request replace-path /x(.*) 1`, which is not followed"},
		{":80", "GET", "x.org", "/alive", "refused: HAProxy answers by monitor-uri /alive"},
		{":80", "GET", "x.org", "/tls/any", "refused: HAProxy answers by http-request redirect scheme https if { path_beg /tls } !{ ssl_fc }"},
		{":443", "GET", "x.org", "/tls/any", "synapse:8008/tls/any"},
		{":443", "GET", "x.org", "/tls/other", "one:1/tls/other"},
		{":80", "GET", "x.org", "/secret", "refused: HAProxy answers by http-request deny if { path /secret }"},
		{":80", "GET", "x.org", "/x.odd", "unknown: whether `use_backend odd if odd { path_end .odd }` holds depends on odd"},
		{":80", "GET", "x.org", "/chosen", "unknown: the backend is %[var(req.x)], which only HAProxy knows"},
		{":9000", "GET", "x.org", "/any", "main:1/any"},
		{":25", "GET", "x.org", "/any", "unknown: it passes connections on as they are, whatever is asked for"},
	} {
		if got := match(c.entry, c.method, c.host, c.path); got != c.want {
			t.Errorf("%s %s %s%s: %s, want %s", c.entry, c.method, c.host, c.path, got, c.want)
		}
	}
}

// What cannot be read is said, and nothing is concluded.
func TestUnread(t *testing.T) {
	for from, want := range map[string]string{
		"default_backend rest": "no backend nobody",
		"mode http":            "a quote is not closed",
		"bind :80":             "decides what counts",
	} {
		to := map[string]string{"default_backend rest": "default_backend nobody", "mode http": "mode 'http", "bind :80": ".if streq(a,b)\n bind :80"}[from]
		match := table(t, strings.Replace(cfg, from, to, 1))
		if got := match(":9000", "GET", "x.org", "/"); !strings.HasPrefix(got, "unknown") && got != "none" {
			t.Errorf("%s: %s", to, got)
		}
		tab := haproxy.New(&source.File{Path: "haproxy.cfg", Src: []byte(strings.Replace(cfg, from, to, 1))}, haproxy.Options{Upstream: func(host, port string) (string, string) { return host, port }})
		if len(tab.Problems) != 1 || !strings.Contains(tab.Problems[0].Message, want) {
			t.Errorf("%s: %v, want %q", to, tab.Problems, want)
		}
	}
}

// A name with a variable in it leads to one of those that it can be, and what a record says of a port is its name.
func TestChosenBackend(t *testing.T) {
	const text = "defaults\n  mode http\nfrontend in\n  bind :8008\n  use_backend synapse-%[var(req.backend)]\nbackend synapse-main\n  server-template main 1 _synapse-http._tcp.main.svc. check\nbackend synapse-sync\n  server s sync:8008\nbackend other\n  server o other:80\n"
	for _, c := range []struct {
		text string
		want []string
	}{{text, []string{"main synapse-http", "sync 8008"}}, {text + "backend synapse-none\n", nil}} {
		f := &source.File{Path: "haproxy.cfg", Src: []byte(c.text)}
		table := haproxy.New(f, haproxy.Options{Upstream: func(host, port string) (string, string) { return strings.TrimSuffix(host, ".svc"), port }})
		res := table.MatchOn(":8008", "GET", "example.org", "/_matrix/client/versions")
		var got []string
		for _, b := range res.Among {
			got = append(got, b.Container+" "+b.Port)
		}
		if !slices.Equal(got, c.want) || res.Unknown == "" {
			t.Errorf("%q leads to %q: %s", c.text, got, res.Unknown)
		}
	}
}

// The text with which HAProxy answers is that of a return that says yes, and whose text nothing changes.
func TestAnswer(t *testing.T) {
	for line, want := range map[string]string{
		`http-request return status 200 content-type application/json string '{"m.server":"x:443"}' if { path /a }`: `{"m.server":"x:443"}`,
		`http-request return string yes`:                       "yes",
		`http-request return status 404 string no`:             "",
		`http-request return status 200 lf-string %[src]`:      "",
		`http-request return status 200 file /srv/server.json`: "",
	} {
		f := &source.File{Path: "haproxy.cfg", Src: []byte("defaults\n  mode http\nfrontend in\n  bind :8008\n  " + line + "\n")}
		res := haproxy.New(f, haproxy.Options{Upstream: func(host, port string) (string, string) { return host, port }}).MatchOn(":8008", "GET", "example.org", "/a")
		if res.Answer != want || (res.Refused == "") != (want != "") {
			t.Errorf("%s: %q, refused %q", line, res.Answer, res.Refused)
		}
	}
}
