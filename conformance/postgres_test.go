package conformance

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// cluster is a PostgreSQL with nothing in it: whoever asks on its socket is let in, over TCP with a password alone.
type cluster struct {
	bin, dir, superuser string
	port                int
}

// nobody is as whom it runs, which refuses root.
const nobody = 65534

func newCluster(t *testing.T, superuser string) *cluster {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Skip("skipped: PostgreSQL is not here; make conformance gets it")
	}
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can have PostgreSQL run as somebody else")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{bin: filepath.Dir(found[len(found)-1]), superuser: superuser, port: l.Addr().(*net.TCPAddr).Port}
	_ = l.Close()
	if c.dir, err = os.MkdirTemp("", "postgres"); err != nil { // a directory of the test is closed to nobody
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(c.dir) })
	if err := os.WriteFile(filepath.Join(c.dir, "password"), []byte("FAKE-superuser"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(c.dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	as := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(c.bin, name), args...)
		cmd.Dir, cmd.SysProcAttr = c.dir, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd
	}
	data := filepath.Join(c.dir, "data")
	if out, err := as("initdb", "-D", data, "-U", superuser, "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", filepath.Join(c.dir, "password"), "-E", "UTF8", "--locale=C").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := as("postgres", "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(c.port), "-k", c.dir, "-c", "fsync=off")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Signal(syscall.SIGINT); _ = server.Wait() })
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if exec.Command(filepath.Join(c.bin, "pg_isready"), "-q", "-h", c.dir, "-p", strconv.Itoa(c.port)).Run() == nil {
			return c
		}
		if time.Since(began) > time.Minute {
			t.Fatal("PostgreSQL does not answer")
		}
	}
}

