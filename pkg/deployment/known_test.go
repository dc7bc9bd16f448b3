package deployment_test

import (
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
)

// What one deployment has parsed, another takes where the bytes are the same, and only there.
func TestKnownFilesAreNotParsedAgain(t *testing.T) {
	tree := func(level string) fstest.MapFS {
		return fstest.MapFS{
			"compose.yaml":       {Data: []byte("services:\n  synapse: {image: \"ghcr.io/element-hq/synapse:v1.157.1\", volumes: [\"./hs:/data\"]}\n")},
			"hs/homeserver.yaml": {Data: []byte("server_name: example.org\npresence: {enabled: " + level + "}\n")},
		}
	}
	first, findings := compose.Open(tree("true"))
	if len(findings) > 0 || len(first.Synapses) != 1 {
		t.Fatal(findings)
	}
	same, _ := compose.Open(tree("true"), first)
	other, _ := compose.Open(tree("false"), same, first)
	if compose.Of(same).Files[0] != compose.Of(first).Files[0] || compose.Of(other).Files[0] != compose.Of(first).Files[0] || same.Synapses[0].Config != first.Synapses[0].Config {
		t.Error("what has the same bytes is parsed again")
	}
	if got := other.Synapses[0].Config.At("presence", "enabled").Str(); got != "false" {
		t.Errorf("a file with other bytes is taken for the one that is known: %q", got)
	}
}
