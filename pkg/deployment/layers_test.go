package deployment_test

import (
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
)

func tree(files ...string) fstest.MapFS {
	fsys := make(fstest.MapFS)
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1]), Mode: 0o600}
	}
	return fsys
}

// Synapse lays its files over each other by their top-level keys, a directory being its *.yaml by name.
func TestSynapseLayers(t *testing.T) {
	d, findings := compose.Open(tree(
		"compose.yaml", "services: {synapse: {image: 'matrixdotorg/synapse:v1.163.2', command: [run, -c, /data/base.yaml, --config-path=/data/conf.d], volumes: ['./data:/data']}}\n",
		"data/base.yaml", "server_name: a.example.org\nemail: {smtp_host: a, smtp_port: 25}\nlisteners: [{port: 8008, type: http}]\n",
		"data/conf.d/20.yaml", "email: {smtp_host: c}\n",
		"data/conf.d/10.yaml", "email: {smtp_host: b}\nlisteners: [{port: 9008, type: http}]\n",
		"data/conf.d/30.yml", "server_name: never.example.org\n",
	))
	if len(findings) > 0 || len(d.Synapses) != 1 {
		t.Fatal(findings, d.Problems())
	}
	c := d.Synapses[0].Config
	host := c.At("email", "smtp_host")
	if c.At("server_name").Str() != "a.example.org" || host.Str() != "c" || c.At("email", "smtp_port").Exists() || c.At("listeners").Len() != 1 || c.At("listeners", "0", "port").Str() != "9008" {
		t.Errorf("%v", c.Root().Any())
	}
	if p := host.Pos(); p.File != "data/conf.d/20.yaml" || p.Line != 1 {
		t.Errorf("smtp_host stands at %v", p)
	}
	if p := c.At("listeners", "0", "port").Pos(); p.File != "data/conf.d/10.yaml" || p.Line != 2 {
		t.Errorf("the port stands at %v", p)
	}
	if d.Synapses[0].Partial() {
		t.Error("nothing is out of sight")
	}
}

// MAS folds its files with figment's admerge: mappings into each other, lists one behind the other.
func TestMASLayers(t *testing.T) {
	for _, how := range []string{"environment: {MAS_CONFIG: '/conf/a.yaml:/conf/b.yaml:/conf/none.yaml'}", "command: [server, -c, /conf/a.yaml, --config, /conf/b.yaml]"} {
		d, findings := compose.Open(tree(
			"compose.yaml", "services: {mas: {image: 'ghcr.io/element-hq/matrix-authentication-service:1.26.0', "+how+", volumes: ['./conf:/conf']}}\n",
			"conf/a.yaml", "http: {public_base: 'https://a/', listeners: [{name: web}]}\nmatrix: {homeserver: a, secret: x}\nsecrets: {keys: [{kid: one}]}\n",
			"conf/b.yaml", "http: {listeners: [{name: internal}]}\nmatrix: {homeserver: b}\nsecrets: {encryption: y, keys: [{kid: two}]}\n",
		))
		if len(findings) > 0 || len(d.MASs) != 1 {
			t.Fatal(findings, d.Problems())
		}
		c := d.MASs[0].Config
		if c.At("http", "public_base").Str() != "https://a/" || c.At("http", "listeners").Len() != 2 || c.At("matrix", "homeserver").Str() != "b" || c.At("matrix", "secret").Str() != "x" || c.At("secrets", "keys", "1", "kid").Str() != "two" {
			t.Errorf("%s: %v", how, c.Root().Any())
		}
		if p := c.At("secrets", "keys", "1", "kid").Pos(); p.File != "conf/b.yaml" || p.Line != 3 {
			t.Errorf("the second key stands at %v", p)
		}
		if d.MASs[0].ReadsMore() {
			t.Error("nothing is out of sight")
		}
	}
}

// A file that ends up out of sight is said, and what the others hold is looked at.
func TestLayersOutOfSight(t *testing.T) {
	d, _ := compose.Open(tree(
		"compose.yaml", "services: {synapse: {image: 'matrixdotorg/synapse:v1.163.2', command: [run, -c, /data/base.yaml, -c, /secret/more.yaml], volumes: ['./data:/data', '/etc/secret:/secret']}}\n",
		"data/base.yaml", "server_name: a.example.org\n",
	))
	if len(d.Synapses) != 1 || !d.Synapses[0].Partial() || len(d.Problems()) != 1 || d.Problems()[0].Severity.String() != "info" {
		t.Fatalf("%v", d.Problems())
	}
}
