package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// Health is what Docker asks a container to learn whether it is well.
type Health struct {
	Words []string
	At    Leaf
	// builtIn: the compose file says nothing, and the image has a check of its own.
	BuiltIn bool
	Off     bool // switched off in the compose file
	Unknown bool // the image may have one
}

// Health reads the check of a service.
func (s *Service) Health() Health {
	test := s.Probe.Test
	h := Health{At: s.Probe.At}
	switch {
	case s.Probe.Off, test.Str() == "NONE", slices.Equal(test.Texts(), []string{"NONE"}):
		h.Off = true
	case len(test.Items) > 0:
		h.Words, h.At = test.Texts(), test.Leaf
	case test.Set() && test.Str() != "":
		h.Words, h.At = strings.Fields(test.Str()), test.Leaf
	case len(s.Component().ImageHealth) > 0:
		h.BuiltIn, h.Words = true, s.Component().ImageHealth
		if !s.Probe.At.Set() {
			h.At = s.ImageAt
		}
	case s.Program == component.Unknown:
		h.Unknown = true
	}
	return h
}

// Dependency is one entry of depends_on with a condition.
type Dependency struct {
	On *Service
	Wait
}

// Dependencies are those of a service on others of the deployment.
func (d *Deployment) Dependencies(s *Service) []Dependency {
	var list []Dependency
	for _, w := range s.DependsOn {
		if on := d.Service(w.Service); on != nil {
			list = append(list, Dependency{on, w})
		}
	}
	return list
}

// IsItself reports whether a host is the container itself, or may be, where a variable stands in its place.
func (s *Service) IsItself(host string) bool {
	return Loopback(host) || host == "0.0.0.0" || strings.Contains(host, "$") || slices.Contains(s.Names(), host)
}
