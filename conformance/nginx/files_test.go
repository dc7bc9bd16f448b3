package nginx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
	ours "philipp.info/stackgen/pkg/route/nginx"
	"philipp.info/stackgen/pkg/source"
)

// The file that pkg/route/nginx reads is the one with which nginx answers.
func TestFilesOfMatrix(t *testing.T) {
	program := nginxProgram(t)
	dir := t.TempDir()
	if err := fixture.Pages(dir); err != nil {
		t.Fatal(err)
	}
	for up := dir; up != "/" && strings.HasPrefix(up, os.TempDir()) && up != os.TempDir(); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil { // for nginx's own user
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		"root DIR/www;",
		"root DIR/www; location / { root DIR/pages; }",
		"location /.well-known/ { alias DIR/www/; }",
		"location = /.well-known/matrix/client { alias DIR/www/client.json; }",
		"location ~ ^/.well-known/matrix/(.*)$ { alias DIR/www/$1.json; }",
		"root DIR/pages; location /.well-known/matrix/ { alias DIR/www/; }",
		"root DIR/www; location /.well-known/ { rewrite ^/.well-known/(.*)$ /$1 break; }",
		"root DIR/pages/$host;",
		"root DIR/www; ssi off; location /x { root DIR/pages; }",
		"root DIR/nowhere;",
	} {
		server := "server { listen 80; server_name a.b; " + strings.ReplaceAll(text, "DIR", dir) + " }"
		ports := startNginx(t, program, "# upstreams:\n"+server)
		want := asNginx(t, ports["80"], "GET", "a.b", "/.well-known/matrix/client")
		tab := ours.New(nil, []*source.File{{Path: "a.conf", Src: []byte(server)}}, ours.Options{
			Upstream: func(host, port string) (string, string) { return host, port },
			Files:    fixture.OnDisk,
		})
		res := tab.Match("GET", "a.b:80", "/.well-known/matrix/client")
		if res.Answer != want.Text || (res.Unread != "") != want.Refused || res.Answer == "" && !want.Refused {
			t.Errorf("%s\npkg/route/nginx says %q %q, nginx answers %+v", text, res.Answer, res.Unread, want)
		}
	}
}
