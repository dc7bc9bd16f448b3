package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// sh runs a block of the runbook where stack.yaml stands, with the public names leading to Traefik.
func (s *stack) sh(t *testing.T, book map[string][]string, heading string, n int, old, now string) string {
	t.Helper()
	if len(book[heading]) <= n {
		t.Fatalf("RUNBOOK.md, %s, has no block %d: %q", heading, n, book[heading])
	}
	block := book[heading][n]
	if old != "" {
		block = replace(t, block, old, now)
	}
	cmd := cl.command(t.Context(), "bash", "-euo", "pipefail", "-c", "cd "+s.root+"\n"+strings.NewReplacer(" DIR", " out", "-it ", "").Replace(block))
	cmd.Env = append(cmd.Env, "CURL_HOME="+s.root)
	for name, value := range fromOutside {
		cmd.Env = append(cmd.Env, "STACKGEN_SECRET_"+strings.ToUpper(strings.ReplaceAll(name, ".", "_"))+"="+value)
	}
	out, err := output(cmd)
	if err != nil {
		t.Fatalf("RUNBOOK.md, %s: %v", heading, s.mask(err.Error()))
	}
	return s.mask(out)
}

// book are the commands of RUNBOOK.md as it is now.
func (s *stack) book(t *testing.T) map[string][]string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(s.dir, "RUNBOOK.md"))
	if err != nil {
		t.Fatal(err)
	}
	return fixture.Commands(string(src))
}

// The commands of RUNBOOK.md do what it says of them.
func (s *stack) testRunbook(t *testing.T, p *people) {
	book := s.book(t)
	curl := "cacert = " + filepath.Join(stackDir(), "ca.crt") + "\n"
	for _, host := range []string{publicHost, serverName} {
		curl += fmt.Sprintf("resolve = \"%s:443:%s\"\n", host, proxyIP)
	}
	if err := os.WriteFile(filepath.Join(s.root, ".curlrc"), []byte(curl), 0o600); err != nil {
		t.Fatal(err)
	}
	s.sh(t, book, "Deploy", 0, "", "")
	s.sh(t, book, "Deploy", 1, " --watch", "")
	if out := s.sh(t, book, "Health checks", 0, "", ""); !strings.Contains(out, "v1.1") || !strings.Contains(out, "m.login.sso") || !strings.Contains(out, serverName+":443") {
		t.Errorf("health checks: %s", out)
	}

	// What was written after the backup is gone by the restore, and all else is there.
	s.sh(t, book, "Backup", 0, "", "")
	s.chat(t, p, "after the backup")
	before := p.said[:len(p.said)-1]
	s.sh(t, book, "Restore", 0, "", "")
	s.sh(t, book, "Restore", 1, "", "")
	s.settle(t)
	p.said = before
	s.chat(t, p, "after the restore")

	// A password of a role is set by another Job of db-init, and the bridge that has it begins anew.
	pods := s.pods(t)
	rotate := strings.ReplaceAll(replace(t, book["Rotate a secret"][0], "rotate NAME", "rotate database.signal_password"), "stackgen secrets list\n", "")
	s.sh(t, map[string][]string{"Rotate": {rotate}}, "Rotate", 0, "", "")
	s.settle(t)
	for name, uid := range s.pods(t) {
		if restarted := pods[name] != uid; restarted != (name == "signal") {
			t.Errorf("a new password of signal's role: %s restarted %v", name, restarted)
		}
	}
	s.testMigrate(t, p)
	fact("kubectl (Go module)", must(t, "k8s.io/kubernetes"), "RUNBOOK.md: Deploy, Health checks, Backup, Restore, Rotate a secret, Upgrade, Migrate")
}

// What moves users begins when it is let in, and what waits for it ends where it fails: MAS has users. Once it has none it is as if they had
// all logged in at Synapse, whose sessions go on at MAS.
func (s *stack) testMigrate(t *testing.T, p *people) {
	const session = "a-session-of-synapse-before-mas"
	before := s.spec
	s.render(t, replace(t, before, "auth:\n", "auth:\n  migration: true\n"))
	book := s.book(t)
	s.sh(t, book, "Migrate", 0, "", "")
	if n := s.kubectl(t, "get", "statefulset", "synapse", "-o", "jsonpath={.spec.replicas}"); n != "0" {
		t.Errorf("Synapse is started before its users are moved: replicas %s", n)
	}
	if out := s.sh(t, book, "Migrate", 2, "", ""); !strings.Contains(out, "Complete") {
		t.Errorf("syn2mas check: %s", out)
	}
	if out := s.sh(t, book, "Migrate", 3, "", ""); !strings.Contains(out, "the MAS database is not empty") || !strings.Contains(out, "Failed") {
		t.Errorf("syn2mas migrate: %s", out)
	}

	s.sql(t, "mas", "DELETE FROM compat_sessions")
	user := "@phil:" + serverName
	s.sql(t, "synapse", fmt.Sprintf("INSERT INTO devices (user_id, device_id) VALUES ('%s', 'BEFORE')", user)) // without which Synapse lets no session in
	s.sql(t, "synapse", fmt.Sprintf("INSERT INTO access_tokens (id, user_id, device_id, token) VALUES (1, '%s', 'BEFORE', '%s')", user, session))
	s.kubectl(t, "delete", "job", "syn2mas-migrate-1")
	if out := s.sh(t, book, "Migrate", 3, "", ""); !strings.Contains(out, "1 sessions migrated") || !strings.Contains(out, "Complete") {
		t.Errorf("syn2mas migrate: %s", out)
	}
	s.sh(t, book, "Migrate", 4, "", "")
	s.settle(t)
	p.phil, p.anna = session, s.logIn(t, "anna")
	s.chat(t, p, "after the move")
	s.spec = replace(t, before, "auth:\n", "auth:\n  migrated: true\n")
	s.render(t, s.spec)
	s.up(t)
	s.kubectl(t, "delete", "cronjob,job", "-l", "app.kubernetes.io/name=syn2mas")
	s.chat(t, p, "without what moved them")
}
