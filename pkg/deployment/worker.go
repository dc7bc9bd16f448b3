package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Worker is a process of a homeserver beside the main one.
type Worker struct {
	*Service
	// Config is what it reads, the homeserver's and its own; empty where that cannot be read.
	Config *source.File
	// Main is the service of the main process; nil where it cannot be told.
	Main *Service
}

// app is the module of Synapse that the service runs by its command or environment, "" where they name none.
func (s *Service) app() string {
	if s.Component().WorkerEnv == "" {
		return ""
	}
	return s.module()
}

// module is that module, whatever the program of the service is taken for.
func (s *Service) module() string {
	app, _ := s.Env(component.Of(component.Synapse).WorkerEnv)
	for _, w := range s.Command() {
		switch {
		case strings.HasPrefix(w, "synapse.app."):
			app = w
		case path.Base(w) == "synapse_worker":
			app = "synapse.app.generic_worker"
		}
	}
	return app
}

// notWorkers are the modules that run the main process, or a tool.
var notWorkers = []string{"", "synapse.app.homeserver", "synapse.app.admin_cmd"}

// runsWorker reports whether only a worker of Synapse is started so, in an image of any name.
func (s *Service) runsWorker() bool {
	return strings.HasPrefix(s.module(), "synapse.app.") && !slices.Contains(notWorkers, s.module())
}

func (s *Service) worker() bool { return !slices.Contains(notWorkers, s.app()) }

// Misstarted reports whether its command runs the main process all the same.
func (w *Worker) Misstarted() bool { return !w.worker() }

// App is the module of Synapse that it runs, such as synapse.app.generic_worker.
func (w *Worker) App() string { return w.module() }

// Named is what the worker is called in the configuration.
func (w *Worker) Named() source.Value { return w.Config.At("worker_name") }

// settleWorkers finds the main process of each worker: the one that serves the same name, or the only one.
func (d *Deployment) settleWorkers() {
	mains := slices.DeleteFunc(d.Running(component.Synapse), func(s *Service) bool {
		return slices.ContainsFunc(d.Workers, func(w *Worker) bool { return w.Service == s })
	})
	for _, w := range d.Workers {
		if len(mains) == 1 {
			w.Main = mains[0]
		}
		for _, s := range d.Synapses {
			if name := w.Config.At("server_name").Str(); name != "" && name == s.Config.At("server_name").Str() {
				w.Main = s.Service
			}
		}
	}
}

// Is reports whether a container is the service or, of a homeserver, one of its workers.
func (s *Service) Is(container string) bool {
	return container == s.Name || slices.ContainsFunc(s.d.Workers, func(w *Worker) bool { return w.Main == s && w.Name == container })
}

// WorkersOf are those of a homeserver. known says that the configuration of each was read.
func (d *Deployment) WorkersOf(s *Synapse) (workers []*Worker, known bool) {
	known = true
	for _, w := range d.Workers {
		if w.Main == s.Service {
			workers = append(workers, w)
			known = known && w.Config.Root().Set() && !w.partly
		}
	}
	return workers, known
}
