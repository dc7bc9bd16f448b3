package kubernetes

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"philipp.info/stackgen/pkg/component"
)

const (
	serverName = "philipp.info"
	publicHost = "matrix." + serverName
	// accountHost is where MAS is when it is reached by an Ingress, which takes no path off.
	accountHost = "account." + serverName
	namespace   = "matrix"
	synapse     = "http://synapse:8008"
)

// reference is the reference deployment, examples/phil-app, in a cluster: what is about Docker or this machine's directories is left out, and
// of the bridges there are the releases that can be had as modules.
const reference = `version: 1
name: ` + namespace + `
server_name: ` + serverName + `
target: kubernetes
kubernetes:
  namespace: ` + namespace + `
  proxy: infra
  database: single
  gateway: {name: public, namespace: infra}
hosts: {matrix: ` + publicHost + `}
auth:
  public_url: https://` + publicHost + `/auth/
  upstream:
    keycloak: {issuer: https://sso.philipp.info/realms/family, client_id: matrix, existing_users: link}
ingress: {apex: {matrix: true, well_known: synapse}}
database: {version: "17"}
bridges:
  signal: {}
  whatsapp: {version: v0.2607.0}
  telegram: {version: v0.15.3}
  discord: {}
  meta: {}
permissions:
  philipp.info: user
  "@phil:philipp.info": admin
`

// fromOutside are the secrets that stackgen does not make, as obvious fakes.
var fromOutside = map[string]string{
	"bridges.telegram.api_hash": "0123456789abcdef0123456789abcdef",
	"bridges.telegram.api_id":   "4242424",
}

// bridges are the stack's, and what one says once it runs with encryption, which the stand-in for Discord does not.
var bridges = []bridge{
	exampleBridge(component.Signal, "Bridge started"),
	exampleBridge(component.WhatsApp, "Bridge started"),
	exampleBridge(component.Telegram, "Startup actions complete"),
	exampleBridge(component.Discord, ""),
	exampleBridge(component.Meta, "Bridge started"),
}

type bridge struct {
	name, bot string
	port      int
	started   string
}

func exampleBridge(p component.Program, started string) bridge {
	b := component.Of(p).Bridge
	return bridge{string(p), b.Bot, b.Port, started}
}

// replace is strings.Replace for a text that must be there.
func replace(t *testing.T, text, old, now string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not there to be replaced", old)
	}
	return strings.Replace(text, old, now, 1)
}

// stack is one rendered stack, with the spec that it comes from.
type stack struct {
	root    string // has stack.yaml and secrets.yaml
	spec    string // what stack.yaml holds
	dir     string // what was rendered
	secrets map[string]string
}

func newStack(t *testing.T, spec string) *stack {
	t.Helper()
	root := t.TempDir()
	s := &stack{root: root, dir: filepath.Join(root, "out")}
	s.render(t, spec)
	t.Cleanup(func() {
		if t.Failed() {
			s.dump(t)
		}
	})
	return s
}

// render writes the spec and renders it with the stackgen of this tree.
func (s *stack) render(t *testing.T, spec string) {
	t.Helper()
	s.spec = spec
	if err := os.WriteFile(filepath.Join(s.root, "stack.yaml"), []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin("stackgen"), "render", "stack.yaml", "-o", "out")
	cmd.Dir, cmd.Env = s.root, os.Environ()
	for name, value := range fromOutside {
		cmd.Env = append(cmd.Env, "STACKGEN_SECRET_"+strings.ToUpper(strings.ReplaceAll(name, ".", "_"))+"="+value)
	}
	if _, err := output(cmd); err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(s.root, "secrets.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(src, &tree); err != nil {
		t.Fatal(err)
	}
	s.secrets = maps.Clone(fromOutside)
	flatten(s.secrets, "", tree)
}

// flatten gathers the values of secrets.yaml by their dotted names.
func flatten(into map[string]string, prefix string, tree map[string]any) {
	for key, value := range tree {
		switch value := value.(type) {
		case map[string]any:
			flatten(into, prefix+key+".", value)
		case string:
			into[prefix+key] = value
		}
	}
}

