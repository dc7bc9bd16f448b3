package check_test

import (
	"maps"
	"slices"
	"testing"

	"philipp.info/stackgen/pkg/finding"
)

// One cause is one finding: another server_name at Synapse alone names every other place in a finding of its own
// rule, which is the only one of that rule.
func TestServerNameOnce(t *testing.T) {
	base := stacks["rendered"]()
	tree := maps.Clone(base.tree)
	lay(t, tree, "config/matrix/homeserver.yaml", "server_name: other.example\n")
	rehash(tree)
	findings := base.caused(run(t, tree))
	var rules []string
	for _, f := range findings {
		if f.Severity == finding.Info {
			continue
		}
		rules = append(rules, f.Rule)
		t.Logf("%s: %s (%d places)", f.Rule, f.Message, len(f.Sites))
		if f.Rule == "server-name-agrees" && (len(f.Sites) < 12 || f.Sites[0].File != "config/matrix/homeserver.yaml") {
			t.Errorf("%d places, first %s", len(f.Sites), f.Pos())
		}
	}
	if !slices.Equal(rules, []string{"server-name-agrees"}) {
		t.Errorf("found %v", rules)
	}
}
