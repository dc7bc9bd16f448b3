package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Listing is the label that names a middleware where that is not the router's own: a chain.
func (s *Service) Listing(ref string, router source.Site) []source.Site {
	for _, l := range s.d.Container(s).Labels {
		if strings.HasSuffix(strings.ToLower(l.Key), ".chain.middlewares") && l.Site.Pos != router.Pos &&
			slices.ContainsFunc(strings.Split(l.Value, ","), func(n string) bool { return strings.TrimSpace(n) == ref }) {
			return []source.Site{l.Site}
		}
	}
	return nil
}

// Label gives a label as a line of the service, in the style that its labels are written in. What a file of Traefik
// defines is a line there.
func (s *Service) Label(key, value string) string {
	if _, setting, ok := strings.Cut(key, "@file."); ok {
		switch setting {
		case "entrypoints":
			return "entryPoints: [" + source.Quote(value) + "]"
		case "tls.certresolver":
			return "tls: {certResolver: " + source.Quote(value) + "}"
		}
		return setting + ": " + source.Quote(value)
	}
	return s.LabelLine(key, value)
}

// HasLabel reports whether a service has a label, or one below it.
func (s *Service) HasLabel(key string) bool {
	return s.d.Container(s).Has(key)
}

// LabelProblems calls f for every problem that Traefik has with labels and files, with the service that it is about:
// Traefik's own where that is none of the stack.
func (d *Deployment) LabelProblems(f func(p route.Problem, s *Service)) {
	for _, p := range d.Routes().Problems {
		s := d.Service(p.Container)
		if s == nil {
			s = d.Proxy().Service
		}
		if s != nil {
			f(p, s)
		}
	}
}

// LabelSite is the place of a label, or else a place given.
func (s *Service) LabelSite(key string, otherwise source.Site) source.Site {
	if l := LabelOf(s.d.Container(s).Labels, key); l.Key != "" {
		return l.Site
	}
	return otherwise
}
