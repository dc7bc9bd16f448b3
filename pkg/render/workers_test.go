package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// sets are what a spec may say of workers, and where the requests below go with it.
var sets = map[string][][3]string{
	"small": {
		{"PUT", "/rooms/!a:club.example/typing/@b:club.example", "synapse"},
		{"GET", "/sync", "synapse-sync1"},
		{"POST", "/rooms/!a:club.example/invite", "synapse-generic1"},
		{"GET", "/pushrules/", "synapse-generic1"},
		{"PUT", "/pushrules/global/room/!a:club.example", "synapse"},
		{"POST", "/keys/upload", "synapse-generic1"},
		{"POST", "/pushers/set", "synapse"},
	},
	"one-of-each": {
		{"PUT", "/rooms/!a:club.example/typing/@b:club.example", "synapse-typing1"},
		{"GET", "/sync", "synapse-sync1"},
		{"POST", "/rooms/!a:club.example/receipt/m.read/$c", "synapse-receipts1"},
		{"PUT", "/user/@b:club.example/account_data/m.direct", "synapse-account-data1"},
		{"GET", "/user/@b:club.example/account_data/m.direct", "synapse-client1"},
		{"PUT", "/presence/@b:club.example/status", "synapse-presence1"},
		{"PUT", "/pushrules/global/room/!a:club.example", "synapse-push-rules1"},
		{"POST", "/keys/upload", "synapse-device-lists1"},
		{"PUT", "/sendToDevice/m.room.encrypted/1", "synapse-to-device1"},
		{"PUT", "/rooms/!a:club.example/send/m.room.message/1", "synapse-client1"},
		{"GET", "/rooms/!a:club.example/messages", "synapse-client1"},
		{"POST", "/pushers/set", "synapse"},
		{"POST", "/rooms/!a:club.example/upgrade", "synapse"},
	},
	"{sync: 3, client: 2, federation_inbound: 2, federation_reader: 2, federation_sender: 2, media: 2, event_persister: 2, receipts: 2}": {
		{"GET", "/sync", "synapse-sync1"},
		{"POST", "/rooms/!a:club.example/receipt/m.read/$c", "synapse-receipts1"},
		{"PUT", "/rooms/!a:club.example/typing/@b:club.example", "synapse"},
	},
	"{federation_sender: 1}": {
		{"GET", "/sync", "synapse"},
		{"PUT", "/rooms/!a:club.example/typing/@b:club.example", "synapse"},
	},
}

// Whatever stands in front, each request comes to the process that answers it; no rule finds anything; and the way of a bridge is the same.
func TestWorkersBehindEveryProxy(t *testing.T) {
	proxies := []string{"{}", "{kind: caddy}", "{kind: caddy, caddy: {network: caddy, form: labels}}", "{kind: nginx}", "{kind: nginx, nginx: {network: proxy}}", "{kind: none}", "{traefik: {managed: true, email: anna@club.example}}", "{traefik: {rule_syntax: v2}}"}
	for set, rows := range sets {
		for i, proxy := range proxies {
			auth := []string{"{passwords: true}", "synapse"}[i%2]
			t.Run(set+" "+proxy, func(t *testing.T) {
				b := load(t, "stack.yaml", fmt.Appendf(nil, "version: 1\nserver_name: club.example\nauth: %s\ningress: %s\nsynapse: {workers: %s}\nbridges: {signal: {}, discord: {}}\npermissions: {club.example: user}\n", auth, proxy, set))
				for _, f := range audit(t, b) {
					if f.Status == finding.NotChecked && (strings.Contains(proxy, "kind: none") || strings.Contains(f.Message, "comes from elsewhere")) {
						continue // what is in front of it nobody knows, or who serves a file
					}
					t.Errorf("%s: %s [%s]", f.Pos(), f.Message, f.Rule)
				}
				d, _ := compose.Open(b.FS())
				if strings.Contains(proxy, "kind: none") {
					return
				}
				for _, r := range rows {
					res := d.Routes().Match(r[0], "matrix.club.example", "/_matrix/client/v3"+r[1])
					if res.Backend == nil || res.Backend.Container != r[2] || res.Backend.Port != "8008" {
						t.Errorf("%s %s goes to %+v %s, want %s", r[0], r[1], res.Backend, res.Unknown, r[2])
					}
				}
				if auth != "synapse" {
					if res := d.Routes().Match("POST", "matrix.club.example", "/_matrix/client/v3/login"); res.Backend == nil || res.Backend.Container != "mas" {
						t.Errorf("login goes to %+v, and not to MAS", res.Backend)
					}
				}
			})
		}
	}
}

// Every process has its own name, is reached by no port of the host, and stands where the others look for it.
func TestWorkersAreTold(t *testing.T) {
	b := load(t, "stack.yaml", []byte("version: 1\nserver_name: club.example\nauth: {passwords: true}\nsynapse: {workers: one-of-each}\n"))
	d, _ := compose.Open(b.FS())
	if len(d.Workers) != len(component.WorkerSets()["one-of-each"]) {
		t.Fatalf("%d workers", len(d.Workers))
	}
	names := make(map[string]bool)
	for _, w := range d.Workers {
		name := w.Named().Str()
		if names[name] || name == "" {
			t.Errorf("two processes are called %q", name)
		}
		names[name] = true
		if w.Main == nil || w.Main.Name != "synapse" {
			t.Errorf("%s belongs to %v", name, w.Main)
		}
	}
	for _, s := range d.Services {
		if len(s.Ports) > 0 {
			t.Errorf("%s publishes %v", s.Name, s.Ports)
		}
	}
	config := d.Synapses[0].Config
	for name, at := range config.At("instance_map").Entries() {
		if s := d.ServiceAt(at.At("host").Str()); name.Str() != "main" && !names[name.Str()] || s == nil {
			t.Errorf("instance_map has %s at %s", name.Str(), at.At("host").Str())
		}
	}
}

// What the main process answers as well it answers where the worker for it is away: all but media, and what another process writes.
func TestMainStandsIn(t *testing.T) {
	for set := range sets {
		s, findings := spec.Parse("stack.yaml", []byte("version: 1\nserver_name: club.example\nauth: {passwords: true}\nsynapse: {workers: "+set+"}\n"))
		if s == nil {
			t.Fatal(findings)
		}
		st := render.Resolve(s, secret.Placeholders(render.Needs(s)), "/srv")
		written := make(map[string]bool)
		for kind := range s.Synapse.Workers {
			i := slices.IndexFunc(component.WorkerKinds, func(k component.WorkerKind) bool { return k.Name == kind })
			for _, stream := range component.WorkerKinds[i].Streams {
				written[stream] = true
			}
		}
		for _, r := range st.Workers.Rules {
			i := slices.IndexFunc(component.WorkerGroups, func(g component.WorkerGroup) bool { return g.Name == r.Name })
			if i < 0 || r.Backend == "main" {
				continue // the part of a group that only reads
			}
			g := component.WorkerGroups[i]
			if want := g.Resource != "media" && !written[g.Stream]; r.Else != want {
				t.Errorf("%s: without %s the main process answers %s: %v, want %v", set, r.Backend, r.Name, r.Else, want)
			}
		}
	}
}
