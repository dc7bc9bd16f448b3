//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twoCopies is a stack in which a fix changes both copies of a registration, and a third file.
var twoCopies = map[string]string{
	"compose.yaml": "services:\n  synapse: {image: \"matrixdotorg/synapse:v1.163.2\", volumes: [\"./synapse:/data\"]}\n" +
		"  signal: {image: \"dock.mau.dev/mautrix/signal:v0.2608.0\", volumes: [\"./signal:/data\"]}\n",
	"synapse/homeserver.yaml":   "server_name: example.org\nreport_stats: false\nlisteners: [{port: 8008, bind_addresses: [\"0.0.0.0\"], resources: [{names: [client]}]}]\napp_service_config_files: [/data/signal.yaml]\n",
	"synapse/signal.yaml":       twoCopiesRegistration,
	"signal/registration.yaml":  twoCopiesRegistration,
	"signal/config.yaml":        "homeserver: {address: \"http://synapse:8008\", domain: example.org}\nappservice:\n  address: http://signal:29328\n  hostname: 0.0.0.0\n  port: 29328\n  id: signal\n  bot: {username: signalbot}\n  ephemeral_events: true\n  as_token: placeholder-as\n  hs_token: placeholder-hs\n  username_template: signal_{{.}}\ndatabase: {type: sqlite3-fk-wal, uri: \"file:/data/signal.db\"}\nbridge:\n  permissions: {\"example.org\": user}\n",
	"signal/other/.gitkeep":     "",
	"synapse/example.org.other": "",
}

const twoCopiesRegistration = "id: signal\nas_token: placeholder-as\nhs_token: placeholder-hs\nurl: http://signal:29328\nsender_localpart: s\nnamespaces:\n  users:\n    - {exclusive: true, regex: \"^@signal_.*:example\\\\.org$\"}\n    - {exclusive: true, regex: \"^@signalbot:example\\\\.org$\"}\n"

// TestInterruptedTwoFiles lets every system call by which check --fix --write changes the disk fail, and kills it at each: every rename, and every fifth other, or every STACKGEN_EVERY_CALL-th. Whatever was hit: each file
// is whole, old or new; without a kill they are all the old or all the new ones; and the same command again makes what an undisturbed one would
// have made, with nothing left lying about.
func TestInterruptedTwoFiles(t *testing.T) {
	if !canInject {
		t.Skip("skipped: calls can be traced on linux/amd64 only, this is " + runtime.GOOS + "/" + runtime.GOARCH + "; an interrupted fix is not proven in this run")
	}
	t.Parallel()
	w := newWorkshop(t)
	for name, text := range twoCopies {
		name = filepath.Join(w.dir, "stack", name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fix := []string{"check", "--fix", "--write", "--only", "registration-ephemeral", "stack"}
	w.keep()
	old := w.snapshot()
	calls := w.spoil(0, 0, "", fix...)
	fixed := w.snapshot()
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		if old[name] != fixed[name] {
			changed = append(changed, name)
		}
	}
	if want := []string{"stack/signal/registration.yaml", "stack/synapse/signal.yaml"}; !slices.Equal(changed, want) {
		t.Fatalf("changed: %q, want %q", changed, want)
	}
	t.Logf("%d calls", len(calls))
	step := everyCall(t, 5)
	for n := 1; n <= len(calls); n++ {
		if n%step != 0 && !strings.HasPrefix(calls[n-1].name, "rename") {
			continue
		}
		for _, errno := range []syscall.Errno{syscall.EIO, 0} {
			w.back()
			what := fmt.Sprintf("%s at call %d, %s", map[bool]string{true: "killed", false: "failed"}[errno == 0], n, calls[n-1].name)
			w.spoil(n, errno, "", fix...)
			left := w.snapshot()
			var news int
			for _, name := range changed {
				switch left[name] {
				case fixed[name]:
					news++
				case old[name]:
				default:
					t.Errorf("%s: %s is neither old nor new", what, name)
				}
			}
			_, begun := left["stack/.stackgen-begun.tmp"]
			if half := news > 0 && news < len(changed); half && !begun {
				t.Errorf("%s: %d of %d files are new, and nothing tells the next run", what, news, len(changed))
			}
			if code, said := w.run("", "stackgen", fix...); code != exitClean {
				t.Errorf("%s: the same again: exit %d\n%s", what, code, said)
			}
			now := w.snapshot()
			for name := range now {
				if strings.Contains(name, ".stackgen-") {
					t.Errorf("%s: %s is left lying about", what, name)
				}
			}
			if diff := cmp.Diff(fixed, now); diff != "" {
				t.Errorf("%s: the same again made something else (-undisturbed +made):\n%s", what, diff)
			}
		}
	}
}
