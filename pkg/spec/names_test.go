package spec

import (
	"fmt"
	"testing"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Names that reach a command of the runbook or a label are those that Docker and Traefik take.
func TestNamesForCommands(t *testing.T) {
	for _, key := range []string{"network", "entrypoint", "cert_resolver"} {
		for name, good := range map[string]bool{
			"traefik": true, "web-secure_2.x": true, "tr; curl x\n```": false, "a b": false, "$(x)": false, "`x`": false, "it's": false, "-v": false, "a\u202eb": false,
		} {
			_, findings := Parse("stack.yaml", fmt.Appendf(nil, "version: 1\nserver_name: example.org\nauth: {passwords: true}\ningress: {traefik: {%s: %s}}\n", key, source.Quote(name)))
			if finding.HasErrors(findings) == good {
				t.Errorf("%s: %q: %v", key, name, findings)
			}
		}
	}
}
