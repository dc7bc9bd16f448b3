package check_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
)

// Files of a size and shape that nobody keeps are checked in bounded time and memory, and those that no program would
// take are findings. BOUNDS=10000 makes them larger.
func TestBounds(t *testing.T) {
	n := 1000
	if text := os.Getenv("BOUNDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	each := func(format string, count int) string {
		var b strings.Builder
		for i := range count {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	var aliases, doubling strings.Builder
	aliases.WriteString("x0: &x0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&aliases, "x%d: &x%d [%s*x%d]\n", i, i, strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 8), i-1)
	}
	doubling.WriteString("A0=x\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&doubling, "A%d=${A%d}${A%d}\n", i, i-1, i-1)
	}
	bomb, doubled := aliases.String(), doubling.String()
	includes := make(map[string]string)
	for i := range n {
		includes[fmt.Sprintf("i%d.yaml", i)] = fmt.Sprintf("include: [i%d.yaml, i%d.yaml]\nservices: {s%d: {image: \"alpine:3\"}}\n", i+1, i+1, i)
	}
	const plain = "server_name: example.org\nreport_stats: false\nlisteners: [{port: 8008, type: http, resources: [{names: [client, federation]}]}]\n" +
		"database: {name: sqlite3, args: {database: /data/homeserver.db}}\nmedia_store_path: /data/media\nmacaroon_secret_key: zebra-macaroon\nform_secret: zebra-form\n"
	const synapse = "services:\n  synapse:\n    image: ghcr.io/element-hq/synapse:v1.163.2\n    volumes: [\"./synapse:/data\"]\n"
	const caddy = "  caddy:\n    image: caddy:2.11\n    ports: [\"443:443\"]\n    volumes: [\"./Caddyfile:/etc/caddy/Caddyfile:ro\"]\n"
	const nginx = "  nginx:\n    image: nginx:1.29\n    ports: [\"443:443\"]\n    volumes: [\"./nginx:/etc/nginx/conf.d:ro\"]\n"
	for _, c := range []struct {
		name, compose, homeserver string
		files                     map[string]string
		found                     string // the rule that has to speak up; "" for none
	}{
		{"labels", synapse + "    labels:\n" + each("      - some.label.%d=a value\n", n), plain, nil, ""},
		{"routers", synapse + "    labels:\n" + each("      - \"traefik.http.routers.r%[1]d.rule=Host(`h%[1]d.example.org`) && PathPrefix(`/p%[1]d`)\"\n", n), plain, nil, ""},
		{"routers of one host", synapse + "    labels:\n" + each("      - \"traefik.http.routers.r%[1]d.rule=Host(`example.org`) && PathPrefix(`/p%[1]d`)\"\n", n), plain, nil, ""},
		{"a large homeserver.yaml", synapse, plain + "x: |\n" + strings.Repeat("  "+strings.Repeat("y", 100)+"\n", 50*n), nil, "yaml"},
		{"aliases of a homeserver.yaml", synapse, plain + bomb, nil, "yaml"},
		{"aliases of a compose file", bomb + synapse, plain, nil, "yaml"},
		{"a deep value", synapse + "x-deep: " + strings.Repeat("[", 20*n) + strings.Repeat("]", 20*n) + "\n", plain, nil, "yaml"},
		{"includes", "include: [i0.yaml]\n" + synapse, plain, includes, "compose-valid"},
		{"a chain of extends", synapse + each("  e%[1]d: {extends: {file: other%[1]d.yaml, service: e}}\n", n), plain, nil, "compose-reads-exist"},
		{"variables that double", synapse, plain, map[string]string{".env": doubled}, "compose-valid"},
		{"an env_file that doubles", synapse + "    env_file: [bomb.env]\n", plain, map[string]string{"bomb.env": doubled}, ""},
		{"a Caddyfile", synapse + caddy, plain, map[string]string{"Caddyfile": "example.org {\n" + each("\treverse_proxy /a%d synapse:8008\n", n) + "}\n"}, ""},
		{"hosts of Caddy", synapse + caddy, plain, map[string]string{"Caddyfile": each("h%d.example.org {\n\treverse_proxy synapse:8008\n}\n", n)}, ""},
		{"nginx", synapse + nginx, plain, map[string]string{"nginx/a.conf": "server {\n\tlisten 443 ssl;\n\tserver_name example.org;\n" + each("\tlocation ~ ^/a%d/(b|c) { proxy_pass http://synapse:8008; }\n", n) + "}\n"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{
				"compose.yaml":                    {Data: []byte(c.compose), Mode: 0o644},
				"synapse/homeserver.yaml":         {Data: []byte(c.homeserver), Mode: 0o644},
				"synapse/example.org.signing.key": {Data: []byte("ed25519 a_zebr zebrazebrazebrazebrazebrazebrazebrazebrazeA\n"), Mode: 0o644},
			}
			for name, text := range c.files {
				tree[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began, found := time.Now(), false
			d, findings := compose.Open(tree)
			more, _ := check.Run(d, composego.Judge)
			for _, f := range append(findings, more...) {
				found = found || f.Rule == c.found
				if strings.Contains(f.Message, "of a fault in stackgen") {
					t.Errorf("%s: %s", f.Rule, f.Message)
				}
			}
			runtime.ReadMemStats(&after)
			took, allocated := time.Since(began), (after.TotalAlloc-before.TotalAlloc)>>20
			t.Logf("%v, %d MB", took.Round(time.Millisecond), allocated)
			if c.found != "" && !found {
				t.Errorf("%s is silent: %v", c.found, lines(append(findings, more...)))
			}
			if took > 2*time.Minute || allocated > 4096 {
				t.Errorf("it took %v and %d MB", took, allocated)
			}
		})
	}
}
