package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var workersAgree = Rule{
	ID: "workers-agree", Severity: finding.Error,
	Summary: "the main process of Synapse and its workers run one release, and read the same of what they share",
	Why:     "Processes of two releases do not understand each other's replication. Where one gives a duty to another process than the rest do, it is done twice or by nobody: every notification arrives twice, or nothing is sent to other servers. With another secret, requests between them fail with status 401.",
	Fix:     "Write what is shared into one file that each process reads first, and only what begins with worker_ into a worker's own.",
	Source:  "Synapse 1.163.2 docs/workers.md \"Shared configuration\", config/workers.py, replication/http/_base.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			workers, _ := d.WorkersOf(s)
			checkReleases(r, s, workers)
			for _, key := range sharedKeys {
				checkShared(r, s, workers, key.path, key.left)
			}
			checkReplicationSecrets(r, d, s, workers)
			checkCopied(r, d, s, workers)
		}
	},
}

// checkCopied has each worker find the same secret at a path that the configuration names as the main process does. In a cluster each has a
// copy of its own.
func checkCopied(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, workers []*deployment.Worker) {
	for _, w := range workers {
		for _, m := range w.Mounts {
			own, _ := s.HostPath(m.Container)
			if own == "" || m.Host == "" || own == m.Host || !holds(s.Config.Root(), m.Container) || m.Container == w.Config.At("worker_replication_secret_path").Str() {
				continue
			}
			a, err := source.ReadFS(d.FS, own)
			b, err2 := source.ReadFS(d.FS, m.Host)
			x, y := strings.TrimSpace(string(a)), strings.TrimSpace(string(b))
			if err != nil || err2 != nil || x == y || strings.Contains(x+y, "\n") { // what is longer may well be another one, such as what is logged
				continue
			}
			r.Fail(fmt.Sprintf("%s is handed another %s than %s; whoever it shows it to refuses it", w.Name, path.Base(m.Container), s.Name), "the same in both",
				source.Site{Pos: source.Pos{File: m.Host, Line: 1, Col: 1}}, source.Site{Pos: source.Pos{File: own, Line: 1, Col: 1}, Note: "that of the main process"})
		}
	}
}

// holds reports whether one of the values is that text.
func holds(v source.Value, text string) bool {
	for _, of := range v.Entries() {
		if holds(of, text) {
			return true
		}
	}
	return v.Str() == text || slices.ContainsFunc(v.Items(), func(of source.Value) bool { return holds(of, text) })
}

// sharedKeys are those that all processes have to read alike, and what comes of it where they do not.
var sharedKeys = []struct{ path, left string }{
	{"server_name", "it takes itself for another homeserver"},
	{"database.args.dbname", "it works on another database"},
	{"database.args.database", "it works on another database"},
	{"federation_sender_instances", "what is sent to other servers is sent twice, or not at all"},
	{"pusher_instances", "notifications arrive twice, or not at all"},
	{"notify_appservices_from_worker", "bridges hear of everything twice, or of nothing"},
	{"update_user_directory_from_worker", "two processes keep the user directory, or none does"},
	{"run_background_tasks_on", "two processes clean up, or none does"},
	{"stream_writers", "two processes write one stream, or none does, and messages are lost"},
}

// checkReleases has all processes run one release, as far as tags say.
func checkReleases(r *Reporter, s *deployment.Synapse, workers []*deployment.Worker) {
	main, tagged := s.Image.Version()
	if !tagged {
		return
	}
	var others []*deployment.Worker
	for _, w := range workers {
		if v, ok := w.Image.Version(); ok && v != main {
			others = append(others, w)
		}
	}
	severally(r, others, func(w *deployment.Worker) []source.Site { return []source.Site{w.ImageAt.Site("")} }, func(r *Reporter, others []*deployment.Worker) {
		var names []string
		var sites []source.Site
		for _, w := range others {
			names = append(names, w.Name+" "+w.Image.Tag)
			sites = append(sites, w.ImageAt.Site(""))
		}
		r.Fail(fmt.Sprintf("%s runs %s, and of its workers %s; processes of one homeserver have to be of one release", s.Name, s.Image.Tag, finding.Sentence(names, "and")),
			"the same image for all of them", append(sites, s.ImageAt.Site("the main process"))...)
	})
}

