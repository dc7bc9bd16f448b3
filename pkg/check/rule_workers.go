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

var workerStarts = Rule{
	ID: "worker-starts", Severity: finding.Error,
	Summary: "each worker of Synapse starts, has a name of its own, and finds the main process, the other writers and Redis",
	Why:     "The worker stops: \"Missing data for a worker to connect to main process\", \"'worker_replication_host' is no longer a supported worker setting\", an AssertionError without Redis. Or a part of the work is left undone: nothing is sent to other servers, no notification reaches a phone.",
	Fix:     "Write what the message names: instance_map and redis into the configuration that all processes share, worker_name into the worker's own.",
	Source:  "Synapse 1.163.2 config/workers.py, app/generic_worker.py, app/homeserver.py, server.py; docs/upgrade.md (1.88); docs/workers.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			workers, known := d.WorkersOf(s)
			checkInstances(r, d, s.Service, s.Config)
			if len(workers) > 0 && known && !s.Partial() {
				checkDuties(r, s, workers)
			}
		}
		var noMain, noRedis []*deployment.Worker
		names := make(map[string]*deployment.Worker)
		for _, w := range d.Workers {
			if !w.Config.Root().Set() || w.Partial() {
				continue // compose-mount-exists says so
			}
			checkWorker(r, w)
			noMain, noRedis = alone(w, noMain, noRedis)
			checkInstances(r, d, w.Service, w.Config)
			name := w.Named()
			if first := names[name.Str()]; first != nil && first.Main == w.Main {
				r.Fail(fmt.Sprintf("%s and %s are both called %q; each takes the other's place in the streams of Synapse, and what one has missed nobody sends again", first.Name, w.Name, name.Str()),
					"worker_name: another one for each", name.Site(""), w.Site(""), first.Site(""))
				continue
			}
			names[name.Str()] = w
		}
		sayOnce(r, noMain, "instance_map.main", "cannot find the main process and does not start (\"Missing data for a worker to connect to main process\")", "instance_map: {main: {host: …, port: …}}")
		sayOnce(r, noRedis, "redis.enabled", "has no Redis, by which the processes of Synapse speak to each other, and stops with an AssertionError", "redis: {enabled: true, host: …}")
	},
}

// sayOnce says once what several workers lack.
func sayOnce(r *Reporter, workers []*deployment.Worker, key, what, fix string) {
	if len(workers) == 0 {
		return
	}
	var names []string
	sites := []source.Site{workers[0].Config.At(strings.Split(key, ".")...).Site("")}
	for _, w := range workers {
		names = append(names, w.Name)
		sites = append(sites, w.Site(""))
	}
	who := "the worker " + names[0]
	if len(names) > 1 {
		who = "each of the workers " + sentence(names, "and")
	}
	r.Fail(who+" "+what, fix, sites...)
}

// alone adds the worker to those that are not told where the main process is, and to those without Redis.
func alone(w *deployment.Worker, noMain, noRedis []*deployment.Worker) (main, redis []*deployment.Worker) {
	if v, tagged := w.Image.Version(); (!tagged || !v.Less(component.Version{1, 88, 0})) && !w.Config.At("instance_map", "main").Exists() {
		noMain = append(noMain, w)
	}
	if !w.Config.At("redis", "enabled").True() {
		noRedis = append(noRedis, w)
	}
	return noMain, noRedis
}

// gone are the settings that led a worker to the main process before instance_map did.
var gone = []string{"worker_replication_host", "worker_replication_http_port", "worker_replication_http_tls"}

func checkWorker(r *Reporter, w *deployment.Worker) {
	config := w.Config
	switch app := config.At("worker_app"); {
	case w.Misstarted():
		r.Fail(w.Name+" is started as the main process, and its configuration is that of a worker; it stops (\"You have specified `worker_app` in the config\")",
			"SYNAPSE_WORKER: synapse.app.generic_worker in its environment, or that module in its command", app.Site(""), w.Site(""))
	case !app.Set():
		r.Fail(w.Name+" is started as a worker, and its configuration has no worker_app; it stops with an AssertionError", "worker_app: synapse.app.generic_worker", app.Site(""), w.Site(""))
	}
	v, tagged := w.Image.Version()
	if !tagged || !v.Less(component.Version{1, 88, 0}) {
		for _, key := range gone {
			if old := config.At(key); old.Set() && !deployment.IsFalse(old) {
				r.Fail(key+" is no longer a setting of a worker; it does not start", "instance_map: {main: {host: …, port: …}} in the configuration that all share, and remove the line", old.Site(""), w.Site(""))
				return
			}
		}
	}
}

