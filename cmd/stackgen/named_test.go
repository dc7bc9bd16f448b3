package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/report"
)

// A secret of a few characters, a short number or a word that {secret: NAME} puts at a key that does not sound like one
// is shown by no command, neither as it was nor as it is.
func TestShortSecretsBesideOtherNames(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = `version: 1
server_name: example.org
auth: {passwords: true}
synapse:
  extra:
    greting: {secret: synapse.one}
    trusted_key_servers: [{secret: synapse.two}, {server_name: {secret: synapse.three}}]
    +presence_listed: [{secret: synapse.two}]
compose:
  extra:
    services:
      synapse: {cpu_rt_runtime: {secret: synapse.three}, -no_such: }
`
	put(t, "stack.yaml", strings.Replace(strings.Replace(text, ", -no_such: ", "", 1), "    +presence_listed: [{secret: synapse.two}]\n", "", 1))
	was := []string{"qzx", "4711", "xyzzy"}
	is := []string{"jvq", "8350", "plugh"}
	secrets := func(values []string) {
		made, _ := os.ReadFile("secrets.yaml")
		_, rest, _ := strings.Cut(string(made), "# made\n")
		put(t, "secrets.yaml", fmt.Sprintf("synapse.one: %q\nsynapse.two: %q\nsynapse.three: %q\n# made\n%s", values[0], values[1], values[2], rest))
	}
	var printed strings.Builder
	show := func(args ...string) {
		t.Helper()
		var out, talk strings.Builder
		run(t.Context(), args, strings.NewReader(""), &out, &talk)
		fmt.Fprintf(&printed, "$ %s\n%s%s", strings.Join(args, " "), &out, &talk)
	}
	secrets(was)
	show("render", "--i-know-what-this-breaks")
	put(t, "good.yaml", "version: 1\nserver_name: example.org\nauth: {passwords: true}\nsynapse:\n  extra: {user_directory: {greeting: {secret: synapse.one}, names: [{secret: synapse.two}]}, tls_fingerprints: [{x: {secret: synapse.three}}]}\n")
	show("render", "good.yaml")
	for _, values := range [][]string{was, is} {
		secrets(values)
		for _, format := range diff.Formats {
			show("diff", "good.yaml", "--format", format)
		}
		for _, format := range report.Formats {
			show("validate", "good.yaml", "--format", format)
		}
	}
	show("render", "good.yaml")
	show("secrets", "list", "--spec", "good.yaml")
	show("secrets", "list", "--spec", "good.yaml", "--format", "json")
	if !strings.Contains(printed.String(), "greeting") || !strings.Contains(printed.String(), "changed (secret)") {
		t.Errorf("the places are not named:\n%s", &printed)
	}
	for _, value := range append(was, is...) {
		if i := strings.Index(printed.String(), value); i >= 0 {
			t.Errorf("%s is shown: …%s…", value, printed.String()[max(0, i-300):min(printed.Len(), i+40)])
		}
	}
	// What is rendered holds them, or nothing was proven.
	if data, err := os.ReadFile("out/config/matrix/homeserver.yaml"); err != nil || !strings.Contains(string(data), is[0]) {
		t.Error("the new values were not rendered")
	}
}
