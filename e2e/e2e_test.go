package e2e

import (
	"debug/buildinfo"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"philipp.info/stackgen/pkg/component"
)

const synapse = "http://synapse:8008"

// bridges are the example's, and LinkedIn's. What one says once it runs with encryption, the stand-in for Discord does not.
var bridges = []bridge{
	exampleBridge(component.Signal, "Bridge started"),
	exampleBridge(component.WhatsApp, "Bridge started"),
	exampleBridge(component.Telegram, "Startup actions complete"),
	exampleBridge(component.Discord, ""),
	exampleBridge(component.Meta, "Bridge started"),
	exampleBridge(component.LinkedIn, "Bridge started"),
}

type bridge struct{ name, bot, port, started string }

func exampleBridge(p component.Program, started string) bridge {
	b := component.Of(p).Bridge
	return bridge{string(p), b.Bot, strconv.Itoa(b.Port), started}
}

// philApp is the example with the releases of the WhatsApp and LinkedIn bridges that can be had as modules.
func philApp(t *testing.T) string {
	t.Helper()
	src, err := os.ReadFile("../examples/phil-app/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return replace(t, string(src), "whatsapp: {}", "whatsapp: {version: "+whatsappVersion+"}\n  linkedin: {version: "+linkedinVersion+"}")
}

// replace is strings.Replace for a text that must be there.
func replace(t *testing.T, text, old, now string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not there to be replaced", old)
	}
	return strings.Replace(text, old, now, 1)
}

// The example comes up as it is rendered, works, stays as it is, and loses nothing.
func TestStack(t *testing.T) {
	s := newStack(t, philApp(t))
	s.up(t)
	s.synapseVersion(t, component.Of(component.Synapse).Tested.Tag)
	s.programs(t)
	t.Run("databases", func(t *testing.T) { s.testDatabases(t) })
	t.Run("synapse", func(t *testing.T) { s.testSynapse(t) })
	t.Run("routes", func(t *testing.T) { s.testRoutes(t) })
	t.Run("appservices", func(t *testing.T) { s.testAppservices(t) })
	t.Run("encryption", func(t *testing.T) { s.testEncryption(t) })
	var token string
	t.Run("users", func(t *testing.T) { token = s.testUsers(t) })
	t.Run("files", func(t *testing.T) { s.testFiles(t) })
	t.Run("sandbox", func(t *testing.T) { s.testSandbox(t) })
	t.Run("one change recreates one container", func(t *testing.T) { s.testRecreate(t) })
	t.Run("down and up", func(t *testing.T) { s.testDownUp(t, token) })
	if t.Failed() {
		t.FailNow()
	}
	t.Run("faults", func(t *testing.T) { s.testFaults(t) })
}

// programs asks the real programs for their versions and puts them on the fact sheet.
func (s *stack) programs(t *testing.T) {
	t.Helper()
	version := func(service string, args ...string) string {
		out, err := s.try(append([]string{"exec", "-T", service}, args...)...)
		if err != nil {
			t.Fatal(s.mask(err.Error()))
		}
		return strings.TrimSpace(out)
	}
	postgres := strings.Fields(version("postgres", "postgres", "--version"))
	fact("PostgreSQL (Debian)", postgres[2], "config/postgres/databases.sql, its secrets")
	fact("mautrix-whatsapp (Go module)", module(t, "mautrix-whatsapp", "go.mau.fi/mautrix-whatsapp"), "config/whatsapp/config.yaml")
	fact("mautrix-linkedin (Go module)", module(t, "mautrix-linkedin", "go.mau.fi/mautrix-linkedin"), "config/linkedin/config.yaml")
	fact("mautrix-telegram (PyPI)", version("telegram", "python3", "-c", "import mautrix_telegram; print(mautrix_telegram.__version__)"), "config/telegram/config.yaml")
	fact("mautrix-go bridgev2 (Go module)", module(t, "bridgev2", "maunium.net/go/mautrix"), "config/signal, config/meta: config.yaml")
	fact("stand-in for MAS", "-", "config/mas/config.yaml, its secrets")
	fact("stand-in for mautrix-discord", "-", "config/discord/config.yaml")
	compose, err := docker.run(filepath.Join(bin, "docker-compose"), nil, "version", "--short")
	if err != nil {
		t.Error(err)
	}
	fact("Docker Compose", compose, "docker-compose.yml")
}

// module is the version of a module in a program that was built here.
func module(t *testing.T, program, path string) string {
	t.Helper()
	info, err := buildinfo.ReadFile(filepath.Join(bin, program))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == path {
			return m.Version
		}
	}
	t.Fatalf("%s is not made of %s", program, path)
	return ""
}

// synapseVersion puts Synapse on the fact sheet, which has to be the version that the tag names.
func (s *stack) synapseVersion(t *testing.T, tag string) {
	t.Helper()
	got := s.ask(t, http.MethodGet, synapse+"/_matrix/federation/v1/version", "", nil)
	server, _ := got.body["server"].(map[string]any)
	running, _ := server["version"].(string)
	if "v"+running != tag {
		t.Errorf("Synapse is %s, the tag says %s", running, tag)
	}
	fact("Synapse (PyPI)", running, "config/matrix: homeserver.yaml, log.config, signing key, every registration, its secrets")
}

