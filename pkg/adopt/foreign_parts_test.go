package adopt_test

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/adopt/compare"
)

const withParts = `services:
  synapse:
    image: matrixdotorg/synapse:v1.163.2
    volumes: ["./synapse:/data"]
    networks: [default, proxy]
    labels:
      - traefik.enable=true
      - traefik.docker.network=proxy
      - traefik.http.services.synapse.loadbalancer.server.port=8008
      - traefik.http.routers.synapse.rule=Host(` + "`matrix.example.org`" + `) && (PathPrefix(` + "`/_matrix`" + `) || PathPrefix(` + "`/_synapse/client`" + `))
      - traefik.http.routers.synapse.entrypoints=websecure
      - traefik.http.routers.synapse.tls=true
      - traefik.http.routers.synapse-admin.rule=Host(` + "`matrix.example.org`" + `) && PathPrefix(` + "`/_synapse/admin`" + `)
      - traefik.http.routers.synapse-admin.entrypoints=websecure
      - traefik.http.routers.synapse-admin.tls=true
      - traefik.http.routers.synapse-admin.middlewares=home
      - traefik.http.middlewares.home.ipallowlist.sourcerange=192.168.0.0/16
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD: fake-database-password, POSTGRES_USER: synapse, POSTGRES_INITDB_ARGS: "--encoding=UTF8 --locale=C"}
    volumes: ["./pg:/var/lib/postgresql/data"]
  sfu:
    image: livekit/livekit-server:v1.13.11
    command: --config /etc/livekit.yaml
    volumes: ["./livekit.yaml:/etc/livekit.yaml:ro"]
    networks: [proxy]
    ports: ["7881:7881", "7882:7882/udp"]
    labels:
      - traefik.enable=true
      - traefik.http.services.sfu.loadbalancer.server.port=7880
      - traefik.http.routers.sfu.rule=Host(` + "`rtc.example.org`" + `)
      - traefik.http.routers.sfu.entrypoints=websecure
      - traefik.http.routers.sfu.tls=true
  jwt:
    image: ghcr.io/element-hq/lk-jwt-service:0.8.0
    environment: {LIVEKIT_URL: "wss://rtc.example.org", LIVEKIT_KEY: fakekey, LIVEKIT_SECRET: fake-secret-of-livekit-with-32-letters, LIVEKIT_FULL_ACCESS_HOMESERVERS: example.org}
    networks: [default, proxy]
    labels:
      - traefik.enable=true
      - traefik.docker.network=proxy
      - traefik.http.services.jwt.loadbalancer.server.port=8080
      - traefik.http.routers.jwt.rule=Host(` + "`rtc.example.org`" + `) && (PathPrefix(` + "`/sfu/get`" + `) || PathPrefix(` + "`/get_token`" + `) || PathPrefix(` + "`/healthz`" + `))
      - traefik.http.routers.jwt.entrypoints=websecure
      - traefik.http.routers.jwt.tls=true
  turn:
    image: coturn/coturn:4.18.0-r0
    network_mode: host
    volumes: ["./turnserver.conf:/etc/coturn/turnserver.conf:ro"]
  web:
    image: vectorim/element-web:v1.12.30
    volumes: ["./element.json:/app/config.json:ro"]
    networks: [proxy]
    labels:
      - traefik.enable=true
      - traefik.http.services.web.loadbalancer.server.port=80
      - traefik.http.routers.web.rule=Host(` + "`app.example.org`" + `)
      - traefik.http.routers.web.entrypoints=websecure
      - traefik.http.routers.web.tls=true
  ketesa:
    image: ghcr.io/etkecc/ketesa:v1.4.0
    volumes: ["./ketesa.json:/var/public/config.json:ro"]
    networks: [proxy]
    labels:
      - traefik.enable=true
      - traefik.http.services.ketesa.loadbalancer.server.port=8080
      - traefik.http.routers.ketesa.rule=Host(` + "`staff.example.org`" + `)
      - traefik.http.routers.ketesa.entrypoints=websecure
      - traefik.http.routers.ketesa.tls=true
      - traefik.http.routers.ketesa.middlewares=home
networks: {proxy: {external: true}}
`

// LiveKit, lk-jwt-service, coturn, Element Web and ketesa of somebody else's become calls, turn, element and admin, each with its
// secrets as they are; what stays to be decided is what somebody wrote.
func TestForeignParts(t *testing.T) {
	draft, r := read(t, foreignStack(withParts, map[string]string{
		"synapse/homeserver.yaml": homeserver + `public_baseurl: https://matrix.example.org/
turn_uris: ["turn:turn.example.org:3478?transport=udp"]
turn_shared_secret: fake-secret-of-the-relay
matrix_rtc: {transports: [{type: livekit, livekit_service_url: "https://rtc.example.org"}]}
extra_well_known_client_content: {"org.matrix.msc4143.rtc_foci": [{type: livekit, livekit_service_url: "https://rtc.example.org"}], "io.element.e2ee": {default: true}}
`,
		"livekit.yaml":    "port: 7880\nrtc: {tcp_port: 7881, udp_port: 7882, use_external_ip: true}\nroom: {auto_create: false, max_participants: 9}\nkeys: {fakekey: fake-secret-of-livekit-with-32-letters}\n",
		"turnserver.conf": "use-auth-secret\nstatic-auth-secret=fake-secret-of-the-relay\nrealm=turn.example.org\nlistening-port=3478\nmin-port=50000\nmax-port=50100\nexternal-ip=203.0.113.7\nuser-quota=20\ndenied-peer-ip=10.0.0.0-10.255.255.255\n",
		"element.json":    `{"default_server_config": {"m.homeserver": {"base_url": "https://matrix.example.org", "server_name": "example.org"}}, "brand": "Family"}` + "\n",
		"ketesa.json":     `{"restrictBaseUrl": "https://matrix.example.org", "corsCredentials": "include"}` + "\n",
	}))
	says(t, string(draft.Text), "\nelement:\n", "service: web", "brand: Family", "\ncalls:\n", "service: sfu", "service: jwt", "max_participants: 9", "\nturn:\n", "user-quota: 20", "min_port: 50000",
		"external_ip: 203.0.113.7", "\nadmin:\n", `allow_from: ["192.168.0.0/16"]`, "element: app.example.org", "admin: staff.example.org", "corsCredentials: include", "io.element.e2ee")
	for name, want := range map[string]string{"calls.livekit_key": "fakekey", "calls.livekit_secret": "fake-secret-of-livekit-with-32-letters", "turn.shared_secret": "fake-secret-of-the-relay"} {
		if draft.Secrets[name] != want {
			t.Errorf("%s is another one", name)
		}
	}
	for _, not := range []string{"rtc_foci", "turn_uris", "fake-", "    services:\n      sfu"} {
		if strings.Contains(string(draft.Text), not) {
			t.Errorf("the spec has %q:\n%s", not, draft.Text)
		}
	}
	for line := range strings.SplitSeq(listed(r, compare.Decision, compare.Lost), "\n") {
		t.Log(line)
		if strings.Contains(line, "is not known") || strings.HasPrefix(line, "ketesa | config") || strings.HasPrefix(line, "lk-jwt | environment") || strings.HasPrefix(line, "livekit | service | command") || strings.HasPrefix(line, "livekit | config | keys") {
			t.Error(line)
		}
	}
	for _, n := range draft.Notes {
		t.Logf("note %v: %s", n.Field, n.Text)
	}
}
