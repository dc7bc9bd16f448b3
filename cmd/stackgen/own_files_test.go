package main

import (
	"os"
	"path/filepath"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// A file of one's own that lies where it is copied to is not the copy: it stays when the spec names it no more.
func TestOwnFilesStay(t *testing.T) {
	registration, _ := fixture.File("")
	const base = "version: 1\nserver_name: example.org\nauth: {passwords: true}\npermissions: {example.org: user}\n"
	for name, c := range map[string]struct {
		with string
		own  map[string]string
	}{
		"a registration":    {"synapse: {registrations: [config/matrix/irc.yaml]}\n", map[string]string{"config/matrix/irc.yaml": string(registration)}},
		"a file":            {"compose: {files: {config/site/a.json: config/site/a.json}}\n", map[string]string{"config/site/a.json": "{}\n"}},
		"a container's":     {"services: {page: {image: x/page, version: '1', files: {/etc/a.toml: config/page/etc/a.toml}}}\n", map[string]string{"config/page/etc/a.toml": "a = 1\n"}},
		"an appservice's":   {"appservices: {irc: {image: x/irc, version: '1', registration: config/matrix/irc.yaml}}\n", map[string]string{"config/matrix/irc.yaml": string(registration)}},
		"one by a long way": {"synapse: {registrations: [./config/../config/matrix/irc.yaml]}\n", map[string]string{"config/matrix/irc.yaml": string(registration)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for file, text := range c.own {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				put(t, file, text)
			}
			put(t, "stack.yaml", base+c.with)
			stackgen(t, exitClean, "render", "-o", ".")
			stackgen(t, exitClean, "render", "-o", ".")
			put(t, "stack.yaml", base)
			stackgen(t, exitClean, "render", "-o", ".")
			for file, text := range c.own {
				if got, err := os.ReadFile(file); err != nil || string(got) != text {
					t.Errorf("%s: %v\n%s", file, err, got)
				}
			}
		})
	}
}
