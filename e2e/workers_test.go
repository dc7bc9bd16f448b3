package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/component"
)

// workersSpec is a stack with a set of workers, in which somebody logs in and writes as often as a test does.
func workersSpec(set string) string {
	const often = "{per_second: 100, burst_count: 100}"
	return `version: 1
server_name: ` + serverName + `
hosts: {matrix: ` + publicHost + `}
auth: synapse
ingress: {traefik: {network: ` + ingress + `}}
database: {memory: 3G}
synapse:
  workers: ` + set + `
  extra: {rc_login: {address: ` + often + `, account: ` + often + `}, rc_message: ` + often + `, rc_presence: {per_user: ` + often + `}}
bridges: {signal: {}}
permissions: {` + serverName + `: user}
`
}

// workerSet is a set of workers, and how each of its processes shows that it does what is its own.
type workerSet struct {
	name string
	// asked is what comes into the log of each with every round of requests.
	asked map[string][]string
	// counts is for those that nobody asks: a number in the database that grows with every round, and by nobody else's doing.
	counts map[string]string
	// stands is what the main process answers while one is away. In the place of the others there is nobody, and the messages go on.
	stands map[string]string
}

// The path of a sync, which is asked for without waiting.
const syncing = "https://" + publicHost + "/_matrix/client/v3/sync?timeout=0"

var workerSets = []workerSet{
	{
		name: "small",
		asked: map[string][]string{
			"synapse":          {"/typing/", "/receipt/", "PUT /_matrix/client/v3/pushrules", "/sendToDevice/", "/pushers/set", "/_matrix/key/v2/server", "unprocessed push actions"},
			"synapse-sync1":    {"/sync?"},
			"synapse-generic1": {"/login", "/createRoom", "/send/", "/keys/upload", "/keys/query", "GET /_matrix/client/v3/user/", "/_matrix/key/v2/query", "/_matrix/federation/v1/version", "/messages?"},
			"synapse-media1":   {"/upload", "/media/download/"},
		},
		counts: map[string]string{
			"synapse-federation-sender1": federationSent,
		},
		stands: map[string]string{
			"synapse-sync1":    syncing,
			"synapse-generic1": "https://" + publicHost + "/_matrix/client/v3/account/whoami",
		},
	},
	{
		name: "one-of-each",
		asked: map[string][]string{
			"synapse":                    {"/pushers/set", "/_matrix/key/v2/server"},
			"synapse-sync1":              {"/sync?"},
			"synapse-client1":            {"/login", "/createRoom", "/send/", "/keys/query", "GET /_matrix/client/v3/user/", "/messages?"},
			"synapse-federation-reader1": {"/_matrix/key/v2/query", "/_matrix/federation/v1/version"},
			"synapse-media1":             {"/upload", "/media/download/"},
			"synapse-pusher1":            {"unprocessed push actions"},
			"synapse-event-persister1":   {"/_synapse/replication/send_events/"},
			"synapse-typing1":            {"/typing/"},
			"synapse-to-device1":         {"/sendToDevice/"},
			"synapse-account-data1":      {"PUT /_matrix/client/v3/user/"},
			"synapse-receipts1":          {"/receipt/"},
			"synapse-presence1":          {"PUT /_matrix/client/v3/presence/"},
			"synapse-push-rules1":        {"PUT /_matrix/client/v3/pushrules"},
			"synapse-device-lists1":      {"/keys/upload"},
		},
		counts: map[string]string{
			"synapse-federation-sender1": federationSent,
			"synapse-appservice1":        `SELECT stream_ordering FROM appservice_stream_position`,
			"synapse-user-dir1":          `SELECT stream_id FROM user_directory_stream_pos`,
			"synapse-background1":        `SELECT count(*) FROM user_ips`,
		},
		stands: map[string]string{
			"synapse-sync1":              syncing,
			"synapse-client1":            "https://" + publicHost + "/_matrix/client/v3/account/whoami",
			"synapse-federation-reader1": "https://" + serverName + "/_matrix/federation/v1/version",
			"synapse-event-persister1":   syncing,
		},
	},
}

const federationSent = `SELECT min(stream_id) FROM federation_stream_position WHERE type = 'events' AND instance_name = 'federation-sender1'`

