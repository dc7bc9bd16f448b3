//go:build unix

package check_test

import (
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/memfs"
)

// manyServices is a Synapse with n services around it: a bridge, and a website behind the same Traefik, by turns.
func manyServices(n int) fs.FS {
	var files []memfs.File
	write := func(name, format string, args ...any) {
		files = append(files, memfs.File{Path: name, Data: fmt.Appendf(nil, format, args...)})
	}
	var services, sql, list, names strings.Builder
	for i := range n {
		if i%2 == 1 {
			fmt.Fprintf(&services, `
  app%d:
    image: docker.io/library/nginx:1.29.3
    environment: {MODE: plain, HOST_%[1]d: "${HOST_%[1]d:-x}", API_TOKEN: zebra-token-of-app-%[1]d}
    volumes: ["./app%[1]d:/srv/app:ro", "data%[1]d:/var/lib/app"]
    networks: [default, net%[1]d]
    labels:
      - "traefik.enable=true"
      - "traefik.docker.network=default"
      - "traefik.http.routers.app%[1]d.rule=Host(`+"`app%[1]d.example.org`) && PathPrefix(`/p%[1]d`)"+`"
      - "traefik.http.routers.app%[1]d.tls=true"
      - "traefik.http.routers.app%[1]d.middlewares=strip%[1]d"
      - "traefik.http.middlewares.strip%[1]d.stripprefix.prefixes=/p%[1]d"
      - "traefik.http.services.app%[1]d.loadbalancer.server.port=80"`, i)
			fmt.Fprintf(&names, "net%d: {}, ", i)
			write(fmt.Sprintf("app%d/index.html", i), "app %d\n", i)
			continue
		}
		fmt.Fprintf(&services, `
  b%d:
    image: dock.mau.dev/mautrix/signal:v0.2610.0
    depends_on: [postgres, synapse]
    volumes: ["./b%[1]d:/data"]`, i)
		fmt.Fprintf(&sql, "CREATE USER b%d WITH PASSWORD 'zebra-db-%[1]d';\nCREATE DATABASE b%[1]d OWNER b%[1]d;\n", i)
		fmt.Fprintf(&list, "/data/b%d.yaml, ", i)
		registration := fmt.Sprintf(`id: b%d
url: http://b%[1]d:29328
as_token: zebra-as-token-%[1]d
hs_token: zebra-hs-token-%[1]d
sender_localpart: sender%[1]d
rate_limited: false
namespaces:
  users:
    - {regex: '^@b%[1]dbot:example\.org$', exclusive: true}
    - {regex: '^@b%[1]d_.*:example\.org$', exclusive: true}
receive_ephemeral: true
`, i)
		write(fmt.Sprintf("b%d/registration.yaml", i), "%s", registration)
		write(fmt.Sprintf("synapse/b%d.yaml", i), "%s", registration)
		write(fmt.Sprintf("b%d/config.yaml", i), `homeserver: {address: "http://synapse:8008", domain: example.org}
appservice:
  address: http://b%d:29328
  hostname: 0.0.0.0
  port: 29328
  id: b%[1]d
  bot: {username: b%[1]dbot}
  username_template: b%[1]d_{{.}}
  as_token: zebra-as-token-%[1]d
  hs_token: zebra-hs-token-%[1]d
database: {type: postgres, uri: "postgres://b%[1]d:zebra-db-%[1]d@postgres/b%[1]d?sslmode=disable"}
bridge: {permissions: {example.org: user}}
encryption: {allow: true, default: true, pickle_key: zebra-pickle-key-%[1]d}
`, i)
	}
	write("docker-compose.yml", `services:
  traefik: {image: "traefik:v3.7.13", command: [--providers.docker, --entrypoints.websecure.address=:443], ports: ["443:443"], volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]}
  postgres:
    image: postgres:17-alpine
    environment: {POSTGRES_USER: synapse, POSTGRES_PASSWORD: zebra-db-synapse, POSTGRES_INITDB_ARGS: "--encoding=UTF8 --locale=C"}
    volumes: ["pg:/var/lib/postgresql/data", "./initdb:/docker-entrypoint-initdb.d:ro"]
  synapse:
    image: ghcr.io/element-hq/synapse:v1.163.2
    depends_on: [postgres]
    volumes: ["./synapse:/data"]%s
volumes: {pg: {}%s}
networks: {%sdefault: {}}
`, services.String(), strings.NewReplacer("net", ", data", ", ", "").Replace(names.String()), names.String())
	write("initdb/bridges.sql", "%s", sql.String())
	write("synapse/homeserver.yaml", `server_name: example.org
report_stats: false
listeners: [{port: 8008, type: http, resources: [{names: [client, federation]}]}]
database: {name: psycopg2, args: {user: synapse, password: zebra-db-synapse, dbname: synapse, host: postgres}}
macaroon_secret_key: zebra-macaroon
form_secret: zebra-form
app_service_config_files: [%s]
`, list.String())
	return memfs.New(files)
}

// cpu gives the processor time that a check of the tree takes, the least of several.
func cpu(t *testing.T, tree fs.FS, times int) time.Duration {
	t.Helper()
	now := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano())
	}
	// How long the collector takes depends on what else is in memory.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	least := time.Duration(1 << 62)
	for range times {
		runtime.GC()
		start := now()
		d, problems := compose.Open(tree)
		findings, _ := check.Run(d, composego.Judge)
		least = min(least, now()-start)
		if len(problems) > 0 || len(d.Bridges) == 0 || len(findings) == 0 {
			t.Fatalf("%v; %d bridges, %d findings", problems, len(d.Bridges), len(findings))
		}
	}
	return least
}

// Twenty times the services cost twenty times the processor time: no rule and no part of the model looks at each of
// them for each of them. A loaded machine adds some, and what is quadratic takes a hundred times and more.
func TestCostIsLinear(t *testing.T) {
	small, large := cpu(t, manyServices(20), 9), cpu(t, manyServices(400), 3)
	ratio := float64(large) / float64(small)
	t.Logf("20 services %v, 400 services %v: %.1f times", small, large, ratio)
	if ratio > 35 {
		t.Errorf("400 services take %v, and 20 take %v: %.0f times as long", large, small, ratio)
	}
}
