package kubernetes

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// tree reads files as `-- NAME --` and lines.
func tree(text string) fstest.MapFS {
	files := make(fstest.MapFS)
	for part := range strings.SplitSeq("\n"+text, "\n-- ") {
		if name, data, ok := strings.Cut(part, " --\n"); ok && fs.ValidPath(name) {
			files[name] = &fstest.MapFile{Data: []byte(data + "\n"), Mode: 0o600}
		}
	}
	return files
}

// workload is a Deployment with one container.
func workload(name, container, pod string) string {
	return fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s}\nspec:\n  template:\n    metadata: {labels: {app: %s}}\n    spec:\n      containers:\n        - {name: main, %s}\n%s", name, name, container, pod)
}

func open(t *testing.T, text string) *deployment.Deployment {
	t.Helper()
	d, findings := Open(tree(text))
	for _, f := range findings {
		t.Errorf("%s: %s", f.Pos(), f.Message)
	}
	return d
}

// What a kustomization makes of its resources is what is read: namespace, images, merged patches, generated Secrets, a base below another directory.
func TestKustomize(t *testing.T) {
	d, findings := Open(tree(`-- overlay/kustomization.yaml --
namespace: prod
resources: [../base]
images: [{name: matrixdotorg/synapse, newTag: v1.163.2}]
secretGenerator:
  - {name: synapse, files: [homeserver.yaml=hs.yaml], literals: [TOKEN=zebra]}
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: synapse}
      spec:
        replicas: 3
        template: {spec: {containers: [{name: main, env: [{name: A, value: "2"}, {name: C, value: "3"}]}]}}
-- overlay/hs.yaml --
server_name: example.org
-- base/kustomization.yaml --
resources: [synapse.yaml]
-- base/synapse.yaml --
` + workload("synapse", `image: "matrixdotorg/synapse:v1.100.0", env: [{name: A, value: "1"}, {name: B, value: "1"}], envFrom: [{secretRef: {name: synapse}}], volumeMounts: [{name: c, mountPath: /data}]`,
		"      volumes: [{name: c, secret: {secretName: synapse}}]")))
	if len(findings) > 0 || len(d.Services) != 1 {
		t.Fatal(findings, d.Services)
	}
	s := d.Services[0]
	if s.Image.Tag != "v1.163.2" || s.Copies != 3 || s.Namespace != "prod" || s.Program != component.Synapse {
		t.Errorf("%s, %d copies in %s", s.Image, s.Copies, s.Namespace)
	}
	for name, want := range map[string]string{"A": "2", "B": "1", "C": "3", "TOKEN": "zebra"} {
		if got, _ := s.Env(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if len(d.Synapses) != 1 || d.Synapses[0].Config.Path != "overlay/hs.yaml" {
		t.Error("the generated Secret is no file")
	}
	if len(d.Unread) > 0 {
		t.Error(d.Unread)
	}
}

// What something in the cluster makes workloads of is said to be unread, beside workloads and where there are none.
func TestMadeInTheCluster(t *testing.T) {
	for made, want := range map[string]string{
		"helm.toolkit.fluxcd.io/v2, kind: HelmRelease":        "the HelmRelease matrix, whose chart is filled in",
		"helm.fluxcd.io/v1, kind: HelmRelease":                "the HelmRelease matrix, whose chart is filled in", // Flux 1
		"helm.cattle.io/v1, kind: HelmChart":                  "the HelmChart matrix, whose chart is filled in",
		"argoproj.io/v1alpha1, kind: Application":             "the Application matrix, whose manifests Argo CD makes",
		"kustomize.toolkit.fluxcd.io/v1, kind: Kustomization": "the Kustomization matrix, which has Flux apply another directory",
	} {
		text := "{apiVersion: " + made + ", metadata: {name: matrix}}\n"
		d := open(t, "-- a.yaml --\n"+workload("synapse", "image: ghcr.io/element-hq/synapse:v1.163.2", "")+"-- b.yaml --\n"+strings.Replace(strings.Trim(text, "{}\n"), ", ", "\n", 2)+"}\n")
		if !slices.ContainsFunc(d.Unread, func(s source.Site) bool { return strings.HasPrefix(s.Note, want) }) {
			t.Errorf("%s: %v", made, d.Unread)
		}
		_, findings := Open(tree("-- b.yaml --\n" + strings.Replace(strings.Trim(text, "{}\n"), ", ", "\n", 2) + "}\n"))
		if len(findings) != 1 || !strings.Contains(findings[0].Message, want) || findings[0].Pos().Line != 3 {
			t.Errorf("%s alone: %+v", made, findings)
		}
	}
}

// What is not followed is said: never is it taken for nothing.
func TestUnread(t *testing.T) {
	pod := "\n-- pod.yaml --\n" + workload("web", "image: nginx", "")
	for name, c := range map[string]struct{ text, want string }{
		"a prefix":             {"-- x/kustomization.yaml --\nresources: [a.yaml]\nnamePrefix: x-\n-- x/a.yaml --\n" + workload("a", "image: nginx", "") + pod, "kubectl kustomize x"},
		"a component":          {"-- kustomization.yaml --\nresources: [pod.yaml]\ncomponents: [x]" + pod, "the component x is not here"},
		"a remote base":        {"-- kustomization.yaml --\nresources: [pod.yaml, \"https://example.org/x.yaml\"]" + pod, "was not fetched"},
		"single operations":    {"-- kustomization.yaml --\nresources: [pod.yaml]\npatches: [{target: {kind: Deployment, name: web}, patch: \"- op: remove\\n  path: /spec\\n\"}]" + pod, "single operations"},
		"a patch of nothing":   {"-- kustomization.yaml --\nresources: [pod.yaml]\npatches: [{patch: \"kind: Deployment\\nmetadata: {name: other}\\n\"}]" + pod, "not among the manifests"},
		"a template of Helm":   {"-- t.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}" + pod, "template of Helm"},
		"a second of one name": {"-- other.yaml --\n" + workload("web", "image: nginx", "") + pod, "Deployment web, of which there is a second"},
	} {
		d, _ := Open(tree(c.text))
		if !slices.ContainsFunc(d.Unread, func(s source.Site) bool { return strings.Contains(s.Note, c.want) }) {
			t.Errorf("%s: %v", name, d.Unread)
		}
	}
}

// What a prefix is put before is applied under other names: none of it is looked at, nor what is built on it.
func TestPrefix(t *testing.T) {
	d, findings := Open(tree("-- kustomization.yaml --\nresources: [base, pod.yaml]\n-- base/kustomization.yaml --\nresources: [a.yaml]\nnameSuffix: -x\n-- base/a.yaml --\n" +
		workload("a", "image: nginx", "") + "-- pod.yaml --\n" + workload("web", "image: nginx", "")))
	if len(d.Services) != 0 || len(findings) != 1 || !strings.Contains(findings[0].Message, "nameSuffix of base/kustomization.yaml is not followed") || !strings.Contains(findings[0].Message, "kubectl kustomize . | stackgen check -") {
		t.Errorf("%v %+v", d.Services, findings)
	}
}

// A component has resources of its own, and patches those of what it is a component of.
func TestComponent(t *testing.T) {
	d := open(t, "-- kustomization.yaml --\nresources: [pod.yaml]\ncomponents: [part]\n-- pod.yaml --\n"+workload("web", "image: nginx", "")+
		"-- part/kustomization.yaml --\nkind: Component\nresources: [more.yaml]\npatches: [{path: image.yaml}]\n-- part/more.yaml --\n"+workload("more", "image: nginx", "")+
		"-- part/image.yaml --\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: main, image: \"caddy:2\"}]}}}\n")
	if s := d.Service("web"); len(d.Unread) > 0 || s == nil || s.Image.Repository != "caddy" || d.Service("more") == nil {
		t.Errorf("%v %v", d.Unread, s.Image)
	}
}

// The labels of a kustomization are those of its pods, and what its Services select by.
func TestLabels(t *testing.T) {
	const service = "-- s.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
	for labels, want := range map[string]bool{
		"commonLabels: {app: other}":                                 true,
		"labels: [{includeSelectors: true, pairs: {app: other}}]":    true,
		"labels: [{includeTemplates: true, pairs: {app: other}}]":    false,
		"labels: [{pairs: {app: other}}]":                            true,
		"labels: [{includeTemplates: true, pairs: {more: \"yes\"}}]": true,
	} {
		d := open(t, "-- kustomization.yaml --\nresources: [pod.yaml, s.yaml]\n"+labels+"\n"+service+"-- pod.yaml --\n"+workload("web", "image: nginx, ports: [{containerPort: 80}]", ""))
		if got := d.Door("web") != nil && len(d.Door("web").To) > 0; got != want {
			t.Errorf("%s: the Service leads to the pod: %v, want %v", labels, got, want)
		}
	}
	d := open(t, "-- kustomization.yaml --\nresources: [pod.yaml, s.yaml]\nlabels: [{pairs: {app: other}}]\n-- s.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: far}\nspec: {ports: [{port: 80}]}\n-- pod.yaml --\n"+workload("web", "image: nginx", ""))
	if s := d.Door("far"); s == nil || s.ToAt.Set() {
		t.Errorf("a Service without a selector gets one from labels that are for no selector: %+v", s)
	}
}

// A file of a generator that SOPS has encrypted is decrypted before it is applied.
func TestGeneratedSecret(t *testing.T) {
	d := open(t, "-- kustomization.yaml --\nresources: [pod.yaml]\nsecretGenerator: [{name: keys, files: [signing.key]}]\n-- signing.key --\n{\"data\": \"ENC[AES256_GCM,data:x]\", \"sops\": {}}\n-- pod.yaml --\n"+
		workload("web", "image: nginx, volumeMounts: [{name: k, mountPath: /keys}]", "      volumes: [{name: k, secret: {secretName: keys}}]"))
	if text, _, reason := d.Text(d.Service("web"), "/keys/signing.key"); text != "" || !strings.Contains(reason, "encrypted by SOPS") {
		t.Errorf("%q: %s", text, reason)
	}
}

// Of two objects of one name the later one counts, as for kubectl, which applies the files in their order.
func TestSecondOfOneName(t *testing.T) {
	config := func(server string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: synapse}\ndata: {homeserver.yaml: 'server_name: " + server + "'}\n"
	}
	d := open(t, "-- 1/config.yaml --\n"+config("old.example.org")+"-- 2/config.yaml --\n"+config("new.example.org")+"-- 2/pod.yaml --\n"+
		workload("synapse", `image: "matrixdotorg/synapse:v1.163.2", volumeMounts: [{name: c, mountPath: /data}]`, "      volumes: [{name: c, configMap: {name: synapse}}]"))
	if len(d.Synapses) != 1 || d.Synapses[0].Config.At("server_name").Str() != "new.example.org" {
		t.Errorf("%v", d.Synapses)
	}
}

// A Secret in base64 is read, its values have the place of the key, and neither form of them is ever printed.
func TestBase64(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	config := encode([]byte("server_name: example.org\nmacaroon_secret_key: zebra-macaroon-zebra\n"))
	d := open(t, "-- all.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: synapse}\ndata:\n  homeserver.yaml: "+config+"\n  other: "+encode([]byte("zebra-other-zebra"))+"\n---\n"+
		workload("synapse", `image: "matrixdotorg/synapse:v1.163.2", volumeMounts: [{name: c, mountPath: /data}], env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: synapse, key: other}}}]`,
			"      volumes: [{name: c, secret: {secretName: synapse}}]"))
	if len(d.Synapses) != 1 {
		t.Fatal("its configuration is not read")
	}
	v := d.Synapses[0].Config.At("macaroon_secret_key")
	if v.Str() != "zebra-macaroon-zebra" || v.Pos() != (source.Pos{File: "all.yaml", Line: 5, Col: 20}) {
		t.Errorf("%q at %s", v.Str(), v.Pos())
	}
	text, at := d.Services[0].Env("PASSWORD")
	if text != "zebra-other-zebra" || at.Pos().Line != 6 {
		t.Errorf("%q at %s", text, at.Pos())
	}
	shown := d.Hide([]finding.Finding{{Message: strings.Join([]string{"zebra-macaroon-zebra", config, "zebra-other-zebra", encode([]byte("zebra-other-zebra")), encode([]byte("zebra-macaroon-zebra"))}, " "), Sites: []source.Site{v.Site(""), at.Site("")}}})[0]
	for _, word := range []string{shown.Message, shown.Sites[0].Text(), shown.Sites[1].Text()} {
		if strings.Contains(word, "zebra") || strings.Contains(word, config[:20]) || strings.Contains(word, encode([]byte("zebra-other-zebra"))[:16]) {
			t.Errorf("it shows %s", word)
		}
	}
}

// A Service gives its names and ports to the pods that it selects.
func TestDoors(t *testing.T) {
	d := open(t, "-- all.yaml --\n"+workload("app", "image: example, ports: [{name: web, containerPort: 8000}]", "")+`
---
apiVersion: v1
kind: Service
metadata: {name: named, namespace: matrix}
spec: {selector: {app: app}, ports: [{port: 80, targetPort: web}]}
---
apiVersion: v1
kind: Service
metadata: {name: direct}
spec: {clusterIP: None, selector: {app: app}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: away}
spec: {type: ExternalName, externalName: db.example.org}
---
apiVersion: acid.zalan.do/v1
kind: postgresql
metadata: {name: pg}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set}
spec: {replicas: 2, serviceName: pods, template: {metadata: {labels: {app: set}}, spec: {containers: [{name: main, image: example}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: pods}
spec: {clusterIP: None, selector: {app: set}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: two}
spec: {template: {metadata: {labels: {app: two}}, spec: {containers: [{name: server, image: "postgres:17"}, {name: script, image: "postgres:17", command: [/bin/sh, -c, sleep 1], ports: [{containerPort: 5432}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: sql}
spec: {selector: {app: two}, ports: [{port: 5432}]}
`)
	if s := d.ServiceAt("sql"); s == nil || s.Name != "two" {
		t.Error("sql leads to the script beside the server")
	}
	for host, want := range map[string]string{"set-1.pods.default.svc": "80", "named": "8000", "named.matrix.svc.cluster.local": "8000", "direct": "80"} {
		if s := d.ServiceAt(host); s == nil || s.Name != "app" && s.Name != "set" || d.Inner(host, "80") != want {
			t.Errorf("%s leads to %v, port %s", host, s, d.Inner(host, "80"))
		}
	}
	for _, host := range []string{"app", "named.other", "away", "pg", "set-1.set-0.pods", "set-2.pods"} {
		if d.ServiceAt(host) != nil {
			t.Errorf("%s is found", host)
		}
	}
	for _, host := range []string{"away", "pg"} {
		if door := d.Door(host); door == nil || door.Elsewhere == "" {
			t.Errorf("%s is %v", host, door)
		}
	}
}

// Whatever is applied, an answer comes.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{
		"-- a.yaml --\n" + workload("a", "image: postgres, envFrom: [{secretRef: {name: x}}], command: [$(A), $$(B)]", "      volumes: [{name: c, projected: {sources: [{secret: {name: x, items: [{key: a, path: b}]}}]}}]"),
		"-- a.yaml --\napiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: x}, data: {a: \"!\", b: YQ==}, stringData: {c: |2\n  x}}]",
		"-- kustomization.yaml --\nresources: [.]\npatches: [{patch: \"a\\nb\"}]\nsecretGenerator: [{name: x, envs: [kustomization.yaml]}]",
		"-- a.yaml --\napiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: {rules: [{http: {paths: [{path: '(', backend: {}}]}}]}\n---\n" + workload("a", "image: a", ""),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, _ := Open(tree(text))
		d.Routes().Match("GET", "example.org", "/_matrix/client/v3/login")
		d.Calls()
		d.Parts()
	})
}

