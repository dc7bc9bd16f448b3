package diff

import (
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// shared are the settings by which the processes of Synapse divide the work: two that have them differently both do a part of it, or
// neither does (Synapse docs/workers.md).
var shared = []string{
	"federation_sender_instances", "pusher_instances", "notify_appservices_from_worker", "update_user_directory_from_worker",
	"run_background_tasks_on", "media_instance_running_background_jobs",
}

// divided is who does which part of the work, as text.
func divided(s *deployment.Synapse) string {
	var b strings.Builder
	say := func(key string) {
		keys := strings.Split(key, ".")
		b.WriteString(key + "=" + s.Config.At(keys...).Flow() + "\n")
	}
	for _, key := range shared {
		say(key)
	}
	for _, stream := range component.Streams {
		say("stream_writers." + stream.Name)
	}
	return b.String()
}

// workers says when all processes of Synapse have to be stopped before any is started anew: Compose recreates one after the other.
func (c *comparison) workers(p *plan) {
	for _, now := range c.new.deployment.Synapses {
		for _, was := range c.old.deployment.Synapses {
			before, _ := c.old.deployment.WorkersOf(was)
			if c.formerly(now.Service) != was.Service || len(before) == 0 {
				continue
			}
			why := ""
			switch {
			case now.Image != was.Image:
				why = "two releases of Synapse must not work on one database at once"
			case divided(now) != divided(was):
				why = "the processes of Synapse divide their work in another way, and all have to know the same one"
			default:
				continue
			}
			names, gone := []string{was.Name}, false
			for _, w := range before {
				names = append(names, w.Name)
				gone = gone || service(c.new.deployment, w.Name) == nil
			}
			how := c.old.stop(names...)
			if c.new.cluster() {
				p.first("stop all processes of Synapse, for ", why, ": ", how)
				continue
			}
			if gone || service(c.new.deployment, was.Name) == nil {
				how = "docker compose down --remove-orphans"
			}
			p.first("stop all processes of Synapse, for ", why, ": ", how)
		}
	}
}