// mask takes secrets out of what a program said.
func (s *stack) mask(text string) string {
	for _, value := range slices.SortedFunc(maps.Values(s.secrets), func(a, b string) int { return len(b) - len(a) }) {
		if len(value) >= 8 {
			text = strings.ReplaceAll(text, value, "***")
		}
	}
	return text
}

// try runs kubectl in the stack's namespace.
func (s *stack) try(args ...string) (string, error) {
	out, err := cl.try(append([]string{"-n", namespace}, args...)...)
	if err != nil {
		err = errors.New(s.mask(err.Error()))
	}
	return out, err
}

func (s *stack) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.try(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// up applies as the runbook says, and waits until all is well.
func (s *stack) up(t *testing.T) {
	t.Helper()
	start := time.Now()
	s.apply(t)
	s.settle(t)
	t.Logf("up and ready after %.0f s", time.Since(start).Seconds())
}

func (s *stack) apply(t *testing.T) {
	t.Helper()
	cl.kubectl(t, "apply", "--server-side", "--force-conflicts", "-k", s.dir)
}

// settle waits until every workload has the pods that it should have, all of them ready, and each Job is complete.
func (s *stack) settle(t *testing.T) {
	t.Helper()
	var why string
	if !within(5*time.Minute, func() bool { why = s.unwell(); return why == "" }) {
		t.Fatalf("the stack does not come up: %s", why)
	}
}

// unwell says what is not yet, or not any more, as it should be.
func (s *stack) unwell() string {
	const of = `{range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.status.observedGeneration} {.spec.replicas} {.status.readyReplicas} {.status.updatedReplicas} {.status.replicas}{"\n"}{end}`
	out, err := s.try("get", "statefulset,deployment", "-o", "jsonpath="+of)
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) != 7 || f[1] != f[2] || f[3] != f[4] || f[3] != f[5] || f[3] != f[6] {
			return strings.TrimSpace(line)
		}
	}
	if out == "" {
		return "there is nothing"
	}
	out, err = s.try("get", "job", "-o", `jsonpath={range .items[*]}{.metadata.name} {.status.succeeded}{"\n"}{end}`)
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) != 2 || f[1] != "1" {
			return "Job " + strings.TrimSpace(line)
		}
	}
	return ""
}

