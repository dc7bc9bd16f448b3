package deployment

import (
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// Rewrites is a service that may write a file which another one reads, such as a job that fills a template in; nil where
// none of the stack has it mounted so.
func (d *Deployment) Rewrites(reader *Service, host string) *Service {
	for _, o := range d.Services {
		if o == reader || o.Program != component.Unknown && o.Program == reader.Program && !d.oneShot(o) {
			continue
		}
		for _, m := range o.Mounts {
			if m.Host != "" && !m.ReadOnly && Within(host, m.Host) {
				return o
			}
		}
	}
	return nil
}

// Maker is a service that may make a file which another one needs, such as a job that runs before it or by hand; nil
// where none of the stack has its place mounted so. A program that is known and runs all the time makes none.
func (d *Deployment) Maker(reader *Service, host string) *Service {
	for _, o := range d.Services {
		if host == "" || o == reader || o.worker() || o.Program != component.Unknown && !d.oneShot(o) {
			continue
		}
		for _, m := range o.Mounts {
			if m.Host != "" && m.Host != host && !m.ReadOnly && Within(host, m.Host) {
				return o
			}
		}
	}
	return nil
}

// generateWith are the variables that Synapse's image wants to write a configuration by, as far as the service lacks them: docker/start.py
// run_generate_config (v1.157.1).
func (s *Service) generateWith() string {
	var flags strings.Builder
	for _, v := range []struct{ name, example string }{{"SYNAPSE_SERVER_NAME", "example.org"}, {"SYNAPSE_REPORT_STATS", "no"}} {
		if text, _ := s.Env(v.name); text == "" && s.EnvHidden(v.name) == "" {
			flags.WriteString("-e " + v.name + "=" + v.example + " ")
		}
	}
	return flags.String()
}
