package adopt

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/spec"
)

// workers reads those that stackgen rendered, by the names of their services, and those of others by what they do.
func (r *reader) workers() {
	if !r.d.Chosen.Managed {
		r.foreignWorkers()
		return
	}
	for _, s := range r.d.Services {
		if kind := r.workerKind(s); kind != "" {
			if r.spec.Synapse.Workers == nil {
				r.spec.Synapse.Workers = make(spec.Workers)
			}
			r.spec.Synapse.Workers[kind]++
		}
	}
	if len(r.spec.Synapse.Workers) > 0 {
		r.spec.Synapse.Networks = append(r.networks(r.door(), true), r.spec.Synapse.Networks...)
		r.spec.HAProxy = pinned(r.door(), component.HAProxy)
		for _, s := range r.d.Services {
			if s.Program == component.Valkey && s.Name == "synapse-valkey" {
				r.spec.Valkey = pinned(s, component.Valkey)
			}
		}
		c := r.syn.Config
		r.keep("synapse.replication_secret", r.held(r.syn.Service, c.Root(), "worker_replication_secret", "worker_replication_secret_path"))
		r.keep("synapse.redis_password", r.held(r.syn.Service, c.At("redis"), "password", "password_path"))
	}
}

// pinned is the image of a program that stands for itself in a spec.
func pinned(s *deployment.Service, p component.Program) spec.Pinned {
	c := spec.Pinned{Version: s.Image.Tag}
	if s.Image.Digest != "" {
		c.Version += "@" + s.Image.Digest
	}
	if s.Image.Repository != component.Of(p).Tested.Repository {
		c.Image = s.Image.Repository
	}
	return c
}

// workerKind is what a process of a Synapse that stackgen rendered does, as the spec calls it; "" for any other service.
func (r *reader) workerKind(s *deployment.Service) string {
	name, ours := strings.CutPrefix(s.Name, r.syn.Name+"-")
	if worker, _ := s.Env(component.Of(component.Synapse).WorkerEnv); !ours || worker == "" {
		return ""
	}
	kind := strings.ReplaceAll(strings.TrimRight(name, "0123456789"), "-", "_")
	if !slices.Contains(spec.WorkerKinds(), kind) {
		return ""
	}
	return kind
}

// door is the service by which the proxy reaches Synapse: itself, or what stackgen renders before its workers.
func (r *reader) door() *deployment.Service {
	if r.d.Chosen.Managed {
		for _, s := range r.d.Services {
			if s.Program == component.HAProxy && s.Name == string(component.HAProxy) {
				return s
			}
		}
	}
	return r.syn.Service
}

// loopback is the port of the loopback address at which a proxy on the host finds Synapse; 0 for none.
func (r *reader) loopback() int {
	return r.door().Loopback(r.door().Component().Port)
}

// homeserver reports whether a container is Synapse to whoever asks: the main process, what stands before it, or a worker.
func (r *reader) homeserver(container string) bool {
	s := r.d.Service(container)
	return container == r.syn.Name || container == r.door().Name || s != nil && r.d.Chosen.Managed && r.workerKind(s) != ""
}
