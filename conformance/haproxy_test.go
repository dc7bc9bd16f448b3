package conformance

import (
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

	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/route/haproxy"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// readWorkers has Synapse read what each process reads, and say what each does.
const readWorkers = `import sys, synapse
from synapse.config.homeserver import HomeServerConfig
print("Synapse", synapse.__version__)
for path in [None] + sys.argv[2:]:
    c = HomeServerConfig.load_config("", ["-c", sys.argv[1]] + (["-c", path] if path else []))
    w = c.worker
    does = [s for s in ("typing", "to_device", "account_data", "receipts", "presence", "push_rules", "device_lists", "events", "thread_subscriptions") if w.instance_name in getattr(w.writers, s)]
    does += [n for n, on in (("sends", w.send_federation), ("pushes", w.start_pushers), ("notifies", w.should_notify_appservices), ("directory", w.should_update_user_directory),
        ("background", w.run_background_tasks), ("media", c.media.can_load_media_repo)) if on]
    assert c.redis.redis_enabled and c.redis.redis_password and w.worker_replication_secret
    assert path is None or c.worker.worker_log_config
    print(w.instance_name, *does)`

// Each process reads the configuration of all and its own, and does what it is for; what none of them does the main process does.
func TestSynapseWorkers(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	does := map[string]string{
		"federation_sender": "sends", "pusher": "pushes", "appservice": "notifies", "user_dir": "directory", "background": "background", "media": "media", "event_persister": "events",
	}
	read := 0
	eachExample(t, func(t *testing.T, e *example) {
		if e.Workers == nil {
			return
		}
		read++
		container(t, e.dir)
		args := []string{"-c", readWorkers, filepath.Join(e.dir, "config", "matrix", "homeserver.yaml")}
		want := map[string]string{"master": ""}
		for _, p := range e.Workers.Processes {
			args = append(args, filepath.Join(e.dir, p.File))
			for _, stream := range p.Kind.Streams {
				if stream != "quarantined_media_changes" {
					want[p.Name] = stream
				}
			}
			if does[p.Kind.Name] != "" {
				want[p.Name] = does[p.Kind.Name]
			}
			if _, ok := want[p.Name]; !ok {
				want[p.Name] = ""
			}
		}
		lines := strings.Split(output(t, bin, args...), "\n")
		got := make(map[string]string)
		for _, line := range lines[1:] {
			name, rest, _ := strings.Cut(line, " ")
			got[name] = rest
		}
		if len(got) != len(e.Workers.Processes)+1 {
			t.Errorf("%d processes, and Synapse tells of %v", len(e.Workers.Processes)+1, got)
		}
		for name, work := range want {
			if name != "master" && got[name] != work {
				t.Errorf("%s does %q, want %q", name, got[name], work)
			}
		}
		if strings.Contains(got["master"], "media") || strings.Contains(got["master"], "sends") {
			t.Errorf("the main process does %q beside its workers", got["master"])
		}
		words := strings.Fields(lines[0])
		e.accepted(t, words[0]+" "+words[1], "config/workers")
	})
	if read == 0 {
		t.Error("no example has workers")
	}
}

// balanced runs the real HAProxy on what is rendered, with a server on this host for each process.
type balanced struct {
	url     string
	names   map[string]string // of the servers, by address
	servers map[string]*http.Server
	said    *haproxyTable
}

type haproxyTable struct {
	match func(method, path string) []string
}

func startHAProxy(t *testing.T, workers string) *balanced {
	t.Helper()
	bin, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("skipped: haproxy is not here; make conformance gets it")
	}
	s, findings := spec.Parse("stack.yaml", []byte("version: 1\nserver_name: philipp.info\nauth: {passwords: true}\nsynapse: {workers: "+workers+"}\n"))
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	b, err := render.Render(s, render.Resolve(s, set, "/srv"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, f := range b.Files {
		if f.Path == "config/haproxy/haproxy.cfg" {
			text = string(f.Data)
		}
	}
	h := &balanced{names: make(map[string]string), servers: make(map[string]*http.Server)}
	text = regexp.MustCompile(`(?m)^\tserver (\S+) (\S+)$`).ReplaceAllStringFunc(text, func(m string) string {
		name := strings.Fields(m)[1]
		for address, known := range h.names {
			if known == name {
				return "\tserver " + name + " " + address
			}
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path, _, _ := strings.Cut(r.RequestURI, "?")
			w.Header().Set("Process", name)
			w.Header().Set("Path", path)
			w.Header().Set("From", r.Header.Get("X-Forwarded-For"))
		})}
		go func() { _ = srv.Serve(ln) }()
		t.Cleanup(func() { srv.Close() })
		h.names[ln.Addr().String()], h.servers[name] = name, srv
		return "\tserver " + name + " " + ln.Addr().String()
	})
	var free [2]string
	for i := range free {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		free[i] = ln.Addr().String()
		ln.Close()
	}
	text = strings.NewReplacer("bind 127.0.0.1:8080", "bind "+free[1], "bind :8008", "bind "+free[0], "inter 3s", "inter 500ms").Replace(text)
	h.url = "http://" + free[0]
	table := haproxy.New(&source.File{Path: "haproxy.cfg", Src: []byte(text)}, haproxy.Options{Upstream: func(host, port string) (string, string) { return net.JoinHostPort(host, port), port }})
	if len(table.Problems) > 0 {
		t.Fatal(table.Problems)
	}
	_, port, _ := net.SplitHostPort(free[0])
	h.said = &haproxyTable{func(method, path string) []string {
		res := table.MatchOn(":"+port, method, "matrix.philipp.info", path)
		if res.Backend == nil || res.Unknown != "" && res.Among == nil {
			return []string{"unknown: " + res.Unknown + res.Refused}
		}
		names := []string{h.names[res.Backend.Container]}
		for _, b := range res.Among {
			names = append(names, h.names[b.Container])
		}
		return names
	}}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-db", "-f", file)
	var talk strings.Builder
	cmd.Stdout, cmd.Stderr = &talk, &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 100 {
		if res, err := http.Get("http://" + free[1] + "/health"); err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Fatalf("health: HTTP %d", res.StatusCode)
			}
			return h
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("HAProxy does not start:\n%s", &talk)
	return nil
}

