package conformance

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// ownLogin renders the spec whose Synapse logs users in itself, with the paths of its tree here.
func ownLogin(t *testing.T) (dir, config string) {
	t.Helper()
	src, err := os.ReadFile("../pkg/render/testdata/specs/own-login/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir = renderAll(t, string(src))
	container(t, dir)
	return dir, filepath.Join(dir, "config", "matrix", "homeserver.yaml")
}

// What Synapse reads of its own login is what the spec says.
func TestOwnLoginRead(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	dir, config := ownLogin(t)
	secret, err := os.ReadFile(filepath.Join(dir, "secrets", "synapse_upstream_keycloak"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, "-c", `import sys, synapse
from synapse.config.homeserver import HomeServerConfig
c = HomeServerConfig.load_config("", ["-c", sys.argv[1]])
print("Synapse", synapse.__version__.split()[0])
print(c.auth.password_enabled_for_login, c.auth.password_pepper, c.registration.enable_registration, c.registration.registration_requires_token, c.registration.registrations_require_3pid, bool(c.registration.registration_shared_secret))
for p in c.oidc.oidc_providers: print(p.idp_id, p.idp_name, p.issuer, p.client_id, p.client_auth_method, p.scopes, p.allow_existing_users, p.client_secret == sys.argv[2], p.user_mapping_provider_config.localpart_template.render({"user": {"preferred_username": "anna"}}))`,
		config, strings.TrimSpace(string(secret)))
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &talk)
	}
	version, got, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	want := `True placeholder-pepper True True ['email'] True
oidc-keycloak keycloak https://sso.example.org/realms/main matrix client_secret_basic ['openid', 'profile', 'email'] True True anna
oidc Work https://id.example.com synapse client_secret_basic ['openid', 'profile'] False False anna`
	if got != want {
		t.Errorf("%s reads\n%s\nand not\n%s", version, got, want)
	}
	accepted(t, version, "the login of its own")
}

var (
	postgresSection = regexp.MustCompile(`(?s)\ndatabase:\n.*?\n\n`)
	providerSection = regexp.MustCompile(`(?s)\noidc_providers:\n.*?\n\n`)
)

// A Synapse that runs makes a user as RUNBOOK.md says, and logs it in with the password. Its database is a file, and it has
// no providers: none could be asked from here.
func TestOwnLoginRuns(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	dir, config := ownLogin(t)
	src, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	text := postgresSection.ReplaceAllString(string(src), fmt.Sprintf("\ndatabase: {name: sqlite3, args: {database: %q}}\n\n", filepath.Join(dir, "synapse.db")))
	text = providerSection.ReplaceAllString(text, "\n")
	text = strings.NewReplacer("- port: 8008", fmt.Sprintf("- port: %d", port), "0.0.0.0", "127.0.0.1", "registrations_require_3pid: [email]\n", "").Replace(text)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, "-m", "synapse.app.homeserver", "-c", config)
	cmd.Dir = dir
	var talk strings.Builder
	cmd.Stdout, cmd.Stderr = &talk, &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(talk.String())
		}
	}()
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(time.Second) {
		if res, err := http.Get(base + "/health"); err == nil {
			res.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Synapse does not start")
		}
	}
	output(t, bin, "-m", "synapse._scripts.register_new_matrix_user", "-c", config, "-u", "anna", "-p", "a-password-of-a-test", "--admin", base)
	login := func(password string) (int, map[string]any) {
		body := fmt.Sprintf(`{"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "anna"}, "password": %q}`, password)
		res, err := http.Post(base+"/_matrix/client/v3/login", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var answer map[string]any
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, answer
	}
	if code, _ := login("another"); code != http.StatusForbidden {
		t.Errorf("a wrong password gives %d", code)
	}
	code, answer := login("a-password-of-a-test")
	if code != http.StatusOK || answer["user_id"] != "@anna:example.org" || answer["access_token"] == nil {
		t.Errorf("the password gives %d", code)
	}
	res, err := http.Get(base + "/_matrix/client/v3/login")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var flows struct{ Flows []struct{ Type string } }
	if err := json.NewDecoder(res.Body).Decode(&flows); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(flows.Flows, func(f struct{ Type string }) bool { return f.Type == "m.login.password" }) {
		t.Errorf("the ways to log in are %v", flows.Flows)
	}
	accepted(t, "Synapse "+output(t, bin, "-c", "import synapse; print(synapse.__version__.split()[0])"), "a password at its own login")
}
