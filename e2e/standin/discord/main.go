// Command discord stands in for mautrix-discord v0.7, whose dependencies are in no registry. It decodes
// its own configuration without tolerating an unknown key, opens its database, and speaks with the
// homeserver as a bridge of that generation does when it starts, down to the exit codes.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/lib/pq"
	"gopkg.in/yaml.v3"
)

// The exit codes of mautrix-go's bridges.
const (
	exitConfig     = 11
	exitDatabase   = 14
	exitHomeserver = 16
	exitEncryption = 19
	exitPing       = 13
)

type config struct {
	Homeserver struct {
		Address, Domain, Software string
	}
	AppService struct {
		Address, Hostname, ID string
		Port                  int
		Database              struct{ Type, URI string }
		Bot                   struct{ Username, Displayname, Avatar string }
		EphemeralEvents       bool   `yaml:"ephemeral_events"`
		ASToken               string `yaml:"as_token"`
		HSToken               string `yaml:"hs_token"`
	}
	Bridge struct {
		UsernameTemplate string            `yaml:"username_template"`
		CommandPrefix    string            `yaml:"command_prefix"`
		Permissions      map[string]string `yaml:"permissions"`
		AvatarProxyKey   string            `yaml:"avatar_proxy_key"`
		Provisioning     struct {
			Prefix       string
			SharedSecret string `yaml:"shared_secret"`
		}
		DirectMedia struct {
			ServerKey string `yaml:"server_key"`
		} `yaml:"direct_media"`
		DoublePuppetServerMap map[string]string `yaml:"double_puppet_server_map"`
		DoublePuppetDiscovery bool              `yaml:"double_puppet_allow_discovery"`
		LoginSharedSecretMap  map[string]string `yaml:"login_shared_secret_map"`
		Encryption            struct {
			Allow, Default, Require, Appservice, MSC4190 bool
		}
	}
	Logging map[string]any
}

type bridge struct {
	config
	db    *sql.DB
	ready atomic.Bool
}

func main() {
	log.SetFlags(0)
	b := &bridge{}
	path := "config.yaml"
	for i, arg := range os.Args {
		if arg == "-c" && i+1 < len(os.Args) {
			path = os.Args[i+1]
		}
	}
	if err := b.load(path); err != nil {
		quit(exitConfig, "Configuration error: %v", err)
	}
	if err := b.open(); err != nil {
		quit(exitDatabase, "Failed to initialize database: %v", err)
	}
	go b.serve()
	b.start()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	<-stop.Done()
}

func quit(code int, format string, args ...any) {
	log.Printf(format, args...)
	os.Exit(code)
}

func (b *bridge) load(path string) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	dec.KnownFields(true)
	if err := dec.Decode(&b.config); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"homeserver.address": b.Homeserver.Address, "homeserver.domain": b.Homeserver.Domain,
		"appservice.as_token": b.AppService.ASToken, "appservice.hs_token": b.AppService.HSToken,
		"appservice.database": b.AppService.Database.URI,
	} {
		if value == "" {
			return fmt.Errorf("%s not configured", name)
		}
	}
	if len(b.Bridge.Permissions) == 0 {
		return errors.New("bridge.permissions not configured")
	}
	if !strings.Contains(b.Bridge.UsernameTemplate, "{{.}}") {
		return errors.New("username template is missing user ID placeholder")
	}
	return nil
}

