package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
)

const password = "fake-password-of-anna"

// A stack behind a Caddy of its own, whose Synapse logs users in itself, is taken over as it is, by what MIGRATION.md says:
// whoever was logged in still is, and the same requests have the same answers.
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
