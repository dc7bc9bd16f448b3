package caddy_test

import (
	"os"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/caddy"
	"philipp.info/stackgen/pkg/source"
)

func options() caddy.Options {
	return caddy.Options{
		Env: func(name string) (string, bool, string) {
			if name == "HIDDEN" {
				return "", false, "HIDDEN is set elsewhere"
			}
			return map[string]string{"HOST": "env.example.org", "PORT": "9"}[name], name == "HOST" || name == "PORT", ""
		},
		Glob: func(pattern, _ string) ([]*source.File, string) {
			return nil, "nothing is at " + pattern
		},
		Upstream: func(host, port string) (string, string) {
			if host == "unix:/run/hidden.sock" {
				return "", ""
			}
			return host, port
		},
		Public: map[string]string{"443": "443", "8448": "8448", "80": "80"},
		Files:  func(inside string) (text, at, reason string) { return "what is at " + inside, "here/" + inside, "" },
	}
}

func read(text string) *route.Table {
	return caddy.New(&source.File{Path: "Caddyfile", Src: []byte(text)}, nil, options())
}

// said is the answer in one word: container:port and path, an arrow and the URL, a number, a text, or what is unknown.
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
	case r.Router == nil:
		return "nobody"
	}
	return r.Answer
}

// What the real Caddy does with these files is held against it in conformance/caddy; this is a part of it.
func TestFiles(t *testing.T) {
	for _, c := range []struct{ file, ask, want string }{
		{"matrix", "GET matrix.example.org/_matrix/client/v3/login", "mas:8080 /_matrix/client/v3/login"},
		{"matrix", "GET MATRIX.example.org/_matrix/client/v3/sync?a=b", "synapse:8008 /_matrix/client/v3/sync"},
		{"matrix", "GET matrix.example.org/_matrix/client/v3/directory/room/%23a%3Ab", "synapse:8008 /_matrix/client/v3/directory/room/%23a%3Ab"},
		{"matrix", "GET matrix.example.org/auth", "-> https://matrix.example.org/auth/"},
		{"matrix", "GET matrix.example.org/auth/authorize", "mas:8080 /authorize"},
		{"matrix", "GET matrix.example.org/_synapse/admin/v1/x", "404: respond in line 28"},
		{"matrix", "GET example.org/.well-known/matrix/server", `{"m.server": "matrix.example.org:443"}`},
		{"matrix", "GET example.org/.well-known/matrix/client", `{"m.homeserver": {"base_url": "https://matrix.example.org"}}`},
		{"matrix", "GET example.org/x", ""},
		{"matrix", "GET evil.example.net/_matrix/client/versions", "nobody"},
		{"paths", "GET paths.example.org/abcd", "a-star:1 /abcd"},
		{"paths", "GET paths.example.org/ABC/x", "abc:1 /ABC/x"},
		{"paths", "GET paths.example.org/strip/a%2Fb", "strip:1 /a%2Fb"},
		{"rewrite", "GET rewrite.example.org/a/x", "rest:1 /x"},
		{"rewrite", "GET rewrite.example.org/p/x?y", "p:1 /proxied/p/x"},
		{"ports", "GET ports.example.org:8448/x", "federation:1 /x"},
		{"ports", "GET nobody.example.org:8448/x", "any"},
		{"ports", "GET ports.example.org/api/x", "api:1 /api/x"},
		{"ports", "GET ports.example.org:9999/", "closed: port 9999 is not published"},
		{"snippets", "POST a.example.org/_matrix/x", "synapse:8008 /_matrix/x"},
		{"snippets", "GET a.example.org/_synapse/admin/x", "403: respond in line 35"},
		{"snippets", "GET env.example.org/re/a/b.txt", "rest:1 /b.txt/a"},
		{"snippets", "GET z.example.org/", "wild:1 /"},
	} {
		src, err := os.ReadFile("testdata/" + c.file + ".Caddyfile")
		if err != nil {
			t.Fatal(err)
		}
		method, url, _ := strings.Cut(c.ask, " ")
		host, path, _ := strings.Cut(url, "/")
		tab := read(string(src))
		if got := said(tab.Match(method, host, "/"+path)); got != c.want {
			t.Errorf("%s: %s: %s, want %s", c.file, c.ask, got, c.want)
		}
	}
}

