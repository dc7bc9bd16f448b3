package check

import (
	"cmp"
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
		var told instances
		var old []oldSetting
		for _, s := range d.Synapses {
			told.read(d, s.Service, s.Config)
		}
		var noMain, noRedis []*deployment.Worker
		names := make(map[string]*deployment.Worker)
		for _, w := range d.Workers {
			if !w.Config.Root().Set() || w.Partial() {
				continue // compose-mount-exists says so
			}
			checkApp(r, w)
			checkModule(r, w)
			for i, l := range w.Config.At("worker_listeners").Items() {
				checkListener(r, &deployment.Synapse{Service: w.Service, Config: w.Config}, l, fmt.Sprintf("listener %d of %s", i+1, w.Name))
			}
			old = append(old, oldSettings(w)...)
			noMain, noRedis = alone(w, noMain, noRedis)
			told.read(d, w.Service, w.Config)
			name := w.Named()
			if !name.Set() && !w.OwnImage() {
				continue // what starts it in an image of somebody's own may name it
			}
			if first := names[name.Str()]; first != nil && first.Main == w.Main {
				r.Fail(fmt.Sprintf("%s and %s are both called %q; each takes the other's place in the streams of Synapse, and what one has missed nobody sends again", first.Name, w.Name, name.Str()),
					"worker_name: another one for each", name.Site(""), w.Site(""), first.Site(""))
				continue
			}
			names[name.Str()] = w
		}
		told.check(r, d.Lines.Stranger)
		for _, s := range d.Synapses {
			if workers, known := d.WorkersOf(s); len(workers) > 0 && known && !s.Partial() {
				checkDuties(r, s, workers, told)
			}
			if workers, _ := d.WorkersOf(s); !s.Partial() {
				checkHanded(r, d, s, workers)
			}
		}
		checkOld(r, old)
		checkRefused(r, d)
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
		who = "each of the workers " + finding.Sentence(names, "and")
	}
	r.Fail(who+" "+what, fix, sites...)
}

// alone adds the worker to those that are not told where the main process is, and to those without Redis. One that is told in the old
// way is checkOld's, whose fix is the same.
func alone(w *deployment.Worker, noMain, noRedis []*deployment.Worker) (main, redis []*deployment.Worker) {
	if v, tagged := w.Image.Version(); (!tagged || !v.Less(component.Version{1, 88, 0})) && !w.Config.At("instance_map", "main").Exists() && len(oldSettings(w)) == 0 {
		noMain = append(noMain, w)
	}
	if !w.Config.At("redis", "enabled").True() {
		noRedis = append(noRedis, w)
	}
	return noMain, noRedis
}

// gone are the settings that led a worker to the main process before instance_map did.
var gone = []string{"worker_replication_host", "worker_replication_http_port", "worker_replication_http_tls"}

// oldSetting is one of them in what a worker reads.
type oldSetting struct {
	key string
	at  source.Value
	by  *deployment.Worker
}

// oldSettings gives the first that stops the worker.
func oldSettings(w *deployment.Worker) []oldSetting {
	if v, tagged := w.Image.Version(); tagged && v.Less(component.Version{1, 88, 0}) {
		return nil
	}
	for _, key := range gone {
		if old := w.Config.At(key); old.Set() && !deployment.IsFalse(old) {
			return []oldSetting{{key, old, w}}
		}
	}
	return nil
}

func checkOld(r *Reporter, old []oldSetting) {
	severally(r, old, func(o oldSetting) []source.Site { return []source.Site{o.at.Site("")} }, func(r *Reporter, old []oldSetting) {
		var keys, names []string
		var sites []source.Site
		for _, o := range old {
			keys, names = append(keys, o.key), append(names, o.by.Name)
			sites = append(sites, o.at.Site(""), o.by.Site(""))
		}
		keys, what, who := deployment.Unique(keys), " is no longer a setting of a worker; ", names[0]+" does not start"
		if len(keys) > 1 {
			what = " are no longer settings of a worker; "
		}
		if len(names) > 1 {
			who = finding.Sentence(names, "and") + " do not start"
		}
		r.Fail(finding.Sentence(keys, "and")+what+who, "instance_map: {main: {host: …, port: …}} in the configuration that all share, and remove the line", sites...)
	})
}

func checkApp(r *Reporter, w *deployment.Worker) {
	switch app := w.Config.At("worker_app"); {
	case w.Misstarted():
		r.Fail(w.Name+" is started as the main process, and its configuration is that of a worker; it stops (\"You have specified `worker_app` in the config\")",
			"SYNAPSE_WORKER: synapse.app.generic_worker in its environment, or that module in its command", app.Site(""), w.Site(""))
	case app.Str() == "synapse.app.homeserver":
		r.Fail(w.Name+" is started as a worker, and its worker_app is that of the main process; it stops with an AssertionError", "worker_app: synapse.app.generic_worker", app.Site(""), w.Site(""))
	case !app.Set():
		r.Fail(w.Name+" is started as a worker, and its configuration has no worker_app; it stops with an AssertionError", "worker_app: synapse.app.generic_worker", app.Site(""), w.Site(""))
	}
}

// instance is a process as instance_map has it.
type instance struct {
	name, host, port source.Value
	to               *deployment.Service
	by               source.Value   // the name of the worker that is there
	listeners        []source.Value // what that one listens on for others
}

// instances are the places in instance_map that lead astray, each once, however many processes read it.
type instances struct{ wrong, deaf, strange []instance }

