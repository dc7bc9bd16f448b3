package manifests

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// The labels by which objects are found: what a pod is called, and of which kind it is one of several.
const (
	nameLabel = "app.kubernetes.io/name"
	kindLabel = "app.kubernetes.io/component"
)

// together are the programs of which a second may run beside the first, as it does while a Deployment is rolled out.
var together = []component.Program{component.MAS, component.HAProxy, component.Element, component.Ketesa, component.LkJwt}

// service makes the workload, its Secrets, its claims and its Service.
func (m *maker) service(s *deployment.Service) {
	name := label(s.Name)
	spec := m.pod(s)
	template := mapping("metadata", mapping("labels", m.podLabels(s)), "spec", spec)
	if hash := hashOf(s); hash != "" {
		template.Get("metadata").Set("annotations", mapping(confighash.Label, text(hash)))
	}
	selector := mapping("matchLabels", m.labels(s.Name))
	switch {
	case s.Once:
		m.job(s, template)
	case m.single(s):
		set := object("apps/v1", "StatefulSet", name, m.Namespace, mapping("labels", m.podLabels(s)))
		// Parallel, since in their order a pod that never became ready is not replaced by one that is set right (StatefulSets, Forced rollback).
		set.Set("spec", mapping("replicas", number("1"), "podManagementPolicy", text("Parallel"), "serviceName", text(name), "selector", selector, "template", template))
		m.put(name, set)
	default:
		d := object("apps/v1", "Deployment", name, m.Namespace, mapping("labels", m.podLabels(s)))
		of := mapping("replicas", number("1"), "selector", selector)
		if !slices.Contains(together, s.Program) {
			of.Set("strategy", mapping("type", text("Recreate")))
		}
		of.Set("template", template)
		d.Set("spec", of)
		m.put(name, d)
	}
	m.doors(s)
	m.budget(s)
}

// podLabels are the labels of a service, and its kind where there are several of it.
func (m *maker) podLabels(s *deployment.Service) *node {
	labels := m.labels(s.Name)
	if kind := kindOf(s); m.kinds[kind] > 1 {
		labels.Set(kindLabel, text(kind))
	}
	return labels
}

// kindOf is what a worker of Synapse is one of: its name without the number of it.
func kindOf(s *deployment.Service) string {
	return label(strings.TrimRight(label(s.Name), "0123456789"))
}

// job is a Job whose name says what it does: one that has run cannot be changed, and another one is made beside it.
func (m *maker) job(s *deployment.Service, template *node) {
	template.Get("spec").Set("restartPolicy", text("OnFailure"))
	said, err := template.YAML()
	if err != nil {
		m.err = err
		return
	}
	sum := sha256.Sum256(said)
	job := object("batch/v1", "Job", label(s.Name)+"-"+hex.EncodeToString(sum[:])[:8], m.Namespace, mapping("labels", m.podLabels(s)))
	job.Set("spec", mapping("backoffLimit", number("20"), "template", template))
	m.put(label(s.Name), job)
}

// byHand makes CronJobs that never run by themselves of a service that is started by name: kubectl create job --from runs one. What its
// command checks, another one does.
func (m *maker) byHand(s *deployment.Service) {
	spec := m.pod(s)
	spec.Set("restartPolicy", text("Never"))
	steps := []string{""}
	if args := spec.Get("containers").Items[0].Get("args"); args != nil && slices.ContainsFunc(args.Items, func(w *node) bool { return w.Text == "check" }) {
		steps = []string{"check", "migrate"}
	}
	for _, step := range steps {
		of, name := spec.Clone(), label(s.Name)
		if step != "" {
			name += "-" + step
			for i, w := range of.Get("containers").Items[0].Get("args").Items {
				if w.Text == "check" {
					of.Get("containers").Items[0].Get("args").Items[i] = text(step)
				}
			}
		}
		job := object("batch/v1", "CronJob", name, m.Namespace, mapping("labels", m.labels(s.Name)))
		template := mapping("metadata", mapping("labels", m.labels(s.Name)), "spec", of)
		job.Set("spec", mapping(
			"suspend", truth(true), "schedule", text("0 0 31 2 *"),
			"jobTemplate", mapping("spec", mapping("backoffLimit", number("0"), "template", template)),
		))
		m.put(label(s.Name), job)
	}
}

