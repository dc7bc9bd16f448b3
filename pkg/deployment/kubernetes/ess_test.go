package kubernetes

import (
	"strings"
	"testing"
)

// charted is what the ESS chart makes, in short: fragments of a configuration that a container puts together before Synapse begins.
const charted = `-- chart.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: ess-synapse}
data:
  01-under.yaml: |
    server_name: under.example.org
    experimental_features: {msc4028_push_encrypted_events: true}
    app_service_config_files: [/as/0/hookshot.yaml]
  04-over.yaml: |
    server_name: example.org
    database: {name: psycopg2, args: {password: "${DATABASE}", application_name: "${HOST}"}}
    redis: {enabled: true, password: "${REDIS}"}
---
apiVersion: v1
kind: Secret
metadata: {name: ess}
stringData:
  password: zebra-password-zebra
  signal.yaml: |
    id: signal
  more: |
    server_name: more.example.org
    experimental_features: {msc3202_device_masquerading: true}
    app_service_config_files: [/as/1/signal.yaml]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ess-synapse-main}
spec:
  replicas: 1
  template:
    metadata: {labels: {app.kubernetes.io/instance: ess-synapse-main}}
    spec:
      initContainers:
        - name: render-config
          image: "ghcr.io/element-hq/ess-helm/matrix-tools:0.8.1"
          args: [render-config, -array-overwrite-keys, x, -output, /conf/homeserver.yaml, /config-templates/01-under.yaml, /secrets/ess/more, /config-templates/04-over.yaml]
          env:
            - {name: DATABASE, value: '{{ readfile "/secrets/ess/password" | quote }}'}
            - {name: REDIS, value: '{{ readfile "/secrets/gone/password" | quote }}'}
            - {name: HOST, value: '{{ hostname }}'}
          volumeMounts: [{name: plain, mountPath: /config-templates}, {name: ess, mountPath: /secrets/ess}, {name: conf, mountPath: /conf}]
      containers:
        - name: synapse
          image: "ghcr.io/element-hq/synapse:v1.159.0"
          command: [python3, -m, synapse.app.homeserver, -c, /conf/homeserver.yaml]
          volumeMounts: [{name: conf, mountPath: /conf/homeserver.yaml, subPath: homeserver.yaml}, {name: ess, mountPath: /as/1}]
      volumes: [{name: plain, configMap: {name: ess-synapse}}, {name: ess, secret: {secretName: ess}}, {name: conf, emptyDir: {}}]
`

// What the tools of the ESS chart put together is what is read: later files count, lists go on, and what a file holds stands in the place of
// its variable. What cannot be seen is missing, and not empty.
func TestAssembled(t *testing.T) {
	d := open(t, charted)
	if len(d.Synapses) != 1 {
		t.Fatal("no Synapse")
	}
	s := d.Synapses[0]
	for path, want := range map[string]string{
		"server_name": "example.org", "database.args.password": "zebra-password-zebra", "database.args.application_name": "ess-synapse-main-0",
		"experimental_features.msc4028_push_encrypted_events": "true", "experimental_features.msc3202_device_masquerading": "true",
	} {
		if got := s.Config.At(strings.Split(path, ".")...).Str(); got != want {
			t.Errorf("%s is %q", path, got)
		}
	}
	if s.Config.At("redis", "password").Exists() || !s.Partial() {
		t.Error("what cannot be seen is taken for empty")
	}
	files := s.Config.At("app_service_config_files").Items()
	if len(files) != 2 || files[1].Str() != "/as/1/signal.yaml" || files[1].Pos().Line != 24 {
		t.Errorf("%d of them, %s", len(files), files[len(files)-1].Pos())
	}
}

// The values of the chart stand for what it makes of them where that is not there: each value has the place where it stands. Beside what it
// made, and where two files have values, they stand for nothing.
func TestCharted(t *testing.T) {
	const values = `-- values.yaml --
serverName: example.org
synapse:
  ingress: {host: matrix.example.org}
  appservices: [{secret: ess, secretKey: signal.yaml}]
  additional:
    a: {config: "experimental_features: {msc3202_device_masquerading: true}\n"}
matrixAuthenticationService: {ingress: {host: account.example.org}}
`
	pod := "-- pod.yaml --\n" + workload("signal", `image: "dock.mau.dev/mautrix/signal:v0.2608.0"`, "") + "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: ess}\nstringData:\n  signal.yaml: |\n    id: signal\n"
	d := open(t, values+pod)
	if len(d.Synapses) != 1 || len(d.MASs) != 1 {
		t.Fatalf("%d Synapse, %d MAS", len(d.Synapses), len(d.MASs))
	}
	config := d.Synapses[0].Config
	if at := config.At("server_name"); at.Str() != "example.org" || at.Pos().String() != "values.yaml:1:13" {
		t.Errorf("%q at %s", at.Str(), at.Pos())
	}
	if !config.At("experimental_features", "msc3202_device_masquerading").True() || len(d.Synapses[0].Registrations) != 1 {
		t.Error("what the values add is not read")
	}
	if config.At("database", "args", "host").Exists() {
		t.Error("a value that is not set is taken for one")
	}
	if d := open(t, values+charted); len(d.Synapses) != 1 || d.Synapses[0].Config.At("public_baseurl").Exists() {
		t.Error("values stand beside what was made of them")
	}
	if d := open(t, values+strings.Replace(values, "values.yaml", "more.yaml", 1)+pod); len(d.Synapses) != 0 || len(d.Unread) != 1 {
		t.Errorf("of two files of values one was chosen, and nothing is said: %v", d.Unread)
	}
}

// A HAProxy that chooses by who is there leads to Synapse where it has no other servers, as that of the ESS chart.
func TestStandsBeforeSynapse(t *testing.T) {
	for name, c := range map[string]struct {
		server string
		want   bool
	}{"of Synapse": {"_synapse-http._tcp.ess-synapse-main.default.svc.cluster.local.", true}, "of something else": {"web:80", false}} {
		d := open(t, charted+`---
apiVersion: v1
kind: Service
metadata: {name: ess-synapse-main}
spec: {clusterIP: None, selector: {app.kubernetes.io/instance: ess-synapse-main}, ports: [{name: synapse-http, port: 8008}]}
---
apiVersion: v1
kind: Service
metadata: {name: ess-synapse}
spec: {selector: {app: ess-haproxy}, ports: [{port: 8008}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: haproxy}
data:
  haproxy.cfg: |
    defaults
      mode http
    frontend in
      bind *:8008
      use_backend away if { nbsrv(synapse-main) lt 1 } { var(req.backend) -m str client }
      use_backend synapse-%[var(req.backend)]
    backend away
      server-template main 1 `+c.server+`
    backend synapse-main
      server-template main 1 _synapse-http._tcp.ess-synapse-main.default.svc.cluster.local. check
---
`+workload("ess-haproxy", `image: "haproxy:3.2", ports: [{containerPort: 8008}], volumeMounts: [{name: c, mountPath: /usr/local/etc/haproxy}]`, "      volumes: [{name: c, configMap: {name: haproxy}}]"))
		if got := d.Stands("ess-synapse", "8008", "/_matrix/client/versions", d.Synapses[0].Service); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
