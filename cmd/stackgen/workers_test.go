package main

import (
	"strings"
	"testing"
)

// When the processes of Synapse divide their work in another way, or are of another release, all of them are stopped first; what only adds
// a process needs no such thing.
func TestWorkersAreStopped(t *testing.T) {
	const base = "version: 1\nserver_name: example.org\nauth: {passwords: true}\n"
	const stop = "docker compose stop synapse synapse-sync1 synapse-federation-sender1"
	repository(t, "stack.yaml", base+"synapse: {version: v1.163.2, workers: {sync: 1, federation_sender: 1}}\n")
	stackgen(t, 0, "render", "-o", "run")
	for change, want := range map[string]string{
		"{version: v1.163.2, workers: {sync: 1, federation_sender: 2}}":                     stop,
		"{version: v1.163.2, workers: {sync: 1, federation_sender: 1, event_persister: 1}}": stop,
		"{version: v1.163.2, workers: {sync: 1, federation_sender: 1, background: 1}}":      stop,
		"{version: v1.163.1, workers: {sync: 1, federation_sender: 1}}":                     stop,
		"{version: v1.163.2, workers: {sync: 1}}":                                           "docker compose down --remove-orphans",
		"{version: v1.163.2}": "docker compose down --remove-orphans",
		"{version: v1.163.2, workers: {sync: 2, federation_sender: 1}}":            "",
		"{version: v1.163.2, workers: {sync: 1, client: 1, federation_sender: 1}}": "",
	} {
		put(t, "stack.yaml", base+"synapse: "+change+"\n")
		var steps strings.Builder
		for _, s := range difference(t, "-o", "run").Steps {
			if strings.Contains(s, "stop all processes of Synapse") {
				steps.WriteString(s)
			}
		}
		if want == "" && steps.Len() > 0 || !strings.HasSuffix(steps.String(), want) {
			t.Errorf("%s: %q, want %q", change, steps.String(), want)
		}
	}
}
