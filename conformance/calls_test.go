package conformance

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

const (
	livekitFile = "config/livekit/livekit.yaml"
	coturnFile  = "config/coturn/turnserver.conf"
)

// ports has LiveKit read a configuration as strictly as when it starts, and say where it would listen.
func ports(t *testing.T, bin, file string) string {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), bin, "--config", file, "ports").CombinedOutput()
	return string(out)
}

// LiveKit reads what is rendered for it, and stops at a key that it does not know. Only where it is to ask a STUN server for
// its address, one stands in its place.
func TestLiveKit(t *testing.T) {
	bin := program(t, ".bin/livekit-server")
	version, err := exec.CommandContext(t.Context(), bin, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	name := livekitName(version)
	read := 0
	eachExample(t, func(t *testing.T, e *example) {
		src, err := os.ReadFile(filepath.Join(e.dir, livekitFile))
		if err != nil {
			return
		}
		read++
		src = bytes.ReplaceAll(src, []byte("use_external_ip: true"), []byte("node_ip: 203.0.113.7"))
		file := filepath.Join(t.TempDir(), "livekit.yaml")
		for text, want := range map[string]string{
			string(src): "- ICE/UDP", strings.Replace(string(src), "\nroom:\n", "\nrooms:\n", 1): "field rooms not found",
		} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if said := ports(t, bin, file); !strings.Contains(said, want) {
				t.Errorf("LiveKit does not say %q:\n%s", want, said)
			}
		}
		e.accepted(t, name, livekitFile)
	})
	if read < 2 {
		t.Errorf("only %d examples have calls", read)
	}
}

func livekitName(version []byte) string {
	return "LiveKit v" + strings.TrimPrefix(strings.TrimSpace(string(version)), "livekit-server version ")
}

// token is one as lk-jwt-service makes it for a user (src/handler.rs, get_join_token), or for itself with what it may do.
func token(t *testing.T, key, secret string, video map[string]any) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	now := time.Now().Unix()
	signed := part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." +
		part(map[string]any{"iss": key, "sub": "@anna:example.org:DEVICE", "nbf": now - 5, "exp": now + 3600, "video": video})
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// A token of the rendered key opens a room at the real LiveKit, one of another secret none, and nobody makes a room by joining
// it. lk-jwt-service is in no registry: what it does here is done as its source does it.
func TestLiveKitCall(t *testing.T) {
	bin := program(t, ".bin/livekit-server")
	src, err := os.ReadFile("../pkg/render/testdata/specs/calls/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, findings := spec.Parse("stack.yaml", src)
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	dir := renderAll(t, string(src))
	conf, err := os.ReadFile(filepath.Join(dir, livekitFile))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(address)
	text := strings.NewReplacer(
		"port: 7880\n", "port: "+port+"\nbind_addresses: [127.0.0.1]\n",
		"/run/secrets/livekit_keys", filepath.Join(dir, "secrets", "livekit_keys"),
		// Not on the ports of the machine.
		"  tcp_port: 7881\n", "  ips: {includes: [127.0.0.0/8]}\n  enable_loopback_candidate: true\n  tcp_port: 0\n",
	).Replace(string(conf))
	file := filepath.Join(t.TempDir(), "livekit.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(bin, "--config", file)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s", log.String())
		}
	})
	for range 100 {
		if resp, err := http.Get("http://" + address + "/"); err == nil {
			_ = resp.Body.Close()
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	key, good := set.Get("calls.livekit_key"), set.Get("calls.livekit_secret")
	const room = "a-room"
	join := map[string]any{"roomJoin": true, "roomCreate": false, "canPublish": true, "canSubscribe": true, "room": room}
	// The first request of a client, as it is sent to /livekit/sfu/rtc: what the router leaves of its path.
	enter := func(token string) (status string) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = fmt.Fprintf(conn, "GET /rtc?access_token=%s&protocol=15&auto_subscribe=1 HTTP/1.1\r\nHost: rtc.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", token)
		answer := make([]byte, 12)
		if _, err := io.ReadFull(conn, answer); err != nil {
			t.Fatal(err)
		}
		return string(answer[9:])
	}
	if got := enter(token(t, key, good, join)); got == "101" {
		t.Error("a room was made by joining it")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/twirp/livekit.RoomService/CreateRoom", strings.NewReader(`{"name": "`+room+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token(t, key, good, map[string]any{"roomCreate": true}))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("making a room: %s", resp.Status)
	}
	if got := enter(token(t, key, good, join)); got != "101" {
		t.Errorf("joining the room: %s", got)
	}
	if got := enter(token(t, key, good+"x", join)); got != "401" {
		t.Errorf("joining with a token of another secret: %s", got)
	}
	version, err := exec.CommandContext(t.Context(), bin, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, livekitName(version), "a token of the rendered key joins a room, of another one none, and nobody makes a room by joining")
}

// coturn reads what is rendered for it. What it does not know it says, and goes on without.
func TestCoturn(t *testing.T) {
	bin, err := exec.LookPath("turnserver")
	if err != nil {
		t.Skip("skipped: coturn is not on this machine; conformance/run installs it")
	}
	version := ""
	read := func(text string) string {
		dir := t.TempDir()
		file := filepath.Join(dir, "turnserver.conf")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "/var/tmp/", dir+"/")), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		_ = l.Close()
		var out bytes.Buffer
		cmd := exec.Command(bin, "-c", file, "-L", "127.0.0.1", "-p", port, "--log-file=stdout", "--no-cli")
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_, rest, _ := strings.Cut(out.String(), "Version Coturn-")
		version, _, _ = strings.Cut(rest, " ")
		return out.String()
	}
	eachExample(t, func(t *testing.T, e *example) {
		src, err := os.ReadFile(filepath.Join(e.dir, coturnFile))
		if err != nil {
			return
		}
		if said := read(string(src)); strings.Contains(said, "Bad configuration format") || !strings.Contains(said, "Listener address to use: 127.0.0.1") {
			t.Errorf("coturn says:\n%s", said)
		}
		if said := read(string(src) + "no-multicast-pears\n"); !strings.Contains(said, "Bad configuration format: no-multicast-pears") {
			t.Errorf("coturn passes over what it does not know:\n%s", said)
		}
		e.accepted(t, "coturn "+version, coturnFile)
	})
}
