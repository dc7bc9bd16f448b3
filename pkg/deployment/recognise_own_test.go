package deployment_test

import (
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment/compose"
)

// A program in an image of somebody's own is told by what it is given, and its version by a tag that is one of its own.
func TestOwnImages(t *testing.T) {
	const homeserver = "server_name: example.org\nreport_stats: false\ndatabase: {name: sqlite3}\n"
	files := map[string]string{"synapse/homeserver.yaml": homeserver, "conf/hs.yaml": "server_name: example.org\n", "mas/config.yaml": "secrets: {encryption: x}\n", "other/config.yaml": "title: x\n"}
	for name, tt := range map[string]struct {
		service string
		want    component.Program
		version bool
	}{
		"Synapse, by its variable":        {"image: 'registry.example.org/our/homeserver:v1.157.1', environment: {SYNAPSE_CONFIG_PATH: /c/hs.yaml}, volumes: ['./conf:/c']", component.Synapse, true},
		"Synapse, by its command":         {"image: own/chat, command: [python3, -m, synapse.app.homeserver, -c, /c/hs.yaml], volumes: ['./conf:/c']", component.Synapse, false},
		"Synapse, by its file":            {"image: 'own/chat:3.2', volumes: ['./synapse:/data']", component.Synapse, false},
		"MAS, by its variable":            {"image: 'own/login:1.22.0', environment: {MAS_CONFIG: /c/config.yaml}, volumes: ['./mas:/c']", component.MAS, true},
		"MAS, whose file is another's":    {"image: 'own/login:1.22.0', environment: {MAS_CONFIG: /c/config.yaml}, volumes: ['./other:/c']", component.Unknown, true},
		"PostgreSQL of another builder":   {"image: 'pgvector/pgvector:0.7.0-pg16', environment: {POSTGRES_PASSWORD: zebra}, volumes: ['pg:/var/lib/postgresql/data']", component.Postgres, false},
		"who only knows PostgreSQL":       {"image: 'own/app:1', environment: {POSTGRES_PASSWORD: zebra}, volumes: ['pg:/data']", component.Unknown, true},
		"a backup that ends, of Synapse":  {"image: alpine, restart: 'no', volumes: ['./synapse:/data']", component.Unknown, false},
		"Synapse, by its file elsewhere":  {"image: 'own/chat:3.2', volumes: ['./synapse/homeserver.yaml:/etc/matrix-synapse/homeserver.yaml:ro']", component.Synapse, false},
		"Synapse, by its directory":       {"image: 'own/synapse-s3:3.2', volumes: ['./synapse:/config']", component.Synapse, false},
		"Synapse, by what it must have":   {"image: 'own/chat:3.2', environment: {SYNAPSE_SERVER_NAME: a.example, SYNAPSE_REPORT_STATS: 'no'}, volumes: ['pg:/data']", component.Synapse, false},
		"Synapse, in a volume":            {"image: 'own/chat:3.2', command: [python3, -m, synapse.app.homeserver, -c, /c/hs.yaml], volumes: ['pg:/c']", component.Synapse, false},
		"who has its directory":           {"image: 'own/chat:3.2', volumes: ['./synapse:/config']", component.Unknown, true},
		"a helper that has its directory": {"image: 'own/matrix-registration:3.2', volumes: ['./synapse:/config']", component.Unknown, true},
		"another homeserver":              {"image: 'own/dendrite:0.14', volumes: ['./other:/data']", component.Unknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{"compose.yaml": {Data: []byte("services: {it: {" + tt.service + "}}\nvolumes: {pg: {}}\n")}}
			for file, text := range files {
				tree[file] = &fstest.MapFile{Data: []byte(text)}
			}
			d, findings := compose.Open(tree)
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			s := d.Services[0]
			if _, ok := s.Image.Version(); s.Program != tt.want || ok != tt.version {
				t.Errorf("program %q, version known: %v; want %q, %v", s.Program, ok, tt.want, tt.version)
			}
		})
	}
}

// Of two services that see the files of Synapse, and do not say that they are Synapse, it is not known which one is.
func TestOwnImageOfTwo(t *testing.T) {
	d, _ := compose.Open(fstest.MapFS{
		"compose.yaml":            {Data: []byte("services: {a: {image: own/a, volumes: ['./synapse:/data']}, b: {image: own/b, volumes: ['./synapse:/data']}}")},
		"synapse/homeserver.yaml": {Data: []byte("server_name: example.org\nreport_stats: false\ndatabase: {name: sqlite3}\n")},
	})
	if len(d.Synapses) > 0 {
		t.Error("one was taken for Synapse:", d.Synapses[0].Name)
	}
}