// within asks again and again.
func within(limit time.Duration, works func() bool) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(500 * time.Millisecond) {
		if works() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// dump says what is known of a stack that failed.
func (s *stack) dump(t *testing.T) {
	for _, args := range [][]string{{"get", "pods", "-o", "wide"}, {"get", "events", "--sort-by=.lastTimestamp"}} {
		out, err := s.try(args...)
		t.Logf("%v\n%s", err, tail(s.mask(out), 40))
	}
	names, err := s.try("get", "pods", "-o", "name")
	if err != nil {
		return
	}
	for _, name := range strings.Fields(names) {
		if ready, _ := s.try("get", name, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`); ready != "True" {
			out, _ := s.try("logs", name, "--all-containers", "--tail", "15")
			t.Logf("%s\n%s", name, s.mask(out))
		}
	}
}

// address is the address of a Service.
func (s *stack) address(name string) (string, error) {
	return s.try("get", "service", name, "-o", "jsonpath={.spec.clusterIP}")
}

// sql asks a database.
func (s *stack) sql(t *testing.T, database, query string) string {
	t.Helper()
	return strings.TrimSpace(s.kubectl(t, "exec", "statefulset/postgres", "--", "psql", "-U", "postgres", "-d", database, "-XAtc", query))
}

// pods are the identities of the pods that run, by what they are called.
func (s *stack) pods(t *testing.T) map[string]string {
	t.Helper()
	by := map[string]string{}
	out := s.kubectl(t, "get", "pods", "-l", "app.kubernetes.io/name!=db-init", "-o",
		`jsonpath={range .items[*]}{.metadata.labels.app\.kubernetes\.io/name} {.metadata.uid}{"\n"}{end}`)
	for line := range strings.Lines(out) {
		name, uid, _ := strings.Cut(strings.TrimSpace(line), " ")
		by[name] = uid
	}
	return by
}

// registration is what the test needs of Synapse's copy.
type registration struct {
	ASToken string `yaml:"as_token"`
}

func (s *stack) registration(t *testing.T, name string) (r registration) {
	t.Helper()
	out := s.kubectl(t, "get", "secret", "matrix", "-o", `go-template={{index .data "`+name+`.yaml" | base64decode}}`)
	if err := yaml.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// The reference deployment comes up in a cluster as it is rendered, works, and loses nothing.
func TestStack(t *testing.T) {
	cl.define(t)
	cl.load(t)
	cl.proxy(t)
	s := newStack(t, reference)
	s.up(t)
	t.Run("databases", s.testDatabases)
	t.Run("routes", s.testRoutes)
	t.Run("appservices", s.testAppservices)
	t.Run("encryption", s.testEncryption)
	p := s.people(t)
	t.Run("sandbox", s.testSandbox)
	t.Run("policies", s.testPolicies)
	t.Run("one change restarts one pod", s.testChange)
	t.Run("faults", func(t *testing.T) {
		s.keeps(t, p, "all faults", func() { s.testFaults(t, faults, "FAULTS.md", faultsHead) })
	})
	t.Run("each pod deleted", func(t *testing.T) { s.testDeleted(t, p) })
	t.Run("node restarted", func(t *testing.T) { s.testRestarted(t, p) })
	t.Run("runbook", func(t *testing.T) { s.testRunbook(t, p) })
	t.Run("down and up", func(t *testing.T) { s.testDownUp(t, p) })
	t.Run("ingress", func(t *testing.T) { s.testIngress(t, p) })
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
		if tables := s.sql(t, name, `SELECT count(*) FROM pg_stat_user_tables`); tables == "0" {
			t.Errorf("database %s is empty", name)
		}
	}
}

// Requests come by Traefik to where the routes say.
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
		{"GET", "https://" + serverName + "/_matrix/key/v2/server", 200, serverName},
		{"GET", "https://" + serverName + "/.well-known/matrix/client", 200, "https://" + publicHost + "/auth/"},
		{"GET", "https://" + serverName + "/.well-known/matrix/server", 200, serverName + ":443"},
		{"GET", "https://" + publicHost + "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata", 200, "https://" + publicHost + "/auth/oauth2/token"},
		{"GET", "https://" + publicHost + "/auth/.well-known/openid-configuration", 200, "https://" + publicHost + "/auth/"},
		{"GET", "https://" + publicHost + "/auth/", 200, "MAS"},
		{"GET", "https://" + publicHost + "/auth", 302, ""},
		{"GET", "https://" + publicHost + "/_synapse/admin/v1/server_version", 404, ""},
		{"GET", "https://" + publicHost + "/_synapse/mas/query_user", 404, ""},
		{"GET", "https://" + publicHost + "/health", 404, ""},
		{"GET", "https://" + serverName + "/", 404, ""},
	} {
		var got answer
		fits := within(15*time.Second, func() bool { // Traefik hears of a route a moment later
			var err error
			got, err = s.tryAsk(t, row.method, row.url, "", nil)
			return err == nil && got.status == row.status && strings.Contains(got.text, row.contains)
		})
		if !fits {
			t.Errorf("%s %s: HTTP %d %s, want %d with %q", row.method, row.url, got.status, got.text, row.status, row.contains)
		}
	}
}

// Synapse knows every as_token, every bot has a device of its own (MSC4190), and every bridge was called back with the right hs_token.
func (s *stack) testAppservices(t *testing.T) {
	for _, b := range bridges {
		r := s.registration(t, b.name)
		user := "@" + b.bot + ":" + serverName
		query := "?user_id=" + url.QueryEscape(user)
		var who, got answer
		var devices []any
		known := within(30*time.Second, func() bool { // a bridge makes its bot and the device after it has become ready
			who = s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/account/whoami"+query, r.ASToken, nil)
			got = s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/devices"+query, r.ASToken, nil)
			devices, _ = got.body["devices"].([]any)
			return who.str("user_id") == user && len(devices) == 1
		})
		if !known {
			t.Errorf("%s: whoami: HTTP %d %s; the bot has %d devices, want the one of MSC4190: HTTP %d %s", b.name, who.status, who.text, len(devices), got.status, got.text)
		}
		ready := within(30*time.Second, func() bool {
			got, err := s.tryAsk(t, http.MethodGet, fmt.Sprintf("http://%s:%d/_matrix/mau/ready", b.name, b.port), "", nil)
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
		if text := s.kubectl(t, "logs", "statefulset/"+b.name); !strings.Contains(text, b.started) {
			t.Errorf("%s does not say %q:\n%s", b.name, b.started, s.mask(tail(text, 20)))
		}
		if got := s.sql(t, b.name, `SELECT count(*) FROM crypto_account WHERE shared`); got != "1" {
			t.Errorf("%s has %s Olm accounts with shared keys, want 1", b.name, got)
		}
	}
}

// Each process has no capability and cannot gain one, and its root file system cannot be written.
func (s *stack) testSandbox(t *testing.T) {
	for name := range s.pods(t) {
		out := s.kubectl(t, "exec", s.workload(t, name), "-c", name, "--", "sh", "-c",
			`grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp:)" /proc/1/status; touch /usr/x 2>&1 || true`)
		for _, want := range []string{"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "Read-only file system"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, out)
			}
		}
	}
}

