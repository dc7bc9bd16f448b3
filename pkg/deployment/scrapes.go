package deployment

import (
	"path"

	"philipp.info/stackgen/pkg/source"
)

// Scrapes are the files that tell a Prometheus whom to ask: those of the services that run one (--config.file of
// cmd/prometheus/main.go), and what was rendered for one elsewhere.
func (d *Deployment) Scrapes() (files []*source.File) {
	for _, s := range d.Services {
		if path.Base(s.Image.Repository) != "prometheus" || s.Absent.Why != "" {
			continue
		}
		if f, _, _ := d.Follow(s, s.Inside(s.flag("/etc/prometheus/prometheus.yml", "--config.file"))); f != nil {
			files = append(files, f)
		}
	}
	for _, f := range d.renderedAll("config/prometheus/*.yml") {
		if parsed, findings := d.Read(f.Path); len(findings) == 0 {
			files = append(files, parsed)
		}
	}
	return files
}
