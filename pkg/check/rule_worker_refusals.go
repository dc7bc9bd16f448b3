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

// refusal is what one process of Synapse stops at, in what it reads about workers.
type refusal struct {
	what, fix string
	at        source.Value
	by        *deployment.Service
}

// formerDuties are the kinds of worker that were made for one duty: the switch that has to take it from the main process, and the
// setting that names a worker for it.
var formerDuties = []struct {
	app, off, now string
	named         bool // the setting has to agree with the switch
}{
	{"synapse.app.appservice", "notify_appservices", "notify_appservices_from_worker", true},
	{"synapse.app.user_dir", "update_user_directory", "update_user_directory_from_worker", true},
	{"synapse.app.pusher", "start_pushers", "pusher_instances", false},
	{"synapse.app.federation_sender", "send_federation", "federation_sender_instances", false},
}

// workerApps are the modules that a worker may be; Synapse 1.163.2 app/generic_worker.py create_homeserver.
var workerApps = []string{"appservice", "client_reader", "event_creator", "federation_reader", "federation_sender", "frontend_proxy", "generic_worker", "media_repository", "pusher", "synchrotron", "user_dir"}

// refusals are what a process stops at; Synapse 1.163.2 config/workers.py read_config.
func refusals(s *deployment.Service, config *source.File, main bool) (list []refusal) {
	stops := func(at source.Value, fix, format string, args ...any) {
		list = append(list, refusal{fmt.Sprintf(format, args...), fix, at, s})
	}
	app, name := config.At("worker_app").Str(), config.At("worker_name").Str()
	if kind, ok := strings.CutPrefix(app, "synapse.app."); !main && app != "" && (!ok || !slices.Contains(workerApps, kind)) && app != "synapse.app.homeserver" {
		stops(config.At("worker_app"), "worker_app: synapse.app.generic_worker", "worker_app is %q, which is none of Synapse's", app)
	}
	for _, f := range formerDuties {
		off, now := config.At(f.off), config.At(f.now)
		switch is := app == f.app && !main; {
		case is && !deployment.IsFalse(off) && (f.named || !now.Set()):
			stops(config.At("worker_app"), f.off+": false, or worker_app: synapse.app.generic_worker and "+f.now+": its name", "worker_app is %s, and %s is not false", f.app, f.off)
		case f.named && off.Set() && now.Set() && !is:
			designated := now.Str() == name && name != "" || main && (now.Str() == "" || now.Str() == "master")
			if byOld := main && !deployment.IsFalse(off); designated != byOld {
				stops(off, "remove "+f.off, "%s and %s do not agree", f.off, f.now)
			}
		}
	}
	for instance, at := range config.At("instance_map").Entries() {
		checkPlace(instance.Str(), at, stops)
	}
	for _, w := range component.Streams {
		for _, v := range oneOrMore(config.At("stream_writers", w.Name)) {
			if v.Str() == "main" && !main {
				stops(v, "remove the line: the main process writes it then", "the main process is called master in stream_writers, and not main")
			}
		}
	}
	restricted := config.At("outbound_federation_restricted_to")
	if len(restricted.Items()) > 0 && !config.At("worker_replication_secret").Set() && !config.At("worker_replication_secret_path").Set() {
		stops(restricted, "worker_replication_secret_path: the file with a secret", "outbound_federation_restricted_to needs a worker_replication_secret")
	}
	for _, v := range restricted.Items() {
		if !config.At("instance_map", v.Str()).Exists() {
			stops(v, v.Str()+": {host: …, port: …} in instance_map", "outbound_federation_restricted_to names %s, which does not stand in instance_map", v.Str())
		}
	}
	return list
}

// checkPlace has a place in instance_map be a host with a port, or a socket.
func checkPlace(name string, at source.Value, stops func(at source.Value, fix, format string, args ...any)) {
	if at.Kind() != source.Mapping {
		return
	}
	for key, v := range at.Entries() {
		switch key.Str() {
		case "host", "path":
			if v.Set() && !v.IsString() {
				stops(v, "quotes around it", "%s of %s in instance_map is no text", key.Str(), name)
			}
		case "port":
			if v.IsString() && !strings.Contains(v.Str(), "$") {
				stops(v, "port: "+v.Str()+" without quotes", "the port of %s in instance_map is a text, and has to be a number", name)
			}
		}
	}
}

// checkRefused reports what processes stop at, each cause once, however many read it.
func checkRefused(r *Reporter, d *deployment.Deployment) {
	var all []refusal
	for _, s := range d.Synapses {
		if workers, _ := d.WorkersOf(s); len(workers) > 0 && !s.Partial() {
			all = append(all, refusals(s.Service, s.Config, true)...)
		}
	}
	for _, w := range d.Workers {
		if v, tagged := w.Image.Version(); w.Config.Root().Set() && !w.Partial() && (!tagged || !v.Less(component.Version{1, 88, 0})) {
			all = append(all, refusals(w.Service, w.Config, false)...)
		}
	}
	for len(all) > 0 {
		first := all[0]
		var names []string
		sites := []source.Site{first.at.Site("")}
		all = slices.DeleteFunc(all, func(o refusal) bool {
			same := o.at.Site("").Pos == first.at.Site("").Pos && o.what == first.what
			if same {
				names, sites = append(names, o.by.Name), append(sites, o.by.Site(""))
			}
			return same
		})
		stop := "does not start"
		if len(names) > 1 {
			stop = "do not start"
		}
		r.Fail(fmt.Sprintf("%s; %s %s", first.what, finding.Sentence(names, "and"), stop), first.fix, sites...)
	}
}
