//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// brokenStack has a finding with a certain fix in each of two directories.
const brokenStack = `
-- compose.yaml --
services:
  synapse:
    image: ghcr.io/element-hq/synapse:v1.163.2
    volumes: ["./synapse:/data", "./more:/more"]
-- synapse/signing.key --
ed25519 a_fake AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
-- synapse/homeserver.yaml --
server_name: example.org
report_stats: false
signing_key_path: /data/signing.key
media_store_path: /data/media
database: {name: sqlite3, args: {database: /data/homeserver.db}}
registration_shared_secret: fake-word-for-registrations
macaroon_secret_key: fake-word-for-macaroons
form_secret: fake-word-for-forms
public_baseurl: https://matrix.example.org/
listeners:
  - {port: 8008, type: http, bind_addresses: ["0.0.0.0"], x_forwarded: true, resources: [{names: [client, federation]}]}
app_service_config_files: [/data/one.yaml, /more/two.yaml]
-- synapse/one.yaml --
id: one
url: null
as_token: fake-word-of-the-appservice
hs_token: fake-word-of-the-homeserver
sender_localpart: randomword
rate_limited: true
namespaces: {users: [{regex: "@.*:example.org", exclusive: false}]}
-- more/two.yaml --
id: two
url: null
as_token: another-fake-of-the-appservice
hs_token: another-fake-of-the-homeserver
sender_localpart: anotherword
rate_limited: true
namespaces: {users: [{regex: "@.*:example.org", exclusive: false}]}
`

func writeTree(t *testing.T, dir, text string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(text)).Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInterruptedFix lets each system call of --fix --write that changes the disk fail, and kills the program at each. Where it
// goes on, all files are new or none is; where it is killed each is whole, and the same command again completes it.
// Every third call is tried, or every STACKGEN_EVERY_CALL-th.
func TestInterruptedFix(t *testing.T) {
	if !canInject {
		t.Skip("skipped: calls can be traced on linux/amd64 only, this is " + runtime.GOOS + "/" + runtime.GOARCH + "; an interrupted fix is not proven in this run")
	}
	step := everyCall(t, 3)
	t.Parallel()
	w := newWorkshop(t)
	writeTree(t, w.dir, brokenStack)
	w.keep()
	before := w.snapshot()
	calls := w.spoil(0, 0, "", "check", "--fix", "--write")
	after := w.snapshot()
	if cmp.Equal(before, after) || len(calls) < 5 {
		t.Fatalf("nothing was mended, in %d calls: %v", len(calls), calls)
	}
	for n := 0; n < len(calls); n += step {
		for _, errno := range []syscall.Errno{syscall.EIO, 0} {
			w.back()
			what := fmt.Sprintf("%s at call %d, %s", map[bool]string{true: "killed", false: errno.Error()}[errno == 0], n+1, calls[n].name)
			w.spoil(n+1, errno, "", "check", "--fix", "--write")
			left := w.snapshot()
			if errno != 0 {
				maps.DeleteFunc(left, func(path, _ string) bool {
					return strings.HasSuffix(path, ".tmp") && strings.HasPrefix(calls[n].name, "unlink")
				})
				if !cmp.Equal(left, before) && !cmp.Equal(left, after) {
					t.Errorf("%s: neither all nor nothing is changed:\n%s", what, cmp.Diff(before, left))
				}
				continue
			}
			for path, content := range left {
				if !strings.HasSuffix(path, ".tmp") && content != before[path] && content != after[path] {
					t.Errorf("%s: %s is neither old nor new", what, path)
				}
			}
			if code, said := w.run("", "stackgen", "check", "--fix", "--write"); code != exitClean {
				t.Errorf("%s: the same again: exit %d\n%s", what, code, said)
			}
			if diff := cmp.Diff(after, w.snapshot()); diff != "" {
				t.Errorf("%s: the same again does not complete it:\n%s", what, diff)
			}
		}
	}
}
