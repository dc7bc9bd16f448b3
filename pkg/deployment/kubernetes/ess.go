package kubernetes

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// chart is what the chart matrix-stack makes of its values, as far as others have to do with it (ess-helm 26.8.1, its release called ess): the
// configurations of Synapse and MAS as it settles them, and what runs them. <PATH> is a value.
const chart = `server_name: "<serverName>"
public_baseurl: "https://<synapse.ingress.host>/"
listeners:
  - {port: 8008, type: http, tls: false, x_forwarded: true, bind_addresses: ["0.0.0.0"], resources: [{names: [client, federation]}]}
  - {port: 8080, type: http, tls: false, bind_addresses: ["0.0.0.0"], resources: [{names: [health]}]}
database:
  name: psycopg2
  args:
    host: "<synapse.postgres.host>"
    port: "<synapse.postgres.port>"
    user: "<synapse.postgres.user>"
    dbname: "<synapse.postgres.database>"
    password: "${SYNAPSE_POSTGRES_PASSWORD}"
signing_key_path: /secrets/ess-generated/SYNAPSE_SIGNING_KEY
macaroon_secret_key_path: /secrets/ess-generated/SYNAPSE_MACAROON
registration_shared_secret_path: /secrets/ess-generated/SYNAPSE_REGISTRATION_SHARED_SECRET
media_store_path: /media/media_store
max_upload_size: "<synapse.media.maxUploadSize>"
matrix_authentication_service:
  enabled: true
  endpoint: http://ess-matrix-authentication-service:8080/
  secret_path: /secrets/ess-generated/MAS_SYNAPSE_SHARED_SECRET
app_service_config_files: []
---
http:
  public_base: "https://<matrixAuthenticationService.ingress.host>/"
  listeners:
    - name: web
      binds: [{port: 8080}]
      resources: [{name: human}, {name: discovery}, {name: oauth}, {name: compat}, {name: assets}, {name: graphql}, {name: adminapi}]
    - name: internal
      binds: [{port: 8081}]
      resources: [{name: health}]
database:
  host: "<matrixAuthenticationService.postgres.host>"
  port: "<matrixAuthenticationService.postgres.port>"
  username: "<matrixAuthenticationService.postgres.user>"
  database: "<matrixAuthenticationService.postgres.database>"
  password_file: "/secrets/<matrixAuthenticationService.postgres.password.secret>/<matrixAuthenticationService.postgres.password.secretKey>"
matrix:
  kind: synapse_modern
  homeserver: "<serverName>"
  endpoint: http://ess-synapse:8008
  secret_file: /secrets/ess-generated/MAS_SYNAPSE_SHARED_SECRET
secrets:
  encryption_file: /secrets/ess-generated/MAS_ENCRYPTION_SECRET
  keys:
    - key_file: /secrets/ess-generated/MAS_RSA_PRIVATE_KEY
    - key_file: /secrets/ess-generated/MAS_ECDSA_PRIME256V1_PRIVATE_KEY
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ess-synapse-main}
spec:
  replicas: 1
  template:
    metadata:
      labels: {app.kubernetes.io/instance: ess-synapse-main, app.kubernetes.io/part-of: matrix-stack, k8s.element.io/synapse-instance: ess-synapse}
    spec:
      initContainers:
        - name: render-config
          image: ghcr.io/element-hq/ess-helm/matrix-tools:0.8.1
          args: [render-config, -output, /conf/homeserver.yaml]
          env: [{name: SYNAPSE_POSTGRES_PASSWORD, value: '{{ readfile "/secrets/<synapse.postgres.password.secret>/<synapse.postgres.password.secretKey>" | quote }}'}]
      containers:
        - name: synapse
          image: ghcr.io/element-hq/synapse:v1.159.0
          command: [python3, -m, synapse.app.homeserver, -c, /conf/homeserver.yaml]
          ports: [{name: synapse-http, containerPort: 8008}]
          readinessProbe: {httpGet: {path: /health, port: 8080}}
          volumeMounts: [{name: media, mountPath: /media}, {name: generated, mountPath: /secrets/ess-generated, readOnly: true}]
      volumes: [{name: conf, emptyDir: {}}, {name: generated, secret: {secretName: ess-generated}}, {name: media, persistentVolumeClaim: {claimName: ess-synapse-media}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ess-matrix-authentication-service}
spec:
  replicas: 1
  template:
    metadata:
      labels: {app.kubernetes.io/instance: ess-matrix-authentication-service, app.kubernetes.io/part-of: matrix-stack}
    spec:
      initContainers:
        - {name: render-config, image: ghcr.io/element-hq/ess-helm/matrix-tools:0.8.1, args: [render-config, -output, /conf/config.yaml]}
      containers:
        - name: matrix-authentication-service
          image: ghcr.io/element-hq/matrix-authentication-service:1.23.0
          command: [mas-cli, server, --config=/conf/config.yaml]
          ports: [{name: http, containerPort: 8080}, {name: internal, containerPort: 8081}]
          readinessProbe: {httpGet: {path: /health, port: 8081}}
          volumeMounts: [{name: generated, mountPath: /secrets/ess-generated, readOnly: true}]
      volumes: [{name: conf, emptyDir: {}}, {name: generated, secret: {secretName: ess-generated}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ess-haproxy}
data:
  haproxy.cfg: |
    defaults
      mode http
    frontend synapse
      bind *:8008
      default_backend synapse
    backend synapse
      server main ess-synapse-main:8008
    frontend blocked
      bind *:8009
      http-request deny status 403
    frontend discovery
      bind *:8010
      http-request return status 200 content-type application/json string '{"m.homeserver":{"base_url":"https://<synapse.ingress.host>"}}' if { path /.well-known/matrix/client }
      http-request return status 200 content-type application/json string '{"m.server":"<synapse.ingress.host>:443"}' if { path /.well-known/matrix/server }
      http-request return status 404
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ess-haproxy}
spec:
  replicas: 1
  template:
    metadata:
      labels: {app.kubernetes.io/instance: ess-haproxy, app.kubernetes.io/part-of: matrix-stack}
    spec:
      containers:
        - name: haproxy
          image: docker.io/library/haproxy:3.2-alpine
          args: ["-f", /usr/local/etc/haproxy/haproxy.cfg]
          ports: [{name: synapse, containerPort: 8008}, {name: blocked, containerPort: 8009}, {name: discovery, containerPort: 8010}]
          readinessProbe: {httpGet: {path: /, port: 8010}}
          volumeMounts: [{name: config, mountPath: /usr/local/etc/haproxy, readOnly: true}]
      volumes: [{name: config, configMap: {name: ess-haproxy}}]
---
apiVersion: v1
kind: Service
metadata: {name: ess-synapse-main}
spec: {clusterIP: None, selector: {app.kubernetes.io/instance: ess-synapse-main}, ports: [{name: synapse, port: 8008}]}
---
apiVersion: v1
kind: Service
metadata: {name: ess-synapse}
spec: {selector: {app.kubernetes.io/instance: ess-haproxy}, ports: [{name: haproxy-synapse, port: 8008}, {name: haproxy-403, port: 8009}]}
---
apiVersion: v1
kind: Service
metadata: {name: ess-well-known}
spec: {selector: {app.kubernetes.io/instance: ess-haproxy}, ports: [{name: discovery, port: 8010}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ess-well-known}
spec:
  ingressClassName: "<ingress.className>"
  rules:
    - host: "<serverName>"
      http:
        paths: [{path: /.well-known/matrix, pathType: Prefix, backend: {service: {name: ess-well-known, port: {number: 8010}}}}]
---
apiVersion: v1
kind: Service
metadata: {name: ess-matrix-authentication-service}
spec: {selector: {app.kubernetes.io/instance: ess-matrix-authentication-service}, ports: [{name: http, port: 8080}, {name: internal, port: 8081}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ess-synapse}
spec:
  ingressClassName: "<ingress.className>"
  rules:
    - host: "<synapse.ingress.host>"
      http:
        paths:
          - {path: /_matrix, pathType: Prefix, backend: {service: {name: ess-synapse, port: {number: 8008}}}}
          - {path: /_synapse, pathType: Prefix, backend: {service: {name: ess-synapse, port: {number: 8008}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ess-matrix-authentication-service}
spec:
  ingressClassName: "<ingress.className>"
  rules:
    - host: "<matrixAuthenticationService.ingress.host>"
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}]
    - host: "<synapse.ingress.host>"
      http:
        paths:
          - {path: /_matrix/client/api/v1/login, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/api/v1/refresh, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/api/v1/logout, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/r0/login, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/r0/refresh, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/r0/logout, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/v3/login, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/v3/refresh, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/v3/logout, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/unstable/login, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/unstable/refresh, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
          - {path: /_matrix/client/unstable/logout, pathType: Prefix, backend: {service: {name: ess-matrix-authentication-service, port: {number: 8080}}}}
`

