package nginx_test

import (
	"os"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/nginx"
	"philipp.info/stackgen/pkg/source"
)

func read(text string) *route.Table {
	return nginx.New(nil, []*source.File{{Path: "a.conf", Src: []byte(text)}}, nginx.Options{
		Glob: func(pattern, _ string) ([]*source.File, string) {
			if pattern == "seen.conf" {
				return []*source.File{{Path: pattern, Src: []byte("location /seen { proxy_pass http://seen:1; }")}}, ""
			}
			return nil, "it is not mounted"
		},
		Upstream: func(host, port string) (string, string) {
			if host == "unix:/run/hidden.sock" {
				return "", ""
			}
			return host, port
		},
		Public: map[string]string{"443": "443", "8448": "8448"},
		Files:  func(inside string) (text, at, reason string) { return "what is at " + inside, "here" + inside, "" },
	})
}

func said(r route.Result) string {
	switch {
	case r.Closed != "":
		return "closed: " + r.Closed
	case r.Unknown != "":
		return "unknown: " + r.Unknown
	case r.Redirect != "":
		return "-> " + r.Redirect
	case r.Refused != "":
		return r.Refused
	case r.Backend != nil:
		return r.Backend.Container + ":" + r.Backend.Port + " " + r.Path
	case r.Answer != "":
		return r.Answer
	case r.Router == nil:
		return "nobody"
	}
	return r.Router.Name
}

// What the real nginx does with these files is held against it in conformance/nginx; this is a part of it.
func TestFiles(t *testing.T) {
	for _, c := range []struct{ file, ask, want string }{
		{"matrix", "GET matrix.example.org/_matrix/client/v3/login", "mas:8080 /_matrix/client/v3/login"},
		{"matrix", "GET Matrix.example.org/_matrix/client/v3/directory/room/%23a%3Ab?x", "synapse:8008 /_matrix/client/v3/directory/room/%23a%3Ab"},
		{"matrix", "GET matrix.example.org/auth", "-> https://matrix.example.org/auth/"},
		{"matrix", "GET matrix.example.org/auth/a%20b", "mas:8080 /a%20b"},
		{"matrix", "GET matrix.example.org:8448/auth", "-> https://matrix.example.org:8448/auth/"},
		{"matrix", "GET matrix.example.org/.well-known/matrix/server", `{"m.server": "matrix.example.org:443"}`},
		{"matrix", "GET evil.example.net/_matrix/client/versions", "444: return in line 37"},
		{"locations", "GET locations.example.org/a", "exact:1 /a"},
		{"locations", "GET locations.example.org/a/b/x.txt", "first:1 /a/b/x.txt"},
		{"locations", "GET locations.example.org/c/x.txt", "caret:1 /c/x.txt"},
		{"locations", "GET locations.example.org/x/../a", "exact:1 /x/../a"},
		{"locations", "GET locations.example.org/slash", "-> https://locations.example.org/slash/"},
		{"locations", "GET locations.example.org/../a", "400: the path is none that nginx takes"},
		{"rewrite", "GET rewrite.example.org/old/x", "a:1 /new/x"},
		{"rewrite", "GET rewrite.example.org/b/x/y%20z", "b:1 /y%20z"},
		{"rewrite", "GET rewrite.example.org/c/y", "c:1 /prefix/y"},
		{"rewrite", "GET rewrite.example.org/loop", "500: rewrites lead round in a circle"},
		{"rewrite", "DELETE rewrite.example.org/", "405: return in line 7"},
		{"names", "GET c.example.com/", "four:1 /"},
		{"names", "GET x.b.example.org/", "three:1 /"},
		{"names", "GET b.example.org:8448/y", "six:1 /xy"},
		{"workers", "GET workers.example.org/_matrix/client/v3/sync", "sync:8083 /_matrix/client/v3/sync"},
		{"workers", "GET workers.example.org/_matrix/client/v3/x", "main:8008 /_matrix/client/v3/x"},
		{"workers", "GET workers.example.org/_synapse/admin/x", "403: location ~ ^/_synapse/admin denies all"},
		{"npm", "GET npm.example.org/_matrix/client/v3/sync?a=b", "synapse:8008 /_matrix/client/v3/sync"},
	} {
		src, err := os.ReadFile("testdata/" + c.file + ".conf")
		if err != nil {
			t.Fatal(err)
		}
		method, url, _ := strings.Cut(c.ask, " ")
		host, path, _ := strings.Cut(url, "/")
		if got := said(read(string(src)).Match(method, host, "/"+path)); got != c.want {
			t.Errorf("%s: %s: %s, want %s", c.file, c.ask, got, c.want)
		}
	}
}

