//go:build unix

package render_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// server is a real PostgreSQL that listens on a socket only, with passwords required.
type server struct {
	t   *testing.T
	dir string
}

// startPostgres skips where there is no PostgreSQL server; settings are further words of its command line. As root it runs the server as nobody.
func startPostgres(t *testing.T, settings ...string) *server {
	t.Helper()
	for _, name := range []string{"initdb", "postgres", "psql"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("skipped: no %s here; what db-init does is not tried on a real PostgreSQL in this run", name)
		}
	}
	// Not t.TempDir: a socket's path must be short, and nobody must reach it.
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &server{t: t, dir: dir}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	s.put("superuser", "placeholder-superuser\n")
	s.must(s.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "scram-sha-256", "--pwfile", filepath.Join(dir, "superuser"), "-E", "UTF8", "--locale", "C.UTF-8"))
	pg := s.command("postgres", append([]string{"-D", filepath.Join(dir, "data"), "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off"}, settings...)...)
	var log bytes.Buffer
	pg.Stdout, pg.Stderr = &log, &log
	if err := pg.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = pg.Process.Signal(syscall.SIGQUIT)
		_ = pg.Wait()
	})
	for range 200 {
		if s.command("pg_isready", "-q", "-h", dir).Run() == nil {
			return s
		}
		if s.psql("postgres", "placeholder-superuser", "postgres", "-c", "SELECT 1").Run() == nil {
			return s
		}
		_ = exec.Command("sleep", "0.05").Run()
	}
	t.Fatalf("PostgreSQL does not start: %s", log.String())
	return nil
}

func (s *server) put(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return cmd
}

func (s *server) psql(user, password, db string, args ...string) *exec.Cmd {
	cmd := s.command("psql", append([]string{"-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", s.dir, "-U", user, "-d", db}, args...)...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password, "HOME="+s.dir)
	return cmd
}

func (s *server) must(cmd *exec.Cmd) string {
	s.t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", filepath.Base(cmd.Path), err, out)
	}
	return string(out)
}

// initialise runs the rendered databases.sql, with the secrets it reads put where this test can, and gives what it says.
func (s *server) initialise(b *render.Bundle) string {
	s.t.Helper()
	for _, f := range b.Files {
		if strings.HasPrefix(f.Path, "secrets/postgres_") {
			s.put(strings.TrimPrefix(f.Path, "secrets/"), string(f.Data))
		}
		if f.Path == "config/postgres/databases.sql" {
			sql := strings.ReplaceAll(string(f.Data), "/run/secrets/", s.dir+"/")
			s.put("databases.sql", sql)
		}
	}
	return s.must(s.psql(b.Stack.Postgres.Superuser, "placeholder-superuser", "postgres", "-f", filepath.Join(s.dir, "databases.sql")))
}

