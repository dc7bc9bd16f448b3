package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/fixture"
)

// adoption is a stack that was kept by hand, and is taken over by the commands of the MIGRATION.md that import wrote.
type adoption struct {
	*drill
	spec string // the directory with what import wrote
	plan string // MIGRATION.md
}

// byHand are the bridges of the stack in byhand, by the names of their programs.
var byHand = []struct{ name, bot, port, database string }{
	{"signal", "signalbot", "29328", "mautrix_signal"},
	{"whatsapp", "whatsappbot", "29318", "mautrix_whatsapp"},
	{"telegram", "telegrambot", "29317", "mautrix_telegram"},
	{"discord", "discordbot", "29334", "mautrix_discord"},
	{"meta", "facebookbot", "29319", "mautrix_meta"},
}

// A stack that grew by hand is taken over with its data, by what MIGRATION.md says and in its words: who was logged in
// still is, what was written is read, the bridges have the rows that they had, nothing is made twice, and what becomes of
// each container is what the plan said. The way back leads back.
func TestAdoption(t *testing.T) {
	a := newAdoption(t, "byhand")
	a.startByHand(t)

	a.client(t, "anna-1", "login", "login-anna")
	a.client(t, "ben-1", "login", "login-ben")
	room := a.client(t, "anna-1", "create", "@ben:"+serverName)
	a.client(t, "ben-1", "join", room)
	a.client(t, "anna-1", "send", room, before)
	a.reads(t, "ben-1", room, before)
	media := a.upload(t, "anna-1")
	a.fillBridges(t)
	key := a.ask(t, http.MethodGet, synapse+"/_matrix/key/v2/server", "", nil).body["verify_keys"]
	answers := a.answers(t)

	a.take(t, "")
	for _, heading := range []string{"1. Audit", "2. Import", "3. Compare", "4. Pull, and rehearse the render", "5. Keep what there is"} {
		a.follow(t, heading, 0)
	}
	// PostgreSQL goes on while the rows are counted; the rest is stopped.
	old := a.containers(t)
	a.compose(t, append([]string{"stop"}, a.others(old)...)...)
	cluster, rows, bots := a.cluster(t), a.allRows(t), a.bots(t)
	a.follow(t, "6. Stop what runs", 0)
	a.follow(t, "7. Bring the data", 0)
	a.follow(t, "8. Write the files", 0)
	a.follow(t, "9. Start", 0)
	a.settle(t)

	a.planned(t, old, a.containers(t))
	if now := a.cluster(t); now != cluster {
		t.Errorf("the cluster was\n%s\nand is\n%s", cluster, now)
	}
	a.sameRows(t, rows)
	if now := a.bots(t); now != bots {
		t.Errorf("the bots' devices were\n%s\nand are\n%s", bots, now)
	}
	a.bridgesWork(t)
	if got := a.ask(t, http.MethodGet, synapse+"/_matrix/key/v2/server", "", nil).body["verify_keys"]; fmt.Sprint(got) != fmt.Sprint(key) {
		t.Error("the server has another signing key than before")
	}
	a.sameAnswers(t, answers)
	a.reads(t, "ben-1", room, before)
	a.client(t, "anna-1", "send", room, later)
	a.reads(t, "ben-1", room, before, later)
	a.download(t, "anna-1", media)
	if log := a.logs(t, "synapse"); strings.Contains(log, "Unrecognised access token") || strings.Contains(log, "M_UNKNOWN_TOKEN") {
		t.Errorf("a token was rejected:\n%s", tail(log, 30))
	}
	a.follow(t, "10. Look", 0)

	a.follow(t, "The way back", 0)
	a.awake(t)
	a.reads(t, "ben-1", room, before, later)
	a.bridgesWork(t)
	if now := a.cluster(t); now != cluster {
		t.Errorf("after the way back the cluster is\n%s", now)
	}
	t.Run("again, with a prefixed listener", func(t *testing.T) {
		a.prefix(t)
		a.sameAnswers(t, answers)
		old := a.containers(t)
		if err := os.RemoveAll(a.spec); err != nil {
			t.Fatal(err)
		}
		a.take(t, "")
		for _, heading := range []string{"6. Stop what runs", "8. Write the files", "9. Start"} {
			a.follow(t, heading, 0)
		}
		a.settle(t)
		a.planned(t, old, a.containers(t))
		a.sameAnswers(t, answers)
		a.reads(t, "ben-1", room, before, later)
		a.bridgesWork(t)
	})
	t.Run("then Telegram's bridge in Go", a.telegramInGo)
}