// A stack with workers: what clients, other servers and a bridge ask comes to the process that answers it, what goes on without one
// of them goes on, and each comes back. The sets follow each other on one database, as they do where people have become more.
func TestWorkers(t *testing.T) {
	s := newStack(t, workersSpec(workerSets[0].name))
	c := &chat{stack: s, tokens: map[string]string{}, devices: map[string]string{}}
	for i, set := range workerSets {
		t.Run(set.name, func(t *testing.T) {
			if i > 0 { // RUNBOOK.md: all are stopped before there are others
				s.down(t, "--timeout", "5")
				s.render(t, workersSpec(set.name))
			}
			s.up(t)
			s.tuned(t)
			c.testSet(t, set)
		})
	}
	fact("Synapse (PyPI)", strings.TrimPrefix(component.Of(component.Synapse).Tested.Tag, "v"), "5 and 18 processes by config/workers, each does what is its own, each away and back")
	fact("HAProxy (Debian)", s.said(t, "haproxy", "haproxy", "-v"), "config/haproxy/haproxy.cfg, with each process away and back")
	fact("Redis (Debian) as Valkey", s.said(t, "synapse-valkey", "valkey-server", "--version"), "config/synapse-valkey")
}

func (c *chat) testSet(t *testing.T, set workerSet) {
	used, err := docker.docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("memory after the start:\n%s", used)
	if len(c.tokens) == 0 {
		for _, name := range []string{"anna", "bert"} {
			c.compose(t, "exec", "-T", "synapse", "register_new_matrix_user", "-c", "/config/homeserver.yaml", "-u", name, "-p", password, "--no-admin", "http://localhost:8008")
		}
	}
	old := c.traces(t, set)
	c.round(t)
	c.left(t, set, old, set.asked, set.counts)
	c.bridged(t)

	if testing.Short() && set.name != "one-of-each" {
		t.Log("none is killed, with -short: each of one-of-each is")
		return
	}
	// Some hang, and are killed only when a round went by without them; the others die at once.
	before := c.containers(t)
	for _, name := range slices.Sorted(maps.Keys(set.counts)) {
		end(t, before[name], syscall.SIGSTOP)
	}
	for _, name := range slices.Sorted(maps.Keys(set.asked)) {
		if name == "synapse" {
			continue
		}
		end(t, before[name], syscall.SIGKILL)
		if path, ok := set.stands[name]; ok {
			if !within(30*time.Second, func() bool { return c.try(t, path) == http.StatusOK }) {
				t.Errorf("without %s nobody answers %s", name, path)
			}
			continue
		}
		c.goesOn(t)
	}
	for name := range set.asked {
		if name != "synapse" {
			c.back(t, before[name])
		}
	}
	old = c.traces(t, set)
	c.round(t)
	c.left(t, set, old, set.asked, nil)
	for name, n := range c.traces(t, set) {
		if _, ok := set.counts[name]; ok && n != old[name] {
			t.Errorf("%s hangs, and its work goes on: %d became %d", name, old[name], n)
		}
	}
	for name := range set.counts {
		end(t, before[name], syscall.SIGKILL)
	}
	for name := range set.counts {
		c.back(t, before[name])
	}
	c.logIn(t)
	c.goesOn(t)
	c.left(t, set, old, nil, set.counts)
	c.bridged(t)
}

// tuned compares what PostgreSQL runs with to what it was told on its command line, and that is all of it.
func (s *stack) tuned(t *testing.T) {
	t.Helper()
	var told []string
	if err := json.Unmarshal([]byte(s.sandboxed(t, "postgres", "{{json .Config.Cmd}}")), &told); err != nil {
		t.Fatal(err)
	}
	told = slices.DeleteFunc(told, func(word string) bool { return !strings.Contains(word, "=") })
	slices.Sort(told)
	runs := s.sql(t, "postgres", `SELECT name || '=' || current_setting(name) FROM pg_settings WHERE source = 'command line' ORDER BY name COLLATE "C"`)
	if len(told) < 4 || strings.Join(told, "\n") != runs {
		t.Errorf("PostgreSQL was told\n%s\nand runs with\n%s", strings.Join(told, "\n"), runs)
	}
	if shm := s.sandboxed(t, "postgres", "{{.HostConfig.ShmSize}}"); shm != "402653184" {
		t.Errorf("PostgreSQL has %s bytes of shared memory, and a parallel vacuum may want 384 MB", shm)
	}
}

// end sends a signal to the process of a container.
func end(t *testing.T, c container, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(c.State.Pid, signal); err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
}

// back waits until a service that was killed is up again.
func (c *chat) back(t *testing.T, was container) {
	t.Helper()
	if !within(2*time.Minute, func() bool {
		if now := c.containers(t)[was.service()]; now.State.Pid == was.State.Pid || now.State.Status != "running" {
			return false
		}
		got, err := c.tryAsk(t, http.MethodGet, "http://"+was.service()+":8008/health", "", nil)
		return err == nil && got.status == http.StatusOK
	}) {
		t.Errorf("%s does not come back", was.service())
	}
}