// db-init makes every role and database on a live cluster, twice without harm, takes over a rotated
// password, and passes passwords that break every quoting.
func TestDatabasesOnRealPostgres(t *testing.T) {
	s := startPostgres(t)
	bundle := func(bridges, password string) *render.Bundle {
		sp, findings := spec.Parse("stack.yaml", []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\nbridges: {"+bridges+"}\npermissions: {example.org: user}\n"))
		if sp == nil {
			t.Fatal(findings)
		}
		set := secret.Placeholders(render.Needs(sp))
		if err := set.Set("database.synapse_password", password); err != nil {
			t.Fatal(err)
		}
		b, err := render.Render(sp, render.Resolve(sp, set, "/srv"), set.Get)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	odd := `it's "odd" $HOME \n ; -- ` + "`x`"
	s.initialise(bundle("signal: {}", odd))
	if got := s.must(s.psql("synapse", odd, "synapse", "-c", "CREATE TABLE mine (x int); SHOW server_encoding")); strings.TrimSpace(got) != "UTF8" {
		t.Errorf("encoding %q", got)
	}
	s.initialise(bundle("signal: {}, discord: {}", "rotated"))
	s.must(s.psql("synapse", "rotated", "synapse", "-c", "SELECT * FROM mine"))
	if s.psql("synapse", odd, "synapse", "-c", "SELECT 1").Run() == nil {
		t.Error("the old password still works")
	}
	rows := s.must(s.psql("postgres", "placeholder-superuser", "postgres", "-c",
		"SELECT datname || ' ' || pg_get_userbyid(datdba) || ' ' || datcollate || ' ' || datctype FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"))
	want := []string{"discord discord C C", "mas mas C C", "signal signal C C", "synapse synapse C C"}
	if got := strings.Split(strings.TrimSpace(rows), "\n"); !slices.Equal(got, want) {
		t.Errorf("databases:\n%s\nwant:\n%s", rows, strings.Join(want, "\n"))
	}
	if s.psql("synapse", "rotated", "mas", "-c", "SELECT 1").Run() == nil {
		t.Error("synapse may connect to mas's database")
	}
	version := s.must(s.command("postgres", "--version"))
	t.Logf("accepted by %s", strings.TrimSpace(version))
}

// On a cluster that grew by hand db-init makes what is missing under the names that the spec has, and says of a database
// that is made otherwise that it stays: its owner, collation, extensions and grants are as they were.
func TestDatabasesOfALiveCluster(t *testing.T) {
	s := startPostgres(t)
	super := func(db, statement string) string {
		t.Helper()
		return strings.TrimSpace(s.must(s.psql("postgres", "placeholder-superuser", db, "-c", statement)))
	}
	super("postgres", "CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'placeholder-superuser'")
	super("postgres", "CREATE ROLE old LOGIN PASSWORD 'placeholder-old'")
	super("postgres", "CREATE DATABASE auth OWNER old")
	super("postgres", "CREATE DATABASE homeserver LOCALE 'C.UTF-8' TEMPLATE template0")
	super("postgres", "GRANT ALL ON DATABASE homeserver TO boss")
	super("homeserver", "CREATE TABLE kept (x int)")
	const state = "SELECT string_agg(concat_ws(' ', datname, datdba, encoding, datcollate, datctype, datacl::text, oid), ';' ORDER BY datname) FROM pg_database WHERE datname IN ('auth', 'homeserver')"
	before := super("postgres", state)
	sp, findings := spec.Parse("stack.yaml", []byte(`version: 1
server_name: example.org
auth: {passwords: true}
database: {superuser: boss, names: {synapse: {name: homeserver, user: boss}, mas: {name: auth, user: old}, signal: mautrix_signal, whatsapp: {name: wa, user: old}}}
bridges: {signal: {}, whatsapp: {}}
permissions: {example.org: user}
`))
	if sp == nil {
		t.Fatal(findings)
	}
	var names []string
	needs := render.Needs(sp)
	for _, n := range needs {
		if strings.HasPrefix(n.Name, "database.") {
			names = append(names, n.Name)
		}
	}
	if want := []string{"database.postgres_password", "database.mas_password", "database.signal_password"}; !slices.Equal(names, want) {
		t.Errorf("secrets %v, want one for each role: %v", names, want)
	}
	set := secret.Placeholders(needs)
	for name, value := range map[string]string{"database.postgres_password": "placeholder-superuser", "database.mas_password": "placeholder-old"} {
		if err := set.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	b, err := render.Render(sp, render.Resolve(sp, set, "/srv"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		said := s.initialise(b)
		if !strings.Contains(said, "database homeserver is there and stays as it is: owner postgres, encoding UTF8, collation C.UTF-8") ||
			strings.Contains(said, "signal") || strings.Contains(said, "placeholder") {
			t.Errorf("db-init says %q", said)
		}
		if now := super("postgres", state); now != before {
			t.Errorf("what was there has changed:\n%s\n%s", before, now)
		}
	}
	for _, db := range b.Stack.Databases {
		s.must(s.psql(db.User, db.Password, db.Name, "-c", "SELECT 1"))
	}
	if got := super("postgres", "SELECT string_agg(datname || ' ' || pg_get_userbyid(datdba), ', ' ORDER BY datname) FROM pg_database WHERE datname IN ('mautrix_signal', 'wa', 'signal', 'whatsapp', 'synapse', 'mas')"); got != "mautrix_signal mautrix_signal, wa old" {
		t.Errorf("databases %s", got)
	}
}
