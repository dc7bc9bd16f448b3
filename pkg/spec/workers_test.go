package spec

import (
	"slices"
	"testing"

	"philipp.info/stackgen/pkg/component"
)

func TestBadWorkers(t *testing.T) {
	workers := func(text string) string { return "\nsynapse: {workers: " + text + "}" }
	const sets = "synapse.workers must be one-of-each or small, or a mapping of kinds and numbers"
	checkBad(t, []badCase{
		{"no set", workers("large"), []string{"4:11 " + sets + "\n\tfix: write one-of-each or small, or remove the line for none"}},
		{"a slip", workers("smal"), []string{"4:11 " + sets + "\n\tfix: workers: small"}},
		{"a truth", workers("true"), []string{"4:11 " + sets}},
		{"a number", workers("4"), []string{"4:11 " + sets}},
		{"a list", workers("[sync]"), []string{"4:11 synapse.workers must be a mapping, not a list"}},
		{"HAProxy without workers", "\nhaproxy: {version: 3.4-alpine}", []string{"4:1 haproxy is rendered for synapse.workers, before which it stands, only, and there is none"}},
		{"Valkey for nobody", "\nvalkey: {version: '8.1'}", []string{"4:1 valkey is rendered for synapse.workers or redis of a container only, and there is none"}},
		{"HAProxy without wget", "\nhaproxy: {version: '3.4'}\nsynapse: {workers: small}", []string{"4:11 haproxy.version 3.4 is an image without wget, with which its health is asked; it would never be healthy\n\tfix: version: 3.4-alpine"}},
		{"an old HAProxy", "\nhaproxy: {version: 2.4-alpine}\nsynapse: {workers: small}", []string{"4:11 haproxy.version 2.4-alpine is too old; balance hash exists since HAProxy 2.6"}},
		{"Valkey with a tag in its image", "\nvalkey: {image: 'valkey:8.1'}\nsynapse: {workers: small}", []string{"4:10 valkey.image holds a tag"}},
		{"nothing", workers("{}"), []string{"4:11 synapse.workers names no kind of worker\n\tfix: workers: small"}},
		{"no kind", workers("{medai: 1}"), []string{"4:21 unknown key \"medai\" in synapse.workers"}},
		{"none of a kind", workers("{sync: 0}"), []string{"4:21 synapse.workers.sync is no number of processes"}},
		{"less than none", workers("{sync: -1}"), []string{"4:21 synapse.workers.sync is no number of processes"}},
		{"a word", workers("{sync: two}"), []string{"4:21 synapse.workers.sync must be a whole number\n\tfix: sync: 1"}},
		{"too many", workers("{sync: 33}"), []string{"4:21 synapse.workers.sync is more than 32; no one machine runs so many\n\tfix: sync: 32"}},
		{"two writers", workers("{typing: 2}"), []string{"4:21 synapse.workers.typing is 2, and there can be one: its stream has one writer\n\tfix: typing: 1"}},
		{"two that tidy up", workers("{background: 3}"), []string{"4:21 synapse.workers.background is 3, and there can be one: one process alone may do this work"}},
		{"an old Synapse", "\nsynapse: {version: v1.162.0, workers: small}", []string{"4:11 synapse.version v1.162.0 is too old for workers"}},
	})
}

// A set is what it says, and no kind is named twice or in no order of the table.
func TestWorkerSets(t *testing.T) {
	for name, set := range component.WorkerSets() {
		s, findings := Parse("stack.yaml", []byte(base+"\nsynapse: {workers: "+name+"}"))
		if s == nil || len(findings) > 0 {
			t.Fatal(findings)
		}
		for kind, n := range s.Synapse.Workers {
			i := slices.IndexFunc(component.WorkerKinds, func(k component.WorkerKind) bool { return k.Name == kind })
			if i < 0 || n != set[kind] || n != 1 {
				t.Errorf("%s: %d of %s", name, n, kind)
			}
		}
	}
	names := WorkerKinds()
	slices.Sort(names)
	if len(slices.Compact(names)) != len(component.WorkerKinds) {
		t.Error("a kind stands twice in the table")
	}
}