// canon is a setting as Synapse takes it: one name for a list of it, no order among names, nothing for what is empty.
func canon(v source.Value) string {
	switch {
	case v.Kind() == source.Mapping:
		var all []string
		for key, at := range v.Entries() {
			all = append(all, key.Str()+"="+canon(at))
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	case v.Kind() == source.Sequence:
		all := deployment.ItemTexts(v)
		slices.Sort(all)
		return strings.Join(all, ",")
	}
	return v.Str()
}

// checkShared has the workers read what the main process reads of a key.
func checkShared(r *Reporter, s *deployment.Synapse, workers []*deployment.Worker, key, left string) {
	keys := strings.Split(key, ".")
	main := s.Config.At(keys...)
	if s.Partial() {
		return
	}
	var others []*deployment.Worker
	for _, w := range workers {
		at := w.Config.At(keys...)
		same := canon(at) == canon(main)
		host := func(f *source.File) string { return f.At("database", "args", "host").Str() }
		// By another host, such as that of a pooler, a database may have another name.
		if !w.Config.Root().Set() || w.Partial() || same || strings.Contains(at.Str()+main.Str(), "$") || keys[0] == "database" && (!at.Set() || !main.Set() || host(w.Config) != host(s.Config)) {
			continue
		}
		others = append(others, w)
	}
	severally(r, others, func(w *deployment.Worker) []source.Site { return []source.Site{w.Config.At(keys...).Site("")} }, func(r *Reporter, others []*deployment.Worker) {
		var names []string
		var sites []source.Site
		for _, w := range others {
			names = append(names, w.Name)
			sites = append(sites, w.Config.At(keys...).Site(""))
		}
		read := "reads"
		if len(names) > 1 {
			read = "read"
		}
		r.Fail(fmt.Sprintf("%s %s %s %s, and the main process %s %s; %s", finding.Sentence(names, "and"), read, key, orNone(others[0].Config.At(keys...)), s.Name, orNone(main), left),
			"write it once, into the file that all processes read", append(sites, main.Site("the main process"))...)
	})
}

// orNone is a setting in words.
func orNone(v source.Value) string {
	if text := canon(v); text != "" {
		return fmt.Sprintf("%q", text)
	}
	return "not at all"
}

// checkReplicationSecrets has the processes know one secret.
func checkReplicationSecrets(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, workers []*deployment.Worker) {
	secret := func(at *deployment.Service, config *source.File) (string, deployment.Leaf, bool) {
		val, v, reason := d.SecretOf(at, config.Root(), "worker_replication_secret", "worker_replication_secret_path")
		return val, v, reason == "" && !at.Partial() && config.Root().Set()
	}
	main, at, known := secret(s.Service, s.Config)
	if !known {
		return
	}
	var others []deployment.Leaf
	var names []string
	for _, w := range workers {
		if own, v, known := secret(w.Service, w.Config); known && own != main {
			others, names = append(others, v), append(names, w.Name)
		}
	}
	if len(others) == 0 {
		return
	}
	knows := "knows"
	if len(names) > 1 {
		knows = "know"
	}
	var sites []source.Site
	for _, v := range others {
		sites = append(sites, v.Site(""))
	}
	r.Fail(fmt.Sprintf("%s %s another worker_replication_secret than the main process %s; what they ask of each other fails with status 401", finding.Sentence(names, "and"), knows, s.Name),
		"one worker_replication_secret, in the file that all processes read", append(sites, at.Site("the main process"))...)
}