// workload is what a pod belongs to.
func (s *stack) workload(t *testing.T, name string) string {
	t.Helper()
	return strings.Fields(s.kubectl(t, "get", "statefulset,deployment", "-l", "app.kubernetes.io/name="+name, "-o", "name"))[0]
}

// people are two who chat, with what one of them wrote.
type people struct {
	phil, anna, room string
	said             []string
	since            string // where Anna's last sync ended
}

// people log in through MAS by the Gateway, and the double puppet may act as one of them and as nobody from elsewhere.
func (s *stack) people(t *testing.T) *people {
	t.Helper()
	p := &people{phil: s.logIn(t, "phil"), anna: s.logIn(t, "anna")}
	user := "@phil:" + serverName
	puppet := s.registration(t, "doublepuppet")
	if got := s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/account/whoami?user_id="+url.QueryEscape(user), puppet.ASToken, nil); got.str("user_id") != user {
		t.Errorf("double puppet: HTTP %d %s", got.status, got.text)
	}
	for who, token := range map[string]string{"@phil:example.org": puppet.ASToken, user: s.registration(t, "signal").ASToken} {
		if got := s.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/account/whoami?user_id="+url.QueryEscape(who), token, nil); got.status == http.StatusOK {
			t.Errorf("who must not acts as %s: HTTP %d %s", who, got.status, got.text)
		}
	}
	p.room = s.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/createRoom", p.phil, map[string]any{"invite": []string{"@anna:" + serverName}}).str("room_id")
	if got := s.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/join/"+url.PathEscape(p.room), p.anna, map[string]any{}); got.str("room_id") != p.room {
		t.Fatalf("join: HTTP %d %s", got.status, got.text)
	}
	s.chat(t, p, "as it was rendered")
	return p
}