// A Cluster of CloudNativePG is a server with the roles and databases that its own kinds of objects say, whatever their spelling.
func TestOperated(t *testing.T) {
	d := open(t, "-- all.yaml --\n"+workload("app", "image: example", "")+`
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg, namespace: matrix}
spec:
  instances: 2
  imageName: ghcr.io/cloudnative-pg/postgresql:16.9
  bootstrap: {initdb: {database: synapse, owner: synapse, secret: {name: first}, localeCollate: de_DE.utf8}}
  managed: {roles: [{name: mas, login: true, passwordSecret: {name: second}}, {name: gone, ensure: absent}]}
  postgresql: {parameters: {max_connections: "250"}}
---
apiVersion: postgresql.cnpg.io/v1
kind: DatabaseRole
metadata: {name: signal, namespace: matrix}
spec: {cluster: {name: pg}, name: signal, passwordSecret: {name: nowhere}}
---
apiVersion: postgresql.cnpg.io/v1
kind: Database
metadata: {name: mas, namespace: matrix}
spec: {cluster: {name: pg}, name: mas, owner: mas, encoding: UTF8, localeCollate: C, localeCType: C, template: template0}
---
apiVersion: postgresql.cnpg.io/v1
kind: Database
metadata: {name: other, namespace: matrix}
spec: {cluster: {name: another}, name: other, owner: other}
---
apiVersion: v1
kind: Secret
metadata: {name: first, namespace: matrix}
type: kubernetes.io/basic-auth
data: {username: c3luYXBzZQ==, password: emVicmEtc3luYXBzZQ==}
---
apiVersion: v1
kind: Secret
metadata: {name: second, namespace: matrix}
stringData: {username: mas, password: zebra-mas}
`)
	s := d.ServiceAt("pg-rw.matrix.svc")
	if s == nil || s.Image.Major() != "16" || s.Copies != 2 || !slices.Contains(d.PostgresServers(), s) {
		t.Fatalf("%+v", s)
	}
	made := d.Provisioned(s)
	for name, want := range map[string]string{"synapse": "zebra-synapse", "mas": "zebra-mas"} {
		if got := made.Roles[name]; got.Password != want || got.Reason != "" {
			t.Errorf("%s has %q %s", name, got.Password, got.Reason)
		}
	}
	if _, ok := made.Roles["gone"]; ok || made.Roles["signal"].Reason == "" {
		t.Errorf("%+v", made.Roles)
	}
	if _, ok := made.Databases["other"]; ok || made.Databases["mas"].Owner != "mas" || made.Databases["synapse"].Owner != "synapse" {
		t.Errorf("%+v", made.Databases)
	}
	if base, _ := deployment.ClusterLocale(s); base.Collate != "de_DE.utf8" || base.Ctype != "C" || deployment.LocaleOf(made.Databases["mas"].Statement).Collate != "C" {
		t.Errorf("%+v", base)
	}
	if n, _, reason := s.MaxConnections(); n != 250 || reason != "" {
		t.Errorf("%d connections %s", n, reason)
	}
}