// values finds what the chart is told: the file of the directory that says a serverName and something of Synapse. It is absent where there
// is none, or more than one, of which helm is told in what order they count.
func (c *cluster) values() (found source.Value) {
	for _, name := range yamlFiles(c.fsys) {
		if path.Dir(name) != "." {
			continue
		}
		src, err := source.ReadFS(c.fsys, name)
		if err != nil || !strings.Contains(string(src), "serverName:") {
			continue
		}
		f, problem := source.Parse(name, src)
		if problem != nil || f.At("apiVersion").Exists() || !f.At("serverName").Set() || f.At("synapse").Kind() != source.Mapping {
			continue
		}
		if found.Exists() {
			c.unread = append(c.unread, f.Root().Site(name+", beside which "+found.File().Path+" has values of the chart as well"))
			return source.Value{}
		}
		c.d.Add(name, f)
		found = f.Root()
	}
	return found
}

// charted puts what the chart makes of its values beside the manifests, unless what it has made is among them.
func (c *cluster) charted() {
	v := c.values()
	if !v.Exists() || slices.ContainsFunc(c.objects, func(o *object) bool { return strings.HasSuffix(o.name, "-synapse-main") && o.kind == "StatefulSet" }) {
		return
	}
	docs, problem := source.ParseAll("", []byte(chart))
	if problem != nil {
		panic(problem.Message)
	}
	trees := make([]*source.Node, len(docs))
	for i, doc := range docs {
		trees[i] = filledIn(doc.Root().Node(), v)
	}
	workloads := slices.DeleteFunc(slices.Clone(trees), func(n *source.Node) bool { return n.Get("spec", "template", "spec", "initContainers") == nil })
	for i, of := range []struct{ key, name string }{{"synapse", "ess-synapse"}, {"matrixAuthenticationService", "ess-matrix-authentication-service"}} {
		c.assemble(v.At(of.key), of.name, trees[i], workloads[i])
	}
	c.d.Chart = v
	for _, tree := range trees[2:] {
		if tree.Get("metadata", "name").Str() == "ess-well-known" && v.At("wellKnownDelegation", "enabled").Str() == "false" {
			continue
		}
		if tree.Get("metadata", "name").Str() == "ess-synapse" && tree.Get("kind").Str() == "Ingress" {
			lead(tree, v.At("synapse", "ingress", "additionalPaths"))
		}
		o := newObject(source.Join(tree).Root())
		if len(c.spaces) > 0 {
			o.namespace = c.spaces[0]
		}
		if c.objects = append(c.objects, o); o.kind == "ConfigMap" {
			c.holdOne(o)
		}
	}
}