// traces counts what the processes of a set have left so far: each word in the log of a service, and each number.
func (c *chat) traces(t *testing.T, set workerSet) map[string]int {
	t.Helper()
	found := make(map[string]int)
	log := c.compose(t, "logs", "--no-color")
	for line := range strings.Lines(log) {
		container, said, _ := strings.Cut(line, "|")
		for _, word := range set.asked[strings.TrimSuffix(strings.TrimSpace(container), "-1")] {
			if strings.Contains(said, word) {
				found[strings.TrimSuffix(strings.TrimSpace(container), "-1")+" "+word]++
			}
		}
	}
	for name, query := range set.counts {
		n, err := strconv.Atoi(c.sql(t, "synapse", query))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = n
	}
	return found
}

// left waits until the processes have left more than they had.
func (c *chat) left(t *testing.T, set workerSet, old map[string]int, asked map[string][]string, counts map[string]string) {
	t.Helper()
	var lacks []string
	if within(40*time.Second, func() bool {
		now := c.traces(t, set)
		lacks = nil
		for name, words := range asked {
			for _, word := range words {
				if now[name+" "+word] <= old[name+" "+word] {
					lacks = append(lacks, name+" was not asked for "+word)
				}
			}
		}
		for name, query := range counts {
			if now[name] <= old[name] {
				lacks = append(lacks, fmt.Sprintf("%s did not do its work: %s is %d", name, query, now[name]))
			}
		}
		return len(lacks) == 0
	}) {
		return
	}
	slices.Sort(lacks)
	t.Error(strings.Join(lacks, "\n"))
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

// chat is a room of two, and of a bridge.
type chat struct {
	*stack
	tokens, devices map[string]string
	room            string
	since           string // of Bert's sync
	n               int    // of what was said
}

// logIn logs both in, each with a new device.
func (c *chat) logIn(t *testing.T) {
	t.Helper()
	for _, name := range []string{"anna", "bert"} {
		got := c.must(t, "", http.MethodPost, "v3/login", map[string]any{
			"type": "m.login.password", "identifier": map[string]string{"type": "m.id.user", "user": name}, "password": password,
		})
		c.tokens[name], c.devices[name] = got.str("access_token"), got.str("device_id")
	}
}

// round asks for one of everything, in a new room, and Bert learns of all of it.
func (c *chat) round(t *testing.T) {
	t.Helper()
	c.logIn(t)
	const anna, bert = "@anna:" + serverName, "@bert:" + serverName
	c.room = c.must(t, "anna", http.MethodPost, "v3/createRoom", map[string]any{"invite": []string{bert, "@signalbot:" + serverName}}).str("room_id")
	c.must(t, "bert", http.MethodPost, "v3/join/"+url.PathEscape(c.room), map[string]any{})
	at := "v3/rooms/" + url.PathEscape(c.room)
	c.must(t, "bert", http.MethodPut, "v3/pushrules/global/room/"+url.PathEscape(c.room), map[string]any{"actions": []string{"notify"}})
	c.must(t, "bert", http.MethodPost, "v3/pushers/set", map[string]any{
		"kind": "http", "app_id": "x", "pushkey": "x", "app_display_name": "x", "device_display_name": "x", "lang": "en",
		"data": map[string]string{"url": "https://push.example.org/_matrix/push/v1/notify"},
	})
	event, said := c.send(t)
	mine := fmt.Sprintf("round %d", c.n)
	c.must(t, "anna", http.MethodPut, at+"/typing/"+anna, map[string]any{"typing": true, "timeout": 20000})
	c.must(t, "bert", http.MethodPost, at+"/receipt/m.read/"+url.PathEscape(event), map[string]any{})
	c.must(t, "bert", http.MethodPut, "v3/user/"+bert+"/account_data/org.example.x", map[string]string{"a": "account data of " + mine})
	c.must(t, "bert", http.MethodGet, "v3/user/"+bert+"/account_data/org.example.x", nil)
	c.must(t, "anna", http.MethodPut, "v3/presence/"+anna+"/status", map[string]string{"presence": "online", "status_msg": "status of " + mine})
	c.must(t, "anna", http.MethodPut, fmt.Sprintf("v3/sendToDevice/org.example.x/%d", c.n), map[string]any{
		"messages": map[string]any{bert: map[string]any{c.devices["bert"]: map[string]string{"a": "to the device, " + mine}}},
	})
	c.must(t, "anna", http.MethodPost, "v3/keys/upload", map[string]any{"device_keys": map[string]any{
		"user_id": anna, "device_id": c.devices["anna"], "algorithms": []string{}, "keys": map[string]string{}, "signatures": map[string]any{},
	}})
	c.must(t, "bert", http.MethodPost, "v3/keys/query", map[string]any{"device_keys": map[string][]string{anna: {}}})
	c.must(t, "bert", http.MethodGet, at+"/messages?dir=b", nil)
	media := c.must(t, "anna", http.MethodPost, "../media/v3/upload", map[string]any{"not": "a picture"}).str("content_uri")
	c.must(t, "bert", http.MethodGet, "v1/media/download/"+strings.TrimPrefix(media, "mxc://"), nil)
	for _, path := range []string{"/_matrix/key/v2/query/" + serverName, "/_matrix/federation/v1/version", "/_matrix/key/v2/server"} {
		c.must(t, "", http.MethodGet, "//"+serverName+path, nil)
	}
	c.since = "" // the device is a new one
	c.syncs(t, said, `"m.typing"`, `"m.receipt"`, `"m.push_rules"`, "account data of "+mine, "status of "+mine, "to the device, "+mine)
	if found := c.must(t, "bert", http.MethodPost, "v3/keys/query", map[string]any{"device_keys": map[string][]string{anna: {}}}); !strings.Contains(found.text, c.devices["anna"]) {
		t.Errorf("Bert does not learn of the keys of Anna's device: %s", found.text)
	}
}

// bridged waits until the bridge, which heard of its invitation, has joined the room.
func (c *chat) bridged(t *testing.T) {
	t.Helper()
	if !within(time.Minute, func() bool {
		return strings.Contains(c.must(t, "anna", http.MethodGet, "v3/rooms/"+url.PathEscape(c.room)+"/joined_members", nil).text, "@signalbot:")
	}) {
		t.Errorf("the bridge is not told that it is invited:\n%s", tail(c.logs(t, "signal"), 20))
	}
}

// goesOn is a message that arrives.
func (c *chat) goesOn(t *testing.T) {
	t.Helper()
	_, said := c.send(t)
	c.syncs(t, said)
}

// must asks for what has to be answered, again where nobody is there, as clients do. The path is below /_matrix/client, or one with
// a host.
func (c *chat) must(t *testing.T, who, method, path string, body any) (got answer) {
	t.Helper()
	where, whole := strings.CutPrefix(path, "//")
	if !whole {
		where = publicHost + strings.ReplaceAll("/_matrix/client/"+path, "/client/../", "/")
	}
	var err error
	within(40*time.Second, func() bool {
		got, err = c.tryAsk(t, method, "https://"+where, c.tokens[who], body)
		return err == nil && got.status != http.StatusServiceUnavailable && got.status != http.StatusBadGateway
	})
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("%s %s: HTTP %d %s, %v", method, path, got.status, got.text, err)
	}
	return got
}

