package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var load = flag.Duration("load", 0, "how long TestLoad sends messages with each set of workers; 0 leaves it out")

// loadUsers is how many users write, each in a room of their own, and how many wait with a sync meanwhile.
const loadUsers = 8

// TestLoad measures how many messages a second are written and seen with the main process alone, with the small set, and with one
// process of each kind, on one machine: it compares the three, and is no figure of what a server can do. Everybody asks Synapse, or
// HAProxy before it, without a proxy in front.
func TestLoad(t *testing.T) {
	if *load == 0 {
		t.Skip("skipped: it measures, and proves nothing; go test -tags goolm -v -run TestLoad . -load 20s")
	}
	spec := func(set string) string {
		workers := ""
		if set != "" {
			workers = "workers: " + set + ", "
		}
		return "version: 1\nserver_name: " + serverName + "\nhosts: {matrix: " + publicHost + "}\nauth: synapse\ningress: {traefik: {network: " + ingress + "}}\n" +
			"synapse: {" + workers + "extra: {rc_message: {per_second: 10000, burst_count: 10000}, rc_login: {address: {per_second: 1000, burst_count: 1000}, account: {per_second: 1000, burst_count: 1000}}}}\n"
	}
	s := newStack(t, spec(""))
	var writers []*writer
	for _, set := range []string{"", "small", "one-of-each"} {
		if set != "" {
			s.down(t, "--remove-orphans", "--timeout", "5")
			s.render(t, spec(set))
		}
		s.up(t)
		front := "synapse"
		if set != "" {
			front = "haproxy"
		}
		to := newLoader(t, s, front)
		for i := range loadUsers {
			name := fmt.Sprintf("writer%d", i)
			if set == "" {
				s.compose(t, "exec", "-T", "synapse", "register_new_matrix_user", "-c", "/config/homeserver.yaml", "-u", name, "-p", password, "--no-admin", "http://localhost:8008")
				writers = append(writers, &writer{name: name})
			}
			w := writers[i]
			w.token = to.must(t, "", http.MethodPost, "v3/login", map[string]any{"type": "m.login.password", "identifier": map[string]string{"type": "m.id.user", "user": name}, "password": password}).str("access_token")
			if w.room == "" {
				w.room = to.must(t, w.token, http.MethodPost, "v3/createRoom", map[string]any{}).str("room_id")
			}
		}
		sent, seen, slow, took := to.run(t, set, writers)
		if sent == 0 || seen == 0 {
			t.Errorf("%q: %d messages were sent, %d seen", set, sent, seen)
		}
		t.Logf("workers %q: %.1f messages a second sent, %.1f seen by who wrote them, half of them within %v (%d users, %v, %d processors)",
			set, float64(sent)/took.Seconds(), float64(seen)/took.Seconds(), slow.Round(time.Millisecond), loadUsers, took.Round(time.Second), runtime.NumCPU())
	}
}

type writer struct{ name, token, room string }

// loader asks Synapse over connections that stay.
type loader struct {
	client *http.Client
	base   string
}

func newLoader(t *testing.T, s *stack, service string) *loader {
	t.Helper()
	address := net.JoinHostPort(s.address(t, service), "8008")
	return &loader{base: "http://" + address + "/_matrix/client/", client: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: 4 * loadUsers, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return docker.dial(ctx, network, address)
		}},
	}}
}

func (l *loader) ask(ctx context.Context, token, method, path string, body any) (a answer, err error) {
	src := []byte(nil)
	if body != nil {
		if src, err = json.Marshal(body); err != nil {
			return a, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, l.base+path, bytes.NewReader(src))
	if err != nil {
		return a, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := l.client.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	a = answer{status: res.StatusCode, text: string(text)}
	_ = json.Unmarshal(text, &a.body)
	return a, err
}

func (l *loader) must(t *testing.T, token, method, path string, body any) answer {
	t.Helper()
	a, err := l.ask(t.Context(), token, method, path, body)
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("%s %s: HTTP %d %v", method, path, a.status, err)
	}
	return a
}

// run has each user write one message after the other, and follow the own sync, until the time is up. It gives how many were sent, how
// many came back by a sync, how long half of the requests to send took at most, and how long all of it did.
func (l *loader) run(t *testing.T, set string, writers []*writer) (sent, seen int64, half, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), *load)
	defer cancel()
	var all, back atomic.Int64
	var group sync.WaitGroup
	var mu sync.Mutex
	var times []time.Duration
	start := time.Now()
	for _, w := range writers {
		// What was written before is not asked for again.
		since := l.must(t, w.token, http.MethodGet, "v3/sync?timeout=0", nil).str("next_batch")
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				began := time.Now()
				a, err := l.ask(ctx, w.token, http.MethodPut, fmt.Sprintf("v3/rooms/%s/send/m.room.message/%s-%d-%d", url.PathEscape(w.room), set, start.UnixNano(), i), map[string]any{"msgtype": "m.text", "body": fmt.Sprintf("load %d", i)})
				if err == nil && a.status == http.StatusOK {
					all.Add(1)
					mu.Lock()
					times = append(times, time.Since(began))
					mu.Unlock()
				}
			}
		})
		group.Go(func() {
			for ctx.Err() == nil {
				a, err := l.ask(ctx, w.token, http.MethodGet, "v3/sync?timeout=5000&since="+url.QueryEscape(since), nil)
				if err == nil && a.status == http.StatusOK {
					back.Add(int64(strings.Count(a.text, `"body":"load `)))
					since = a.str("next_batch")
				}
			}
		})
	}
	group.Wait()
	took = time.Since(start)
	return all.Load(), back.Load(), median(times), took
}

// median is what half of them do not exceed.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)/2]
}