// logIn logs somebody in by the paths of the old login, which lead to MAS.
func (s *stack) logIn(t *testing.T, name string) string {
	t.Helper()
	var login, got answer
	// What leads to a new pod, and lets it out, hears of it a moment after it is ready.
	if !within(30*time.Second, func() bool {
		var err error
		login, err = s.tryAsk(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/login", "", map[string]any{"type": "m.login.token", "token": "login-" + name})
		if err != nil || login.str("access_token") == "" {
			return false
		}
		got, err = s.tryAsk(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", login.str("access_token"), nil)
		return err == nil && got.str("user_id") == "@"+name+":"+serverName
	}) {
		t.Fatalf("%s logs in: HTTP %d %s, whoami: HTTP %d %s", name, login.status, login.text, got.status, got.text)
	}
	return login.str("access_token")
}

// chat has Phil write something, and Anna read that and all that he wrote before.
func (s *stack) chat(t *testing.T, p *people, text string) {
	t.Helper()
	room := "https://" + publicHost + "/_matrix/client/v3/rooms/" + url.PathEscape(p.room)
	to := fmt.Sprintf("%s/send/m.room.message/%d", room, time.Now().UnixNano())
	var sent answer
	// As a client does: what PostgreSQL ended of Synapse's connections costs one request each. The number keeps it one message.
	if !within(20*time.Second, func() bool {
		var err error
		sent, err = s.tryAsk(t, http.MethodPut, to, p.phil, map[string]string{"msgtype": "m.text", "body": text})
		return err == nil && sent.str("event_id") != ""
	}) {
		t.Fatalf("%q is not sent: HTTP %d %s", text, sent.status, sent.text)
	}
	p.said = append(p.said, text)
	var read []string
	if !within(20*time.Second, func() bool {
		got, err := s.tryAsk(t, http.MethodGet, room+"/messages?dir=b&limit=100&filter="+url.QueryEscape(`{"types":["m.room.message"]}`), p.anna, nil)
		if err != nil || got.status != http.StatusOK {
			return false
		}
		read = nil
		chunk, _ := got.body["chunk"].([]any)
		for _, event := range slices.Backward(chunk) {
			content, _ := event.(map[string]any)["content"].(map[string]any)
			body, _ := content["body"].(string)
			read = append(read, body)
		}
		return slices.Equal(read, p.said)
	}) {
		t.Errorf("Anna reads %q, and Phil wrote %q", read, p.said)
	}
}

// state is what must not be lost.
func (s *stack) state(t *testing.T, p *people) (string, error) {
	t.Helper()
	keys, err := s.tryAsk(t, http.MethodGet, synapse+"/_matrix/key/v2/server", "", nil)
	if err != nil {
		return "", err
	}
	session, err := s.tryAsk(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", p.phil, nil)
	if err != nil {
		return "", err
	}
	list := []string{"key " + fmt.Sprint(keys.body["verify_keys"]), "session of " + session.str("user_id")}
	asked := [][2]string{
		{"synapse", `SELECT string_agg(name, ' ' ORDER BY name) FROM users`},
		{"synapse", `SELECT string_agg(user_id || device_id, ' ' ORDER BY user_id, device_id) FROM devices WHERE NOT hidden`},
	}
	for _, b := range bridges {
		if b.started != "" {
			asked = append(asked, [2]string{b.name, `SELECT account_id || ' ' || device_id FROM crypto_account`})
		}
	}
	for _, q := range asked {
		out, err := s.try("exec", "statefulset/postgres", "--", "psql", "-U", "postgres", "-d", q[0], "-XAtc", q[1])
		if err != nil {
			return "", err
		}
		list = append(list, q[0]+": "+strings.TrimSpace(out))
	}
	return strings.Join(list, "\n"), nil
}

// keeps has something done, waits until all is well again, and holds what there is then against what there was.
func (s *stack) keeps(t *testing.T, p *people, what string, do func()) {
	t.Helper()
	start := time.Now()
	var before string
	var err error
	// A pod is ready a moment before the node leads anybody to it.
	if !within(30*time.Second, func() bool { before, err = s.state(t, p); return err == nil }) {
		t.Fatal(err)
	}
	do()
	s.settle(t)
	var after string
	// After a node was off, it is first said that all is as it was.
	if !within(2*time.Minute, func() bool { after, err = s.state(t, p); return err == nil && after == before }) {
		t.Fatalf("%s: %v\nbefore:\n%s\nafter:\n%s", what, err, s.mask(before), s.mask(after))
	}
	s.settle(t)
	s.chat(t, p, "after this: "+what)
	t.Logf("%s: all is there again after %.0f s", what, time.Since(start).Seconds())
}

// Each pod is deleted: another one takes its place, and nothing is lost. In a short run it is one of the bridges alone.
func (s *stack) testDeleted(t *testing.T, p *people) {
	for _, name := range slices.Sorted(maps.Keys(s.pods(t))) {
		if testing.Short() && name != "whatsapp" && slices.ContainsFunc(bridges, func(b bridge) bool { return b.name == name }) {
			t.Logf("the pod of %s stays: this is a short run", name)
			continue
		}
		s.keeps(t, p, "the pod of "+name+" deleted", func() {
			s.kubectl(t, "delete", "pod", "-l", "app.kubernetes.io/name="+name)
		})
	}
}

// The node is switched off and on, with all that runs on it.
func (s *stack) testRestarted(t *testing.T, p *people) {
	s.keeps(t, p, "the node switched off", func() {
		cl.down()
		if err := cl.up(); err != nil {
			t.Fatal(err)
		}
		cl.proxyReady(t)
	})
}

// All workloads are deleted, and applied again: their volumes stay.
func (s *stack) testDownUp(t *testing.T, p *people) {
	s.keeps(t, p, "all workloads deleted", func() {
		s.kubectl(t, "delete", "statefulset,deployment,job", "-l", "app.kubernetes.io/part-of="+namespace)
		s.kubectl(t, "wait", "--for=delete", "pod", "-l", "app.kubernetes.io/part-of="+namespace, "--timeout", "2m")
		s.apply(t)
	})
}

// A new version of one bridge, as RUNBOOK.md has it, restarts its pod and no other.
func (s *stack) testChange(t *testing.T) {
	const old, now = "v0.2607.0", "v0.2609.0"
	image := "dock.mau.dev/mautrix/whatsapp:"
	if _, err := output(cl.command(t.Context(), "ctr", "-n", "k8s.io", "image", "tag", "--force", image+old, image+now)); err != nil {
		t.Fatal(err)
	}
	before := s.pods(t)
	s.spec = replace(t, s.spec, "whatsapp: {version: "+old, "whatsapp: {version: "+now) // no bridge goes back to an older one
	if err := os.WriteFile(filepath.Join(s.root, "stack.yaml"), []byte(s.spec), 0o600); err != nil {
		t.Fatal(err)
	}
	// diff ends with 1 where there is a difference.
	s.sh(t, s.book(t), "Upgrade", 0, " -o DIR\n", " -o DIR || test $? = 1\n")
	cl.kubectl(t, "apply", "--server-side", "--force-conflicts", "-f", filepath.Join(s.dir, "whatsapp.yaml"), "-f", filepath.Join(s.dir, "secrets", "whatsapp.yaml"))
	s.settle(t)
	for name, uid := range s.pods(t) {
		if restarted := before[name] != uid; restarted != (name == "whatsapp") {
			t.Errorf("%s: restarted %v", name, restarted)
		}
	}
	if is := s.kubectl(t, "get", "pod", "whatsapp-0", "-o", "jsonpath={.spec.containers[0].image}"); is != image+now {
		t.Errorf("whatsapp runs %s", is)
	}
}

// Requests come by Ingresses instead, where MAS has a host of its own.
func (s *stack) testIngress(t *testing.T, p *people) {
	const account = "https://" + accountHost + "/"
	spec := replace(t, s.spec, "gateway: {name: public, namespace: infra}", "ingress: {class: traefik}")
	s.render(t, replace(t, spec, "https://"+publicHost+"/auth/", account))
	s.kubectl(t, "delete", "httproute", "--all")
	s.certificates(t)
	s.up(t)
	for _, row := range []struct {
		url      string
		status   int
		contains string
	}{
		{account + ".well-known/openid-configuration", 200, account},
		{"https://" + publicHost + "/_matrix/client/v3/login", 200, "m.login.sso"},
		{"https://" + publicHost + "/_matrix/client/versions", 200, "v1.1"},
		{"https://" + serverName + "/.well-known/matrix/client", 200, account},
		{"https://" + publicHost + "/_synapse/admin/v1/server_version", 404, ""},
	} {
		var got answer
		fits := within(20*time.Second, func() bool {
			var err error
			got, err = s.tryAsk(t, http.MethodGet, row.url, "", nil)
			return err == nil && got.status == row.status && strings.Contains(got.text, row.contains)
		})
		if !fits {
			t.Errorf("GET %s: HTTP %d %s, want %d with %q", row.url, got.status, got.text, row.status, row.contains)
		}
	}
	s.logIn(t, "phil")
	s.chat(t, p, "by Ingress")
}
