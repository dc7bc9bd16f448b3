package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/source"
)

// The real heisenbridge starts with the registration that is rendered for it: it reads its ghosts off the users that it
// claims, and speaks to the homeserver with its token. The homeserver is a stand-in that knows that token alone.
func TestHeisenbridge(t *testing.T) {
	bin := program(t, ".heisenbridge/bin/heisenbridge")
	src, err := os.ReadFile("../examples/appservices/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(renderAll(t, string(src)), "config", "irc", "registration.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reg, _ := source.Parse(path, text)
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+reg.At("as_token").Str() && r.URL.Query().Get("access_token") != reg.At("as_token").Str() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/whoami"):
			fmt.Fprintf(w, `{"user_id": "@%s:example.org"}`, reg.At("sender_localpart").Str())
		case strings.HasSuffix(r.URL.Path, "/joined_rooms"):
			fmt.Fprint(w, `{"joined_rooms": []}`)
		default:
			fmt.Fprint(w, `{}`)
		}
	}))
	defer hs.Close()
	cmd := exec.CommandContext(t.Context(), bin, "-l", "127.0.0.1", "-p", "0", "-c", path, hs.URL)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), "bridge is now running") {
			accepted(t, "heisenbridge "+output(t, ".heisenbridge/bin/python", "-c", "import importlib.metadata as m; print(m.version('heisenbridge'))"), "appservices/config/irc/registration.yaml")
			return
		}
	}
	t.Errorf("it does not start:\n%s", strings.Join(said, "\n"))
}