// What is not known, or cannot be read, is said with its place.
func TestUnknown(t *testing.T) {
	server := func(text string) string { return "server { listen 443 ssl; server_name a.b;\n" + text + "\n}" }
	for _, c := range []struct{ name, text, want string }{
		{"files", server(""), "files"},
		{"files that decide", server("location / { try_files $uri @x; } location @x { proxy_pass http://s:1; }"), "unknown: try_files in line 2: it depends on files"},
		{"a header", server("if ($http_x) { return 403; }"), "unknown: if in line 2: what it asks for cannot be told"},
		{"a file that is there", server("if (-f $request_filename) { break; }"), "unknown: if in line 2: what it asks for cannot be told"},
		{"what no WebSocket meets", server("if ($http_upgrade) { return 403; } location / { proxy_pass http://s:1; }"), "s:1 /x"},
		{"a variable", server("location / { proxy_pass http://$x; }"), "unknown: proxy_pass in line 2: what it names cannot be told"},
		{"an expression of Perl's", server("location ~ (?!x)y { return 403; }"), "unknown: whether location ~ (?!x)y matches depends on an expression that is not understood here"},
		{"an include", server("include hidden.conf;"), "unknown: what stands in hidden.conf cannot be seen"},
		{"an include that is seen", server("include seen.conf; location / { return 410; }"), "410: return in line 2"},
		{"no semicolon", server("location / { return 403 }"), "unknown: a.conf:2 is not read: the directive return does not end in a semicolon"},
		{"no end", "server {\nlocation / {", "unknown: a.conf:2 is not read: the block of location does not end"},
		{"too many ends", "server { }\n}", "unknown: a.conf:2 is not read: this brace closes nothing"},
		{"a port of a template", "server { listen ${PORT} ssl; server_name a.b; location / { proxy_pass http://s:1; } }", "s:1 /x"},
		{"a socket", server("location / { proxy_pass http://unix:/run/s.sock; }"), "unix:/run/s.sock: /x"},
		{"a path behind a socket", server("location / { proxy_pass http://unix:/run/s.sock:/below/; }"), "unix:/run/s.sock: /below/x"},
		{"a socket of an upstream", "upstream u { server unix:/run/s.sock; }" + server("location / { proxy_pass http://u/below/; }"), "unix:/run/s.sock: /below/x"},
		{"a socket of nobody", server("location / { proxy_pass http://unix:/run/hidden.sock; }"), "unknown: who listens on the socket /run/hidden.sock cannot be told"},
		{"two servers", "upstream u { server s:1; server t:2; }" + server("location / { proxy_pass http://u; }"), `unknown: containers "s" and "t" share the service "http://u"`},
		{"another port", "server { listen 81; }", "closed: port 443 is published, but no entrypoint listens behind it"},
		{"quotes", server(`location "/x" { return 200 "a;{}\"b"; }`), `a;{}"b`},
	} {
		if got := said(read(c.text).Match("GET", "a.b", "/x")); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What nginx answers from a file is read where it is certain which one it is. What the real nginx does is held against it in
// conformance/nginx.
func TestFilesOfMatrix(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a root", "root /www;", "what is at /www/.well-known/matrix/client"},
		{"a root within", "root /www; location / { root /pages; }", "what is at /pages/.well-known/matrix/client"},
		{"an alias", "location /.well-known/ { alias /www/; }", "what is at /www/matrix/client"},
		{"an alias of one path", "location = /.well-known/matrix/client { alias /client.json; }", "what is at /client.json"},
		{"an alias of an expression", "location ~ ^/.well-known/matrix/(.*)$ { alias /www/$1.json; }", "what is at /www/client.json"},
		{"an alias in place of a root", "root /www; location /.well-known/matrix/ { alias /pages/; }", "what is at /pages/client"},
		{"a rewrite", "root /www; location /.well-known/ { rewrite ^/.well-known/(.*)$ /$1 break; }", "what is at /www/matrix/client"},
		{"a host", "root /www/$host;", "what is at /www/a.b/.well-known/matrix/client"},
		{"a variable", "root $docroot;", "not read: where the root in line 1 points to cannot be told"},
		{"no root", "", "not read: its root is said nowhere from / on"},
		{"a root within nginx's own directory", "root html;", "not read: its root is said nowhere from / on"},
		{"an alias of the location around", "location /.well-known/ { alias /www/; location /.well-known/matrix/ { } }", "not read: of which part the alias in line 1 takes the place cannot be told"},
		{"a rewrite before an alias", "location /.well-known/ { rewrite ^ /x break; alias /www/; }", "not read: of which part the alias in line 1 takes the place cannot be told"},
		{"a filter", "root /www; sub_filter a b;", "not read: what sub_filter in line 1 makes of it cannot be told"},
		{"a filter that is off", "root /www; ssi off;", "what is at /www/.well-known/matrix/client"},
		{"a root of an if", "root /www; if ($host) { root /pages; }", "not read: the if in line 1 has a root of its own"},
		{"a file that may be another", "root /www; try_files $uri /client.json;", "unknown: try_files in line 1: it depends on files"},
	} {
		res := read("server { listen 443 ssl; server_name a.b; "+c.text+" }").Match("GET", "a.b", "/.well-known/matrix/client")
		got := said(res)
		if res.Unread != "" {
			got = "not read: " + res.Unread
		}
		if got != c.want || res.File != "" && "what is at "+strings.TrimPrefix(res.File, "here") != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, got, res.File, c.want)
		}
	}
	if res := read("server { listen 443 ssl; root /www; }").Match("GET", "a.b", "/index.html"); res.Answer+res.File+res.Unread != "" {
		t.Errorf("a file that does not concern Matrix is read: %+v", res)
	}
}

// Whatever stands in a file: no panic, no endless loop.
func FuzzRead(f *testing.F) {
	files, _ := os.ReadDir("testdata")
	for _, file := range files {
		if src, err := os.ReadFile("testdata/" + file.Name()); err == nil {
			f.Add(string(src), "/_matrix/client/v3/login?a=1")
		}
	}
	f.Add("map $uri $b { default $b$b; } server { location / { proxy_pass http://$b; } }", "/")
	f.Add("map $a $b { default $b; } server { location / { proxy_pass http://$b; } }", "/")
	f.Fuzz(func(_ *testing.T, text, path string) {
		read(text).Match("GET", "locations.example.org", path)
	})
}
