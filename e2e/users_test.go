package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// people are the users of a stack, and the commands of RUNBOOK.md, Users, by what they are for.
type people struct {
	*drill
	table map[string]string
	used  map[string]bool
	token string // of an administrator, where a command asks for one
}

// usersSpec lets somebody log in as often as a test does.
func usersSpec(auth string) string {
	const often = "{per_second: 100, burst_count: 100}"
	return `version: 1
server_name: ` + serverName + `
auth: {` + auth + `passwords: true, registration: token}
synapse: {extra: {rc_login: {address: ` + often + `, account: ` + often + `}, rc_registration: ` + often + `}}
ingress: {traefik: {network: ` + ingress + `}}
`
}

// newPeople starts a stack with passwords and registration by token, and reads the table of its runbook.
func newPeople(t *testing.T, auth string) *people {
	t.Helper()
	d := &drill{stack: newStack(t, usersSpec(auth)), home: t.TempDir(), clients: filepath.Join(t.TempDir(), "clients")}
	composePlugin(t)
	text := string(d.read(t, "RUNBOOK.md"))
	d.book = fixture.Commands(text)
	p := &people{drill: d, table: map[string]string{}, used: map[string]bool{}}
	_, users, _ := strings.Cut(text, "\n## Users\n")
	users, _, _ = strings.Cut(users, "\n## ")
	for line := range strings.Lines(users) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 2 || !strings.HasPrefix(cells[1], "`") {
			continue
		}
		purpose, _, _ := strings.Cut(strings.TrimSpace(cells[0]), ",")
		purpose, _, _ = strings.Cut(purpose, ":")
		p.table[purpose] = strings.Trim(strings.TrimSpace(cells[1]), "`")
	}
	p.up(t)
	return p
}

// run runs the command that the runbook has for a purpose, for Anna.
func (p *people) run(t *testing.T, purpose, password string) string {
	t.Helper()
	command, ok := p.table[purpose]
	if !ok {
		t.Fatalf("RUNBOOK.md, Users, has no command to %s: %q", purpose, p.table)
	}
	p.used[purpose] = true
	command = strings.NewReplacer("ACCESS_TOKEN", p.token, "NAME", "anna", "PASSWORD", password).Replace(command)
	return p.sh(t, command+" 2>&1", "", nil)
}

// all has every command of the table have been run.
func (p *people) all(t *testing.T) {
	t.Helper()
	for purpose, command := range p.table {
		if !p.used[purpose] {
			t.Errorf("nobody tried to %s: %s", purpose, command)
		}
	}
}

// logIn is a login with a password: the token, or "" and why not.
func (p *people) logIn(t *testing.T, name, password string) (token, refused string) {
	t.Helper()
	got := p.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/login", "", map[string]any{
		"type": "m.login.password", "identifier": map[string]string{"type": "m.id.user", "user": name}, "password": password,
	})
	return got.str("access_token"), got.text
}

func (p *people) loggedIn(t *testing.T, name, password string) string {
	t.Helper()
	token, refused := p.logIn(t, name, password)
	if token == "" {
		t.Fatalf("%s cannot log in: %s", name, refused)
	}
	p.knows(t, token, name)
	return token
}

func (p *people) lockedOut(t *testing.T, token, password string) {
	t.Helper()
	if again, _ := p.logIn(t, "anna", password); again != "" {
		t.Error("Anna logs in")
	}
	if got := p.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", token, nil); got.status != http.StatusUnauthorized {
		t.Errorf("Anna's old session goes on: HTTP %d %s", got.status, got.text)
	}
}

func (p *people) knows(t *testing.T, token, name string) {
	t.Helper()
	got := p.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", token, nil)
	if want := "@" + name + ":" + serverName; got.str("user_id") != want {
		t.Errorf("the token of %s: HTTP %d %s", want, got.status, got.text)
	}
}

