package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/manifest"
)

// TestDiffShowsNoSecret changes every secret in turn in every rendered file and looks for the old and the
// new value in what each format prints.
func TestDiffShowsNoSecret(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: all formats for each secret take too long under the race detector; TestGoldenDiff runs the same command")
	}
	t.Chdir(t.TempDir())
	put(t, "stack.yaml", everySecret)
	put(t, "secrets.yaml", `auth.upstream.keycloak.client_secret: 'tainted "quoted" $value # one'
bridges.telegram.api_id: "1234567"
bridges.telegram.api_hash: "0123456789abcdef0123456789abcdef"
backup.heartbeat_url: "https://uptime.example.org/api/push/taintedToken"
`)
	stackgen(t, 0, "render")
	var printed strings.Builder
	show := func(want int, args ...string) {
		t.Helper()
		for _, format := range diff.Formats {
			out, talk := stackgen(t, want, append([]string{"diff", "--format", format, "--color", "always"}, args...)...)
			printed.WriteString(out + talk)
		}
	}
	// Added: what would be made, or is there for a bridge more. Removed: a bridge less.
	put(t, "stack.yaml", strings.Replace(everySecret, "signal: {}", "signal: {}, whatsapp: {}", 1))
	show(1)
	stackgen(t, 0, "render", "-o", "more")
	put(t, "stack.yaml", everySecret)
	show(1, "-o", "more")
	show(1, "-o", "nowhere")
	values := secretValues(t)
	// Changed: every one of them.
	put(t, "secrets.yaml", `auth.upstream.keycloak.client_secret: 'another "tainted" $value'
bridges.telegram.api_id: "7654321"
bridges.telegram.api_hash: "fedcba9876543210fedcba9876543210"
backup.heartbeat_url: "https://uptime.example.org/api/push/anotherTaintedToken"
`)
	stackgen(t, 0, "render", "-o", "anew")
	for name, value := range secretValues(t) {
		if strings.HasSuffix(name, " line 1") && value == values[name] {
			t.Errorf("%s is the same", name)
		}
	}
	show(1)
	maps.Copy(values, prefixed("new ", secretValues(t)))
	// By hand: values at every place that may hold one, in any form.
	edits := strings.NewReplacer("PRIVATE KEY-----\n", "PRIVATE KEY-----\ntaintedLine\n", "token: \"", "token: \"tainted", "\"as_token:", "\"as_token:tainted",
		"password: \"", "password: \"tainted", "@postgres", "tainted@postgres", "secret: \"", "secret: \"tainted", "_key: \"", "_key: \"tainted")
	for name, data := range rendered(t) {
		text := edits.Replace(string(data))
		if !strings.HasPrefix(name, "out/secrets") && !slices.Contains([]string{".key", ".json"}, filepath.Ext(name)) {
			text += "\n# the password was taintedComment\n"
		}
		put(t, name, text)
	}
	show(1)
	for name, data := range rendered(t) {
		if strings.HasSuffix(name, ".yaml") {
			put(t, name, "broken: [\n"+string(data))
		}
	}
	show(1)
	values["an edit"] = "tainted"
	if len(values) < 60 {
		t.Fatalf("only %d values", len(values))
	}
	for name, value := range values {
		for _, part := range []string{value, value[:min(len(value), 16)]} {
			if strings.Contains(printed.String(), part) {
				t.Errorf("%s is printed", name)
				break
			}
		}
	}
	for _, digest := range hashes(t) {
		if strings.Contains(printed.String(), digest) {
			t.Error("a digest of a secret is printed")
		}
	}
}

func prefixed(prefix string, values map[string]string) map[string]string {
	out := make(map[string]string)
	for name, value := range values {
		out[prefix+name] = value
	}
	return out
}

// secretValues are the lines of the values in secrets.yaml.
func secretValues(t *testing.T) map[string]string {
	t.Helper()
	secrets, findings, err := readYAML("secrets.yaml")
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	values := make(map[string]string)
	for key, val := range secrets.Root().Entries() {
		for i, line := range strings.Split(strings.TrimSpace(val.Str()), "\n") {
			if !strings.HasPrefix(line, "-----") {
				values[key.Str()+" line "+string(rune('1'+i%9))+strings.Repeat("'", i/9)] = strings.TrimPrefix(line, "ed25519 ")
			}
		}
	}
	return values
}

// hashes are the digests that the manifest holds.
func hashes(t *testing.T) []string {
	t.Helper()
	m, err := manifest.Read(os.DirFS("out"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range m.Files {
		all = append(all, f.SHA256)
	}
	for _, v := range m.Fixed {
		if digest, ok := strings.CutPrefix(v, "sha256:"); ok {
			all = append(all, digest)
		}
	}
	if len(all) < 20 {
		t.Fatal("few digests")
	}
	return all
}
