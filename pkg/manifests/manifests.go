// Package manifests makes manifests of Kubernetes of a deployment of Compose, which run the same containers with the very same files:
// each Service is called as its service, so that every address stays what it is.
package manifests

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// Kustomization is the file that names all others.
const Kustomization = "kustomization.yaml"

// Options is what Compose does not say. The zero value is a cluster of which nothing is known.
type Options struct {
	// Header is a comment on top of each file.
	Header string
	// Namespace that all is in; empty for where kubectl is set to.
	Namespace string
	// Gateway that HTTPRoutes hang on, and Ingress, where routes are Ingresses; both nil for no routes at all.
	Gateway *Gateway
	Ingress *Ingress
	// Proxy is the namespace in which the pods of the Gateway's or the Ingress's controller run: nobody else reaches what they lead to.
	// Empty where that is not known.
	Proxy string
	// StorageClass of the claims, empty for the cluster's own, and how much each service is given for what it keeps, such as 100Gi.
	StorageClass string
	Storage      map[string]string
	// Ports are those of services besides what their configurations say.
	Ports map[string][]int
	// Database is what the PostgreSQL of the deployment becomes: single, a pod, which is the default; cnpg, a cluster of
	// CloudNativePG; external, where it has none.
	Database string
	// Secret reports whether a text holds a secret, besides what looks like one. nil: that is all that is known.
	Secret func(text string) bool
	// Snapshots of a cluster of CloudNativePG; nil for none.
	Snapshots *Snapshots
	// SecretsApart leaves the Secrets out of the kustomization: something else makes them in the cluster.
	SecretsApart bool
	// ESS leaves to the chart of Element Server Suite what that runs (component.ESS).
	ESS bool
	// Handed are Secrets that no pod of the deployment has, by name: the directory with the files of each.
	Handed map[string]string
}

// maker is what is gathered of one deployment.
type maker struct {
	Options
	d       *deployment.Deployment
	secrets map[string]*node // by name
	files   map[string][]*node
	order   []string
	holds   map[string]string // the name of the Secret with the files of a directory
	claims  map[string]string // the name of the claim of what is kept somewhere
	kinds   map[string]int    // how many workers there are of a kind
	budgets map[string]bool
	err     error
}

// From gives the files: one for each service, with its Secrets, and the kustomization that names them.
func From(d *deployment.Deployment, o Options) ([]memfs.File, error) {
	m := &maker{
		Options: o, d: d, secrets: make(map[string]*node), files: make(map[string][]*node), holds: make(map[string]string), claims: make(map[string]string),
		kinds: make(map[string]int), budgets: make(map[string]bool),
	}
	if o.Namespace != "" {
		m.put("namespace", object("v1", "Namespace", o.Namespace, "", mapping("labels", mapping("pod-security.kubernetes.io/warn", text("restricted")))))
	}
	for _, w := range d.Workers {
		m.kinds[kindOf(w.Service)]++
	}
	for _, name := range slices.Sorted(maps.Keys(o.Handed)) {
		data := mapping()
		for _, file := range m.below(o.Handed[name]) {
			data.Set(file, m.content(path.Join(o.Handed[name], file)))
		}
		m.secret(name, name, data)
	}
	for _, s := range d.Services {
		switch {
		case m.kept(s):
		case s.Absent.Why == "" && m.operated(s):
			m.cluster(s)
		case s.Absent.Why == "":
			m.service(s)
		case len(s.Profiles) > 0:
			m.byHand(s)
		}
	}
	m.policies()
	if err := m.routes(); err != nil {
		return nil, err
	}
	return m.written()
}

// kept reports whether a chart runs a service.
func (m *maker) kept(s *deployment.Service) bool {
	_, ok := component.OfESS(s.Program)
	return ok && m.ESS
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
	return mapping(nameLabel, text(label(service)), "app.kubernetes.io/part-of", text(m.partOf()))
}

// put adds an object to a file.
func (m *maker) put(file string, n *node) {
	if m.files[file] == nil {
		m.order = append(m.order, file)
	}
	m.files[file] = append(m.files[file], n)
}

// written are the files: one for each component, one with its Secrets in secretsDir, and the kustomization that names them.
func (m *maker) written() (files []memfs.File, err error) {
	if m.err != nil {
		return nil, m.err
	}
	resources := list()
	for _, name := range m.order {
		file := memfs.File{Path: name + ".yaml"}
		if file.Data, err = m.text(m.files[name]...); err != nil {
			return nil, err
		}
		files = append(files, file)
		if !m.SecretsApart || path.Dir(name) != secretsDir {
			resources.Items = append(resources.Items, text(file.Path))
		}
	}
	k := mapping("apiVersion", text("kustomize.config.k8s.io/v1beta1"), "kind", text("Kustomization"))
	if m.Namespace != "" {
		k.Set("namespace", text(m.Namespace))
	}
	k.Set("resources", resources)
	out, err := m.text(k)
	return append(files, memfs.File{Path: Kustomization, Data: out}), err
}

// text is a file of objects.
func (m *maker) text(objects ...*node) ([]byte, error) {
	var b strings.Builder
	if m.Header != "" {
		b.WriteString("# " + m.Header + "\n")
	}
	for i, n := range objects {
		if i > 0 {
			b.WriteString("---\n")
		}
		text, err := n.YAML()
		if err != nil {
			return nil, err
		}
		b.Write(text)
	}
	return []byte(b.String()), nil
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
	for _, p := range m.Ports[s.Name] {
		add(strconv.Itoa(p))
	}
	switch {
	case s.Program == component.Postgres && !s.Once:
		add(s.PostgresPort())
	case s.Program == component.Valkey:
		add(strconv.Itoa(s.Component().Port))
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