// single reports whether a service bears no second of its kind beside it, not even while a machine is lost: a StatefulSet starts
// none before the first is known to have ended.
func (m *maker) single(s *deployment.Service) bool {
	for _, w := range m.d.Workers {
		if w.Service == s {
			return m.keeps(s) || named(w)
		}
	}
	return s.Program == component.Synapse || s.Program == component.Postgres || s.Component().Bridge != nil || m.keeps(s)
}

// keeps reports whether a service has something that lasts.
func (m *maker) keeps(s *deployment.Service) bool {
	return slices.ContainsFunc(s.Mounts, func(mount deployment.Mount) bool { return !mount.Fleeting && !m.rendered(mount) })
}

// named reports whether the configuration names a worker for a work of its own, such as a stream that it writes: two of its name would
// both do it.
func named(w *deployment.Worker) bool {
	name := w.Named().Str()
	var says func(v source.Value) bool
	says = func(v source.Value) bool {
		switch v.Kind() {
		case source.Mapping:
			for _, below := range v.Entries() {
				if says(below) {
					return true
				}
			}
		case source.Sequence:
			return slices.ContainsFunc(v.Items(), says)
		default:
			return v.Str() == name
		}
		return false
	}
	for key, v := range w.Config.Root().Entries() {
		if key.Str() != "instance_map" && key.Str() != "worker_name" && says(v) {
			return true
		}
	}
	return false
}

// doors are the Services by which others find a service, under each of its names.
func (m *maker) doors(s *deployment.Service) {
	ports := m.ports(s)
	if len(ports) == 0 || s.Once {
		return
	}
	name := label(s.Name)
	for _, host := range m.names(s) {
		svc := object("v1", "Service", host, m.Namespace, mapping("labels", m.labels(s.Name)))
		items := list()
		for _, p := range ports {
			items.Items = append(items.Items, mapping("name", text("tcp-"+p), "port", number(p)))
		}
		of := mapping("selector", m.labels(s.Name), "ports", items)
		if s.Component().Bridge != nil {
			of.Set("publishNotReadyAddresses", truth(true)) // a bridge has Synapse ask it back while it starts
		}
		svc.Set("spec", of)
		m.put(name, svc)
	}
	m.media(s)
}

// media is the Service by which calls come to LiveKit from outside, under the numbers that it tells to clients. By a port of the node it
// would not be allowed where pods are held to be restricted.
func (m *maker) media(s *deployment.Service) {
	if s.Program != component.LiveKit || len(s.Ports) == 0 {
		return
	}
	items := list()
	for _, p := range s.Ports {
		items.Items = append(items.Items, mapping(
			"name", text(p.Protocol+"-"+strconv.Itoa(p.First)), "protocol", text(strings.ToUpper(p.Protocol)), "port", number(strconv.Itoa(p.First)), "targetPort", number(strconv.Itoa(p.Inner)),
		))
	}
	svc := object("v1", "Service", label(s.Name)+"-media", m.Namespace, mapping("labels", m.labels(s.Name)))
	svc.Set("spec", mapping(
		"type", text("LoadBalancer"), "externalTrafficPolicy", text("Local"), "selector", m.labels(s.Name), "ports", items,
	))
	m.put(label(s.Name), svc)
}

// budget says, with the first worker of a kind, that one of them may be away at a time. What there is one of has none: the machine that it
// runs on could never be emptied.
func (m *maker) budget(s *deployment.Service) {
	kind := kindOf(s)
	name := kind + "-workers"
	if m.kinds[kind] < 2 || !m.worker(s) || m.budgets[name] {
		return
	}
	m.budgets[name] = true
	budget := object("policy/v1", "PodDisruptionBudget", name, m.Namespace, mapping("labels", m.labels(kind)))
	budget.Set("spec", mapping("maxUnavailable", number("1"), "selector", mapping("matchLabels", mapping(kindLabel, text(kind)))))
	m.put(label(s.Name), budget)
}

// worker reports whether a service is a process of Synapse beside the main one.
func (m *maker) worker(s *deployment.Service) bool {
	return slices.ContainsFunc(m.d.Workers, func(w *deployment.Worker) bool { return w.Service == s })
}
