package adopt_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
)

// Workers of others are what the spec calls them, by what settings give them to do; where a proxy stays that leads to them, or
// one does something that the spec has no word for, none is taken over, and it is said why.
func TestForeignWorkers(t *testing.T) {
	all, err := fixture.Read("../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(f fixture.Deployment) bool { return f.Name == "workers" })
	from := all[i].Forms[0].Tree
	edit := func(edits ...string) fstest.MapFS {
		tree := maps.Clone(from)
		text, _, found := strings.Cut(string(tree["docker-compose.yml"].Data), "  nginx:")
		if !found {
			t.Fatal("the fixture has no nginx")
		}
		tree["docker-compose.yml"] = &fstest.MapFile{Data: []byte(text + "volumes: {pg: {}}\n")}
		delete(tree, "nginx.conf")
		for n := 0; n < len(edits); n += 3 {
			data := string(tree[edits[n]].Data)
			if !strings.Contains(data, edits[n+1]) {
				t.Fatalf("%s has no %q", edits[n], edits[n+1])
			}
			tree[edits[n]] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(data, edits[n+1], edits[n+2]))}
		}
		return tree
	}
	const main, sender = "synapse/homeserver.yaml", "synapse/workers/sender.yaml"
	for _, c := range []struct {
		what string
		tree fstest.MapFS
		want map[string]int
		says []string
	}{
		{"as they are", edit(), map[string]int{"generic": 1, "federation_sender": 1}, []string{"worker-client is generic, worker-sender is federation_sender"}},
		{
			"one that also writes two streams", edit(main, "send_federation: false", "send_federation: false\nstream_writers: {events: [sender], typing: sender}"),
			map[string]int{"generic": 1, "federation_sender": 1, "event_persister": 1, "typing": 1},
			[]string{"worker-sender is federation_sender and event_persister and typing"},
		},
		{"clients alone", edit("synapse/workers/client.yaml", "[client, federation]", "[client]"), map[string]int{"client": 1, "federation_sender": 1}, nil},
		{"media", edit("synapse/workers/client.yaml", "[client, federation]", "[media]", "synapse/workers/client.yaml", "worker_name: client", "worker_name: client\nenable_media_repo: true"), map[string]int{"media": 1, "federation_sender": 1}, nil},
		{"one with nothing to do", edit(main, "federation_sender_instances: [sender]", "federation_sender_instances: [gone]"), nil, []string{"worker-sender: no setting gives it anything to do"}},
		{"an old Synapse", edit("docker-compose.yml", "v1.163.2", "v1.150.0"), nil, []string{"those of Synapse 1.163 and newer"}},
		{"one whose configuration is not here", func() fstest.MapFS { tree := edit(); delete(tree, sender); return tree }(), nil, []string{"worker-sender: its configuration was not seen"}},
		{"a proxy that stays", from, nil, []string{"nginx stays as it is, and leads to them", "synapse: {workers: {generic: 1, federation_sender: 1}}"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			d, _ := compose.OpenWith(c.tree, compose.Options{Name: "matrix"})
			draft, findings := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside, KeepAuth: true})
			if draft == nil {
				t.Fatal(findings)
			}
			if !maps.Equal(map[string]int(draft.Spec.Synapse.Workers), c.want) {
				t.Errorf("%v, not %v", draft.Spec.Synapse.Workers, c.want)
			}
			says(t, string(draft.Text), c.says...)
			if c.want == nil {
				return
			}
			if draft.Secrets["synapse.replication_secret"] != "zebra-replication" {
				t.Error("the secret of the processes is another one")
			}
			if strings.Contains(string(draft.Text), "redis") {
				t.Errorf("its Redis is kept beside Valkey:\n%s", draft.Text)
			}
			build(t, draft.Text, draft.Secrets, func(name string) ([]byte, error) { return draft.Files[name], nil })
		})
	}
}
