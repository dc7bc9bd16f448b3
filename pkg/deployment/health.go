package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Health is what Docker asks a container to learn whether it is well.
type Health struct {
	Words []string
	At    source.Value
	// builtIn: the compose file says nothing, and the image has a check of its own.
	BuiltIn bool
	Off     bool // switched off in the compose file
	Unknown bool // the image may have one
}

// Health reads the check of a service.
func (s *Service) Health() Health {
	v := s.Value.At("healthcheck")
	test := v.At("test")
	h := Health{At: v}
	switch {
	case v.At("disable").True(), test.Str() == "NONE", slices.Equal(ItemTexts(test), []string{"NONE"}):
		h.Off = true
	case test.Kind() == source.Scalar:
		h.Words, h.At = strings.Fields(test.Str()), test
	case test.Len() > 0:
		h.Words, h.At = ItemTexts(test), test
	case len(s.Component().ImageHealth) > 0:
		h.BuiltIn, h.Words = true, s.Component().ImageHealth
		if !v.Set() {
			h.At = s.Value.At("image")
		}
	case s.Program == component.Unknown:
		h.Unknown = true
	}
	return h
}

// Dependency is one entry of depends_on with a condition.
type Dependency struct {
	On        *Service
	Condition string
	Value     source.Value
}

func (d *Deployment) Dependencies(s *Service) []Dependency {
	var list []Dependency
	for name, v := range s.Value.At("depends_on").Entries() {
		if on := d.Service(name.Str()); on != nil {
			list = append(list, Dependency{on, v.At("condition").Str(), v})
		}
	}
	return list
}

// IsItself reports whether a host is the container itself, or may be, where a variable stands in its place.
func (s *Service) IsItself(host string) bool {
	return Loopback(host) || host == "0.0.0.0" || strings.Contains(host, "$") || slices.Contains(s.Names(), host)
}
