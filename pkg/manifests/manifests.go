// Package manifests makes manifests of Kubernetes of a deployment of Compose, which run the same containers with the very same files:
// each Service is called as its service, so that every address stays what it is.
package manifests

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// Options is what Compose does not say. The zero value is a cluster of which nothing is known.
type Options struct {
	// Header is a comment on top of each file.
	Header string
	// Namespace that all is in; empty for where kubectl is set to.
	Namespace string
	// Gateway that HTTPRoutes hang on, and Ingress, where routes are Ingresses; both nil for no routes at all.
	Gateway *Gateway
	Ingress *Ingress
	// StorageClass of the claims, empty for the cluster's own, and how much each service is given for what it keeps, such as 100Gi.
	StorageClass string
	Storage      map[string]string
	// Database is what the PostgreSQL of the deployment becomes: single, a pod, which is the default; cnpg, a cluster of
	// CloudNativePG; external, where it has none.
	Database string
	// SecretsApart leaves the Secrets out of the kustomization: something else makes them in the cluster.
	SecretsApart bool
}

// maker is what is gathered of one deployment.
type maker struct {
	Options
	d       *deployment.Deployment
	secrets map[string]*node // by name
	files   map[string][]*node
	order   []string
	claims  map[string]bool
}

// From gives the files: one for each service, with its Secrets, and the kustomization that names them.
func From(d *deployment.Deployment, o Options) ([]memfs.File, error) {
	m := &maker{Options: o, d: d, secrets: make(map[string]*node), files: make(map[string][]*node), claims: make(map[string]bool)}
	if o.Namespace != "" {
		m.put("namespace", object("v1", "Namespace", o.Namespace, "", mapping("labels", mapping("pod-security.kubernetes.io/warn", text("restricted")))))
	}
	for _, s := range d.Services {
		if s.Absent.Why == "" {
			m.service(s)
		}
	}
	if err := m.routes(); err != nil {
		return nil, err
	}
	return m.written()
}

// routes writes how requests come in, in the words of the one that is asked for.
func (m *maker) routes() error {
	if m.Gateway == nil && m.Ingress == nil {
		return nil
	}
	all, err := m.routed()
	switch {
	case err != nil:
		return err
	case m.Gateway != nil:
		m.httpRoutes(all)
		return nil
	}
	return m.ingress(all)
}

// labels are those of all that belongs to a service.
func (m *maker) labels(service string) *node {
	return mapping("app.kubernetes.io/name", text(label(service)), "app.kubernetes.io/part-of", text(cmp.Or(m.d.Project, "matrix")))
}

// put adds an object to a file.
func (m *maker) put(file string, n *node) {
	if m.files[file] == nil {
		m.order = append(m.order, file)
	}
	m.files[file] = append(m.files[file], n)
}

func (m *maker) written() (files []memfs.File, err error) {
	resources := list()
	for _, name := range m.order {
		var b strings.Builder
		for i, n := range m.files[name] {
			if i > 0 {
				b.WriteString("---\n")
			}
			text, err := n.YAML()
			if err != nil {
				return nil, err
			}
			b.Write(text)
		}
		files = append(files, memfs.File{Path: name + ".yaml", Data: []byte(b.String())})
		resources.Items = append(resources.Items, text(name+".yaml"))
	}
	k := mapping("apiVersion", text("kustomize.config.k8s.io/v1beta1"), "kind", text("Kustomization"))
	if m.Namespace != "" {
		k.Set("namespace", text(m.Namespace))
	}
	k.Set("resources", resources)
	out, err := k.YAML()
	return append(files, memfs.File{Path: "kustomization.yaml", Data: out}), err
}

// service makes the workload, its Secrets, its claims and its Service.
func (m *maker) service(s *deployment.Service) {
	name := label(s.Name)
	spec := m.pod(s)
	labels := m.labels(s.Name)
	template := mapping("metadata", mapping("labels", labels.Clone()), "spec", spec)
	if hash := hashOf(s); hash != "" {
		template.Get("metadata").Set("annotations", mapping(confighash.Label, text(hash)))
	}
	selector := mapping("matchLabels", mapping("app.kubernetes.io/name", text(name)))
	switch {
	case s.Once:
		spec.Set("restartPolicy", text("OnFailure"))
		job := object("batch/v1", "Job", name, m.Namespace, mapping("labels", labels))
		job.Set("spec", mapping("backoffLimit", number("20"), "template", template))
		m.put(name, job)
	case m.single(s):
		set := object("apps/v1", "StatefulSet", name, m.Namespace, mapping("labels", labels))
		set.Set("spec", mapping("replicas", number("1"), "serviceName", text(name), "selector", selector, "template", template))
		m.put(name, set)
	default:
		d := object("apps/v1", "Deployment", name, m.Namespace, mapping("labels", labels))
		d.Set("spec", mapping("replicas", number("1"), "selector", selector, "template", template))
		m.put(name, d)
	}
	if ports := m.ports(s); len(ports) > 0 && !s.Once {
		for _, host := range m.names(s) {
			svc := object("v1", "Service", host, m.Namespace, mapping("labels", labels.Clone()))
			items := list()
			for _, p := range ports {
				items.Items = append(items.Items, mapping("name", text("tcp-"+p), "port", number(p)))
			}
			of := mapping("selector", mapping("app.kubernetes.io/name", text(name)), "ports", items)
			if s.Component().Bridge != nil {
				of.Set("publishNotReadyAddresses", truth(true)) // a bridge has Synapse ask it back while it starts
			}
			svc.Set("spec", of)
			m.put(name, svc)
		}
	}
}

// single reports whether a service bears no second of its kind beside it.
func (m *maker) single(s *deployment.Service) bool {
	return s.Program == component.Synapse || s.Program == component.Postgres || s.Component().Bridge != nil || slices.ContainsFunc(s.Mounts, func(mount deployment.Mount) bool {
		return !mount.Fleeting && !m.rendered(mount)
	})
}

// names are those under which others look for a service, each fit for DNS.
func (m *maker) names(s *deployment.Service) (names []string) {
	for _, n := range s.Names() {
		if n == label(n) && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// ports are those on which others ask a service.
func (m *maker) ports(s *deployment.Service) (ports []string) {
	add := func(p string) {
		if p != "" && p != "0" && !slices.Contains(ports, p) && strings.Trim(p, "0123456789") == "" {
			ports = append(ports, p)
		}
	}
	ls, _ := m.d.Listeners(s)
	for _, l := range ls {
		add(l.Port)
	}
	for _, t := range m.d.Calls() {
		if t.To == s {
			add(t.Port)
		}
	}
	for _, svc := range m.d.Routes().Services {
		for _, b := range svc.Backends {
			if b.Container == s.Name {
				add(b.Port)
			}
		}
	}
	if s.Program == component.Postgres && !s.Once {
		add(s.PostgresPort())
	}
	slices.Sort(ports)
	return ports
}

func hashOf(s *deployment.Service) string {
	for _, l := range s.Labels {
		if l.Key == confighash.Label {
			return l.Value
		}
	}
	return ""
}

// label is a name as one of DNS has to be.
func label(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(path.Clean(name)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

type node = source.Node