// What helm template prints is no template, whatever is in the values; the words of a container are read as its program reads them, and a
// script in PostgreSQL's image is no second server.
func TestHelmOutput(t *testing.T) {
	d := open(t, "-- all.yaml --\n---\n# Source: stack/templates/config.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: hookshot}\ndata: {config: 'url: {{ .Values.host }}'}\n---\n"+
		workload("hookshot", `image: "ghcr.io/matrix-org/matrix-hookshot:7.4.4", args: [/bin/matrix-hookshot/App/BridgeApp.js, /conf/hookshot.yaml, /secrets/REGISTRATION], volumeMounts: [{name: c, mountPath: /conf}, {name: s, mountPath: /secrets}]`,
			"      volumes: [{name: c, configMap: {name: hookshot}}, {name: s, secret: {secretName: made-elsewhere}}]\n")+"---\n"+
		workload("updater", `image: "docker.io/postgres:17", command: [/bin/sh, -c, "while ! pg_isready; do sleep 1; done; sleep infinity"], args: [-c, max_connections=256], env: [{name: POSTGRES_PASSWORD_FILE, value: /secrets/x}]`, ""))
	if len(d.Unread) > 0 {
		t.Errorf("not read: %v", d.Unread)
	}
	for _, a := range d.Beside() {
		for _, m := range a.Missing {
			if m.What == "registration" {
				t.Errorf("%s is looked for, which nobody named", m.Path)
			}
		}
	}
	if len(d.Beside()) != 1 || len(d.PostgresServers()) != 0 {
		t.Errorf("%d appservices, %d servers", len(d.Beside()), len(d.PostgresServers()))
	}
}