// lead adds the paths of an Ingress that the values say: those that nobody is let to lead where HAProxy refuses every request.
func lead(ingress *source.Node, paths source.Value) {
	all := ingress.Get("spec", "rules").Items[0].Get("http", "paths")
	for _, p := range paths.Items() {
		one, name := all.Items[0].Clone(), p.At("path")
		service := one.Get("backend", "service")
		switch p.At("availability").Str() {
		case "blocked":
			service.Set("port", source.NewMapping(p.Node()))
			service.Get("port").Set("name", source.NewText(p.Node(), "haproxy-403"))
		case "only_externally":
			one.Get("backend").Set("service", p.At("service").Node())
		default:
			continue
		}
		one.Set("path", source.NewText(name.Node(), name.Str()))
		all.Items = append(slices.DeleteFunc(all.Items, func(o *source.Node) bool { return o.Get("path").Str() == name.Str() }), one)
	}
}

// assemble puts what the chart settles of a configuration into the ConfigMap that it makes, and has a workload put it together with what
// its values add.
func (c *cluster) assemble(v source.Value, name string, settled, workload *source.Node) {
	spec := workload.Get("spec", "template", "spec")
	program := spec.Get("containers").Items[0]
	tools := spec.Get("initContainers").Items[0]
	mount := func(volume *source.Node, name, dir string) {
		same := func(o *source.Node) bool { return o.Get("name").Str() == name }
		if slices.ContainsFunc(spec.Get("volumes").Items, same) {
			return
		}
		volume.Set("name", source.NewText(volume, name))
		at := source.NewMapping(volume)
		at.Set("name", source.NewText(volume, name))
		at.Set("mountPath", source.NewText(volume, dir))
		spec.Get("volumes").Items = append(spec.Get("volumes").Items, volume)
		program.Get("volumeMounts").Items = append(program.Get("volumeMounts").Items, at)
	}
	holder := func(kind, key, name string, at source.Value) *source.Node {
		volume, of := source.NewMapping(at.Node()), source.NewMapping(at.Node())
		of.Set(key, source.NewText(at.Node(), name))
		volume.Set(kind, of)
		return volume
	}
	for i, as := range v.At("appservices").Items() {
		kind, key, file := "secret", "secretName", as.At("secretKey")
		held := as.At("secret")
		if as.At("configMap").Exists() {
			kind, key, held, file = "configMap", "name", as.At("configMap"), as.At("configMapKey")
		}
		dir := path.Join("/as", strconv.Itoa(i))
		mount(holder(kind, key, held.Str(), held), "as-"+strconv.Itoa(i), dir)
		settled.Get("app_service_config_files").Items = append(settled.Get("app_service_config_files").Items, source.NewText(file.Node(), path.Join(dir, file.Str())))
	}
	k := &content{object: &object{Value: v, kind: "ConfigMap", name: name}, dir: c.key("ConfigMap", "", name), of: make(map[string]*entry)}
	args := tools.Get("args")
	for key, more := range v.At("additional").Entries() {
		if secret := more.At("configSecret"); secret.Exists() {
			mount(holder("secret", "secretName", secret.Str(), secret), "secret-"+secret.Str(), path.Join("/secrets", secret.Str()))
			args.Items = append(args.Items, source.NewText(more.At("configSecretKey").Node(), path.Join("/secrets", secret.Str(), more.At("configSecretKey").Str())))
			continue
		}
		e := &entry{at: more.At("config"), text: more.At("config").Str()}
		k.set("user-"+key.Str(), e)
		c.file(k, "user-"+key.Str(), e, false)
		args.Items = append(args.Items, source.NewText(more.Node(), "/config-templates/user-"+key.Str()))
	}
	if secret := v.At("postgres", "password", "secret"); secret.Exists() {
		mount(holder("secret", "secretName", secret.Str(), secret), "secret-"+secret.Str(), path.Join("/secrets", secret.Str()))
	}
	k.set("settled.yaml", &entry{at: v})
	c.files = append(c.files, memfs.File{Path: path.Join(k.dir, "settled.yaml")})
	c.d.Add(path.Join(k.dir, "settled.yaml"), source.Join(settled))
	args.Items = append(args.Items, source.NewText(v.Node(), "/config-templates/settled.yaml"))
	c.contents[k.dir] = k
	mount(holder("configMap", "name", name, v), "config-templates", "/config-templates")
	tools.Set("volumeMounts", program.Get("volumeMounts").Clone())
}

// filledIn has a tree stand where the values do that it is made of. What a value that is not set stands for is not there.
func filledIn(n *source.Node, v source.Value) *source.Node {
	n.From, n.Key = v, v
	for _, name := range slices.Clone(n.Names()) {
		if filledIn(n.Get(name), v).Kind == source.Null {
			n.Delete(name)
		}
	}
	for _, item := range n.Items {
		filledIn(item, v)
	}
	for {
		before, rest, found := strings.Cut(n.Text, "<")
		name, after, closed := strings.Cut(rest, ">")
		if !found || !closed {
			return n
		}
		at := v.At(strings.Split(name, ".")...)
		if !at.Set() {
			n.Kind = source.Null
			return n
		}
		if n.Text, n.From, n.Key = before+at.Str()+after, at, at; before+after == "" {
			n.Tag = at.Node().Tag
		}
	}
}
