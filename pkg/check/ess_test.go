package check_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
)

// essFaults are edits of what is rendered beside the ESS chart: by the values alone each has to be seen, for the chart is not there.
var essFaults = []struct{ name, file, old, now, rule, at string }{
	{"another server", "ess.yaml", `serverName: "example.org"`, `serverName: "example.com"`, "server-name-agrees", "secrets/signal.yaml"},
	{"a registration that is not listed", "ess.yaml", `    - {secret: ess, secretKey: "signal.yaml"}` + "\n", "", "registration-listed", "ess.yaml"},
	{"Synapse's Service by another name", "secrets/signal.yaml", "http://ess-synapse:8008", "http://ess-synaps:8008", "bridge-homeserver-address", "secrets/signal.yaml"},
	{"a bridge by another address", "secrets/ess.yaml", "http://matrix-stack-signal:29328", "http://matrix-stack-signl:29328", "registration-copies-equal", "secrets/ess.yaml"},
	{"another role in the database", "ess.yaml", `user: "synapse"`, `user: "synaps"`, "database-credentials-match", "ess.yaml"},
	{"another host for the database", "ess.yaml", "    host: \"matrix-stack-postgres\"\n    port: 5432\n    sslMode: prefer\n    user: \"mas\"", "    host: \"postgres-old\"\n    port: 5432\n    sslMode: prefer\n    user: \"mas\"", "database-credentials-match", "ess.yaml"},
	{"a policy for other pods", "signal.yaml", "{k8s.element.io/synapse-instance: ess-synapse}", "{k8s.element.io/synapse-instance: synapse}", "kubernetes-policy-allows", "signal.yaml"},
	{"the admin API for everybody", "ess.yaml", "      - {path: /_synapse, availability: blocked}\n", "", "internal-apis-private", "ess.yaml"},
}

// Where a chart runs Synapse and MAS, the rules see both by what it is told.
func TestESSFaults(t *testing.T) {
	tree := renderedTree("../../examples/ess/stack.yaml")
	for _, g := range essFindings(t, tree) {
		t.Errorf("found in what is rendered: %s %s", g.Rule, g.Message)
	}
	for _, f := range essFaults {
		t.Run(f.name, func(t *testing.T) {
			src := tree[f.file]
			if src == nil || strings.Count(string(src.Data), f.old) != 1 {
				t.Fatalf("%q does not stand once in %s", f.old, f.file)
			}
			edited := maps.Clone(tree)
			edited[f.file] = &fstest.MapFile{Data: []byte(strings.Replace(string(src.Data), f.old, f.now, 1)), Mode: src.Mode, Sys: src.Sys}
			var told []string
			for _, g := range essFindings(t, edited) {
				if told = append(told, g.Rule+" at "+g.Pos().String()+": "+g.Message); g.Rule == f.rule && strings.HasPrefix(g.Pos().File, f.at) {
					return
				}
			}
			if f.rule != "" || len(told) > 0 {
				t.Errorf("%s does not find it at %s, but:\n%s", f.rule, f.at, strings.Join(told, "\n"))
			}
		})
	}
}

// essFindings leaves out what cannot be seen, as the chart makes it: never the registrations, the addresses, the databases.
func essFindings(t *testing.T, tree fstest.MapFS) (found []finding.Finding) {
	t.Helper()
	d, problems := kubernetes.Open(tree)
	if len(problems) > 0 || len(d.Synapses) != 1 || len(d.MASs) != 1 || len(d.Bridges) != 2 {
		t.Fatalf("%v: %d Synapse, %d MAS, %d bridges", problems, len(d.Synapses), len(d.MASs), len(d.Bridges))
	}
	findings, _ := check.Run(d, nil)
	for _, f := range findings {
		switch {
		case f.Status == finding.NotChecked && strings.Contains(f.Message, "the Secret ess-generated is not among the manifests"):
		default:
			found = append(found, f)
		}
	}
	return found
}
