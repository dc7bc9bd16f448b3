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
	return append(wordsOf(s.Entrypoint), wordsOf(s.Cmd)...)
}

// Environment are the variables of the service as NAME=VALUE.
func (s *Service) Environment() (vars []Word) {
	for _, v := range s.Variables {
		if !v.FromFile {
			vars = append(vars, Word{Text: v.Name + "=" + v.Text, Site: v.At.Site("")})
		}
	}
	slices.SortFunc(vars, func(a, b Word) int { return strings.Compare(a.Text, b.Text) })
	return vars
}

// ImageSite is where the image of the service stands.
func (s *Service) ImageSite() source.Site { return s.ImageAt.Site("the version") }
