package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var workerDutiesDone = Rule{
	ID: "worker-duties-done", Severity: finding.Error,
	Summary: "what is taken from the main process of Synapse is done by a worker, and once",
	Why:     "Nothing is sent to other servers, no notification reaches a phone, no media can be loaded: the main process leaves it to a worker that is not there. Or each of two workers takes it for its own, and everything is sent twice.",
	Fix:     "Name the workers in federation_sender_instances, pusher_instances and the like, in the file that all processes read.",
	Source:  "Synapse 1.163.2 config/workers.py (_worker_names_performing_this_duty, _should_this_worker_perform_duty), config/repository.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			workers, known := d.WorkersOf(s)
			if len(workers) == 0 || !known || s.Partial() {
				continue
			}
			for _, l := range legacyDuties {
				checkLegacy(r, s, workers, l)
			}
			for _, key := range singleDuties {
				if v := s.Config.At(key); v.Kind() == source.Sequence || v.Kind() == source.Mapping {
					r.Fail(key+" is a list, and takes the name of one worker; no process finds itself in it, and nobody does it", key+": the name of one worker", v.Site(""))
				}
			}
			checkMediaServed(r, d, s, workers)
			checkMediaShared(r, d, s, workers)
		}
	},
}

// singleDuties are those that one process does, by its name.
var singleDuties = []string{"notify_appservices_from_worker", "update_user_directory_from_worker", "run_background_tasks_on", "media_instance_running_background_jobs"}

// legacyDuty is a duty that a switch takes from the main process, and a list or a kind of worker does then.
type legacyDuty struct{ off, list, app, left string }

var legacyDuties = []legacyDuty{
	{"send_federation", "federation_sender_instances", "synapse.app.federation_sender", "nothing is sent to other servers"},
	{"start_pushers", "pusher_instances", "synapse.app.pusher", "no notification reaches a phone"},
}

func checkLegacy(r *Reporter, s *deployment.Synapse, workers []*deployment.Worker, l legacyDuty) {
	off, list := s.Config.At(l.off), s.Config.At(l.list)
	var old []*deployment.Worker // those of the kind, which without a list each do all of it
	for _, w := range workers {
		if w.Config.At("worker_app").Str() == l.app && !w.Config.At(l.list).Set() {
			old = append(old, w)
		}
	}
	switch {
	case !list.Set() && deployment.IsFalse(off) && len(old) == 0 && !anyHas(workers, l.list):
		r.Warn(fmt.Sprintf("%s is false, and no worker is named in %s; unless that is meant, or one runs elsewhere, %s", l.off, l.list, l.left), l.list+": [the name of a worker]", off.Site(""))
	case list.Set() && list.Kind() == source.Sequence && len(list.Items()) == 0:
		r.Warn(fmt.Sprintf("%s is empty; unless that is meant, %s", l.list, l.left), l.list+": [the name of a worker]", list.Site(""))
	case len(old) > 1 && !list.Set() && deployment.IsFalse(off):
		var names []string
		var sites []source.Site
		for _, w := range old {
			names, sites = append(names, w.Name), append(sites, w.Config.At("worker_app").Site(""))
		}
		r.Fail(fmt.Sprintf("%s are of %s, and no %s divides the work between them; each does all of it, and everything is sent more than once", finding.Sentence(names, "and"), l.app, l.list),
			l.list+": [their names], in the file that all processes read", append(sites, list.Site(""))...)
	}
}

func anyHas(workers []*deployment.Worker, key string) bool {
	return slices.ContainsFunc(workers, func(w *deployment.Worker) bool { return w.Config.At(key).Set() })
}

// hasMedia reports whether a process has the media repository.
func hasMedia(config *source.File) bool {
	return !deployment.IsFalse(config.At("enable_media_repo")) || config.At("worker_app").Str() == "synapse.app.media_repository"
}

// checkMediaServed has a process serve media where the main one does not.
func checkMediaServed(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, workers []*deployment.Worker) {
	if hasMedia(s.Config) || slices.ContainsFunc(workers, func(w *deployment.Worker) bool { return hasMedia(w.Config) }) {
		return
	}
	if reaches(d.Routes().Match("POST", s.MatrixHost(), "/_matrix/media/v3/upload"), s.Service, "") {
		return // worker-answers says so
	}
	off := s.Config.At("enable_media_repo")
	r.Warn("enable_media_repo is false for every process here; unless one runs elsewhere, no picture can be sent or seen", "enable_media_repo: true in the configuration of one worker, with media among the names of its listener", off.Site(""))
}

// checkMediaShared has the workers that serve media keep them in one place.
func checkMediaShared(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, workers []*deployment.Worker) {
	if len(s.Config.At("media_storage_providers").Items()) > 0 {
		return // what one has not it may fetch
	}
	var first *deployment.Worker
	var where string
	for _, w := range workers {
		at := w.Config.At("media_store_path")
		ls, _ := d.Listeners(w.Service)
		serves := slices.ContainsFunc(ls, func(l deployment.Listener) bool { return slices.Contains(l.Resources, "media") })
		m := w.MountAt(w.Inside(at.Str()))
		if !hasMedia(w.Config) || !serves || !at.Set() || m == nil || m.Source == "" {
			continue
		}
		place := m.Source + strings.TrimPrefix(w.Inside(at.Str()), m.Container)
		if first == nil {
			first, where = w, place
			continue
		}
		if place != where {
			r.Fail(fmt.Sprintf("the workers %s and %s keep media in two places; what is sent to one the other does not find", first.Name, w.Name),
				"have media_store_path of both be the same directory", w.Site(""), first.Site(""))
		}
	}
}