// checkInstances has the places in instance_map lead to the process that is meant, and to a listener of it.
func checkInstances(r *Reporter, d *deployment.Deployment, s *deployment.Service, config *source.File) {
	type deafWorker struct {
		name, port source.Value
		to         *deployment.Service
	}
	var deaf []deafWorker
	for name, at := range config.At("instance_map").Entries() {
		host, port := at.At("host"), at.At("port")
		to := d.ServiceAt(host.Str())
		if to == nil || !meant(d, to, name.Str()) {
			if to != nil {
				r.Fail(fmt.Sprintf("instance_map has %s at %s, which is another process; what it is sent is lost", name.Str(), host.Str()), "host: the service that runs "+name.Str(), host.Site(""), to.Site(""))
			}
			continue
		}
		ls, known := d.Listeners(to)
		replicates := func(l deployment.Listener) bool {
			return l.Port == port.Str() && slices.Contains(l.Resources, "replication") && !l.Loopback
		}
		if known && !partial(d, to) && !slices.ContainsFunc(ls, replicates) && to != s {
			deaf = append(deaf, deafWorker{name, port, to})
		}
	}
	severally(r, deaf, func(w deafWorker) []source.Site { return []source.Site{w.port.Site("")} }, func(r *Reporter, deaf []deafWorker) {
		var names []string
		var sites []source.Site
		for _, w := range deaf {
			names = append(names, w.name.Str())
			sites = append(sites, w.port.Site(""), w.to.Site(""))
		}
		first, where := deaf[0].port.Str(), fmt.Sprintf("at port %s, where it has", deaf[0].port.Str())
		if len(deaf) > 1 {
			where = "at ports where they have"
		}
		r.Fail(fmt.Sprintf("instance_map has %s %s no listener for replication that others reach; the processes of Synapse cannot speak to each other", sentence(names, "and"), where),
			"- {port: "+first+", type: http, bind_addresses: [\"0.0.0.0\"], resources: [{names: [replication]}]}", sites...)
	})
}

// meant reports whether a service is the process of that name, or may be.
func meant(d *deployment.Deployment, s *deployment.Service, name string) bool {
	for _, w := range d.Workers {
		if w.Service == s {
			return !w.Named().Set() || w.Named().Str() == name
		}
	}
	return s.Program == component.Unknown || s.Program == component.Synapse && (name == "main" || name == "master")
}

func partial(d *deployment.Deployment, s *deployment.Service) bool {
	return s.Partial() || slices.ContainsFunc(d.Workers, func(w *deployment.Worker) bool { return w.Service == s && !w.Config.At("worker_listeners").Set() })
}

// duties are the settings that give work to a process by its name, and what comes of it where there is none.
var duties = []struct{ key, left string }{
	{"federation_sender_instances", "nothing of it is sent to other servers"},
	{"pusher_instances", "no notification of it reaches a phone"},
	{"notify_appservices_from_worker", "no bridge hears of anything"},
	{"update_user_directory_from_worker", "nobody new is found in the user directory"},
	{"run_background_tasks_on", "nothing is cleaned up"},
	{"media_instance_running_background_jobs", "no old media are removed"},
}

// checkDuties has somebody do what is given to a worker. Other workers may run elsewhere.
func checkDuties(r *Reporter, s *deployment.Synapse, workers []*deployment.Worker) {
	check := func(at source.Value, left string) {
		name := at.Str()
		if name == "" || name == "master" || name == "main" || slices.ContainsFunc(workers, func(w *deployment.Worker) bool { return w.Named().Str() == name }) {
			return
		}
		var have []string
		for _, w := range workers {
			have = append(have, w.Named().Str())
		}
		r.Warn(fmt.Sprintf("no worker here is called %s; unless one runs elsewhere, %s", name, left), "one of "+strings.Join(have, ", "), at.Site(""))
	}
	for _, duty := range duties {
		for _, at := range oneOrMore(s.Config.At(duty.key)) {
			check(at, duty.left)
		}
	}
	for _, w := range writers {
		for _, at := range oneOrMore(s.Config.At("stream_writers", w.stream)) {
			check(at, "every request that needs the stream "+w.stream+" fails")
		}
	}
}
