package kubernetes

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const proxyImage = "localhost/traefik:1"

// proxy is Traefik with its providers of Ingresses and of the Gateway API, and the Gateway that the stack names.
const proxy = `apiVersion: v1
kind: Namespace
metadata: {name: infra}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: traefik, namespace: infra}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: traefik}
rules:
  - {apiGroups: [""], resources: [services, secrets, nodes, configmaps, namespaces, pods], verbs: [get, list, watch]}
  - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get, list, watch]}
  - {apiGroups: [networking.k8s.io], resources: [ingresses, ingressclasses], verbs: [get, list, watch]}
  - {apiGroups: [networking.k8s.io], resources: [ingresses/status], verbs: [update]}
  - {apiGroups: [gateway.networking.k8s.io], resources: ["*"], verbs: [get, list, watch, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: traefik}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: traefik}
subjects: [{kind: ServiceAccount, name: traefik, namespace: infra}]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: traefik}
spec: {controller: traefik.io/ingress-controller}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: traefik, namespace: infra}
spec:
  selector: {matchLabels: {app: traefik}}
  template:
    metadata: {labels: {app: traefik}}
    spec:
      serviceAccountName: traefik
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, runAsUser: 65532}
      containers:
        - name: traefik
          image: ` + proxyImage + `
          args:
            - --global.checknewversion=false
            - --global.sendanonymoususage=false
            - --entrypoints.websecure.address=:8443
            - --entrypoints.websecure.http.tls=true
            - --entrypoints.traefik.address=:9000
            - --ping=true
            - --providers.kubernetesingress=true
            - --providers.kubernetesgateway=true
            - --log.level=INFO
          ports: [{name: websecure, containerPort: 8443}]
          readinessProbe: {httpGet: {path: /ping, port: 9000}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: traefik, namespace: infra}
spec:
  clusterIP: ` + proxyIP + `
  selector: {app: traefik}
  ports: [{name: websecure, port: 443, targetPort: websecure}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: traefik}
spec: {controllerName: traefik.io/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: infra}
spec:
  gatewayClassName: traefik
  listeners:
    - name: websecure
      port: 8443
      protocol: HTTPS
      tls: {certificateRefs: [{name: public}]}
      allowedRoutes: {namespaces: {from: All}}
`

// proxy starts Traefik.
func (c *cluster) proxy(t *testing.T) {
	t.Helper()
	if err := c.apply(proxy + certificate(t, "infra", "public", publicTLS())); err != nil {
		t.Fatal(err)
	}
	c.proxyReady(t)
}

func (c *cluster) proxyReady(t *testing.T) {
	t.Helper()
	c.kubectl(t, "-n", "infra", "rollout", "status", "deployment/traefik", "--timeout", "90s")
	if !within(30*time.Second, func() bool {
		out, err := c.try("-n", "infra", "get", "gateway", "public", "-o", `jsonpath={.status.conditions[?(@.type=="Programmed")].status}`)
		return err == nil && out == "True"
	}) {
		t.Fatal("Traefik does not take the Gateway: " + c.kubectl(t, "-n", "infra", "get", "gateway", "public", "-o", "jsonpath={.status}"))
	}
}

// certificate is a Secret with a certificate and its key, which are the files of this name.
func certificate(t *testing.T, namespace, name, file string) string {
	t.Helper()
	read := func(name string) string {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(src)
	}
	return fmt.Sprintf("---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s}\ntype: kubernetes.io/tls\ndata: {tls.crt: %s, tls.key: %s}\n",
		name, namespace, read(file+".crt"), read(file+".key"))
}

// publicTLS is what the public hosts show.
func publicTLS() string { return filepath.Join(stackDir(), "tls") }

// certificates makes the Secrets that the stack's Ingress names, as cert-manager would.
func (s *stack) certificates(t *testing.T) {
	t.Helper()
	for host, file := range map[string]string{publicHost: publicTLS(), serverName: publicTLS(), accountHost: cl.pki("account")} {
		if err := cl.apply(certificate(t, namespace, "tls-"+strings.ReplaceAll(host, ".", "-"), file)); err != nil {
			t.Fatal(err)
		}
	}
}

func must(t *testing.T, module string) string {
	t.Helper()
	version, err := moduleVersion("programs", module)
	if err != nil {
		t.Fatal(err)
	}
	return version
}
