package kubernetes

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/component"
)

// ofWorkers is a stack whose Synapse has workers, with its own login.
const ofWorkers = `version: 1
name: ` + namespace + `
server_name: ` + serverName + `
target: kubernetes
kubernetes:
  namespace: ` + namespace + `
  proxy: infra
  database: single
  gateway: {name: public, namespace: infra}
hosts: {matrix: ` + publicHost + `}
auth: synapse
database: {version: "17"}
synapse:
  workers: small
  extra: {rc_login: {address: {per_second: 100, burst_count: 100}, account: {per_second: 100, burst_count: 100}}}
bridges: {signal: {}}
permissions: {` + serverName + `: user}
`

// workerFaults are those of processes beside the main one.
var workerFaults = []fault{
	{
		kind: "worker", what: "another port in HAProxy's address of a worker",
		file: "secrets/haproxy.yaml", old: `matrix-stack-synapse-sync1:8008`, now: "matrix-stack-synapse-sync1:8018",
		anew: "haproxy", at: "haproxy", show: `Server (sync/sync1 is DOWN)`, rule: "kubernetes-service-leads",
	},
	{
		kind: "worker", what: "two pods of a worker that is named for its work",
		file: "synapse-federation-sender1.yaml", old: `replicas: 1`, now: "replicas: 2",
		at: "synapse-federation-sender1", show: `pod/(synapse-federation-sender1-1)/`, rule: "service-runs",
	},
	{
		kind: "worker", what: "a worker that is not given its own file",
		file: "synapse-sync1.yaml", old: `            - "--config-path=/workers/sync1\.yaml"\n`, now: "",
		at: "synapse-sync1", show: `AssertionError`, rule: "worker-starts", line: `redis:|homeserver\.yaml|server_name`,
	},
	{
		kind: "NetworkPolicy", what: "a worker left out of Valkey's NetworkPolicy",
		file: "synapse-valkey.yaml", old: `                  - synapse-sync1\n`, now: "",
		anew: "synapse-sync1", at: "synapse-sync1", show: `Connection to redis server \S+ failed`, rule: "kubernetes-policy-allows", line: `name: synapse-valkey`,
	},
}

// Synapse's workers run in a cluster as they are rendered: requests come to the process that answers them, and messages go on while one
// of them is away.
func TestWorkers(t *testing.T) {
	cl.kubectl(t, "delete", "namespace", namespace, "--ignore-not-found", "--timeout", "2m")
	cl.define(t)
	cl.load(t)
	cl.proxy(t)
	s := newStack(t, ofWorkers)
	s.up(t)
	p := s.members(t)
	s.chat(t, p, "by workers")
	s.syncs(t, p)
	for name, asked := range map[string]string{"synapse-sync1": "/sync?", "synapse-generic1": "/send/m.room.message/"} {
		if said := s.kubectl(t, "logs", "-l", "app.kubernetes.io/name="+name, "--tail", "-1"); !strings.Contains(said, asked) {
			t.Errorf("%s was not asked for %s:\n%s", name, asked, tail(s.mask(said), 20))
		}
	}
	t.Run("each worker away", func(t *testing.T) {
		for _, name := range []string{"synapse-sync1", "synapse-generic1", "synapse-media1", "synapse-federation-sender1"} {
			if testing.Short() && name != "synapse-sync1" && name != "synapse-generic1" {
				t.Logf("%s stays: this is a short run", name)
				continue
			}
			start, of := time.Now(), s.workload(t, name)
			s.kubectl(t, "scale", "--replicas=0", of)
			s.kubectl(t, "wait", "--for=delete", "--timeout=1m", "pod", "-l", "app.kubernetes.io/name="+name)
			s.chat(t, p, "without "+name)
			s.syncs(t, p)
			s.kubectl(t, "scale", "--replicas=1", of)
			s.settle(t)
			s.chat(t, p, "with "+name+" again")
			t.Logf("%s away and back after %.0f s", name, time.Since(start).Seconds())
		}
		s.kubectl(t, "delete", "pod", "-l", "app.kubernetes.io/name=synapse-valkey")
		s.settle(t)
		s.chat(t, p, "with another Valkey")
		s.syncs(t, p)
	})
	t.Run("faults", func(t *testing.T) { s.testFaults(t, workerFaults, "FAULTS-workers.md", workerFaultsHead) })
	s.settle(t)
	s.chat(t, p, "after all faults")
	fact("Synapse (PyPI)", strings.TrimPrefix(component.Of(component.Synapse).Tested.Tag, "v"), "5 processes of workers: small in the cluster, each away and back")
}

// members are two who log in by password, and a room of theirs.
func (s *stack) members(t *testing.T) *people {
	t.Helper()
	const password = "a-password-for-tests"
	in := func(name string) string {
		s.kubectl(t, "exec", "statefulset/synapse", "--", "register_new_matrix_user", "-c", "/config/homeserver.yaml", "-u", name, "-p", password, "--no-admin", "http://localhost:8008")
		var got answer
		if !within(time.Minute, func() bool {
			var err error
			got, err = s.tryAsk(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/login", "",
				map[string]any{"type": "m.login.password", "identifier": map[string]string{"type": "m.id.user", "user": name}, "password": password})
			return err == nil && got.str("access_token") != ""
		}) {
			t.Fatalf("%s logs in: HTTP %d %s", name, got.status, got.text)
		}
		return got.str("access_token")
	}
	p := &people{phil: in("phil"), anna: in("anna")}
	p.room = s.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/createRoom", p.phil, map[string]any{"invite": []string{"@anna:" + serverName}}).str("room_id")
	if got := s.ask(t, http.MethodPost, "https://"+publicHost+"/_matrix/client/v3/join/"+url.PathEscape(p.room), p.anna, map[string]any{}); got.str("room_id") != p.room {
		t.Fatalf("join: HTTP %d %s", got.status, got.text)
	}
	return p
}

// syncs has Anna's client find what was written last, going on from the sync before.
func (s *stack) syncs(t *testing.T, p *people) {
	t.Helper()
	last, from := p.said[len(p.said)-1], ""
	var got answer
	if !within(30*time.Second, func() bool {
		if p.since != "" {
			from = "&since=" + url.QueryEscape(p.since)
		}
		var err error
		got, err = s.tryAsk(t, http.MethodGet, "https://"+publicHost+"/_matrix/client/v3/sync?timeout=0"+from, p.anna, nil)
		if err != nil || got.status != http.StatusOK {
			return false
		}
		p.since = got.str("next_batch")
		return strings.Contains(got.text, last)
	}) {
		t.Errorf("no sync has %q: HTTP %d %s", last, got.status, tail(got.text, 5))
	}
}
