package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

// called are the programs in sentences.
var called = map[component.Program]string{component.Synapse: "Synapse", component.MAS: "MAS", component.Postgres: "PostgreSQL"}

// copies is what comes of more than one container of a program; MAS may have several.
var copies = map[component.Program]string{
	component.Synapse:  "each takes itself for the only one, and rooms and keys are corrupted",
	component.Postgres: "several servers write into one directory, and destroy the data",
}

var serviceRuns = Rule{
	ID: "service-runs", Severity: finding.Error,
	Summary: "a container of each program is started, one of those that bear no second, and it runs the program",
	Why:     "Nobody answers: Compose starts no container of a service whose scale is 0, and one that runs `true` or `sleep` does nothing. Two main processes of Synapse, or two servers on one directory of PostgreSQL, destroy what they keep; two bridges log in with one account.",
	Fix:     "Remove scale, deploy.replicas, entrypoint or command. For more load give Synapse workers.",
	Source:  "Compose specification, profiles, scale, deploy, entrypoint; Synapse docker/start.py, docs/workers.md; MAS crates/cli; docker-library postgres docker-entrypoint.sh",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Services {
			checkAwaited(r, d, s)
			name := called[s.Program]
			if s.Component().Bridge != nil {
				name = "the bridge"
			}
			if kind, _, _ := s.Launch(); worker(s) && kind == deployment.Refused {
				checkLaunch(r, d, s, name)
			}
			if name == "" || worker(s) || s.Once && d.Target == deployment.Kubernetes { // what ends before a pod's own containers begin is none of them
				continue
			}
			checkStarted(r, d, s, name)
			checkLaunch(r, d, s, name)
			checkCopies(r, s)
			if !slices.ContainsFunc(d.Workers, func(w *deployment.Worker) bool { return w.Service == s }) {
				checkOverlap(r, s)
			}
		}
		checkTwins(r, d)
	},
}

// worker reports whether a service is one of Synapse's workers.
func worker(s *deployment.Service) bool {
	w, _ := s.Env("SYNAPSE_WORKER")
	return s.Program == component.Synapse && w != "" && w != "synapse.app.homeserver"
}

// stoodIn reports whether another service is the program, so that this one may be a tool or a spare.
func stoodIn(d *deployment.Deployment, s *deployment.Service) bool {
	return slices.ContainsFunc(d.Running(s.Program), func(o *deployment.Service) bool { return o != s })
}

func checkStarted(r *Reporter, d *deployment.Deployment, s *deployment.Service, name string) {
	kind, _, _ := s.Launch()
	if s.Absent.Why == "" || kind == deployment.Tool || stoodIn(d, s) {
		return
	}
	if len(s.Absent.Profiles) > 0 {
		r.NotChecked(fmt.Sprintf("%s stands behind the profile %s, which COMPOSE_PROFILES in .env does not switch on; what has to fit it was not looked at", s.Name, strings.Join(s.Absent.Profiles, ", ")), s.Absent.At.Site(""))
		return
	}
	report := r.Fail
	if s.Component().Bridge != nil {
		report = r.Warn
	}
	report(fmt.Sprintf("%s starts no container of %s; %s does not run", d.Target, s.Name, name), "remove the line", s.Absent.At.Site(""))
}

// checkAwaited has a service that waits for one which Compose leaves out; then it starts nothing at all.
func checkAwaited(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	if s.Absent.Why != "" {
		return
	}
	for _, w := range s.DependsOn {
		if on := d.Service(w.Service); on != nil && !w.Optional && len(on.Absent.Profiles) > 0 {
			r.Warn(fmt.Sprintf("%s waits for %s, which stands behind the profile %s; `docker compose up` stops unless that is switched on", s.Name, on.Name, strings.Join(on.Absent.Profiles, ", ")),
				d.Lines.SwitchOn(on.Absent.Profiles[0]), w.At.Site(""), on.Absent.At.Site("off"))
		}
	}
}

