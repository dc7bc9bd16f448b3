package confighash_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/finding"
)

const compose = `
services:
  a:
    volumes:
      - ./config/a:/config:ro
      - ./data/a:/data
      - {type: bind, source: ./more, target: /more, read_only: true}
      - {type: volume, source: named, target: /named, read_only: true}
      - /etc/localtime:/etc/localtime:ro
      - ./gone:/gone:ro,z
    secrets: [one, {source: two, target: second}]
  b: {volumes: ["./config/b:/config"]}
secrets:
  one: {file: ./secrets/one}
  two: {file: secrets/two}
  three: {file: ./secrets/three}
`

// What the service reads counts, by name and content; what it may write to, or never reads, does not.
func TestOf(t *testing.T) {
	parsed, findings := finding.Parse("compose.yaml", []byte(compose))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	tree := fstest.MapFS{}
	for _, name := range []string{
		"config/a/config.yaml", "config/a/registration.yaml", "config/a/deep/x", "config/b/config.yaml", "data/a/db",
		"more/m", "named/n", "secrets/one", "secrets/two", "secrets/three", "compose.yaml",
	} {
		tree[name] = &fstest.MapFile{Data: []byte(name)}
	}
	of := func(tree fstest.MapFS, counts func(string) bool) string {
		sum, err := confighash.Of(tree, confighash.Reads(parsed, "a"), counts)
		if err != nil || len(sum) != 32 {
			t.Fatal(sum, err)
		}
		return sum
	}
	before := of(tree, nil)
	for name := range tree {
		changed := maps.Clone(tree)
		changed[name] = &fstest.MapFile{Data: []byte(strings.ToUpper(name))} // as long as it was
		reads := map[string]bool{"config/a/config.yaml": true, "config/a/deep/x": true, "more/m": true, "secrets/one": true, "secrets/two": true}
		if got := of(changed, nil) != before; got != reads[name] {
			t.Errorf("a change of %s changes the hash: %t", name, got)
		}
	}
	moved := maps.Clone(tree)
	moved["config/a/other.yaml"] = moved["config/a/config.yaml"]
	delete(moved, "config/a/config.yaml")
	if of(moved, nil) == before {
		t.Error("the name of a file does not count")
	}
	delete(moved, "config/a/other.yaml")
	if of(moved, nil) != of(tree, func(name string) bool { return name != "config/a/config.yaml" }) {
		t.Error("a file that does not count counts")
	}
}
