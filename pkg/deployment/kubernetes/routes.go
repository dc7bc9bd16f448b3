package kubernetes

import (
	"cmp"
	"slices"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/route/gateway"
)

// unreadRoutes are the kinds of objects by which controllers route in ways of their own.
var unreadRoutes = []string{"IngressRoute", "HTTPProxy", "VirtualService", "TCPIngress", "Mapping", "ApisixRoute", "Route"}

// routes reads how requests come to the pods.
func (c *cluster) routes() {
	var objects []gateway.Object
	ingresses := false
	r := &deployment.Routed{Name: deployment.Gateway}
	for _, o := range c.objects {
		switch {
		case o.kind == "Ingress", o.kind == "HTTPRoute":
			ingresses = ingresses || o.kind == "Ingress"
			objects = append(objects, gateway.Object{Value: o.Value, Kind: o.kind, Name: o.name, Namespace: o.namespace})
		case o.kind == "Gateway" && o.group == "gateway.networking.k8s.io":
			objects = append(objects, gateway.Object{Value: o.Value, Kind: o.kind, Name: o.name, Namespace: o.namespace})
		case slices.Contains(unreadRoutes, o.kind):
			r.Unseen = "the " + o.kind + " " + o.name + " is not read"
		}
	}
	if len(objects) == 0 && r.Unseen == "" {
		return
	}
	if ingresses || r.Unseen != "" {
		r.Name = deployment.Ingress
	}
	r.Table = gateway.New(objects, gateway.Options{Upstream: c.upstream})
	c.d.Routed = r
}

// upstream is the container behind a port of a Service, or the name of the Service where it is none of the manifests.
func (c *cluster) upstream(namespace, service, port string) (container, inner, address string) {
	i := slices.IndexFunc(c.d.Doors, func(o *deployment.Door) bool {
		return o.Name == service && (o.Namespace == namespace || o.Namespace == "" || namespace == "")
	})
	if i < 0 {
		return service, port, service + ":" + port
	}
	door := c.d.Doors[i]
	container, inner = service, port
	if len(door.To) > 0 {
		container = door.To[0].Name
	}
	for _, p := range door.Ports {
		if p.Port == port || p.Called == port || port == "" && len(door.Ports) == 1 {
			return container, cmp.Or(p.Inner, p.Named), service + ":" + p.Port
		}
	}
	return container, inner, service + ":" + port
}
