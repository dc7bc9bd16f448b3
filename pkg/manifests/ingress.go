package manifests

import (
	"cmp"
	"fmt"
	"slices"
)

// ingress writes one Ingress with all hosts: what of them needs a certificate stands in one place, and no two ask for one of the same host.
func (m *maker) ingress(all []routed) error {
	paths := make(map[string]*node)
	var hosts []string
	for _, r := range all {
		for _, w := range r.ways {
			if f := r.done(w.host, w.path); f.Redirect != "" || !w.exact && r.replaced(w) != w.path && r.replaced(w)+"/" != w.path {
				return fmt.Errorf("the route %s changes the path %s before %s is asked, which an Ingress has no words for: give it a host of its own, or use a Gateway", r.Name, w.path, r.service)
			}
			if w.method != "" {
				return fmt.Errorf("the route %s asks for a method, which an Ingress has no words for: use a Gateway", r.Name)
			}
			if paths[w.host] == nil {
				paths[w.host] = list()
				hosts = append(hosts, w.host)
			}
			kind := "Prefix"
			if w.exact {
				kind = "Exact"
			}
			at := paths[w.host]
			at.Items = append(at.Items, mapping("path", text(w.path), "pathType", text(kind), "backend", mapping("service", mapping("name", text(r.service), "port", mapping("number", number(r.port))))))
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	slices.Sort(hosts)
	rules, tls := list(), list()
	for _, host := range hosts {
		rule := mapping("http", mapping("paths", paths[host]))
		if host != "" {
			rule = mapping("host", text(host), "http", mapping("paths", paths[host]))
			tls.Items = append(tls.Items, mapping("hosts", words([]string{host}), "secretName", text("tls-"+label(host))))
		}
		rules.Items = append(rules.Items, rule)
	}
	name := cmp.Or(label(m.d.Project), "matrix")
	more := mapping("labels", m.labels(name))
	if m.Ingress.Issuer != "" {
		more.Set("annotations", mapping("cert-manager.io/cluster-issuer", text(m.Ingress.Issuer)))
	}
	spec := mapping()
	if m.Ingress.Class != "" {
		spec.Set("ingressClassName", text(m.Ingress.Class))
	}
	if len(tls.Items) > 0 {
		spec.Set("tls", tls)
	}
	spec.Set("rules", rules)
	o := object("networking.k8s.io/v1", "Ingress", name, m.Namespace, more)
	o.Set("spec", spec)
	m.put("ingress", o)
	return nil
}