// open connects to the database and claims it, as the owner table of mautrix's databases does.
func (b *bridge) open() (err error) {
	if b.AppService.Database.Type != "postgres" {
		return fmt.Errorf("sql: unknown driver %q", b.AppService.Database.Type)
	}
	if b.db, err = sql.Open("postgres", b.AppService.Database.URI); err != nil {
		return err
	}
	var owner string
	if _, err = b.db.Exec(`CREATE TABLE IF NOT EXISTS database_owner (key INTEGER PRIMARY KEY DEFAULT 0, owner TEXT NOT NULL)`); err != nil {
		return err
	}
	if _, err = b.db.Exec(`INSERT INTO database_owner (key, owner) VALUES (0, 'mautrix-discord') ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	if err = b.db.QueryRow(`SELECT owner FROM database_owner`).Scan(&owner); err == nil && owner != "mautrix-discord" {
		err = fmt.Errorf("the database is owned by %s", owner)
	}
	return err
}

// start is the conversation with the homeserver.
func (b *bridge) start() {
	for {
		status, text := b.call(http.MethodGet, "/_matrix/client/versions", nil, nil)
		if status == http.StatusOK {
			break
		}
		log.Printf("Failed to connect to homeserver, retrying in 10 seconds... HTTP %d %s", status, text)
		time.Sleep(10 * time.Second)
	}
	user := url.Values{"user_id": {"@" + b.AppService.Bot.Username + ":" + b.Homeserver.Domain}}
	if status, text := b.call(http.MethodGet, "/_matrix/client/v3/account/whoami", user, nil); status != http.StatusOK && !strings.Contains(text, "M_FORBIDDEN") {
		quit(exitHomeserver, "The as_token was not accepted. Is the registration file installed in your homeserver correctly? HTTP %d %s", status, text)
	}
	status, text := b.call(http.MethodPost, "/_matrix/client/v3/register", nil, map[string]any{
		"type": "m.login.application_service", "username": b.AppService.Bot.Username, "inhibit_login": true,
	})
	if status != http.StatusOK && !strings.Contains(text, "M_USER_IN_USE") {
		quit(exitHomeserver, "The as_token was accepted, but the /register request was not: HTTP %d %s", status, text)
	}
	if b.Bridge.Encryption.Allow {
		b.device(user)
	}
	b.ping()
	b.ready.Store(true)
	log.Print("Bridge started")
}

// device gets the bot a device: by MSC4190, or else by the login that only a homeserver without MAS has.
func (b *bridge) device(user url.Values) {
	method, path := http.MethodPut, "/_matrix/client/v3/devices/DISCORDBOT"
	var body any = map[string]any{"display_name": "Discord bridge"}
	if !b.Bridge.Encryption.MSC4190 {
		method, path, body = http.MethodGet, "/_matrix/client/v3/login", nil
	}
	if status, text := b.call(method, path, user, body); status != http.StatusOK && status != http.StatusCreated {
		quit(exitEncryption, "Error initializing end-to-bridge encryption: HTTP %d %s", status, text)
	}
}

// ping makes the homeserver call back, which proves the registration's url and both tokens.
func (b *bridge) ping() {
	for try := 0; ; try++ {
		status, text := b.call(http.MethodPost, "/_matrix/client/v1/appservice/"+url.PathEscape(b.AppService.ID)+"/ping", nil, map[string]any{"transaction_id": "e2e"})
		if status == http.StatusOK {
			return
		}
		if try == 6 {
			quit(exitPing, "Homeserver -> appservice connection is not working, giving up")
		}
		log.Printf("Homeserver -> appservice connection is not working, retrying in 5 seconds... HTTP %d %s", status, text)
		time.Sleep(5 * time.Second)
	}
}

// call asks the homeserver and gives the status (0 when there is no answer) and the body.
func (b *bridge) call(method, path string, query url.Values, body any) (status int, text string) {
	var src io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err.Error()
		}
		src = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, strings.TrimRight(b.Homeserver.Address, "/")+path+"?"+query.Encode(), src)
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Authorization", "Bearer "+b.AppService.ASToken)
	res, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(answer)
}

// serve is the appservice API.
func (b *bridge) serve() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_matrix/mau/live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /_matrix/mau/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !b.ready.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	homeserver := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer "+b.AppService.HSToken {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"errcode":"M_UNKNOWN_TOKEN","error":"Incorrect access token"}`)
			return
		}
		fmt.Fprint(w, "{}")
	}
	mux.HandleFunc("POST /_matrix/app/v1/ping", homeserver)
	mux.HandleFunc("PUT /_matrix/app/v1/transactions/{id}", homeserver)
	err := http.ListenAndServe(net.JoinHostPort(b.AppService.Hostname, strconv.Itoa(b.AppService.Port)), mux)
	quit(exitPing, "Error in HTTP listener: %v", err)
}
