// Command mas stands in for the Matrix Authentication Service, of which no package exists. It reads the
// configuration as strictly as MAS's documentation allows, opens what the configuration names, and answers
// on the configured listeners what Synapse, clients and bridges ask when a stack runs: discovery, token
// introspection and the compat login API. It keeps its sessions in the configured database and registers
// users at Synapse with the configured secret. `manage` has the commands of RUNBOOK.md, Users. syn2mas moves sessions alone.
// Who logs in has the password of `manage`, or a login token of its own kind: "login-<localpart>".
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq"
)

type server struct {
	*config
	db *sql.DB
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "syn2mas" {
		syn2mas(os.Args[2:])
		return
	}
	command := "server"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	if command != "server" && command != "manage" {
		log.Fatalf("this stand-in knows only the commands server, manage and syn2mas, not %s", command)
	}
	path := os.Getenv("MAS_CONFIG")
	for i, arg := range os.Args {
		if arg == "--config" && i+1 < len(os.Args) {
			path = os.Args[i+1]
		}
	}
	c, err := load(path)
	if err != nil {
		log.Fatalf("configuration refused: %v", err)
	}
	db, err := sql.Open("postgres", c.dsn())
	if err != nil {
		log.Fatalf("database: %v", err)
	}
	s := &server{c, db}
	if err := s.migrate(); err != nil {
		log.Fatalf("database: %v", err)
	}
	if command == "manage" {
		if err := manage(s, os.Args[2:]); err != nil {
			log.Fatalf("error: %v", err)
		}
		return
	}
	log.Printf("%s accepted, %d keys loaded, database %s open", path, len(c.Secrets.Keys), c.Database.Database)
	failed := make(chan error)
	for _, l := range c.HTTP.Listeners {
		mux := http.NewServeMux()
		for _, r := range l.Resources {
			s.mount(mux, r.Name)
		}
		handler := http.Handler(mux)
		if prefix := strings.TrimRight(l.Prefix, "/"); prefix != "" {
			handler = http.StripPrefix(prefix, mux)
		}
		for _, b := range l.Binds {
			address := b.Address
			if address == "" {
				address = net.JoinHostPort(b.Host, strconv.Itoa(b.Port))
			}
			go func() { failed <- http.ListenAndServe(address, handler) }()
		}
	}
	go s.greet()
	log.Fatal(<-failed)
}

func (s *server) migrate() error {
	_, err := s.db.Exec(`CREATE TABLE IF NOT EXISTS compat_sessions (token text PRIMARY KEY, localpart text NOT NULL, device text NOT NULL);
		CREATE TABLE IF NOT EXISTS users (username text PRIMARY KEY, password text NOT NULL, admin boolean NOT NULL, locked boolean NOT NULL);
		CREATE TABLE IF NOT EXISTS user_registration_tokens (token text PRIMARY KEY, usage_limit integer, expires_at timestamptz)`)
	return err
}

// greet asks Synapse for a free name, which `mas-cli doctor` does to try the shared secret, and MAS itself
// before it registers somebody.
func (s *server) greet() {
	for {
		status, text, err := s.synapse(http.MethodGet, "is_localpart_available?localpart=somebody", nil)
		switch {
		case err != nil:
			log.Printf("Synapse is not there yet: %v", err)
		case status == http.StatusOK:
			log.Print("Synapse accepts the shared secret")
			return
		case status == http.StatusBadRequest:
			log.Printf("Synapse accepts the shared secret, but would take no new user: %s", text)
			return
		default:
			log.Printf("Synapse refuses the shared secret: HTTP %d %s", status, text)
		}
		time.Sleep(5 * time.Second)
	}
}

// synapse calls one of the endpoints that Synapse keeps for MAS.
func (s *server) synapse(method, call string, body any) (status int, text string, err error) {
	src, err := json.Marshal(body)
	if err != nil {
		return 0, "", err
	}
	base, err := url.Parse(s.Matrix.Endpoint)
	if err != nil {
		return 0, "", err
	}
	at, err := base.Parse("_synapse/mas/" + call)
	if err != nil {
		return 0, "", err
	}
	req, err := http.NewRequest(method, at.String(), bytes.NewReader(src))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+s.Matrix.Secret)
	req.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(res.Body)
	return res.StatusCode, answer.String(), err
}

// mount puts the paths of one resource on a listener.
func (s *server) mount(mux *http.ServeMux, resource string) {
	switch resource {
	case "health":
		mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
			if err := s.db.PingContext(r.Context()); err != nil {
				http.Error(w, "database", http.StatusInternalServerError)
			}
		})
	case "discovery":
		mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	case "oauth":
		mux.HandleFunc("POST /oauth2/introspect", s.introspect)
	case "compat":
		mux.HandleFunc("GET /_matrix/client/{version}/login", s.flows)
		mux.HandleFunc("POST /_matrix/client/{version}/login", s.login)
		mux.HandleFunc("POST /_matrix/client/{version}/logout", s.logout)
	case "human":
		mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "MAS stand-in") })
	case "graphql", "assets":
		// Nobody in the test asks for them.
	default:
		log.Fatalf("configuration refused: unknown resource %q", resource)
	}
}