func checkLaunch(r *Reporter, d *deployment.Deployment, s *deployment.Service, name string) {
	kind, word, at := s.Launch()
	switch kind {
	case deployment.Other:
		if !stoodIn(d, s) && s.Absent.Why == "" {
			r.Fail(fmt.Sprintf("%s runs %s and not %s; nobody answers there", s.Name, word, name), "remove the line", at)
		}
	case deployment.Itself:
		checkBinary(r, s)
	case deployment.Refused:
		fix := "remove the line"
		if deployment.IsShell(word) && s.Program == component.Synapse { // MAS's image has none
			fix = fmt.Sprintf("entrypoint: [%q], and what follows it as the command", word)
		}
		r.Fail(fmt.Sprintf("%s takes no %q for its first word; %s does not start", name, word, s.Name), fix, at)
	case deployment.Script:
		// Beside the program it is most likely a job, and a flag without a program is bridge-writes' business.
		ends := s.Once && d.Target == deployment.Kubernetes // such as what waits for the database before a pod's program begins
		if s.Absent.Why == "" && !ends && !stoodIn(d, s) && !strings.HasPrefix(word, "-") {
			r.NotChecked(fmt.Sprintf("%s is started by %s, which was not read; what it changes is not seen", s.Name, word), at)
		}
	default:
	}
}

// checkBinary has a bridge be told to run the program of another one, which its image does not have.
func checkBinary(r *Reporter, s *deployment.Service) {
	b, words := s.Component().Bridge, s.CommandWords()
	if b == nil || b.Binary == "" || len(words) == 0 || s.Image.Repository != s.Component().Tested.Repository {
		return
	}
	misread := slices.ContainsFunc(s.Deployment().Bridges, func(o *deployment.Bridge) bool { return o.Service == s && o.Misread() })
	if word, ok := s.OtherProgram(); ok && !misread { // else bridge-dialect says that the image is the wrong one
		dialect, _ := s.Image.Dialect()
		has := "the program in Go " + b.Binary
		if dialect.InPython() {
			has = "a module of Python's"
		}
		r.Fail(fmt.Sprintf("%s is told to run %s, and its image has %s; it does not start", s.Name, word.Text, has), s.Lines().Command(b.Start(dialect)...), word.Site, s.ImageAt.Site("the image"))
		return
	}
	if own, said := path.Base(b.Binary), path.Base(words[0].Text); strings.HasPrefix(said, "mautrix-") && said != own {
		r.Fail(fmt.Sprintf("%s is told to run %s, and its image has %s; it does not start (no such file)", s.Name, said, own), b.Binary, words[0].Site)
	}
}

// severalDo is what comes of more than one container of a service; "" where nothing does.
func severalDo(s *deployment.Service) string {
	if s.Component().Bridge != nil {
		return "all of them log in with one account and answer the same messages"
	}
	return copies[s.Program]
}

// checkOverlap has a new container start while the old one still runs.
func checkOverlap(r *Reporter, s *deployment.Service) {
	effect := severalDo(s)
	if !s.Overlaps.Exists() || effect == "" || s.Copies != 1 || s.Once {
		return
	}
	r.Warn(fmt.Sprintf("a Deployment starts the new pod of %s before the old one has ended; for a while there are two, and %s", s.Name, effect), "strategy: {type: Recreate}, or a StatefulSet", s.Overlaps.Site(""))
}

func checkCopies(r *Reporter, s *deployment.Service) {
	n, at := s.Copies, s.CopiesAt
	effect := severalDo(s)
	if kind, _, _ := s.Launch(); n < 2 || effect == "" || kind != deployment.Itself && kind != deployment.Script || s.Absent.Why != "" {
		return
	}
	r.FailMend(fmt.Sprintf("%s starts %d containers of %s; %s", s.Deployment().Target, n, s.Name, effect), set(at, "1"), at.Site(""))
}