// Every database exists, belongs to its role and sorts as Synapse demands.
func (s *stack) testDatabases(t *testing.T) {
	names := []string{"synapse", "mas"}
	for _, b := range bridges {
		names = append(names, b.name)
	}
	for _, name := range names {
		got := s.sql(t, "postgres", fmt.Sprintf(`SELECT r.rolname || ' ' || pg_encoding_to_char(encoding) || ' ' || datcollate || ' ' || datctype
			FROM pg_database d JOIN pg_roles r ON r.oid = datdba WHERE datname = '%s'`, name))
		if want := name + " UTF8 C C"; got != want {
			t.Errorf("database %s: %q, want %q", name, got, want)
		}
		tables := s.sql(t, name, `SELECT count(*) FROM pg_stat_user_tables`)
		if tables == "0" {
			t.Errorf("database %s is empty", name)
		}
		t.Logf("database %s: %s, %s tables", name, got, tables)
	}
}

// Synapse answers, and what it says of itself leads clients and servers to where the routes are.
func (s *stack) testSynapse(t *testing.T) {
	if got := s.ask(t, http.MethodGet, synapse+"/_matrix/client/versions", "", nil); got.status != http.StatusOK {
		t.Errorf("versions: HTTP %d %s", got.status, got.text)
	}
	client := s.ask(t, http.MethodGet, "https://"+serverName+"/.well-known/matrix/client", "", nil)
	home, _ := client.body["m.homeserver"].(map[string]any)
	auth, _ := client.body["org.matrix.msc2965.authentication"].(map[string]any)
	if home["base_url"] != "https://"+publicHost+"/" || auth["issuer"] != "https://"+publicHost+"/auth/" {
		t.Errorf("client well-known: HTTP %d %s", client.status, client.text)
	}
	server := s.ask(t, http.MethodGet, "https://"+serverName+"/.well-known/matrix/server", "", nil)
	if server.str("m.server") != serverName+":443" {
		t.Errorf("server well-known: HTTP %d %s", server.status, server.text)
	}
	keys := s.ask(t, http.MethodGet, "https://"+serverName+"/_matrix/key/v2/server", "", nil)
	if keys.str("server_name") != serverName {
		t.Errorf("the apex, where the well-known sends servers: HTTP %d %s", keys.status, keys.text)
	}
	meta := s.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/unstable/org.matrix.msc2965/auth_metadata", "", nil)
	if meta.str("token_endpoint") != "https://"+publicHost+"/auth/oauth2/token" {
		t.Errorf("auth_metadata: HTTP %d %s", meta.status, meta.text)
	}
}

// What MAS serves is reached through the routes, and Synapse itself knows nothing of it.
func (s *stack) testRoutes(t *testing.T) {
	for _, row := range []struct {
		method, url string
		status      int
		contains    string
	}{
		{"GET", synapse + "/_matrix/client/v3/login", 404, "M_UNRECOGNIZED"},
		{"GET", "https://" + publicHost + "/_matrix/client/v3/login", 200, "m.login.sso"},
		{"GET", "https://" + serverName + "/_matrix/client/v3/login", 200, "m.login.sso"},
		{"POST", "https://" + publicHost + "/_matrix/client/v3/login", 400, ""},
		{"GET", "https://" + publicHost + "/_matrix/client/versions", 200, "v1.1"},
		{"GET", "https://" + serverName + "/_matrix/client/versions", 200, "v1.1"},
		{"GET", "https://" + publicHost + "/auth/.well-known/openid-configuration", 200, "https://" + publicHost + "/auth/"},
		{"GET", "https://" + publicHost + "/auth/", 200, "MAS"},
		{"GET", "https://" + publicHost + "/auth", 302, ""},
		{"GET", "https://" + publicHost + "/_synapse/admin/v1/server_version", 404, ""},
		{"GET", "https://" + publicHost + "/_synapse/mas/query_user", 404, ""},
		{"GET", "https://" + publicHost + "/health", 404, ""},
		{"GET", "https://" + serverName + "/", 404, ""},
	} {
		got := s.ask(t, row.method, row.url, "", nil)
		if got.status != row.status || !strings.Contains(got.text, row.contains) {
			t.Errorf("%s %s: HTTP %d %s, want %d with %q", row.method, row.url, got.status, got.text, row.status, row.contains)
		}
	}
}

// registration is what the test needs of Synapse's copy.
type registration struct {
	ASToken string `yaml:"as_token"`
}

