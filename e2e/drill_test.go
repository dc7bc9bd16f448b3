package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// drill is a stack that is backed up, destroyed and restored by the commands of its own RUNBOOK.md, with the
// real borgmatic and borg, and people who chat meanwhile.
type drill struct {
	*stack
	home    string // of root on the host: borg's caches and what it knows of repositories
	clients string // the state of each client: it is not on the server, and outlives it
	book    map[string][]string
}

const (
	before = "before the backup"
	lost   = "after the backup"
	later  = "after the restore"
)

func drillSpec(repository string) string {
	return `version: 1
server_name: ` + serverName + `
auth: {passwords: true}
ingress: {traefik: {network: ` + ingress + `}}
backup: {borgmatic: {repositories: [{path: ` + repository + `}]}}
`
}

// What RUNBOOK.md says brings a stack back from nothing but the repository and its passphrase: people are still
// logged in, log in anew, read what was written, and write to each other encrypted. The same restore with the
// one-time keys in the dump breaks that.
func TestRestoreDrill(t *testing.T) {
	d := newDrill(t)
	d.up(t)

	d.client(t, "anna-1", "login", "login-anna")
	d.client(t, "ben-1", "login", "login-ben")
	room := d.client(t, "anna-1", "create", "@ben:"+serverName)
	d.client(t, "ben-1", "join", room)
	d.client(t, "anna-1", "send", room, before)
	d.reads(t, "ben-1", room, before)
	media := d.upload(t, "anna-1")
	key := d.ask(t, http.MethodGet, synapse+"/_matrix/key/v2/server", "", nil).body["verify_keys"]

	d.leaveOneKey(t, "anna-1", "ben", d.session(t, "ben-1").Device)
	stale := d.backUp(t)

	// A new device of Anna's takes that key of Ben's, and Ben's client forgets it: it was good for one message.
	d.client(t, "anna-2", "login", "login-anna")
	d.client(t, "anna-2", "send", room, lost)
	d.reads(t, "ben-1", room, before, lost)

	passphrase := string(d.read(t, "secrets/borg_passphrase"))
	clients := d.clients
	t.Run("with the one-time keys", func(t *testing.T) {
		d.clients = filepath.Join(t.TempDir(), "clients")
		if _, err := output(exec.Command("cp", "-a", clients, d.clients)); err != nil {
			t.Fatal(err)
		}
		d.destroy(t)
		d.restore(t, passphrase, func(command string) string {
			command = strings.ReplaceAll(command, "'matrix-2*'", "'stale-2*'")
			command = strings.ReplaceAll(command, "borgmatic.d/matrix.yaml", stale)
			return regexp.MustCompile(`(?m)^.*TRUNCATE.*$`).ReplaceAllString(command, "")
		})
		if got, err := d.chat(t, room); err == nil || !strings.Contains(err.Error(), "unknown one-time key") {
			t.Errorf("the drill does not see keys that are handed out twice: Ben reads %q, %v", got, err)
		}
	})

	d.clients = clients
	d.destroy(t)
	d.restore(t, passphrase, func(command string) string { return command })
	if got := d.ask(t, http.MethodGet, synapse+"/_matrix/key/v2/server", "", nil).body["verify_keys"]; fmt.Sprint(got) != fmt.Sprint(key) {
		t.Error("the server has another signing key than before")
	}
	d.reads(t, "anna-1", room, before)
	if got, err := d.chat(t, room); err != nil || !slices.Equal(got, []string{before, later}) {
		t.Errorf("after the restore Ben reads %q, %v", got, err)
	}
	d.download(t, "anna-1", media)
	d.testFiles(t)
	cmd := exec.Command(filepath.Join(bin, "stackgen"), "diff", "-o", "out")
	cmd.Dir = d.root
	if out, err := output(cmd); err != nil {
		t.Errorf("the restored spec and secrets give another stack: %v\n%s", err, d.mask(out))
	}
	fact("borg, borgmatic (Debian, PyPI)", d.sh(t, "borg --version | cut -d' ' -f2; borgmatic --version", "", nil), "borgmatic.d, RUNBOOK.md: Backup, Restore")
	fact("matrix-nio, vodozemac (PyPI)", d.pip(t, "matrix-nio"), "a restored stack, encrypted")
}

