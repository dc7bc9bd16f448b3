package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Word is one argument of a service's command line with its place.
type Word struct {
	Text string
	Site source.Site
}

// CommandWords are those of entrypoint and command.
func (s *Service) CommandWords() []Word {
	return append(s.wordsOf("entrypoint"), s.wordsOf("command")...)
}

// Environment are the variables of the service as NAME=VALUE.
func (s *Service) Environment() (vars []Word) {
	env := s.Value.At("environment")
	for key, val := range env.Entries() {
		text, _ := s.D.Expand(val)
		vars = append(vars, Word{Text: key.Str() + "=" + text, Site: val.Site("")})
	}
	for _, item := range env.Items() {
		text, _ := s.D.Expand(item)
		vars = append(vars, Word{Text: text, Site: item.Site("")})
	}
	slices.SortFunc(vars, func(a, b Word) int { return strings.Compare(a.Text, b.Text) })
	return vars
}

// ImageSite is where the image of the service stands.
func (s *Service) ImageSite() source.Site { return s.Value.At("image").Site("the version") }
