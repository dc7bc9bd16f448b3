package deployment_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
)

// TestGenerate: where the directory of homeserver.yaml can be written, the fix is the command by which the image makes one.
func TestGenerate(t *testing.T) {
	for name, c := range map[string]struct{ service, fix string }{
		"nothing is set":    {`volumes: ["./synapse:/data"]`, "run --rm -e SYNAPSE_SERVER_NAME=example.org -e SYNAPSE_REPORT_STATS=no hs generate"},
		"the name is set":   {`environment: {SYNAPSE_SERVER_NAME: a.org}, volumes: ["./synapse:/data"]`, "run --rm -e SYNAPSE_REPORT_STATS=no hs generate"},
		"both are set":      {`environment: {SYNAPSE_SERVER_NAME: a.org, SYNAPSE_REPORT_STATS: "no"}, volumes: ["./synapse:/data"]`, "run --rm hs generate"},
		"it is read-only":   {`volumes: ["./synapse:/data:ro"]`, "mount the file there"},
		"one file is meant": {`volumes: ["./homeserver.yaml:/data/homeserver.yaml"]`, "mount the file there"},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := compose.Open(fstest.MapFS{
				"compose.yaml": {Data: []byte("services: {hs: {image: \"ghcr.io/element-hq/synapse:v1.163.2\", " + c.service + "}}\n"), Mode: 0o644},
				"synapse/x":    {Data: []byte("x"), Mode: 0o644},
			})
			var fixes []string
			for _, f := range d.Problems() {
				fixes = append(fixes, f.Fix)
			}
			if all := strings.Join(fixes, "; "); !strings.Contains(all, c.fix) || strings.HasPrefix(c.fix, "mount") && strings.Contains(all, "generate") {
				t.Errorf("%q", all)
			}
		})
	}
}
