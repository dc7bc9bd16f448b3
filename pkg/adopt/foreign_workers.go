package adopt

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// oldestWorkers is the first Synapse whose workers the spec renders.
var oldestWorkers = component.Version{1, 163, 0}

// foreignWorkers has each worker of somebody else's be a process of each kind of the spec that it is. Where one cannot be that, or
// the proxy that leads to them stays, none is: the reason is told, and the main process does their work.
func (r *reader) foreignWorkers() {
	all, _ := r.d.WorkersOf(r.syn)
	if len(all) == 0 {
		return
	}
	kinds := make(spec.Workers)
	var now, not []string
	for _, w := range all {
		is, why := r.kindsOf(w)
		if why != "" {
			not = append(not, w.Name+": "+why)
			continue
		}
		for _, k := range is {
			if kinds[k.Name]++; k.Single != "" {
				kinds[k.Name] = 1
			}
		}
		now = append(now, w.Name+" is "+kindNames(is))
	}
	at := all[0].Site("the workers")
	if v, known := r.syn.Image.Version(); known && v.Less(oldestWorkers) {
		not = []string{"the spec has those of Synapse 1.163 and newer"}
	}
	if by := r.ledBy(all); by != "" && len(not) == 0 {
		not = []string{by + " stays as it is, and leads to them; once it leads all requests for Synapse to haproxy, `synapse: {workers: {" + counts(kinds) + "}}` is what they are"}
	}
	if len(not) > 0 {
		r.note(at, "workers are not taken over, and the main process does their work from then on. "+strings.Join(not, "; "), "synapse")
		return
	}
	r.notes = append(r.notes, Note{Field: []string{"synapse", "workers"}, Text: strings.Join(now, ", ") + "; HAProxy leads to each what is its", Site: at, Aside: true})
	r.spec.Synapse.Workers = kinds
	c := r.syn.Config
	r.keep("synapse.replication_secret", r.held(r.syn.Service, c.Root(), "worker_replication_secret", "worker_replication_secret_path"))
	r.keep("synapse.redis_password", r.held(r.syn.Service, c.At("redis"), "password", "password_path"))
}

// counts are kinds as the spec has them.
func counts(kinds spec.Workers) string {
	var all []string
	for _, name := range spec.WorkerKinds() {
		if n := kinds[name]; n > 0 {
			all = append(all, fmt.Sprintf("%s: %d", name, n))
		}
	}
	return strings.Join(all, ", ")
}

// modules are the modules of Synapse that said what a worker does before settings did (docs/workers.md, "Historical apps").
var modules = map[string]string{
	"synapse.app.federation_sender": "federation_sender", "synapse.app.pusher": "pusher", "synapse.app.appservice": "appservice",
	"synapse.app.user_dir": "user_dir", "synapse.app.media_repository": "media", "synapse.app.federation_reader": "federation_reader", "synapse.app.synchrotron": "sync",
	"synapse.app.client_reader": "client",
}

// kindsOf are the kinds of the spec that a worker is, or why it cannot be said.
func (r *reader) kindsOf(w *deployment.Worker) (is []component.WorkerKind, why string) {
	c, name := w.Config, w.Named().Str()
	if !c.Root().Set() || name == "" {
		return nil, "its configuration was not seen"
	}
	var serves []string
	for _, l := range c.At("worker_listeners").Items() {
		serves = append(serves, served(l)...)
	}
	for _, k := range component.WorkerKinds {
		does := k.Instance != "" && c.At(k.Instance).Str() == name || k.Instances != "" && given(c.At(k.Instances), name) || modules[or(c.At("worker_app").Str(), w.App())] == k.Name
		for _, stream := range k.Streams {
			does = does || given(c.At("stream_writers", stream), name)
		}
		if k.Name == "media" {
			does = does || slices.Contains(serves, "media") && c.At("enable_media_repo").True()
		}
		if does {
			is = append(is, k)
		}
	}
	if len(is) == 0 {
		if is = r.answering(w, serves); is == nil {
			return nil, "no setting gives it anything to do"
		}
	}
	return is, ""
}

// answering is the kind of a worker that only answers requests, by which it may answer and gets.
func (r *reader) answering(w *deployment.Worker, serves []string) []component.WorkerKind {
	kind := ""
	switch clients, servers := slices.Contains(serves, "client"), slices.Contains(serves, "federation"); {
	case clients && servers:
		kind = "generic"
	case clients:
		kind = "client"
		if r.leadsTo(w, "/_matrix/client/v3/sync") && !r.leadsTo(w, "/_matrix/client/v3/publicRooms") {
			kind = "sync"
		}
	case servers:
		kind = "federation_reader"
	}
	i := slices.IndexFunc(component.WorkerKinds, func(k component.WorkerKind) bool { return k.Name == kind })
	if i < 0 {
		return nil
	}
	return component.WorkerKinds[i : i+1]
}

// leadsTo reports whether the proxy leads a request to the worker.
func (r *reader) leadsTo(w *deployment.Worker, path string) bool {
	res := r.d.Routes().Match("GET", r.syn.MatrixHost(), path)
	return res.Backend != nil && res.Backend.Container == w.Name
}

// ledBy is the proxy that leads requests to the workers and stays as it is; "" where none does.
func (r *reader) ledBy(all []*deployment.Worker) string {
	front := r.d.Front()
	switch {
	case r.labelled() || front.Name == "Caddy" && r.labels("caddy"):
		return ""
	case front.Service != nil:
		return front.Service.Name
	case slices.ContainsFunc(all, func(w *deployment.Worker) bool { return len(w.Ports) > 0 }):
		return "a proxy outside of the stack"
	}
	return ""
}

// given reports whether a setting, which may be one name or a list of them, names the worker.
func given(v source.Value, name string) bool {
	return v.Str() == name || slices.Contains(deployment.ItemTexts(v), name)
}

func kindNames(kinds []component.WorkerKind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return strings.Join(names, " and ")
}