// read has the places in what a process reads lead to the process that is meant, and to a listener of it. Synapse sends requests to the main
// process and to those that write a stream; what instance_map has of others nobody reads.
func (told *instances) read(d *deployment.Deployment, s *deployment.Service, config *source.File) {
	for name, at := range config.At("instance_map").Entries() {
		one := instance{name: name, host: at.At("host"), port: at.At("port"), to: d.ServiceAt(at.At("host").Str())}
		for _, w := range d.Workers {
			if w.Service == one.to {
				one.by = w.Named()
			}
		}
		if isAsked(config, name.Str()) && strange(d, s, one.host.Str()) && !slices.ContainsFunc(told.strange, func(i instance) bool { return i.host.Site("").Pos == one.host.Site("").Pos }) {
			told.strange = append(told.strange, one)
		}
		known := func(i instance) bool { return i.port.Site("").Pos == one.port.Site("").Pos }
		if one.to == nil || !isAsked(config, name.Str()) || slices.ContainsFunc(told.wrong, known) || slices.ContainsFunc(told.deaf, known) {
			continue
		}
		if !meant(d, one.to, name.Str()) {
			told.wrong = append(told.wrong, one)
			continue
		}
		ls, heard := d.Listeners(one.to)
		replicates := func(l deployment.Listener) bool {
			return l.Port == d.Inner(at.At("host").Str(), one.port.Str()) && slices.Contains(l.Resources, "replication") && !l.Loopback
		}
		for _, l := range ls {
			if slices.Contains(l.Resources, "replication") {
				one.listeners = append(one.listeners, l.Value)
			}
		}
		if heard && !partial(d, one.to) && !slices.ContainsFunc(ls, replicates) && one.to != s {
			told.deaf = append(told.deaf, one)
		}
	}
}

// isAsked reports whether other processes send requests to that one.
func isAsked(config *source.File, name string) bool {
	named := func(v source.Value) bool { return v.Str() == name }
	if name == "main" || name == "master" || slices.ContainsFunc(config.At("outbound_federation_restricted_to").Items(), named) {
		return true
	}
	for _, writer := range config.At("stream_writers").Entries() {
		if slices.ContainsFunc(oneOrMore(writer), named) {
			return true
		}
	}
	return false
}

func (told *instances) check(r *Reporter, stranger string) {
	for _, i := range told.strange {
		r.Warn(fmt.Sprintf("instance_map has %s at %q, and nothing here is called so; unless %s is, what it is sent is lost", i.name.Str(), i.host.Str(), stranger), "host: the service that runs "+i.name.Str(), i.host.Site(""))
	}
	for _, i := range told.wrong {
		sites := []source.Site{i.host.Site(""), i.to.Site("")}
		if i.by.Set() {
			sites = append(sites, i.by.Site("its name"))
		}
		r.Fail(fmt.Sprintf("instance_map has %s at %s, which is another process; what it is sent is lost", i.name.Str(), i.host.Str()), "host: the service that runs "+i.name.Str(), sites...)
	}
	slices.SortStableFunc(told.deaf, func(a, b instance) int { return cmp.Compare(a.port.Site("").Line, b.port.Site("").Line) })
	severally(r, told.deaf, func(i instance) []source.Site { return []source.Site{i.port.Site("")} }, func(r *Reporter, deaf []instance) {
		var names []string
		var sites []source.Site
		for _, i := range deaf {
			names = append(names, i.name.Str())
			sites = append(sites, i.port.Site(""), i.to.Site(""))
			for _, w := range i.listeners {
				sites = append(sites, w.At("port").Site("listens"))
			}
		}
		names = deployment.Unique(names)
		first, where := deaf[0].port.Str(), fmt.Sprintf("at port %s, where it has", deaf[0].port.Str())
		if len(names) > 1 {
			where = "at ports where they have"
		}
		r.Fail(fmt.Sprintf("instance_map has %s %s no listener for replication that others reach; the processes of Synapse cannot speak to each other", finding.Sentence(names, "and"), where),
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

// duty is one that nobody here does.
type duty struct {
	at   source.Value
	left string
}

// checkDuties has somebody do what is given to a worker. Other workers may run elsewhere.
func checkDuties(r *Reporter, s *deployment.Synapse, workers []*deployment.Worker, told instances) {
	var undone []duty
	check := func(at source.Value, left string) {
		name := at.Str()
		if name != "" && name != "master" && name != "main" && !slices.ContainsFunc(workers, func(w *deployment.Worker) bool { return w.Named().Str() == name }) {
			undone = append(undone, duty{at, left})
		}
	}
	for _, duty := range duties {
		for _, at := range oneOrMore(s.Config.At(duty.key)) {
			check(at, duty.left)
		}
	}
	for _, w := range component.Streams {
		for _, at := range oneOrMore(s.Config.At("stream_writers", w.Name)) {
			if slices.ContainsFunc(told.wrong, func(i instance) bool { return i.name.Str() == at.Str() }) {
				continue // who is at its address is told
			}
			check(at, "every request that needs the stream "+w.Name+" fails")
		}
	}
	var have []string
	for _, w := range workers {
		have = append(have, w.Named().Str())
	}
	severally(r, undone, func(u duty) []source.Site { return []source.Site{u.at.Site("")} }, func(r *Reporter, undone []duty) {
		var names, left []string
		var sites []source.Site
		for _, u := range undone {
			names, left, sites = append(names, u.at.Str()), append(left, u.left), append(sites, u.at.Site(""))
		}
		names, unless := deployment.Unique(names), "one runs"
		if len(names) > 1 {
			unless = "they run"
		}
		r.Warn(fmt.Sprintf("no worker here is called %s; unless %s elsewhere, %s", finding.Sentence(names, "or"), unless, finding.Sentence(deployment.Unique(left), "and")), "one of "+strings.Join(have, ", "), sites...)
	})
}
