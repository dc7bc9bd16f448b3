package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/component"
)

const workersSpec = `version: 1
server_name: ` + serverName + `
hosts: {matrix: ` + publicHost + `}
auth: synapse
ingress: {traefik: {network: ` + ingress + `}}
synapse: {workers: small}
bridges: {signal: {}}
permissions: {` + serverName + `: user}
`

// A stack with workers: what clients, other servers and a bridge ask comes to the process that answers it, and what goes on without one
// of them goes on.
func TestWorkers(t *testing.T) {
	s := newStack(t, workersSpec)
	s.up(t)
	used, err := docker.docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("memory after the start:\n%s", used)

	tokens := make(map[string]string)
	for _, name := range []string{"anna", "bert"} {
		s.compose(t, "exec", "-T", "synapse", "register_new_matrix_user", "-c", "/config/homeserver.yaml", "-u", name, "-p", password, "--no-admin", "http://localhost:8008")
		got := s.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/login", "", map[string]any{
			"type": "m.login.password", "identifier": map[string]string{"type": "m.id.user", "user": name}, "password": password,
		})
		if tokens[name] = got.str("access_token"); tokens[name] == "" {
			t.Fatalf("login of %s: HTTP %d %s", name, got.status, got.text)
		}
	}
	c := &chat{stack: s, tokens: tokens}
	c.room = c.must(t, "anna", http.MethodPost, "v3/createRoom", map[string]any{"name": before, "invite": []string{"@bert:" + serverName}}).str("room_id")
	c.must(t, "bert", http.MethodPost, "v3/join/"+url.PathEscape(c.room), map[string]any{})

	event := c.send(t, "one")
	c.sees(t, "one")
	at := "v3/rooms/" + url.PathEscape(c.room)
	c.must(t, "anna", http.MethodPut, at+"/typing/@anna:"+serverName, map[string]any{"typing": true, "timeout": 20000})
	c.syncs(t, `"m.typing"`)
	c.must(t, "bert", http.MethodPost, at+"/receipt/m.read/"+url.PathEscape(event), map[string]any{})
	c.must(t, "bert", http.MethodPut, "v3/pushrules/global/room/"+url.PathEscape(c.room), map[string]any{"actions": []string{}})
	c.must(t, "bert", http.MethodPut, "v3/user/@bert:"+serverName+"/account_data/org.example.x", map[string]any{"a": 1})
	c.must(t, "bert", http.MethodGet, "v3/user/@bert:"+serverName+"/account_data/org.example.x", nil)
	c.must(t, "bert", http.MethodPost, "v3/keys/query", map[string]any{"device_keys": map[string][]string{"@anna:" + serverName: {}}})
	c.must(t, "bert", http.MethodPut, "v3/presence/@bert:"+serverName+"/status", map[string]any{"presence": "online"})
	c.must(t, "bert", http.MethodGet, at+"/messages?dir=b", nil)
	media := c.must(t, "anna", http.MethodPost, "../media/v3/upload", map[string]any{"not": "a picture"}).str("content_uri")
	c.must(t, "bert", http.MethodGet, "v1/media/download/"+strings.TrimPrefix(media, "mxc://"), nil)
	c.must(t, "bert", http.MethodPost, "v3/pushers/set", map[string]any{"app_id": "x", "pushkey": "x", "kind": nil})
	for _, path := range []string{"/_matrix/key/v2/query/" + serverName, "/_matrix/federation/v1/version", "/_matrix/key/v2/server"} {
		if got := s.ask(t, http.MethodGet, "https://"+serverName+path, "", nil); got.status != http.StatusOK {
			t.Errorf("%s: HTTP %d %s", path, got.status, got.text)
		}
	}
	for service, paths := range map[string][]string{
		"synapse":          {"/typing/", "/receipt/", "PUT /_matrix/client/v3/pushrules", "/pushers/set", "/_matrix/key/v2/server"},
		"synapse-sync1":    {"/sync?"},
		"synapse-generic1": {"/login", "/createRoom", "/send/", "/keys/query", "GET /_matrix/client/v3/user/", "/_matrix/key/v2/query", "/_matrix/federation/v1/version", "/messages?"},
		"synapse-media1":   {"/upload", "/media/download/"},
	} {
		log := s.logs(t, service)
		for _, path := range paths {
			if !strings.Contains(log, path) {
				t.Errorf("%s was not asked for %s", service, path)
			}
		}
	}
	// The bridge asks HAProxy, as everybody does.
	if !within(time.Minute, func() bool { return strings.Contains(s.logs(t, "signal"), "Bridge started") }) {
		t.Errorf("the bridge does not start:\n%s", tail(s.logs(t, "signal"), 20))
	}

	t.Run("without the worker for sync", func(t *testing.T) {
		s.compose(t, "stop", "--timeout", "5", "synapse-sync1")
		if !within(30*time.Second, func() bool { return c.try(t, "bert", "v3/sync?timeout=0") == http.StatusOK }) {
			t.Error("nobody syncs in its place")
		}
		c.send(t, "two")
		c.sees(t, "two")
		s.compose(t, "start", "synapse-sync1")
		s.settle(t)
		old := strings.Count(s.logs(t, "synapse-sync1"), "/sync?")
		if !within(time.Minute, func() bool {
			return c.try(t, "bert", "v3/sync?timeout=0") == http.StatusOK && strings.Count(s.logs(t, "synapse-sync1"), "/sync?") > old
		}) {
			t.Error("it is asked nothing when it is back")
		}
	})
	t.Run("a worker that dies", func(t *testing.T) {
		died := s.containers(t)["synapse-generic1"]
		if err := syscall.Kill(died.State.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if !within(30*time.Second, func() bool { return c.try(t, "anna", "v3/account/whoami") == http.StatusOK }) {
			t.Error("nobody answers in its place")
		}
		c.send(t, "three")
		c.sees(t, "three")
		if !within(2*time.Minute, func() bool {
			now := s.containers(t)["synapse-generic1"]
			return now.State.Pid != died.State.Pid && now.State.Health != nil && now.State.Health.Status == "healthy"
		}) {
			t.Error("it does not come back")
		}
	})
	fact("Synapse (PyPI)", strings.TrimPrefix(component.Of(component.Synapse).Tested.Tag, "v"), "five processes by config/workers, each asked for what is its own")
	fact("HAProxy (Debian)", s.said(t, "haproxy", "haproxy", "-v"), "config/haproxy/haproxy.cfg, with a process away and back")
	fact("Redis (Debian) as Valkey", s.said(t, "synapse-valkey", "valkey-server", "--version"), "config/synapse-valkey")
}

