package deployment

import (
	"path"
	"strings"
)

// Setting is what a command line sets, with the word that does.
type Setting struct {
	Name, Value string
	At          Leaf
}

// Settings are those of `postgres -c NAME=VALUE`, and of --NAME=VALUE, in which a dash stands for an underscore.
func (s *Service) Settings() (all []Setting) {
	words := s.Cmd.Items
	if len(words) == 0 || path.Base(words[0].Str()) != "postgres" && !strings.HasPrefix(words[0].Str(), "-") {
		return nil
	}
	for i, w := range words {
		text, seen := w.Text()
		long, isLong := strings.CutPrefix(text, "--")
		short, isShort := strings.CutPrefix(text, "-c")
		switch {
		case i > 0 && words[i-1].Str() == "-c":
			short = text
		case isLong:
			short = long
		case !isShort:
			continue
		}
		if name, value, ok := strings.Cut(short, "="); ok && seen && name != "" {
			all = append(all, Setting{strings.ReplaceAll(name, "-", "_"), value, w})
		}
	}
	return all
}
