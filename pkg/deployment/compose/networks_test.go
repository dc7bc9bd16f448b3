package compose

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/memfs"
)

// Who names no network is in the one that Compose makes for all, and who has a mode is in none of them.
func TestNetworks(t *testing.T) {
	d, findings := Open(memfs.New([]memfs.File{{Path: "compose.yaml", Data: []byte(`name: x
services:
  plain: {image: a}
  other: {image: a, networks: }
  apart: {image: a, networks: [back]}
  both: {image: a, networks: {back: , default: }}
  host: {image: a, network_mode: host}
networks: {back: {}}
`)}}))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	for name, want := range map[string]string{"plain": "default", "other": "default", "apart": "back", "both": "back default", "host": ""} {
		if got := strings.Join(d.Service(name).Networks, " "); got != want {
			t.Errorf("%s is in %q, want %q", name, got, want)
		}
	}
	if name, ok := d.NetworkName("default"); name != "x_default" || !ok {
		t.Errorf("the network of all is called %q, %t", name, ok)
	}
	for pair, want := range map[string]bool{"plain other": true, "plain apart": false, "plain both": true, "apart both": true, "host apart": true} {
		a, b, _ := strings.Cut(pair, " ")
		if d.Service(a).Shares(d.Service(b)) != want || d.Service(b).Shares(d.Service(a)) != want {
			t.Errorf("%s share a network: %t", pair, !want)
		}
	}
}
