package main

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/fixture"
)

// inCluster is the spec of a stack that runs in a cluster.
const inCluster = `version: 1
server_name: example.org
target: kubernetes
kubernetes:
  namespace: chat
  gateway: {name: public, namespace: infra}
  proxy: infra
  storage: {class: fast, synapse: 50Gi}
  database: single
  secrets: plain
auth: {passwords: true, public_url: https://account.example.org/}
element: {}
bridges: {signal: {}}
permissions: {example.org: user}
`

// clusterFields has at least one change for every field of a spec that says something of a cluster, as fields has.
var clusterFields = []struct{ field, old, new, want, say string }{
	{"target", strings.Split(strings.SplitAfter(inCluster, "example.org\n")[1], "auth:")[0], "", isLost, "database.data"},
	{"kubernetes.namespace", "namespace: chat", "namespace: talk", isLost, "database.data"},
	{"kubernetes.gateway.name", "name: public", "name: private", isTold, "requests come by the Gateway infra/private from now on"},
	{"kubernetes.gateway.namespace", "namespace: infra}", "namespace: edge}", isTold, "requests come by the Gateway edge/public from now on"},
	{"kubernetes.ingress.class", "gateway: {name: public, namespace: infra}", "ingress: {class: traefik}", isTold, "requests come by the IngressClass traefik from now on"},
	{"kubernetes.ingress.issuer", "gateway: {name: public, namespace: infra}", "ingress: {issuer: letsencrypt}", isTold, "requests come by the cluster's own IngressClass from now on"},
	{"kubernetes.proxy", "proxy: infra", "proxy: edge", isHarmless, "a policy more or less, which the files show"},
	{"kubernetes.storage", "class: fast", "class: slow", isTold, "storage class cannot change"},
	{"kubernetes.storage", "synapse: 50Gi", "synapse: 80Gi", isTold, "grows from 50Gi to 80Gi"},
	{"kubernetes.storage", "synapse: 50Gi", "synapse: 20Gi", isTold, "no claim becomes smaller"},
	{"kubernetes.database", "database: single", "database: cnpg", isTold, "bring the databases"},
	{"kubernetes.snapshots.schedule", "database: single", "database: cnpg\n  snapshots: {schedule: \"0 30 3 * * *\"}", isTold, "bring the databases"},
	{"kubernetes.snapshots.class", "database: single", "database: cnpg\n  snapshots: {schedule: \"0 30 3 * * *\", class: fast}", isTold, "bring the databases"},
	{"kubernetes.secrets", "secrets: plain", "secrets: external", isTold, "have the Secrets made"},
	{"kubernetes.ess", "gateway: {name: public, namespace: infra}", "ess: true", isLost, "synapse.media_store"},
	{"element", "element: {}\n", "", isTold, "kubectl -n chat delete"},
	{"synapse.limits", "element: {}\n", "element: {}\nsynapse: {limits: {memory: 2G}}\n", isHarmless, "the pod begins anew"},
}

// What a change of a cluster's spec does is told, or there is nothing to tell.
func TestClusterFieldsAreTold(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: a comparison for each field takes too long under the race detector; TestGoldenDiff runs the same command")
	}
	repository(t, "stack.yaml", inCluster)
	stackgen(t, 0, "render", "-o", "run")
	for _, c := range clusterFields {
		t.Run(c.field+" "+c.new, func(t *testing.T) {
			if !strings.Contains(inCluster, c.old) {
				t.Fatalf("the spec does not hold %q", c.old)
			}
			put(t, "stack.yaml", strings.ReplaceAll(inCluster, c.old, c.new))
			for _, with := range [][]string{{"--base", "HEAD"}, {"-o", "run"}} {
				d := difference(t, with...)
				if got := kindOf(d); got != c.want || c.want != isHarmless && !says(t, d, c.say) {
					t.Errorf("diff %v: %s, want %s (%s):\n%+v\n%q", with, got, c.want, c.say, d.Irreversible, d.Steps)
				}
				if text := strings.Join(d.Steps, "\n") + d.Command; c.field != "target" && strings.Contains(text, "docker") {
					t.Errorf("a cluster has no Docker:\n%s", text)
				}
				if text := strings.Join(d.Steps, "\n"); c.field == "kubernetes.database" && strings.Contains(text, "drop it by hand") {
					t.Errorf("by these words the databases of the new PostgreSQL would be dropped:\n%s", text)
				}
			}
		})
	}
}

// A Cluster keeps what is in it, and ends with its volumes: nobody is told to delete it in passing, nor to have two of one name.
func TestClusterOfCNPGStays(t *testing.T) {
	single := strings.Replace(inCluster, "signal", "whatsapp", 1)
	repository(t, "stack.yaml", strings.Replace(single, "database: single", "database: cnpg", 1))
	stackgen(t, 0, "render", "-o", "run")
	put(t, "stack.yaml", single)
	steps := strings.Join(difference(t, "-o", "run").Steps, "\n")
	for _, want := range []string{"stays with what it keeps", "cnpg.io/hibernation=on", "databaserole/matrix-stack-postgres-whatsapp"} {
		if !strings.Contains(steps, want) {
			t.Errorf("%q is not said:\n%s", want, steps)
		}
	}
	if strings.Contains(steps, " cluster/") {
		t.Errorf("the Cluster would be deleted with what is left over:\n%s", steps)
	}
}
