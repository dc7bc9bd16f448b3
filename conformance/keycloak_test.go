package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const keycloakAdmin = "admin"

// keycloak is a running Keycloak that nobody else uses.
type keycloak struct{ base, token string }

// startKeycloak starts Keycloak with a database in memory and logs in as its administrator.
func startKeycloak(t *testing.T, dir string) *keycloak {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	cmd := exec.Command(filepath.Join(dir, "bin", "kc.sh"), "start-dev", "--db=dev-mem", "--http-host=127.0.0.1", "--http-port="+port)
	cmd.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME="+keycloakAdmin, "KC_BOOTSTRAP_ADMIN_PASSWORD="+keycloakAdmin)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-exited:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
		}
	})
	kc := &keycloak{base: "http://127.0.0.1:" + port}
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
		select {
		case err := <-exited:
			t.Fatalf("Keycloak ended: %v\n%s", err, &log)
		default:
		}
		if kc.login(t.Context()) {
			return kc
		}
	}
	t.Fatalf("Keycloak does not start:\n%s", &log)
	return nil
}

func (kc *keycloak) login(ctx context.Context) bool {
	form := url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {keycloakAdmin}, "password": {keycloakAdmin}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, kc.base+"/realms/master/protocol/openid-connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var token struct {
		Value string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&token)
	kc.token = token.Value
	return err == nil && kc.token != ""
}

// call asks the administrators' API, which the page "Import client" of the console talks to as well.
func (kc *keycloak) call(t *testing.T, method, path string, body []byte) (int, []byte) {
	t.Helper()
	// A token lasts a minute.
	if !kc.login(t.Context()) {
		t.Fatal("Keycloak lets nobody in any more")
	}
	req, err := http.NewRequestWithContext(t.Context(), method, kc.base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+kc.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}

// Keycloak imports each rendered client, keeps every field of it, and shows its login page for the callback
// that MAS uses and for no other.
func TestKeycloak(t *testing.T) {
	dir := filepath.Dir(filepath.Dir(program(t, ".keycloak/bin/kc.sh")))
	kc := startKeycloak(t, dir)
	var info struct {
		SystemInfo struct{ Version string }
	}
	if _, text := kc.call(t, http.MethodGet, "/admin/serverinfo", nil); json.Unmarshal(text, &info) != nil {
		t.Fatalf("%s", text)
	}
	eachExample(t, func(t *testing.T, e *example) {
		files, err := filepath.Glob(filepath.Join(e.dir, "keycloak", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			kc.imports(t, e.name, path)
			e.accepted(t, "Keycloak "+info.SystemInfo.Version, "keycloak/"+filepath.Base(path))
		}
	})
}

// imports puts a client into a realm of its own.
func (kc *keycloak) imports(t *testing.T, realm, path string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(src, &want); err != nil {
		t.Fatal(err)
	}
	if code, text := kc.call(t, http.MethodPost, "/admin/realms", []byte(`{"realm":"`+realm+`","enabled":true}`)); code != http.StatusCreated {
		t.Fatalf("the realm: %d %s", code, text)
	}
	clients := "/admin/realms/" + realm + "/clients"
	// Keycloak does not pass over what it does not know: that it takes the file means something.
	if code, _ := kc.call(t, http.MethodPost, clients, bytes.Replace(src, []byte("{"), []byte(`{"clientIdd": "x",`), 1)); code != http.StatusBadRequest {
		t.Errorf("a client with an unknown field: %d", code)
	}
	if code, text := kc.call(t, http.MethodPost, clients, src); code != http.StatusCreated {
		t.Fatalf("Keycloak refuses: %d %s", code, text)
	}
	id := want["clientId"].(string)
	var got []map[string]any
	if _, text := kc.call(t, http.MethodGet, clients+"?clientId="+url.QueryEscape(id), nil); json.Unmarshal(text, &got) != nil || len(got) != 1 {
		t.Fatalf("the client is not there: %s", text)
	}
	// Keycloak adds attributes of its own.
	attributes := got[0]["attributes"].(map[string]any)
	ours, _ := want["attributes"].(map[string]any)
	for key := range attributes {
		if _, rendered := ours[key]; !rendered {
			delete(attributes, key)
		}
	}
	for key, val := range want {
		if diff := cmp.Diff(val, got[0][key], cmp.Transformer("set", asSet)); diff != "" {
			t.Errorf("%s is kept as something else (-rendered +kept):\n%s", key, diff)
		}
	}
	callback := want["redirectUris"].([]any)[0].(string)
	for uri, code := range map[string]int{callback: http.StatusOK, callback + "x": http.StatusBadRequest} {
		query := url.Values{"client_id": {id}, "response_type": {"code"}, "scope": {"openid profile email"}, "redirect_uri": {uri}}
		if got, _ := kc.call(t, http.MethodGet, "/realms/"+realm+"/protocol/openid-connect/auth?"+query.Encode(), nil); got != code {
			t.Errorf("the login page for %s: %d instead of %d", uri, got, code)
		}
	}
}

// asSet makes the order of scopes and URLs not matter.
func asSet(list []any) map[any]bool {
	set := map[any]bool{}
	for _, v := range list {
		set[v] = true
	}
	return set
}
