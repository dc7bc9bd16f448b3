package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

const password = "fake-password-of-anna"

// A stack behind a Caddy of its own, whose Synapse logs users in itself, is taken over as it is, and its users are moved
// to MAS another day, with the routes that Caddy is then given. Who was logged in before all of it is logged in after
// each step, and after the way back.
func TestAdoptionLater(t *testing.T) {
	a := newAdoption(t, "byhand-caddy")
	a.super = "synapse"
	if _, err := output(exec.Command("chown", "-R", "991:991", filepath.Join(a.dir, "synapse"))); err != nil {
		t.Fatal(err)
	}
	a.compose(t, "up", "-d", "--pull", "never")
	a.awake(t)
	a.compose(t, "exec", "-T", "synapse", "register_new_matrix_user", "-c", "/data/homeserver.yaml", "-u", "anna", "-p", password, "--no-admin", "http://localhost:8008")
	token := a.logIn(t)
	room := a.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/createRoom", token, map[string]any{"name": before}).str("room_id")
	answers := a.answers(t)

	a.take(t, "--keep-auth")
	for _, heading := range []string{"1. Audit", "2. Import", "3. Compare", "4. Pull, and rehearse the render", "5. Keep what there is"} {
		a.follow(t, heading, 0)
	}
	old := a.containers(t)
	cluster, rows := a.cluster(t), a.allRows(t)
	for _, heading := range []string{"6. Stop what runs", "7. Bring the data", "8. Write the files", "9. Start"} {
		a.follow(t, heading, 0)
	}
	a.settle(t)
	a.planned(t, old, a.containers(t))
	if now := a.cluster(t); now != cluster {
		t.Errorf("the cluster was\n%s\nand is\n%s", cluster, now)
	}
	a.sameRows(t, rows)
	a.sameAnswers(t, answers)
	a.isAnna(t, token, room)
	a.isAnna(t, a.logIn(t), room)
	a.follow(t, "10. Look", 0)

	t.Run("from Synapse's logins to MAS", func(t *testing.T) { a.later(t, token, room) })

	a.follow(t, "The way back", 0)
	a.awake(t)
	a.sameAnswers(t, answers)
	a.isAnna(t, token, room)
	a.isAnna(t, a.logIn(t), room)
}

// later follows what MIGRATION.md and RUNBOOK.md say for the day on which MAS takes over the logins, and goes back.
func (a *adoption) later(t *testing.T, token, room string) {
	if _, err := docker.docker("network", "create", "caddy-ingress"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(a.spec, "stack.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	spec := replace(t, string(text), "kind: synapse", "migration: true\n  public_url: https://"+publicHost+"/auth/")
	spec = replace(t, spec, "kind: none", "kind: caddy\n  caddy: {network: caddy-ingress}")
	spec = replace(t, spec, `volumes: ["./Caddyfile`, `volumes: ["./config/caddy:/etc/caddy/matrix:ro", "./Caddyfile`)
	file, err := os.ReadFile(filepath.Join(a.spec, "files/Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	site, _, _ := strings.Cut(string(file), "matrix.{$DOMAIN}")
	site = replace(t, site, "{$DOMAIN} {", "import matrix/matrix.caddy\n{$DOMAIN} {\n\timport matrix-apex")
	site, _, _ = strings.Cut(site, "\thandle /_matrix")
	a.write(t, "stack.yaml", spec)
	a.write(t, "files/Caddyfile", site+"}\n")
	render := "stackgen render " + a.spec + "/stack.yaml -o " + a.dir
	a.sh(t, "stackgen diff "+a.spec+"/stack.yaml -o "+a.dir+" || [ $? = 1 ]", "", nil)
	a.sh(t, render, "", nil)

	a.sh(t, "cd "+a.dir+"\n"+fixture.Commands(string(a.read(t, "RUNBOOK.md")))["Migrate"][0], "", nil)
	a.settle(t)
	a.isAnna(t, token, room)
	login := a.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/login", "", map[string]any{"type": "m.login.token", "token": "login-anna"})
	a.isAnna(t, login.str("access_token"), room)
	if got := a.ask(t, http.MethodGet, "https://"+publicHost+"/auth/.well-known/openid-configuration", "", nil); got.str("issuer") != "https://"+publicHost+"/auth/" {
		t.Errorf("discovery of MAS: HTTP %d %s", got.status, got.text)
	}

	a.write(t, "stack.yaml", string(text))
	a.write(t, "files/Caddyfile", string(file))
	a.sh(t, render+" && cd "+a.dir+" && docker compose up -d --remove-orphans", "", nil)
	a.settle(t)
	a.isAnna(t, token, room)
	if got := a.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", login.str("access_token"), nil); got.status != http.StatusUnauthorized {
		t.Errorf("a session of MAS is one of Synapse's, which MIGRATION.md denies: HTTP %d %s", got.status, got.text)
	}
	fact("syn2mas of the stand-in for MAS", "-", "RUNBOOK.md: Migrate, sessions of Synapse's own login")
	fact("Caddy (Go module)", module(t, "caddy", "github.com/caddyserver/caddy/v2"), "a Caddyfile that is kept, config/caddy/matrix.caddy")
}

// logIn is Anna's login with her password.
func (a *adoption) logIn(t *testing.T) string {
	t.Helper()
	got := a.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/login", "", map[string]any{
		"type": "m.login.password", "identifier": map[string]string{"type": "m.id.user", "user": "anna"}, "password": password,
	})
	if got.str("access_token") == "" {
		t.Fatalf("login: HTTP %d %s", got.status, got.text)
	}
	return got.str("access_token")
}

// isAnna has a token be Anna's, and her room be there.
func (a *adoption) isAnna(t *testing.T, token, room string) {
	t.Helper()
	if got := a.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", token, nil); got.str("user_id") != "@anna:"+serverName {
		t.Errorf("whoami: HTTP %d %s", got.status, got.text)
	}
	if got := a.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/rooms/"+room+"/state/m.room.name", token, nil); got.str("name") != before {
		t.Errorf("the room: HTTP %d %s", got.status, got.text)
	}
}

// write writes a file beside the spec.
func (a *adoption) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(a.spec, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