// said is the version that a program in a service tells, in its third word.
func (s *stack) said(t *testing.T, service string, command ...string) string {
	t.Helper()
	words := strings.Fields(s.compose(t, append([]string{"exec", "-T", service}, command...)...))
	if len(words) < 3 {
		t.Fatalf("%v says %q", command, words)
	}
	return strings.TrimPrefix(words[2], "v=")
}

// chat is a room of two.
type chat struct {
	*stack
	tokens map[string]string
	room   string
	since  string // of Bert's sync
}

func (c *chat) must(t *testing.T, who, method, path string, body any) answer {
	t.Helper()
	got := c.ask(t, method, "https://"+publicHost+strings.ReplaceAll("/_matrix/client/"+path, "/client/../", "/"), c.tokens[who], body)
	if got.status != http.StatusOK {
		t.Fatalf("%s %s: HTTP %d %s", method, path, got.status, got.text)
	}
	return got
}

func (c *chat) try(t *testing.T, who, path string) int {
	t.Helper()
	got, err := c.tryAsk(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/"+path, c.tokens[who], nil)
	if err != nil {
		return 0
	}
	return got.status
}

// send writes a message as Anna, and tries again as clients do.
func (c *chat) send(t *testing.T, text string) (event string) {
	t.Helper()
	path := fmt.Sprintf("https://%s/_matrix/client/v3/rooms/%s/send/m.room.message/%s", publicHost, url.PathEscape(c.room), text)
	var got answer
	if !within(30*time.Second, func() bool {
		got = c.ask(t, http.MethodPut, path, c.tokens["anna"], map[string]any{"msgtype": "m.text", "body": "message " + text})
		return got.status == http.StatusOK
	}) {
		t.Fatalf("the message %s: HTTP %d %s", text, got.status, got.text)
	}
	return got.str("event_id")
}

// sees waits until Bert has a message.
func (c *chat) sees(t *testing.T, text string) {
	t.Helper()
	c.syncs(t, `"message `+text+`"`)
}

// syncs goes on with Bert's sync until it has a word: an answer without since would be the one of a minute ago.
func (c *chat) syncs(t *testing.T, word string) {
	t.Helper()
	if !within(20*time.Second, func() bool {
		got, err := c.tryAsk(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/sync?timeout=0"+c.since, c.tokens["bert"], nil)
		if err != nil || got.status != http.StatusOK {
			return false
		}
		c.since = "&since=" + got.str("next_batch")
		return strings.Contains(got.text, word)
	}) {
		t.Errorf("Bert does not see %s", word)
	}
}
