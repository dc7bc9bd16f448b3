package caddy

import (
	"encoding/json"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
	ours "philipp.info/stackgen/pkg/route/caddy"
	"philipp.info/stackgen/pkg/source"
)

// The file that pkg/route/caddy reads is the one with which Caddy's own file server answers.
func TestFilesOfMatrix(t *testing.T) {
	const client = "/.well-known/matrix/client"
	dir := t.TempDir()
	if err := fixture.Pages(dir); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"root * DIR/www\nfile_server",
		"root DIR/www\nfile_server {\nroot DIR/pages\n}",
		"root DIR/www\nroot /.well-known/* DIR/pages\nfile_server",
		"root DIR/www\nroot /x/* DIR/pages\nfile_server",
		"root DIR/www\nhandle_path /.well-known/* {\nfile_server\n}",
		"root DIR/www\nhandle /.well-known/matrix/* {\nroot DIR/pages\nfile_server\n}\nhandle {\nroot DIR/nowhere\nfile_server\n}",
		"root DIR/www\nrewrite /.well-known/matrix/client /client.json\nfile_server",
		"root DIR/pages/{host}\nfile_server",
		"root DIR/www\nuri strip_prefix /.well-known/matrix\nheader Access-Control-Allow-Origin *\nfile_server",
		"root DIR/nowhere\nfile_server",
	} {
		src := []byte("http://a.b {\n" + strings.ReplaceAll(text, "DIR", dir) + "\n}\n")
		real := started(t, "Caddyfile", src, func(t *testing.T, raw json.RawMessage, into any) {
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatal(err)
			}
		})
		want, _ := real.ask(t, request{"GET", "a.b", "80", client})
		tab := ours.New(&source.File{Path: "Caddyfile", Src: src}, nil, ours.Options{
			Env:      func(string) (string, bool, string) { return "", false, "" },
			Upstream: func(host, port string) (string, string) { return host, port },
			Files:    fixture.OnDisk,
		})
		res := tab.Match("GET", "a.b:80", client)
		if res.Answer != want.Text || (res.Unread != "") != want.Refused || res.Answer == "" && !want.Refused {
			t.Errorf("%s\npkg/route/caddy says %q %q, Caddy answers %+v", text, res.Answer, res.Unread, want)
		}
	}
}