func (s *server) discovery(w http.ResponseWriter, _ *http.Request) {
	base := s.HTTP.PublicBase
	at := func(path string) string {
		u, err := url.Parse(base)
		if err != nil {
			return ""
		}
		u, err = u.Parse(path) // relative, as MAS does it: without its slash the base loses the path
		if err != nil {
			return ""
		}
		return u.String()
	}
	reply(w, http.StatusOK, map[string]any{
		"issuer":                                base,
		"authorization_endpoint":                at("authorize"),
		"token_endpoint":                        at("oauth2/token"),
		"introspection_endpoint":                at("oauth2/introspect"),
		"revocation_endpoint":                   at("oauth2/revoke"),
		"registration_endpoint":                 at("oauth2/registration"),
		"jwks_uri":                              at("oauth2/keys.json"),
		"account_management_uri":                at("account/"),
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query", "fragment"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"code_challenge_methods_supported":      []string{"S256"},
		"account_management_actions_supported":  []string{"org.matrix.profile"},
		"token_endpoint_auth_methods_supported": []string{"none"},
	})
}

func (s *server) introspect(w http.ResponseWriter, r *http.Request) {
	got := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(got), []byte(s.Matrix.Secret)) != 1 {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	var localpart, device string
	err := s.db.QueryRowContext(r.Context(), `SELECT localpart, device FROM compat_sessions WHERE token = $1`, r.PostFormValue("token")).Scan(&localpart, &device)
	if err != nil {
		reply(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	if _, locked, err := s.user(r.Context(), localpart); err != nil || locked {
		reply(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"active": true, "username": localpart, "sub": localpart, "device_id": device, "expires_in": 300,
		"scope": "urn:matrix:org.matrix.msc2967.client:api:*",
	})
}

func (s *server) flows(w http.ResponseWriter, _ *http.Request) {
	flows := []map[string]any{
		{"type": "m.login.sso", "oauth_aware_preferred": true, "org.matrix.msc3824.delegated_oidc_compatibility": true},
		{"type": "m.login.token"},
	}
	if s.passwords() {
		flows = append(flows, map[string]any{"type": "m.login.password"})
	}
	reply(w, http.StatusOK, map[string]any{"flows": flows})
}

func (s *server) passwords() bool { return s.Passwords.Enabled == nil || *s.Passwords.Enabled }

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Type, Token, Password string
		Identifier            struct{ User string }
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		matrixError(w, http.StatusBadRequest, "M_NOT_JSON", "the body is no JSON")
		return
	}
	localpart, ok := strings.CutPrefix(req.Token, "login-")
	byPassword := req.Type == "m.login.password" && s.passwords()
	if byPassword {
		localpart, ok = req.Identifier.User, req.Password != ""
	}
	if !byPassword && (req.Type != "m.login.token" || !ok) {
		matrixError(w, http.StatusBadRequest, "M_UNKNOWN", "Invalid login type")
		return
	}
	password, locked, err := s.user(r.Context(), localpart)
	switch {
	case err != nil:
		matrixError(w, http.StatusInternalServerError, "M_UNKNOWN", "database")
		return
	case byPassword && (!ok || password != req.Password):
		matrixError(w, http.StatusForbidden, "M_FORBIDDEN", "Invalid username/password")
		return
	case locked:
		matrixError(w, http.StatusUnauthorized, "M_USER_LOCKED", "User account has been locked")
		return
	}
	device, token := strings.ToUpper(rand.Text()[:10]), "mct_"+rand.Text()
	for _, call := range []struct {
		name string
		body map[string]any
	}{
		{"provision_user", map[string]any{"localpart": localpart, "set_displayname": localpart}},
		{"upsert_device", map[string]any{"localpart": localpart, "device_id": device, "display_name": "e2e"}},
	} {
		if status, text, err := s.synapse(http.MethodPost, call.name, call.body); err != nil || status >= 300 {
			log.Printf("%s: HTTP %d %s %v", call.name, status, text, err)
			matrixError(w, http.StatusBadGateway, "M_UNKNOWN", "Synapse refuses")
			return
		}
	}
	if _, err := s.db.ExecContext(r.Context(), `INSERT INTO compat_sessions VALUES ($1, $2, $3)`, token, localpart, device); err != nil {
		matrixError(w, http.StatusInternalServerError, "M_UNKNOWN", "database")
		return
	}
	reply(w, http.StatusOK, map[string]any{"user_id": "@" + localpart + ":" + s.Matrix.Homeserver, "access_token": token, "device_id": device})
}

func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, err := s.db.ExecContext(r.Context(), `DELETE FROM compat_sessions WHERE token = $1`, token); err != nil {
		matrixError(w, http.StatusInternalServerError, "M_UNKNOWN", "database")
		return
	}
	reply(w, http.StatusOK, map[string]any{})
}

func matrixError(w http.ResponseWriter, status int, code, text string) {
	reply(w, status, map[string]any{"errcode": code, "error": text})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}