// What is not known, or cannot be read, is said with its place.
func TestUnknown(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a module", "a.b {\n\tcrowdsec\n\treverse_proxy s:1\n}", "unknown: what crowdsec in line 2 does is not known"},
		{"an address of the client", "a.b {\n\t@in remote_ip 10.0.0.0/8\n\treverse_proxy @in s:1\n}", "unknown: whether reverse_proxy in line 3 applies depends on remote_ip 10.0.0.0/8"},
		{"an expression", "a.b {\n\t@e `{method} == \"GET\"`\n\treverse_proxy @e s:1\n}", "unknown: whether reverse_proxy in line 3 applies depends on expression `{method} == \"GET\"`"},
		{"what no WebSocket meets", "a.b {\n\t@ws header Upgrade websocket\n\treverse_proxy @ws w:1\n\treverse_proxy s:1\n}", "s:1 /x"},
		{"files that decide", "a.b {\n\ttry_files {path} /index.html\n\treverse_proxy s:1\n}", "unknown: what try_files in line 2 does is not known"},
		{"a hidden host", "{$HIDDEN} {\n\treverse_proxy s:1\n}", "unknown: HIDDEN is set elsewhere"},
		{"a hidden upstream", "a.b {\n\treverse_proxy {$HIDDEN}:1\n}", "unknown: the upstream {env.HIDDEN}:1 of reverse_proxy in line 2 is not one that is known here"},
		{"an import", "import sites/*\n", "unknown: Caddyfile:1 imports sites/*: nothing is at sites/*"},
		{"no end", "a.b {\n\treverse_proxy s:1\n", "unknown: Caddyfile is not read: a block does not end"},
		{"no snippet's end", "(a) {\n\trespond 1\n", "unknown: Caddyfile:1 is not read: the snippet does not end"},
		{"an unknown matcher", "a.b {\n\treverse_proxy @x s:1\n}", "unknown: Caddyfile:2 is not read: the matcher @x is not defined"},
		{"a bad expression", "a.b {\n\t@x path_regexp (\n\treverse_proxy @x s:1\n}", "unknown: Caddyfile:2 is not read: the expression does not compile"},
		{"a loop", "(a) {\n\timport a\n}\na.b {\n\timport a\n}", "unknown: Caddyfile:2 is not read: imports are nested too deeply"},
		{"one site without braces", "a.b\nreverse_proxy s:1 # all of it\n", "s:1 /x"},
		{"several servers", "a.b {\n\treverse_proxy s:1 s:2 t:3\n}", `unknown: containers "s" and "t" share the service "s:1 s:2 t:3"`},
		{"a socket", "a.b {\n\treverse_proxy unix//run/s.sock\n}", "unix:/run/s.sock: /x"},
		{"a socket of nobody", "a.b {\n\treverse_proxy unix//run/hidden.sock\n}", "unknown: the upstream unix//run/hidden.sock of reverse_proxy in line 2 is not one that is known here"},
		{"nothing at all", "", "unknown: which port of Caddy is asked cannot be seen"},
	} {
		if got := said(read(c.text).Match("GET", "a.b", "/x")); got != c.want && (!strings.HasSuffix(c.want, "compile") || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What Caddy answers from a file is read where it is certain which one it is. What the real Caddy does is held against it in
// conformance/caddy.
func TestFilesOfMatrix(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a root", "root * /www\nfile_server", "what is at /www/.well-known/matrix/client"},
		{"a root without a star", "root /www\nfile_server", "what is at /www/.well-known/matrix/client"},
		{"a root of its own", "root /www\nfile_server {\nroot /pages\n}", "what is at /pages/.well-known/matrix/client"},
		{"no root", "file_server", "what is at .well-known/matrix/client"},
		{"the root of a path", "root /www\nroot /.well-known/* /pages\nfile_server", "what is at /pages/.well-known/matrix/client"},
		{"the root of another path", "root /www\nroot /x/* /pages\nfile_server", "what is at /www/.well-known/matrix/client"},
		{"a part of the path", "root /www\nhandle_path /.well-known/* {\nfile_server\n}", "what is at /www/matrix/client"},
		{"another path", "root /www\nrewrite /.well-known/matrix/client /client.json\nfile_server", "what is at /www/client.json"},
		{"a host", "root /www/{host}\nfile_server", "what is at /www/a.b/.well-known/matrix/client"},
		{"a hidden variable", "root /www/{$HIDDEN}\nfile_server", "not read: where root in line 2 points to cannot be told"},
		{"a root for some", "root /www\n@in remote_ip 10.0.0.0/8\nroot @in /pages\nfile_server", "not read: whether root in line 4 applies depends on remote_ip 10.0.0.0/8"},
		{"templates", "root /www\ntemplates\nfile_server", "not read: what templates in line 3 makes of it cannot be told"},
		{"another file system", "fs s3\nroot /www\nfile_server", "not read: what fs in line 2 makes of it cannot be told"},
		{"a root by a variable", "vars root /www\nfile_server", "not read: what vars in line 2 makes of it cannot be told"},
		{"files that are hidden", "root /www\nfile_server {\nhide .*\n}", "not read: what hide in line 4 makes of it cannot be told"},
		{"an index", "root /www\nrewrite /.well-known/matrix/client /\nfile_server", "not read: file_server in line 4 looks for an index of a directory"},
	} {
		res := read("a.b {\n"+c.text+"\n}").Match("GET", "a.b", "/.well-known/matrix/client")
		got := said(res)
		if res.Unread != "" {
			got = "not read: " + res.Unread
		}
		if got != c.want || res.File != "" && "what is at "+strings.TrimPrefix(res.File, "here/") != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, got, res.File, c.want)
		}
	}
	if res := read("a.b {\nroot /www\nfile_server\n}").Match("GET", "a.b", "/index.html"); res.Answer+res.File+res.Unread != "" {
		t.Errorf("a file that does not concern Matrix is read: %+v", res)
	}
}

