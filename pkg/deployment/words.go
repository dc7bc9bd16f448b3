package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Word is one argument of a service's command line with its place.
type Word struct {
	Text string
	Site source.Site
	// Open says that a variable in it is set nowhere in the directory, and nothing stands in its place.
	Open bool
}

// CommandWords are those of entrypoint and command.
func (s *Service) CommandWords() []Word {
	return append(wordsOf(s.Entrypoint), wordsOf(s.Cmd)...)
}

// Environment are the variables of the service as NAME=VALUE, without those of its files.
func (s *Service) Environment() []Word { return s.variables(false) }

func (s *Service) variables(files bool) (vars []Word) {
	for _, v := range s.Variables {
		if files || !v.FromFile {
			vars = append(vars, Word{Text: v.Name + "=" + v.Text, Site: v.At.Site("")})
		}
	}
	slices.SortFunc(vars, func(a, b Word) int { return strings.Compare(a.Text, b.Text) })
	return vars
}

// ImageLine is the line that gives the service another image: of the compose file, or of the Dockerfile that it is built by.
func (s *Service) ImageLine(ref component.Ref) string {
	if s.Build.Set() && s.BuildUnread == "" {
		return "FROM " + ref.String()
	}
	return s.d.Lines.Image(ref.String())
}

// ImageSite is where the image of the service stands.
func (s *Service) ImageSite() source.Site { return s.ImageAt.Site("the version") }
