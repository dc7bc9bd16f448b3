package manifests_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/manifests"
)

// What waits for PostgreSQL names a role, in the command of each pod that waits.
func TestWaitsWithARole(t *testing.T) {
	waiting := 0
	for name, f := range made(t, rendered(t, fixture.Ingress(behindTraefik)), manifests.Options{}) {
		for line := range strings.Lines(string(f.Data)) {
			if _, command, ok := strings.Cut(line, "until pg_isready "); ok {
				if waiting++; !strings.Contains(command, " -U postgres;") {
					t.Errorf("%s: nobody is named in %s", name, line)
				}
			}
		}
	}
	if waiting < 3 {
		t.Errorf("only %d pods wait for PostgreSQL", waiting)
	}
	d, _ := compose.Open(rendered(t, fixture.Ingress(behindTraefik)))
	if len(d.PostgresServers()) != 1 {
		t.Error("there is no PostgreSQL to wait for")
	}
}

// What reads a password file is given the password by a variable: libpq passes over a file that the group of a pod may read.
func TestNoPasswordFile(t *testing.T) {
	tree := rendered(t, fixture.Ingress(behindTraefik))
	line := "host:5432:*:postgres:" + `a\:b\\c` + "\n"
	tree["secrets/postgres_pgpass"].Data = []byte(line)
	all := made(t, tree, manifests.Options{})
	job, held := string(all["db-init.yaml"].Data), string(all["secrets/db-init.yaml"].Data)
	if strings.Contains(job, "PGPASSFILE") || !strings.Contains(job, "name: PGPASSWORD\n") || !strings.Contains(job, "name: db-init-env") {
		t.Errorf("db-init reads a file that libpq passes over:\n%s", job)
	}
	if strings.Contains(job, `a:b`) || !strings.Contains(held, `PGPASSWORD: `) || !strings.Contains(held, `a:b\c`) && !strings.Contains(held, `a:b\\c`) {
		t.Errorf("the password is not what the file says:\n%s", held)
	}
}

// The real pg_isready, as a number that no image knows, such as that of a pod: without a role it asks nobody, and would be waited for
// without end.
func TestIsReadyAsNobody(t *testing.T) {
	program, err := exec.LookPath("pg_isready")
	if err != nil {
		t.Skip("not checked, because there is no pg_isready here")
	}
	if os.Getuid() != 0 {
		t.Skip("not checked, because only root can run a program as another number")
	}
	for _, c := range []struct {
		role []string
		code int
	}{{nil, 3}, {[]string{"-U", "postgres"}, 2}} { // 2: asked, and nobody answered; 3: not even asked
		cmd := exec.CommandContext(t.Context(), program, append([]string{"-q", "-h", "127.0.0.1", "-p", "1"}, c.role...)...)
		cmd.Env, cmd.Dir = []string{"PATH=" + os.Getenv("PATH")}, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532, NoSetGroups: true}}
		if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.code {
			t.Errorf("pg_isready %v ended with %v, not with %d", c.role, err, c.code)
		}
	}
}