// psql runs statements as the superuser.
func (c *cluster) psql(t *testing.T, database, sql string) string {
	t.Helper()
	return output(t, filepath.Join(c.bin, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", c.dir, "-p", strconv.Itoa(c.port), "-U", c.superuser, "-d", database, "-c", sql)
}

// asked is what a program is told in the place of the server's name, when it connects with what stands in its configuration.
func (c *cluster) asked(t *testing.T, connection, sql string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(c.bin, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", connection, "-c", sql)
	cmd.Env = append(os.Environ(), "PGHOSTADDR=127.0.0.1", "PGPORT="+strconv.Itoa(c.port))
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// filled gives a database what MAS and bridges have in theirs: keys that follow each other, types and triggers of their own, and
// letters that are none of English.
const filled = `
CREATE TYPE kind AS ENUM ('guest', 'member');
CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE NOT NULL, kind kind NOT NULL DEFAULT 'member', seen timestamptz);
CREATE TABLE sessions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int NOT NULL REFERENCES users ON DELETE CASCADE, token bytea);
CREATE INDEX by_kind ON users (kind) WHERE kind = 'guest';
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := now(); RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touched();
CREATE VIEW members AS SELECT name FROM users WHERE kind = 'member';
INSERT INTO users (name, kind) VALUES ('anna', 'member'), ('jörg', 'guest'), (E'\\.\tΩ', 'member');
INSERT INTO sessions (owner, token) SELECT id, decode('00ff', 'hex') FROM users;`

const rows = `SELECT string_agg(u.name || '|' || kind || '|' || encode(token, 'hex'), ',' ORDER BY u.id) FROM users u JOIN sessions s ON s.owner = u.id`

// The commands that import writes for a database on a second server of the stack bring it into the first one as it was, and
// as its role's: run word by word, with a docker that leads each into the server that it names.
func TestDatabaseMoves(t *testing.T) {
	all, err := fixture.Read("../pkg/check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(f fixture.Deployment) bool { return f.Name == "several-postgres" })
	d, _ := compose.OpenWith(all[i].Forms[0].Tree, compose.Options{Name: "matrix"})
	draft, findings := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: "/srv/matrix", KeepAuth: true})
	if draft == nil {
		t.Fatal(findings)
	}
	from, to := newCluster(t, "mas"), newCluster(t, "synapse_user")
	from.psql(t, "postgres", `CREATE DATABASE mas OWNER mas`)
	from.psql(t, "mas", filled)
	to.psql(t, "postgres", `CREATE DATABASE synapse OWNER synapse_user`)
	want := from.psql(t, "mas", rows)

	work := t.TempDir()
	docker := fmt.Sprintf(`#!/bin/sh -e
PATH=%s:$PATH
test "$1" = compose
case "$2" in
stop) test "$3" = mas ;;
exec)
  test "$3" = -T
  case "$4" in mas-db) PGHOST=%s PGPORT=%d ;; synapse-db) PGHOST=%s PGPORT=%d ;; *) exit 3 ;; esac
  export PGHOST PGPORT
  shift 4
  exec "$@" ;;
*) exit 4 ;;
esac
`, from.bin, from.dir, from.port, to.dir, to.port)
	if err := os.WriteFile(filepath.Join(work, "docker"), []byte(docker), 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(command string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", command)
		cmd.Dir, cmd.Env = work, append(os.Environ(), "PATH="+work+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	commands := regexp.MustCompile(`(?m)^# +(docker compose (?:stop|exec) .*)$`).FindAllStringSubmatch(string(draft.Text), -1)
	if len(commands) != 3 {
		t.Fatalf("%d commands:\n%s", len(commands), draft.Text)
	}
	run(commands[0][1])
	run(commands[1][1])
	set := draft.Set()
	b, err := render.Render(draft.Spec, render.Resolve(draft.Spec, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	to.init(t, b, work)
	run(commands[2][1])
	to.init(t, b, work) // as with each start afterwards
	config := parsed(t, b, "config/mas/config.yaml").At("database")
	connection := fmt.Sprintf("host=%s user=%s password=%s dbname=%s", config.At("host").Str(), config.At("username").Str(), draft.Secrets["database.mas_password"], config.At("database").Str())
	got, err := to.asked(t, connection, rows)
	if err != nil || got != want {
		t.Errorf("%v: %q became %q", err, want, got)
	}
	// What is only its owner's to do, and what only works where the sequence goes on.
	if out, err := to.asked(t, connection, `ALTER TABLE users ADD COLUMN more int; DROP TRIGGER touched ON users; INSERT INTO users (name) VALUES ('new')`); err != nil {
		t.Errorf("the role of MAS cannot have it as its own: %s", out)
	}
	if owners := to.psql(t, "mas", `SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'`); owners != "mas" {
		t.Errorf("it belongs to %s", owners)
	}
	accepted(t, "PostgreSQL", "a database that comes from a second server by the commands of import")
}

// init runs the SQL of db-init.
func (c *cluster) init(t *testing.T, b *render.Bundle, secrets string) {
	t.Helper()
	text := ""
	for _, f := range b.Files {
		switch {
		case f.Path == "config/postgres/databases.sql":
			text = strings.ReplaceAll(string(f.Data), "/run/secrets/", secrets+"/")
		case strings.HasPrefix(f.Path, "secrets/"):
			if err := os.WriteFile(filepath.Join(secrets, filepath.Base(f.Path)), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	file := filepath.Join(secrets, "databases.sql")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil || text == "" {
		t.Fatal(err, "nothing is rendered for db-init")
	}
	output(t, filepath.Join(c.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", c.dir, "-p", strconv.Itoa(c.port), "-U", c.superuser, "-d", "postgres", "-f", file)
}

func parsed(t *testing.T, b *render.Bundle, name string) source.Value {
	t.Helper()
	for _, f := range b.Files {
		if f.Path == name {
			parsed, problem := source.Parse(name, f.Data)
			if problem != nil {
				t.Fatal(problem.Message)
			}
			return parsed.Root()
		}
	}
	t.Fatalf("%s is not rendered", name)
	return source.Value{}
}

// The SQL of RUNBOOK.md makes on a server elsewhere what each program is rendered to connect with, and no program gets at the
// database of another one.
func TestExternalDatabase(t *testing.T) {
	c := newCluster(t, "postgres")
	s, findings := spec.Parse("stack.yaml", []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\nbridges: {signal: {}, telegram: {version: v0.15.3}}\npermissions: {example.org: user}\n"+
		"database: {external: {host: db.example.org, port: "+strconv.Itoa(c.port)+", sslmode: disable}, names: {synapse: matrix, signal: {name: mautrix_signal, user: Matrix-2}}}\n"))
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	b, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	runbook := ""
	for _, f := range b.Files {
		if f.Path == "RUNBOOK.md" {
			_, runbook, _ = strings.Cut(string(f.Data), "\n## Databases\n")
			runbook, _, _ = strings.Cut(runbook, "\n## ")
		}
	}
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(runbook, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of SQL:\n%s", len(blocks), runbook)
	}
	config := parsed(t, b, "config/matrix/homeserver.yaml").At("database", "args")
	mas := parsed(t, b, "config/mas/config.yaml").At("database")
	connections := map[string]string{
		"synapse":  fmt.Sprintf("host=%s port=%s user=%s password=%s dbname=%s sslmode=%s", config.At("host").Str(), config.At("port").Str(), config.At("user").Str(), config.At("password").Str(), config.At("dbname").Str(), config.At("sslmode").Str()),
		"mas":      fmt.Sprintf("host=%s port=%s user=%s password=%s dbname=%s sslmode=%s", mas.At("host").Str(), mas.At("port").Str(), mas.At("username").Str(), set.Get("database.mas_password"), mas.At("database").Str(), mas.At("ssl_mode").Str()),
		"signal":   parsed(t, b, "config/signal/config.yaml").At("database", "uri").Str(),
		"telegram": parsed(t, b, "config/telegram/config.yaml").At("appservice", "database").Str(),
	}
	for name, connection := range connections {
		if _, err := c.asked(t, connection, "SELECT 1"); err == nil {
			t.Fatalf("%s gets in before anything was made for it", name)
		}
	}
	psql := exec.CommandContext(t.Context(), filepath.Join(c.bin, "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-h", c.dir, "-p", strconv.Itoa(c.port), "-U", "postgres", "-c", "\\set QUIET 1", "-f", filepath.Join(t.TempDir(), "runbook.sql"))
	if err := os.WriteFile(psql.Args[len(psql.Args)-1], []byte(blocks[0][1]+blocks[1][1]), 0o600); err != nil {
		t.Fatal(err)
	}
	typed := ""
	for _, role := range regexp.MustCompile(`\\password "(.*)"`).FindAllStringSubmatch(blocks[1][1], -1) {
		for name := range connections {
			user := cmp.Or(s.Database.Names[name].User, s.Database.Names[name].Name, name)
			if user == role[1] {
				password := set.Get("database." + name + "_password")
				typed += password + "\n" + password + "\n"
			}
		}
	}
	psql.Stdin, psql.SysProcAttr = strings.NewReader(typed), &syscall.SysProcAttr{Setsid: true} // without a terminal it asks there
	if out, err := psql.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, connection := range connections {
		out, err := c.asked(t, connection, "CREATE TABLE kept (id int); SELECT pg_encoding_to_char(encoding) || ' ' || datcollate || ' ' || datctype FROM pg_database WHERE datname = current_database()")
		if err != nil || out != "UTF8 C C" {
			t.Errorf("%s does not get what it needs: %v %s", name, err, out)
		}
	}
	for name := range connections {
		if name == "mas" {
			continue
		}
		database := cmp.Or(s.Database.Names[name].Name, name)
		if out, err := c.asked(t, connections["mas"]+" dbname="+database, "SELECT 1"); err == nil {
			t.Errorf("MAS gets at the database of %s: %s", name, out)
		}
	}
	accepted(t, "PostgreSQL", "a server elsewhere, with what RUNBOOK.md makes there, lets each program in and no other")
}
