package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// unhanded is a file that a worker reads and that is not in its container.
type unhanded struct {
	at     source.Value
	reason string
	by     *deployment.Worker
}

// checkHanded has the files that a worker reads be in its own container: what the main process is handed, each worker has to be, too.
func checkHanded(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, workers []*deployment.Worker) {
	var all []unhanded
	missing := func(by *deployment.Service, at source.Value) string {
		_, _, reason := d.Text(by, by.Inside(at.Str()))
		if m := by.MountAt(by.Inside(at.Str())); !deployment.LeadsNowhere(reason) || m != nil && strings.HasPrefix(m.Container, "/run/secrets/") {
			return "" // of a secret whose file is missing compose-mount-exists tells
		}
		return reason
	}
	for _, w := range workers {
		if !w.Config.Root().Set() || w.Partial() {
			continue
		}
		for _, key := range component.Of(component.Synapse).Held {
			for _, parent := range deployment.Each(w.Config.Root(), key.Below) {
				at := parent.At(key.File)
				if key.File == "" || !at.Set() || unfilled(at.Str()) {
					continue
				}
				// What the main process misses, too, synapse-required-keys tells, and what it makes it makes in its own container.
				if reason := missing(w.Service, at); reason != "" && (s.Config.At(strings.Split(at.Path(), ".")...).Str() != at.Str() || missing(s.Service, at) == "") {
					all = append(all, unhanded{at, reason, w})
				}
			}
		}
		if at := w.Config.At("worker_log_config"); at.Set() && !unfilled(at.Str()) && !shellVariable().MatchString(at.Str()) {
			if reason := missing(w.Service, at); reason != "" {
				all = append(all, unhanded{at, reason, w})
			}
		}
	}
	for len(all) > 0 {
		first := all[0]
		var same []unhanded
		all = slices.DeleteFunc(all, func(u unhanded) bool {
			is := u.at.Pos() == first.at.Pos() && u.at.Path() == first.at.Path()
			if is {
				same = append(same, u)
			}
			return is
		})
		severally(r, same, func(u unhanded) []source.Site { return u.by.MountSites(u.at.Str()) }, sayUnhanded)
	}
}

func sayUnhanded(r *Reporter, all []unhanded) {
	var names []string
	sites := []source.Site{all[0].at.Site("")}
	for _, u := range all {
		names, sites = append(names, u.by.Name), append(sites, u.by.MountSites(u.at.Str())...)
	}
	does := "does not start"
	if len(names) > 1 {
		does = "do not start"
	}
	r.Fail(fmt.Sprintf("%s leads to no file in the containers of workers: %s; %s %s", all[0].at.Path(), all[0].reason, finding.Sentence(names, "and"), does),
		"hand each worker what the main process is handed", sites...)
}

// checkModule has the module that a worker is started by be one of Synapse's.
func checkModule(r *Reporter, w *deployment.Worker) {
	app, at := w.Env(component.Of(component.Synapse).WorkerEnv)
	if kind, ok := strings.CutPrefix(app, "synapse.app."); app == "" || app == "synapse.app.homeserver" || strings.Contains(app, "$") || ok && slices.Contains(workerApps, kind) {
		return
	}
	r.Fail(fmt.Sprintf("%s is %q, which is none of Synapse's; %s does not start (\"No module named\")", component.Of(component.Synapse).WorkerEnv, app, w.Name), component.Of(component.Synapse).WorkerEnv+": synapse.app.generic_worker", at.Site(""))
}

// checkMute has a worker listen where its health check asks.
func checkMute(r *Reporter, d *deployment.Deployment, s *deployment.Service, port string) bool {
	i := slices.IndexFunc(d.Workers, func(w *deployment.Worker) bool { return w.Service == s })
	if i < 0 || !d.Workers[i].Config.Root().Set() || s.Partial() || len(d.Workers[i].Config.At("worker_listeners").Items()) > 0 || !heeded(d, s) && s.Health().BuiltIn {
		return false
	}
	report, effect := r.Fail, d.Lines.Unwell
	if !heeded(d, s) {
		report, effect = r.Warn, "the container is unhealthy for ever, which nobody here goes by"
	}
	at := d.Workers[i].Config.At("worker_listeners")
	report(fmt.Sprintf("the health check of %s asks port %s, and the worker has no worker_listeners; %s", s.Name, port, effect), "worker_listeners: [{port: "+port+", type: http, resources: [{names: [health]}]}]", s.Health().At.Site(""), at.Site(""))
	return true
}
