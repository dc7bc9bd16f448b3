package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/haproxy"
)

// isHAProxy goes by the image, or the program that it is told to run.
func (s *Service) isHAProxy() bool {
	return path.Base(s.Image.Repository) == "haproxy" || slices.Contains(s.Command(), "haproxy")
}

// haproxy reads the configuration of an HAProxy; nil where the stack has none for it.
func (d *Deployment) haproxy(s *Service) *Front {
	f := &Front{Name: "HAProxy", Service: s}
	name := s.flag("/usr/local/etc/haproxy/haproxy.cfg", "-f")
	_, host, reason := d.Text(s, name)
	file := d.file(host)
	if reason != "" || file == nil {
		if s.MountAt(name) == nil && s.BakedAt(name) == nil {
			return nil
		}
		f.Unseen = "the configuration of " + s.Name + " cannot be seen: " + reason
		f.table = unseenTable(f.Unseen)
		return f
	}
	f.table = haproxy.New(file, haproxy.Options{
		Upstream: func(host, port string) (string, string) { return d.upstream(s, host, port) },
		Public:   s.public(),
	})
	for _, p := range f.table.Problems {
		f.Unseen = p.Message
	}
	return f
}

// Stands reports whether what is asked for at an address of the stack is answered by the homeserver, behind a proxy that leads
// there. Where only the proxy knows, as with backends that it chooses by whether servers answer, every server that it has has to be the homeserver.
func (d *Deployment) Stands(host, port, path string, s *Service) bool {
	at := d.ServiceAt(host)
	if at == nil {
		return false
	}
	for _, f := range d.fronts() {
		if f.Service != at {
			continue
		}
		for _, entry := range f.table.Names() {
			if entry == ":"+port {
				res := f.table.MatchOn(entry, "GET", host, path)
				if res.Unknown != "" && res.Among == nil && res.Redirect == "" && res.Refused == "" {
					return f.only(s)
				}
				if res.Backend == nil || res.Path != path || res.Unknown != "" && res.Among == nil {
					return false
				}
				return s.Is(res.Backend.Container) && !slices.ContainsFunc(res.Among, func(b route.Backend) bool { return !s.Is(b.Container) })
			}
		}
	}
	return false
}

// only reports whether a proxy has servers, and all of them are the homeserver.
func (f *Front) only(s *Service) (one bool) {
	for _, to := range f.table.Services {
		for _, b := range to.Backends {
			if !s.Is(b.Container) {
				return false
			}
			one = true
		}
	}
	return one
}

// AnswersItself reports whether a HAProxy has an answer for a request from its own container; true where that cannot be seen.
func (d *Deployment) AnswersItself(s *Service, port, path string) bool {
	f := d.haproxy(s)
	if f == nil || f.Unseen != "" || slices.ContainsFunc(f.table.Names(), func(entry string) bool { return !isNumber(strings.TrimPrefix(entry, ":")) }) {
		return true
	}
	if !slices.Contains(f.table.Names(), ":"+port) {
		return false
	}
	res := f.table.MatchOn(":"+port, "GET", "localhost", path)
	return res.Router != nil || res.Unknown != ""
}