// try asks once, as Bert.
func (c *chat) try(t *testing.T, url string) int {
	t.Helper()
	got, err := c.tryAsk(t, http.MethodGet, url, c.tokens["bert"], nil)
	if err != nil {
		return 0
	}
	return got.status
}

// send writes a message as Anna; what goes wrong meanwhile is tried again, with the same number, so that it comes once.
func (c *chat) send(t *testing.T) (event, said string) {
	t.Helper()
	c.n++
	said = fmt.Sprintf("message %d", c.n)
	path := fmt.Sprintf("https://%s/_matrix/client/v3/rooms/%s/send/m.room.message/%d", publicHost, url.PathEscape(c.room), c.n)
	var got answer
	var err error
	if !within(40*time.Second, func() bool {
		got, err = c.tryAsk(t, http.MethodPut, path, c.tokens["anna"], map[string]any{"msgtype": "m.text", "body": said})
		return err == nil && got.status == http.StatusOK
	}) {
		t.Fatalf("%s: HTTP %d %s, %v", said, got.status, got.text, err)
	}
	return got.str("event_id"), `"` + said + `"`
}

// syncs goes on with Bert's sync until it has had every word: an answer without since would be the one of a minute ago.
func (c *chat) syncs(t *testing.T, words ...string) {
	t.Helper()
	words = slices.Clone(words)
	if !within(30*time.Second, func() bool {
		got, err := c.tryAsk(t, http.MethodGet, strings.Replace(syncing, "=0", "=1000", 1)+c.since, c.tokens["bert"], nil)
		if err != nil || got.status != http.StatusOK {
			return false
		}
		c.since = "&since=" + got.str("next_batch")
		words = slices.DeleteFunc(words, func(word string) bool { return strings.Contains(got.text, word) })
		return len(words) == 0
	}) {
		t.Errorf("Bert does not see %q", words)
	}
}