// Every command of RUNBOOK.md, Users, does what it says: with MAS, whose stand-in takes what the source of mas-cli takes and
// moves the real Synapse, and with Synapse's own login.
func TestUsers(t *testing.T) {
	t.Run("MAS", func(t *testing.T) {
		p := newPeople(t, "")
		p.made(t)
		p.run(t, "make a user an administrator", "")
		if list := p.run(t, "list the administrators", ""); !strings.Contains(list, "username=anna") {
			t.Errorf("Anna is no administrator: %s", list)
		}
		p.run(t, "take that back", "")
		if list := p.run(t, "list the administrators", ""); strings.Contains(list, "anna") {
			t.Errorf("Anna is still an administrator: %s", list)
		}
		token := p.loggedIn(t, "anna", "fake-second-password")
		p.run(t, "end all sessions of a user", "")
		if got := p.ask(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/account/whoami", token, nil); got.status != http.StatusUnauthorized {
			t.Errorf("the session goes on: HTTP %d %s", got.status, got.text)
		}
		p.locked(t, "fake-second-password")
		p.run(t, "invite somebody", "")
		token = p.sql(t, "mas", `SELECT usage_limit || ' ' || round(extract(epoch FROM expires_at - now()) / 86400) FROM user_registration_tokens`)
		if token != "1 7" {
			t.Errorf("the token is for %s: accounts, days", token)
		}
		p.deactivated(t, "fake-second-password")
		p.all(t)
	})
	t.Run("Synapse", func(t *testing.T) {
		p := newPeople(t, "kind: synapse, ")
		// It asks for a name and a password, which nobody is there to type.
		first := replace(t, p.block(t, "Deploy", 2), "exec ", "exec -T ")
		p.sh(t, replace(t, first, "register_new_matrix_user", "register_new_matrix_user -u berta -p fake-password-of-berta"), "", nil)
		p.token = p.loggedIn(t, "berta", "fake-password-of-berta")
		p.made(t)
		p.run(t, "make a user an administrator", "")
		anna := "@anna:" + serverName
		if list := p.run(t, "list the administrators", ""); !strings.Contains(list, anna) {
			t.Errorf("Anna is no administrator: %s", list)
		}
		p.run(t, "take that back", "")
		if list := p.run(t, "list the administrators", ""); strings.Contains(list, anna) || !strings.Contains(list, "@berta:") {
			t.Errorf("the administrators are: %s", list)
		}
		token := p.loggedIn(t, "anna", "fake-second-password")
		p.run(t, "end all sessions of a user", "fake-third-password")
		p.lockedOut(t, token, "fake-second-password")
		p.locked(t, "fake-third-password")
		var invited struct{ Token string }
		if out := p.run(t, "invite somebody", ""); json.Unmarshal([]byte(out), &invited) != nil || invited.Token == "" {
			t.Fatalf("no token: %s", out)
		}
		p.register(t, "clara", invited.Token, http.StatusOK)
		p.register(t, "doris", invited.Token, http.StatusUnauthorized)
		p.deactivated(t, "fake-third-password")
		p.all(t)
	})
}

// made is a user who is made, and whose password is set anew.
func (p *people) made(t *testing.T) {
	t.Helper()
	p.run(t, "make a user", "fake-first-password")
	p.loggedIn(t, "anna", "fake-first-password")
	p.run(t, "set a forgotten password", "fake-second-password")
	if token, _ := p.logIn(t, "anna", "fake-first-password"); token != "" {
		t.Error("the forgotten password goes on")
	}
}

// locked is a user who is locked out and let in again. Her session is one that Synapse has not been asked with before: what MAS
// said of another it believes for two minutes, as the runbook says.
func (p *people) locked(t *testing.T, password string) {
	t.Helper()
	token, refused := p.logIn(t, "anna", password)
	if token == "" {
		t.Fatalf("Anna cannot log in: %s", refused)
	}
	p.run(t, "lock a user out", "")
	p.lockedOut(t, token, password)
	p.run(t, "let the user in again", "")
	p.loggedIn(t, "anna", password)
}

// deactivated is a user who is gone, with the name taken for good.
func (p *people) deactivated(t *testing.T, password string) {
	t.Helper()
	token := p.loggedIn(t, "anna", password)
	p.run(t, "deactivate a user", "")
	p.lockedOut(t, token, password)
	if got := p.sql(t, "synapse", `SELECT deactivated FROM users WHERE name = '@anna:`+serverName+`'`); got != "1" {
		t.Errorf("to Synapse Anna is deactivated: %q", got)
	}
	available := p.ask(t, http.MethodGet, synapse+"/_matrix/client/v3/register/available?username=anna", "", nil)
	if available.status == http.StatusOK {
		t.Errorf("her name is free: %s", available.text)
	}
}

// register makes an account as a client does, with a registration token.
func (p *people) register(t *testing.T, name, token string, want int) {
	t.Helper()
	const url = "https://" + publicHost + "/_matrix/client/v3/register"
	body := map[string]any{"username": name, "password": "fake-password-of-" + name}
	session := p.ask(t, http.MethodPost, url, "", body).str("session")
	var got answer
	for _, auth := range []map[string]string{{"type": "m.login.registration_token", "token": token}, {"type": "m.login.dummy"}} {
		auth["session"] = session
		body["auth"] = auth
		if got = p.ask(t, http.MethodPost, url, "", body); got.status == http.StatusOK {
			break
		}
	}
	if got.status != want {
		t.Errorf("%s registers: HTTP %d %s", name, got.status, got.text)
	}
}