// telegramInGo raises the version of the adopted Telegram bridge. The Go bridge takes the database over that has the name and
// the owner which they had by hand, and goes on with the device and the Olm account of the Python one.
func (a *adoption) telegramInGo(t *testing.T) {
	const service, database = "mautrix-telegram", "mautrix_telegram"
	account, identity := a.sql(t, database, olmAccount), a.deviceKeys(t)
	if account == "" || identity == "" {
		t.Fatalf("the Python bridge has no Olm account of its own: %q, %q", account, identity)
	}
	a.compose(t, "stop", service)
	name := filepath.Join(a.spec, "stack.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	raised := replace(t, string(text), "version: "+telegramVersion, "version: "+component.Of(component.Telegram).Tested.Tag)
	if err := os.WriteFile(name, []byte(raised), 0o600); err != nil {
		t.Fatal(err)
	}
	a.sh(t, "stackgen render "+name+" -o "+a.dir, "", nil)
	a.overlay(t)
	a.up(t)
	a.says(t, service, "Successfully migrated legacy database")
	a.says(t, service, "Bridge started")
	if now := a.sql(t, database, olmAccount); now != account {
		t.Errorf("the Olm account was %q and is %q", account, now)
	}
	if now := a.deviceKeys(t); now != identity {
		t.Error("the bot's device has other keys than before")
	}
	if owner := a.sql(t, database, `SELECT owner FROM database_owner`); owner != "megabridge/mautrix-telegram" {
		t.Errorf("the database belongs to %q", owner)
	}
	if left := a.sql(t, database, `SELECT tgid FROM portal_old`); left != "42" {
		t.Errorf("of the chats there is %q", left)
	}
	a.bridgesWork(t)
}

// prefix has MAS take the prefix of its address away itself, and not the proxy. What clients asked Synapse for then needs
// a listener of its own.
func (a *adoption) prefix(t *testing.T) {
	t.Helper()
	for _, edit := range []struct{ path, old, now string }{
		{"config/mas/config.yaml", "    - name: web\n", "    - name: web\n      prefix: /auth/\n"},
		{"config/mas/config.yaml", "        - name: compat\n", ""},
		{"config/mas/config.yaml", "    - name: internal\n", "    - name: compat\n      resources: [{name: compat}]\n      binds: [{address: '[::]:8082'}]\n    - name: internal\n"},
		{"config/matrix/homeserver.yaml", "http://mas:8080/", "http://mas:8080/auth/"},
		{"docker-compose.yml", "      - traefik.http.routers.mas.middlewares=mas-strip\n      - traefik.http.middlewares.mas-strip.stripprefix.prefixes=/auth\n", ""},
		{"docker-compose.yml", "routers.mas-compat.service=mas\n", "routers.mas-compat.service=mas-compat\n      - traefik.http.services.mas-compat.loadbalancer.server.port=8082\n"},
	} {
		a.rewrite(t, edit.path, edit.old, edit.now)
	}
	a.compose(t, "up", "-d", "--pull", "never", "--force-recreate", "synapse", "mas", "proxy")
	a.awake(t)
	a.bridgesWork(t)
}

// newAdoption lays out a stack as it is kept by hand.
func newAdoption(t *testing.T, from string) *adoption {
	t.Helper()
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &stack{root: root, dir: filepath.Join(root, project), secrets: maps.Clone(fromOutside)}
	a := &adoption{drill: &drill{stack: s, home: t.TempDir(), clients: filepath.Join(t.TempDir(), "clients")}, spec: filepath.Join(root, "spec")}
	composePlugin(t)
	if err := os.CopyFS(a.dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	// What grew by hand can be read by everybody, or else the images' own users could not.
	if _, err := output(exec.Command("chmod", "-R", "a+rX", a.dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := docker.docker("network", "inspect", ingress); err != nil {
		if _, err := docker.docker("network", "create", ingress); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			a.dump(t)
		}
		a.overlay(t)
		a.down(t, "--timeout", "5", "--remove-orphans", "--volumes")
	})
	return a
}

// overlay puts the stand-in for Traefik beside the stack as it is by now, unless that has a proxy of its own.
func (a *adoption) overlay(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(a.dir, "Caddyfile")); err == nil {
		return
	}
	var file struct {
		Networks map[string]struct {
			Name     string
			External bool
		}
	}
	if err := yaml.Unmarshal(a.read(t, "docker-compose.yml"), &file); err != nil {
		t.Fatal(err)
	}
	inner, outer := "", ""
	for name, n := range file.Networks {
		if n.External {
			outer = name
		} else {
			inner = name
		}
	}
	text := replace(t, proxyOverlay, "      stack:", "      "+inner+":")
	text = replace(t, text, "      ingress:", "      "+outer+":")
	if _, err := os.Stat(filepath.Join(a.dir, ".env")); err == nil {
		text = replace(t, text, `docker-compose.yml:ro"`, `docker-compose.yml:ro", "./.env:/stack/.env:ro"`)
	}
	if err := os.WriteFile(filepath.Join(a.root, "proxy.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startByHand starts the stack as its owner did: the database of MAS is made by hand, for the image's script was through
// when MAS came.
func (a *adoption) startByHand(t *testing.T) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "config/mas/rsa.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	media := filepath.Join(a.dir, "data/matrix")
	if err := os.MkdirAll(media, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(media, 991, 991); err != nil {
		t.Fatal(err)
	}
	a.overlay(t)
	a.compose(t, "up", "-d", "--pull", "never", "db")
	// The server that runs while the cluster is made listens on no address.
	if !within(time.Minute, func() bool {
		_, err := a.try("exec", "-T", "db", "pg_isready", "-q", "-h", "127.0.0.1")
		return err == nil
	}) {
		t.Fatalf("PostgreSQL does not start:\n%s", tail(a.logs(t, "db"), 20))
	}
	for _, statement := range []string{"CREATE USER mas", "ALTER USER mas PASSWORD 'fake-db-password-of-mas'", "CREATE DATABASE mas", "GRANT ALL PRIVILEGES ON DATABASE mas TO mas"} {
		a.sql(t, "postgres", statement)
	}
	a.sql(t, "mas", "ALTER SCHEMA public OWNER TO mas")
	a.compose(t, "up", "-d", "--pull", "never", "synapse", "mas", "proxy")
	a.awake(t)
	a.up(t)
	a.bridgesWork(t)
}

// awake waits for Synapse, of which a stack that is kept by hand does not say when it is ready.
func (a *adoption) awake(t *testing.T) {
	t.Helper()
	if !within(2*time.Minute, func() bool {
		got, err := a.tryAsk(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/versions", "", nil)
		return err == nil && got.status == http.StatusOK
	}) {
		t.Fatal("Synapse does not answer")
	}
}

// bots are the devices of the bridges' bots, as each bridge has its own and as Synapse hands out their keys.
func (a *adoption) bots(t *testing.T) string {
	t.Helper()
	all := a.sql(t, "synapse", `SELECT user_id || ' ' || device_id || ' ' || (key_json::json->'keys')::text FROM e2e_device_keys_json ORDER BY 1`)
	for _, b := range byHand {
		if b.name == "whatsapp" || b.name == "telegram" || b.name == "meta" {
			all += "\n" + b.name + " " + a.sql(t, b.database, `SELECT account_id || ' ' || device_id || ' ' || shared FROM crypto_account`)
		}
	}
	return all
}

// bridgesWork has each bridge called back by Synapse with the right token.
func (a *adoption) bridgesWork(t *testing.T) {
	t.Helper()
	by := a.containers(t)
	for _, b := range byHand {
		service := b.name
		if _, ok := by[service]; !ok {
			service = "mautrix-" + b.name
		}
		if !within(time.Minute, func() bool {
			got, err := a.tryAsk(t, http.MethodGet, "http://"+service+":"+b.port+"/_matrix/mau/ready", "", nil)
			return err == nil && got.status == http.StatusOK
		}) {
			t.Errorf("%s is not ready", service)
		}
		user := "@" + b.bot + ":" + serverName
		token := a.registration(t, b.name).ASToken
		if got := a.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/account/whoami?user_id="+url.QueryEscape(user), token, nil); got.str("user_id") != user {
			t.Errorf("%s: whoami: HTTP %d %s", service, got.status, got.text)
		}
	}
}

// fillBridges gives the bridges chats and people, as they stand in the tables of the real programs.
func (a *adoption) fillBridges(t *testing.T) {
	t.Helper()
	for _, name := range []string{"mautrix_signal", "mautrix_whatsapp", "mautrix_meta"} {
		bridge := a.sql(t, name, `SELECT bridge_id FROM kv_store LIMIT 1`)
		a.sql(t, name, fmt.Sprintf(`INSERT INTO portal (bridge_id, id, receiver, mxid, name, topic, avatar_id, avatar_hash, avatar_mxc, name_set, avatar_set, topic_set, in_space, room_type, metadata)
			VALUES ('%s', 'friends', '', '!portal:philipp.info', 'Friends', '', '', '', '', true, true, true, false, 'group_dm', '{}')`, bridge))
	}
	a.sql(t, "mautrix_telegram", `INSERT INTO portal (tgid, tg_receiver, peer_type, megagroup, config) VALUES (42, 42, 'chat', false, '{}')`)
}

// take imports the stack. What it asks is what MIGRATION.md then says how to decide.
func (a *adoption) take(t *testing.T, flags string) {
	t.Helper()
	start := time.Now()
	out := a.sh(t, "stackgen import "+flags+" "+a.dir+" -o "+a.spec+"/stack.yaml 2>&1 || [ $? = 1 ]", "", nil)
	t.Logf("imported after %.1f s", time.Since(start).Seconds())
	src, err := os.ReadFile(filepath.Join(a.spec, "secrets.yaml"))
	if err != nil {
		t.Fatal(out, err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(src, &tree); err != nil {
		t.Fatal(err)
	}
	flatten(a.secrets, "", tree)
	if a.mask(out) != out {
		t.Errorf("import shows a secret:\n%s", a.mask(out))
	}
	plan, err := os.ReadFile(filepath.Join(a.spec, "MIGRATION.md"))
	if err != nil {
		t.Fatal(err)
	}
	a.plan, a.book = string(plan), fixture.Commands(string(plan))
}

// follow runs the commands below a heading of MIGRATION.md as they stand there. What is pulled is there already,
// and what a person reads of findings and differences ends with 1.
func (a *adoption) follow(t *testing.T, heading string, i int) {
	t.Helper()
	if len(a.book[heading]) == 0 && strings.Contains(a.plan, "\n## "+heading+"\n") {
		return // nothing to do in this stack
	}
	script := a.block(t, heading, i)
	script = regexp.MustCompile(`(?m) pull$`).ReplaceAllString(script, " pull --policy missing")
	script = regexp.MustCompile(`(?m)^stackgen (check|import) .*$`).ReplaceAllString(script, "$0 || [ $$? = 1 ]")
	for command := range strings.Lines(script) { // a line at a time would lose the directory: only the overlay is between
		if strings.HasPrefix(command, "docker compose up") {
			before, after, _ := strings.Cut(script, command)
			a.sh(t, before, "", nil)
			a.overlay(t)
			first, _, _ := strings.Cut(script, "\n")
			script = first + "\n" + command + after
			break
		}
	}
	start := time.Now()
	a.sh(t, script, "", nil)
	t.Logf("%s: %.1f s", heading, time.Since(start).Seconds())
}

// others are the services but PostgreSQL.
func (a *adoption) others(by map[string]container) (names []string) {
	for name := range by {
		if name != "db" && name != "postgres" {
			names = append(names, name)
		}
	}
	return names
}

// planned holds what became of the containers against the table of the plan.
func (a *adoption) planned(t *testing.T, old, now map[string]container) {
	t.Helper()
	said := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (new|made anew|goes on as it is|goes) \\|").FindAllStringSubmatch(a.plan, -1) {
		said[row[1]] = row[2]
	}
	is := map[string]string{}
	for name, c := range now {
		was, ok := old[name]
		switch {
		case !ok:
			is[name] = "new"
		case was.ID == c.ID:
			is[name] = "goes on as it is"
		default:
			is[name] = "made anew"
		}
	}
	for name := range old {
		if _, ok := now[name]; !ok {
			is[name] = "goes"
		}
	}
	delete(is, "proxy") // not of the stack
	if !maps.Equal(said, is) {
		t.Errorf("MIGRATION.md says %v, and it is %v", said, is)
	}
}