// ask gives the process that answers, and what it was asked for.
func (h *balanced) ask(t *testing.T, method, path string, header ...string) (process, asked string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: matrix.philipp.info\r\nContent-Length: 0\r\nConnection: close\r\n", method, path)
	for i := 0; i < len(header); i += 2 {
		fmt.Fprintf(conn, "%s: %s\r\n", header[i], header[i+1])
	}
	fmt.Fprint(conn, "\r\n")
	buf := make([]byte, 1<<14)
	n := 0
	for {
		m, err := conn.Read(buf[n:])
		if n += m; err != nil {
			break
		}
	}
	head := string(buf[:n])
	value := func(name string) string {
		_, rest, _ := strings.Cut(head, "\r\n"+strings.ToLower(name)+": ")
		text, _, _ := strings.Cut(rest, "\r\n")
		return text
	}
	if process = value("Process"); process == "" {
		process, _, _ = strings.Cut(head, "\r\n")
	}
	return process, value("Path")
}

// What is rendered leads each request of the table where the table has it, and all others where our reader says; the same user, room
// and server come to the same process; and the main process stands in for one that is away, where it can.
func TestHAProxy(t *testing.T) {
	one := startHAProxy(t, "one-of-each")
	for path, want := range map[string]string{
		"PUT /_matrix/client/v3/rooms/!a:example.org/typing/@b:example.org": "typing1", "GET /_matrix/client/v3/sync?since=1": "sync1",
		"PUT /_matrix/client/v3/user/@b:example.org/account_data/m.direct": "account-data1", "GET /_matrix/client/v3/user/@b:example.org/account_data/m.direct": "client1",
		"PUT /_matrix/client/v3/presence/@b:example.org/status": "presence1", "POST /_matrix/client/v3/pushers/set": "main", "POST /_matrix/media/v3/upload": "media1",
		"PUT /_matrix/federation/v1/send/1": "federation-reader1", "GET /_matrix/client/v3/directory/room/%23a%3Aexample.org": "client1", "GET /_matrix/key/v2/server": "main",
		"POST /_matrix/client/v3/keys/upload": "device-lists1", "PUT /_matrix/client/v3/sendToDevice/m.room.encrypted/1": "to-device1",
	} {
		method, path, _ := strings.Cut(path, " ")
		whole, _, _ := strings.Cut(path, "?")
		if got, asked := one.ask(t, method, path); got != want || asked != whole {
			t.Errorf("%s %s is answered by %s, asked for %s; want %s", method, path, got, asked, want)
		}
	}
	// The very requests that conformance/traefik, caddy and nginx bring to HAProxy.
	rows := fixture.WorkerRows()
	corpus := fixture.Requests(rows, 10_000)
	many := startHAProxy(t, "{sync: 3, client: 2, federation_inbound: 2, federation_reader: 2, media: 2, receipts: 2}")
	for _, h := range []*balanced{one, many} {
		all := corpus
		if h == many {
			all = corpus[:len(rows)+3000]
		}
		for _, r := range all {
			if strings.ContainsAny(r.Path, "#\\ ") {
				continue // of which HAProxy makes nothing
			}
			got, _ := h.ask(t, r.Method, r.Path)
			if want := h.said.match(r.Method, r.Path); !slices.Contains(want, got) && !strings.HasPrefix(got, "HTTP/1.1 400") {
				t.Errorf("%s %s is answered by %s, and we say %v", r.Method, r.Path, got, want)
			}
		}
	}
	t.Run("the same at the same", func(t *testing.T) { spreads(t, many) })
	t.Run("away", func(t *testing.T) {
		one.servers["sync1"].Close()
		one.servers["typing1"].Close()
		var got [2]string
		for range 50 {
			got[0], _ = one.ask(t, "GET", "/_matrix/client/v3/sync")
			got[1], _ = one.ask(t, "PUT", "/_matrix/client/v3/rooms/!a:example.org/typing/@b:example.org")
			if got[0] == "main" && strings.HasPrefix(got[1], "HTTP/1.1 503") {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
		t.Errorf("without its workers sync is answered by %s, typing by %s", got[0], got[1])
	})
	t.Run("away, where the main process writes", func(t *testing.T) {
		small := startHAProxy(t, "small")
		small.servers["generic1"].Close()
		got := ""
		for range 50 {
			if got, _ = small.ask(t, "PUT", "/_matrix/client/v3/devices/ABC"); got == "main" {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
		t.Errorf("without the worker of the small set a device, which a bridge makes at its start, is answered by %s", got)
	})
	version, _ := exec.Command("haproxy", "-v").Output()
	number, _, _ := strings.Cut(strings.Fields(string(version))[2], "-") // without Debian's
	accepted(t, "HAProxy "+number, "what is rendered, every kind of request and 10000 random ones as route says")
}

// spreads holds that what has to be at one process is, and that all of them are asked.
func spreads(t *testing.T, h *balanced) {
	t.Helper()
	for _, c := range []struct {
		method, path, header string
		all                  int
	}{
		{"GET", "/_matrix/client/v3/sync", "Authorization", 3},
		{"GET", "/_matrix/client/v3/rooms/!%d:example.org/messages", "", 2},
		{"PUT", "/_matrix/federation/v1/send/%d", "X-Forwarded-For", 2},
	} {
		seen := make(map[string]bool)
		for i := range 60 {
			first := ""
			for range 3 {
				path, header := c.path, []string(nil)
				if strings.Contains(path, "%d") {
					path = fmt.Sprintf(path, i)
				}
				if c.header != "" {
					header = []string{c.header, fmt.Sprintf("Bearer syt_%d", i)}
				}
				got, _ := h.ask(t, c.method, path, header...)
				if first == "" {
					first = got
				}
				if got != first {
					t.Fatalf("%s %s of one is answered by %s and by %s", c.method, path, first, got)
				}
			}
			seen[first] = true
		}
		if len(seen) != c.all {
			t.Errorf("%s %s is answered by %v, want %d of them", c.method, c.path, seen, c.all)
		}
	}
}
