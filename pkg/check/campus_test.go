package check_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
)

// Faults that people make in manifests, one each in those of examples/campus, and the rule that finds it there. of is the file that is edited,
// behind the first place that has the text after.
func TestFaultsInManifests(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: it runs all rules too often for the race detector; the same rules run in TestRuleCases")
	}
	tree := renderedTree("../../examples/campus/stack.yaml")
	run := func(tree fstest.MapFS) []finding.Finding {
		d, findings := kubernetes.Open(tree)
		found, _ := check.Run(d, nil)
		return slices.DeleteFunc(append(findings, found...), func(f finding.Finding) bool { return f.Status != finding.Found })
	}
	for _, f := range run(tree) {
		t.Fatalf("the example has it already: %s %s [%s]", f.Pos(), f.Message, f.Rule)
	}
	for _, c := range []struct{ name, of, after, old, now, rule string }{
		{"a token in the Secret of the bridge alone", "secrets/slack.yaml", "ephemeral_events", `as_token: "PLACEHOLDER`, `as_token: "CHANGED`, "registration-tokens-match"},
		{"a token in Synapse's copy alone", "secrets/synapse.yaml", "id: \"slack\"", `hs_token: "PLACEHOLDER`, `hs_token: "CHANGED`, "registration-copies-equal"},
		{"the token of the double puppet", "secrets/discord.yaml", "double_puppet", `"as_token:PLACEHOLDER`, `"as_token:CHANGED`, "double-puppet-token"},
		{"the address of a bridge", "secrets/synapse.yaml", "id: \"slack\"", "matrix-stack-slack:29335", "matrix-stack-slack:29336", "registration-url-reaches-bridge"},
		{"the password in a role's Secret", "secrets/postgres.yaml", "name: matrix-stack-postgres-mas", "password: PLACEHOLDER", "password: CHANGED", "database-credentials-match"},
		{"a Database with another locale", "postgres.yaml", "  name: synapse\n  owner", "localeCollate: C", "localeCollate: en_US.utf8", "database-collation"},
		{"a Database of another owner", "postgres.yaml", "  name: slack\n  owner", ": slack", ": discord", "database-credentials-match"},
		{"a Database that is gone", "postgres.yaml", "  name: discord\n  owner", "name: discord", "name: discord-old", "database-created"},
		{"a Cluster of another name", "postgres.yaml", "kind: Cluster", "name: matrix-stack-postgres", "name: matrix-postgres", "database-credentials-match"},
		{"too few connections", "postgres.yaml", "parameters", "max_connections: \"180\"", "max_connections: \"60\"", "database-connections"},
		{"a Service that selects nobody", "slack.yaml", "name: matrix-stack-slack", "selector:\n    app.kubernetes.io/name: slack", "selector:\n    app.kubernetes.io/name: mautrix-slack", "kubernetes-service-leads"},
		{"the port of a Service", "mas.yaml", "kind: Service", "port: 8080", "port: 8090", "kubernetes-service-leads"},
		{"a policy without the proxy", "element.yaml", "namespaceSelector", "port: 8080", "port: 80", "kubernetes-policy-allows"},
		{"a policy without a worker", "synapse-valkey.yaml", "values", "- synapse-sync2\n", "- synapse-sync9\n", "kubernetes-policy-allows"},
		{"a policy that lets nobody out to PostgreSQL", "postgres.yaml", "values", "- mas\n", "- nobody\n", "kubernetes-policy-allows"},
		{"a route of the old login that is gone", "mas.yaml", "name: matrix-mas-compat", "/_matrix/client/v3/login", "/_matrix/client/v5/login", "compat-router-wins"},
		{"a route that opens the admin API", "haproxy.yaml", "kind: HTTPRoute", "/_synapse/client", "/_synapse", "internal-apis-private"},
		{"a route that keeps its prefix", "livekit.yaml", "ReplacePrefixMatch", "replacePrefixMatch: /", "replacePrefixMatch: /livekit", "rtc-sfu-routed"},
		{"a route to nobody", "mas.yaml", "  name: matrix-mas\n", "- name: mas\n", "- name: msa\n", "proxy-target-exists"},
		{"a route of the old login to nobody", "mas.yaml", "  name: matrix-mas-compat\n", "- name: mas\n", "- name: msa\n", "proxy-target-exists"},
		{"two of a bridge", "slack.yaml", "kind: StatefulSet", "replicas: 1", "replicas: 2", "service-runs"},
		{"a worker's stream that no worker writes", "secrets/synapse.yaml", "stream_writers", "event-persister2", "event-persister9", "worker-starts"},
		{"the secret of MAS in one of two", "secrets/synapse.yaml", "\n  synapse_mas_secret:", "PLACEHOLDER", "CHANGED", "mas-secret-matches"},
		{"a file that a Secret has not", "mas.yaml", "", "subPath: mas_database_password", "subPath: mas_db_password", "compose-mount-exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			edited := maps.Clone(tree)
			text := string(tree[c.of].Data)
			at := strings.Index(text, c.after)
			if at < 0 {
				t.Fatalf("%s has no %q", c.of, c.after)
			}
			rest := text[at:]
			if !strings.Contains(rest, c.old) {
				t.Fatalf("%s has no %q after %q", c.of, c.old, c.after)
			}
			edited[c.of] = &fstest.MapFile{Data: []byte(text[:at] + strings.Replace(rest, c.old, c.now, 1)), Mode: 0o600}
			var rules []string
			for _, f := range run(edited) {
				rules = append(rules, f.Rule)
				if f.Rule == c.rule && len(f.Sites) > 0 && !strings.HasSuffix(f.Pos().File, ".yaml") {
					t.Errorf("its place is no manifest: %s", f.Pos())
				}
			}
			if !slices.Contains(rules, c.rule) {
				t.Errorf("not found by %s, but by %s", c.rule, rules)
			}
		})
	}
}
