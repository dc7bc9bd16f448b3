package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Element is an Element Web with what it tells browsers. A browser asks for config.HOST.json first and takes config.json
// where there is none; they are not merged (apps/web/src/vector/getconfig.ts).
type Element struct {
	*Service
	// Configs are those that are mounted. Where there is none, it is that in the image.
	Configs []*source.File
	// Hidden says why there may be others; "" when these are all.
	Hidden string
}

// elementStarts are what the image of Element Web starts by itself: nginx behind its own script (apps/web/Dockerfile).
var elementStarts = []string{"nginx", "docker-entrypoint.sh"}

// readElement follows what is mounted where nginx takes the configuration from.
func (d *Deployment) readElement(s *Service) {
	e := &Element{Service: s}
	file := component.Of(component.Element).Config.File
	dir := path.Dir(file)
	look := func(container string) {
		f, reason, hidden := d.Follow(s, container)
		switch {
		case f != nil:
			e.Configs = append(e.Configs, f)
		case hidden:
			e.Hidden = reason
		}
	}
	look(file)
	for _, m := range s.Mounts {
		name, is := strings.CutPrefix(m.Container, dir+"/config.")
		if is && m.Container != file && strings.HasSuffix(name, ".json") {
			look(m.Container)
		}
	}
	if words := s.CommandWords(); len(e.Configs) == 0 && e.Hidden == "" && len(words) > 0 && !slices.Contains(elementStarts, path.Base(words[0].Text)) {
		e.Hidden = s.Name + " is started by " + words[0].Text + ", which may write it"
	}
	d.Elements = append(d.Elements, e)
}

// mounted says why the configuration of a service is not there although it is mounted; "" where it is not mounted.
func (d *Deployment) mounted(s *Service) string {
	at := s.Component().Config.File
	host, _ := s.HostPath(at)
	if host == "" {
		return ""
	}
	_, reason, _ := d.Follow(s, at)
	if o := d.Maker(s, host); o != nil {
		return reason + "; " + o.Name + " may write it"
	}
	return reason
}