func (s *stack) registration(t *testing.T, name string) (r registration) {
	t.Helper()
	if err := yaml.Unmarshal(s.read(t, "config/matrix/"+name+".yaml"), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// Synapse knows every as_token, every bot has a device of its own (MSC4190), and every bridge is ready: it
// was called back by Synapse with the right hs_token.
func (s *stack) testAppservices(t *testing.T) {
	for _, b := range bridges {
		r := s.registration(t, b.name)
		user := "@" + b.bot + ":" + serverName
		query := "?user_id=" + url.QueryEscape(user)
		if got := s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/account/whoami"+query, r.ASToken, nil); got.str("user_id") != user {
			t.Errorf("%s: whoami: HTTP %d %s", b.name, got.status, got.text)
		}
		got := s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/devices"+query, r.ASToken, nil)
		devices, _ := got.body["devices"].([]any)
		if len(devices) != 1 {
			t.Errorf("%s: the bot has %d devices, want the one of MSC4190: HTTP %d %s", b.name, len(devices), got.status, got.text)
		}
		ready := within(30*time.Second, func() bool {
			got, err := s.tryAsk(t, http.MethodGet, "http://"+b.name+":"+b.port+"/_matrix/mau/ready", "", nil)
			return err == nil && got.status == http.StatusOK
		})
		if !ready {
			t.Errorf("%s is not ready", b.name)
		}
	}
}

// The real bridges report that they run, with an Olm account in their database.
func (s *stack) testEncryption(t *testing.T) {
	for _, b := range bridges {
		if b.started == "" {
			continue
		}
		if text := s.logs(t, b.name); !strings.Contains(text, b.started) {
			t.Errorf("%s does not say %q:\n%s", b.name, b.started, tail(text, 20))
		}
		if got := s.sql(t, b.name, `SELECT count(*) FROM crypto_account WHERE shared`); got != "1" {
			t.Errorf("%s has %s Olm accounts with shared keys, want 1", b.name, got)
		}
		t.Logf("%s is started with encryption on", b.name)
	}
}

func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// A person logs in through MAS, Synapse introspects the token at MAS, and the double puppet may act as that
// person and as nobody from elsewhere.
func (s *stack) testUsers(t *testing.T) (token string) {
	user := "@phil:" + serverName
	login := s.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/login", "", map[string]any{"type": "m.login.token", "token": "login-phil"})
	if token = login.str("access_token"); token == "" {
		t.Fatalf("login: HTTP %d %s", login.status, login.text)
	}
	if got := s.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", token, nil); got.str("user_id") != user {
		t.Errorf("whoami: HTTP %d %s", got.status, got.text)
	}
	puppet := s.registration(t, "doublepuppet")
	if got := s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/account/whoami?user_id="+url.QueryEscape(user), puppet.ASToken, nil); got.str("user_id") != user {
		t.Errorf("double puppet: HTTP %d %s", got.status, got.text)
	}
	if got := s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/account/whoami?user_id=@phil:example.org", puppet.ASToken, nil); got.status == http.StatusOK {
		t.Errorf("double puppet of a foreign user: HTTP %d %s", got.status, got.text)
	}
	signal := s.registration(t, "signal")
	if got := s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/account/whoami?user_id="+url.QueryEscape(user), signal.ASToken, nil); got.status == http.StatusOK {
		t.Errorf("a bridge acts as a person: HTTP %d %s", got.status, got.text)
	}
	if !strings.Contains(s.logs(t, "mas"), "Synapse accepts the shared secret") {
		t.Error("MAS does not say that Synapse accepts the shared secret")
	}
	return token
}

// A change of one bridge's configuration recreates its container and no other.
func (s *stack) testRecreate(t *testing.T) {
	before := s.containers(t)
	s.render(t, replace(t, philApp(t), "whatsapp: {version: "+whatsappVersion+"}",
		"whatsapp: {version: "+whatsappVersion+", extra: {network: {os_name: Renamed by the e2e test}}}"))
	s.up(t)
	after := s.containers(t)
	for name, c := range after {
		if recreated := before[name].ID != c.ID; recreated != (name == "whatsapp") {
			t.Errorf("%s: recreated %v", name, recreated)
		}
	}
}

// What was there before down is there after up: users, devices, sessions, the server's key.
func (s *stack) testDownUp(t *testing.T, token string) {
	state := func() []string {
		keys := s.ask(t, http.MethodGet, synapse+"/_matrix/key/v2/server", "", nil)
		list := []string{
			"key " + fmt.Sprint(keys.body["verify_keys"]),
			"users " + s.sql(t, "synapse", `SELECT string_agg(name, ' ' ORDER BY name) FROM users`),
			"devices " + s.sql(t, "synapse", `SELECT string_agg(user_id || device_id, ' ' ORDER BY user_id, device_id) FROM devices WHERE NOT hidden`),
			"session of " + s.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", token, nil).str("user_id"),
		}
		for _, name := range []string{"whatsapp", "telegram"} {
			list = append(list, name+" account "+s.sql(t, name, `SELECT account_id || ' ' || device_id FROM crypto_account`))
		}
		return list
	}
	before := state()
	s.down(t, "--timeout", "20")
	s.up(t)
	if after := state(); !slices.Equal(before, after) {
		t.Errorf("before:\n%s\nafter:\n%s", s.mask(strings.Join(before, "\n")), s.mask(strings.Join(after, "\n")))
	}
}
