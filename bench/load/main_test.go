package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is as much of a homeserver as the load needs. It refuses one message in five, and tells nobody of one in four.
type server struct {
	sync.Mutex
	users int
	in    map[string][]string // rooms of a user, by token
	said  []event
}

type event struct {
	Sender  string            `json:"sender"`
	Content map[string]string `json:"content"`
	room    string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(2 * time.Millisecond)
	s.Lock()
	defer s.Unlock()
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent) // a GET has nothing
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	answer := map[string]any{}
	words := strings.Split(r.URL.Path, "/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/register") && r.Method == http.MethodGet:
		answer["nonce"] = "n"
	case strings.HasSuffix(r.URL.Path, "/register"):
		answer["access_token"], answer["user_id"] = sent["username"], sent["username"]
	case strings.HasSuffix(r.URL.Path, "/createRoom"):
		s.users++
		answer["room_id"] = fmt.Sprintf("!%d", s.users)
	case words[4] == "join":
		s.in[token] = append(s.in[token], words[5])
	case words[4] == "rooms":
		var n int
		if _, err := fmt.Sscanf(words[len(words)-1], "message %d", &n); err != nil || n%5 == 4 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		if n%4 != 0 {
			s.said = append(s.said, event{token, map[string]string{"body": sent["body"].(string)}, words[5]})
		}
	case words[4] == "sync":
		from := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("since"), &from)
		join := map[string]any{}
		for _, room := range s.in[token] {
			var events []event
			for _, e := range s.said[from:] {
				if e.room == room {
					events = append(events, e)
				}
			}
			join[room] = map[string]any{"timeline": map[string]any{"events": events}}
		}
		answer = map[string]any{"next_batch": fmt.Sprint(len(s.said)), "rooms": map[string]any{"join": join}}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// What is refused and what is lost is counted as that, and nothing twice.
func TestRun(t *testing.T) {
	srv := httptest.NewServer(&server{in: make(map[string][]string)})
	defer srv.Close()
	l := load{url: srv.URL, secret: "s", users: 6, rooms: 3, rate: 100, warm: 100 * time.Millisecond, length: time.Second, late: time.Second}
	got, err := l.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// 110 messages are due, the first 10 unmeasured; three others read each. A fifth is refused, of the rest a quarter is lost.
	if len(got.sent) != 80 || got.refused != 22 || len(got.arrived) != 3*60 || got.missing != 3*20 {
		t.Error(got, len(got.sent), len(got.arrived))
	}
	for _, d := range append(got.sent, got.arrived...) {
		if d <= 0 {
			t.Errorf("a message took %s", d)
		}
	}
}

func TestSpread(t *testing.T) {
	var all []time.Duration
	for i := range 101 {
		all = append(all, time.Duration(100-i)*time.Millisecond)
	}
	if got := spread(all); got != "50ms, p95 95ms" {
		t.Error(got)
	}
	if got := spread(nil); got != "-" {
		t.Error(got)
	}
}