func newDrill(t *testing.T) *drill {
	t.Helper()
	repository := filepath.Join(t.TempDir(), "repository")
	d := &drill{stack: newStack(t, drillSpec(repository)), home: t.TempDir(), clients: filepath.Join(t.TempDir(), "clients")}
	d.book = fixture.Commands(string(d.read(t, "RUNBOOK.md")))
	composePlugin(t)
	return d
}

// composePlugin makes `docker compose` work as on a host.
func composePlugin(t *testing.T) {
	t.Helper()
	plugins := filepath.Join(docker.dir, "cli-plugins")
	if err := os.MkdirAll(plugins, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(bin, "docker-compose"), filepath.Join(plugins, "docker-compose")); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

// block gives a block of commands of the runbook.
func (d *drill) block(t *testing.T, heading string, i int) string {
	t.Helper()
	if i >= len(d.book[heading]) {
		t.Fatalf("the book has %d blocks of commands below %s, want %d", len(d.book[heading]), heading, i+1)
	}
	return d.book[heading][i]
}

// environment is what a shell of root's has on the host, with the stand-in for Traefik beside the stack.
func (d *drill) environment() []string {
	env := []string{
		"PATH=" + filepath.Join(filepath.Dir(filepath.Dir(bin)), "borgmatic", "bin") + ":" + os.Getenv("PATH") + ":" + bin, "HOME=" + d.home, "LANG=C.UTF-8",
		"DOCKER_HOST=" + docker.host(), "DOCKER_CONFIG=" + docker.dir,
	}
	if _, err := os.Stat(filepath.Join(d.root, "proxy.yml")); err == nil {
		env = append(env, "COMPOSE_FILE=docker-compose.yml:../proxy.yml")
	}
	return env
}

// sh runs commands in the stack's directory as root would, with nobody there but for the given input.
func (d *drill) sh(t *testing.T, script, stdin string, env []string) string {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = d.root, append(d.environment(), env...)
	if _, err := os.Stat(d.dir); err == nil {
		cmd.Dir = d.dir
	}
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	out, err := output(cmd)
	if err != nil {
		t.Fatalf("%s\n%s", script, d.mask(err.Error()))
	}
	return out
}

// backUp begins the backup, runs it as cron does, and tests it. It gives the configuration of another backup
// of the same moment, stale, whose dump has the one-time keys.
func (d *drill) backUp(t *testing.T) (stale string) {
	t.Helper()
	if out := d.sh(t, d.block(t, "Begin", 0), "", nil); !strings.Contains(out, "BORG_KEY") {
		t.Errorf("the key of the repository is not shown:\n%s", d.mask(out))
	}
	config := string(d.read(t, "borgmatic.d/matrix.yaml"))
	config = replace(t, config, `    options: "--exclude-table-data=e2e_one_time_keys_json"`, "")
	config = replace(t, config, "matrix-{now}", "stale-{now}")
	stale = filepath.Join(t.TempDir(), "stale.yaml")
	if err := os.WriteFile(stale, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d.sh(t, "borgmatic -c "+stale+" create", "", nil)

	if out := d.sh(t, d.block(t, "Begin", 1), "", nil); !strings.Contains(out, "matrix-2") {
		t.Errorf("the first backup is not listed:\n%s", d.mask(out))
	}
	table := t.TempDir()
	d.sh(t, replace(t, d.block(t, "Begin", 2), "/etc/cron.d/", table+"/"), "", nil)
	cron, err := os.ReadFile(filepath.Join(table, "borgmatic-matrix"))
	if err != nil {
		t.Fatal(err)
	}
	g := regexp.MustCompile(`(?m)^(?:\S+ ){5}root (.+)$`).FindStringSubmatch(string(cron))
	if g == nil {
		t.Fatalf("no job in\n%s", cron)
	}
	cmd := exec.Command("/bin/sh", "-c", g[1])
	cmd.Dir, cmd.Env = "/", d.environment()
	if _, err := output(cmd); err != nil {
		t.Fatal(d.mask(err.Error()))
	}
	if out := d.sh(t, d.block(t, "Test it", 0), "", nil); !regexp.MustCompile(`(?m)^ +2$`).MatchString(out) {
		t.Errorf("the dump does not have two users:\n%s", d.mask(out))
	}
	return stale
}

// destroy leaves nothing of the host but the repository, which is elsewhere.
func (d *drill) destroy(t *testing.T) {
	t.Helper()
	d.down(t, "--timeout", "20")
	for _, path := range []string{d.dir, filepath.Join(d.root, "stack.yaml"), filepath.Join(d.root, "secrets.yaml"), d.home} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(d.home, 0o700); err != nil {
		t.Fatal(err)
	}
}

// restore follows the runbook for a new host; change may change a block of its commands.
func (d *drill) restore(t *testing.T, passphrase string, change func(string) string) {
	t.Helper()
	d.sh(t, change(d.block(t, "Files", 1)), passphrase, nil)
	d.sh(t, change(d.block(t, "Databases", 0)), "", nil)
	d.sh(t, change(d.block(t, "Start", 0)), "", nil)
	d.settle(t)
}

// client runs one step of a client, see images/client.py.
func (d *drill) client(t *testing.T, name string, step ...string) string {
	t.Helper()
	out, err := d.tryClient(t, name, step...)
	if err != nil {
		t.Fatalf("%s %s: %v", name, step[0], err)
	}
	return out
}

func (d *drill) tryClient(t *testing.T, name string, step ...string) (string, error) {
	t.Helper()
	args := []string{"run", "--rm", "--network", d.containers(t)["proxy"].network(), "-v", d.clients + ":/clients", "stackgen-e2e/client:local", "/clients/" + name}
	return docker.docker(append(args, step...)...)
}

func (d *drill) pip(t *testing.T, name string) string {
	t.Helper()
	out, err := docker.docker("run", "--rm", "--network", "none", "--entrypoint", "pip3", "stackgen-e2e/client:local", "show", name)
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(out, "Version: ")
	version, _, _ = strings.Cut(version, "\n")
	return version
}

// reads has a client read exactly these texts.
func (d *drill) reads(t *testing.T, name, room string, want ...string) {
	t.Helper()
	if got := strings.Split(d.client(t, name, "read", room), "\n"); !slices.Equal(got, want) {
		t.Fatalf("%s reads %q, want %q", name, got, want)
	}
}

// chat is what happens after a restore: Ben's client comes back, Anna logs in on a new device and writes. It
// gives what Ben reads, or what his client says of a message that it cannot decrypt.
func (d *drill) chat(t *testing.T, room string) ([]string, error) {
	t.Helper()
	d.client(t, "ben-1", "sync")
	d.client(t, "anna-3", "login", "login-anna")
	d.client(t, "anna-3", "send", room, later)
	out, err := d.tryClient(t, "ben-1", "read", room)
	return strings.Split(out, "\n"), err
}

// leaveOneKey has somebody claim the one-time keys of a device until one is left, so that it is known which one
// comes next.
func (d *drill) leaveOneKey(t *testing.T, name, localpart, device string) {
	t.Helper()
	user := "@" + localpart + ":" + serverName
	claim := map[string]any{"one_time_keys": map[string]any{user: map[string]string{device: "signed_curve25519"}}}
	count := func() string {
		return d.sql(t, "synapse", `SELECT count(*) FROM e2e_one_time_keys_json WHERE device_id = '`+device+`'`)
	}
	for range 100 {
		if count() == "1" {
			return
		}
		if got := d.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/keys/claim", d.token(t, name), claim); got.status != http.StatusOK {
			t.Fatalf("claim: HTTP %d %s", got.status, got.text)
		}
	}
	t.Fatalf("%s still has %s one-time keys", user, count())
}

// session is what a client is logged in with.
type session struct {
	Token  string `json:"access_token"`
	Device string `json:"device_id"`
}

func (d *drill) token(t *testing.T, name string) string {
	t.Helper()
	return d.session(t, name).Token
}

func (d *drill) session(t *testing.T, name string) (s session) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(d.clients, name, "session.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(src, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

const picture = `{"a": "picture"}`

// upload puts a picture into the media store and gives its address.
func (d *drill) upload(t *testing.T, name string) string {
	t.Helper()
	got := d.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/media/v3/upload", d.token(t, name), json.RawMessage(picture))
	address, ok := strings.CutPrefix(got.str("content_uri"), "mxc://")
	if !ok {
		t.Fatalf("upload: HTTP %d %s", got.status, got.text)
	}
	return address
}

// download has the picture still there.
func (d *drill) download(t *testing.T, name, address string) {
	t.Helper()
	got := d.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v1/media/download/"+address, d.token(t, name), nil)
	if got.body["a"] != "picture" {
		t.Errorf("the picture: HTTP %d %s", got.status, got.text)
	}
}