// The labels of several containers make one site, numbers put their blocks in order, and text is no template.
func TestLabels(t *testing.T) {
	label := func(text string) (list []caddy.Label) {
		for i, line := range strings.Split(text, "\n") {
			key, val, _ := strings.Cut(line, "=")
			list = append(list, caddy.Label{Key: key, Value: val, Site: source.Site{Pos: source.Pos{File: "compose.yaml", Line: i + 1}}})
		}
		return list
	}
	containers := []caddy.Container{
		{Name: "synapse", Labels: label("caddy=m.b, n.b\ncaddy.9_handle.reverse_proxy={{upstreams 8008}}\ncaddy.log=\ncaddyx=no\ncaddy_1=e.b\ncaddy_1.import=proxy")},
		{Name: "mas", Labels: label("caddy_7=m.b, n.b\ncaddy_7.@c.path=/login /login/*\ncaddy_7.1_handle=@c\ncaddy_7.1_handle.reverse_proxy={{upstreams http 8080}}\n" +
			"caddy_8=(proxy)\ncaddy_8.reverse_proxy={{ upstreams h2c 81 }}\ncaddy_9=t.b\ncaddy_9.respond={{ now }}")},
		{Name: "two", Labels: label("caddy=e.b\ncaddy.reverse_proxy=other:1")},
	}
	tab := caddy.New(nil, containers, options())
	for ask, want := range map[string]string{
		"m.b/x":       "synapse:8008 /x",
		"n.b/login/y": "mas:8080 /login/y",
		"e.b/":        "mas:81 /",
		"q.b/":        "unknown: the label of mas holds a template that is not known here: now",
	} {
		host, path, _ := strings.Cut(ask, "/")
		if got := said(tab.Match("GET", host, "/"+path)); got != want {
			t.Errorf("%s: %s, want %s", ask, got, want)
		}
	}
	if site := tab.Match("GET", "m.b", "/x").Router.Site; site.Line != 2 || site.File != "compose.yaml" {
		t.Errorf("the router stands at %s, not at its label", site.Pos)
	}
}

// Whatever stands in a Caddyfile: no panic, no endless loop.
func FuzzRead(f *testing.F) {
	files, _ := os.ReadDir("testdata")
	for _, file := range files {
		if src, err := os.ReadFile("testdata/" + file.Name()); err == nil {
			f.Add(string(src), "/_matrix/client/v3/login?a=1")
		}
	}
	f.Add("a {\nimport b {\n}\n<<\n", "/")
	f.Add("(a) {\nimport a\nimport a\n}\nimport a\n", "/")
	f.Add("a.example.org {\nrewrite * /{labels.-1}{labels.9}{labels.x}\nreverse_proxy {host}{uri}:1\n}\n", "/")
	f.Add("(a) {\nimport a {args[0]}{args[0]}{args[0]}\n}\nx {\nimport a 12345678\n}\n", "/")
	f.Fuzz(func(_ *testing.T, text, path string) {
		tab := read(text)
		tab.Match("GET", "a.example.org", path)
	})
}
