package deployment

import (
	"path"
	"slices"
	"strings"
)

// Setting is what a command line sets, with the word that does.
type Setting struct {
	Name, Value string
	At          Leaf
}

// Settings are those of `postgres -c NAME=VALUE`, and of --NAME=VALUE, in which a dash stands for an underscore.
func (s *Service) Settings() (all []Setting) {
	all, _ = s.settings()
	return all
}

// word is one of a command line, as the program is given it; seen is false for one with a variable that is set nowhere.
type word struct {
	text string
	seen bool
	at   Leaf
}

// valued are the flags of postgres that take a word of their own.
var valued = []string{"-B", "-c", "-C", "-d", "-D", "-f", "-h", "-k", "-N", "-p", "-S", "-t", "-W"}

// Astray are the words by which the server does not start: NAME=VALUE without -c, and -c without a value.
func (s *Service) Astray() (list []Leaf) {
	items := s.Cmd.Items
	if len(items) == 0 || path.Base(items[0].Str()) != "postgres" && !strings.HasPrefix(items[0].Str(), "-") {
		return nil
	}
	for i, item := range items {
		text, seen := item.Text()
		before := ""
		if i > 0 {
			before = items[i-1].Str()
		}
		behind := slices.Contains(valued, before)
		switch {
		case !seen:
		case before == "-c" && !strings.Contains(text, "="), !behind && !strings.HasPrefix(text, "-") && strings.Contains(text, "="):
			list = append(list, item)
		}
	}
	return list
}

// settings also says whether every word was seen, so that what is not set there is not set on the command line.
func (s *Service) settings() (all []Setting, whole bool) {
	var words []word
	if text, seen := s.Cmd.Text(); s.Cmd.Set() {
		for _, w := range split(text) {
			words = append(words, word{w, seen, s.Cmd.Leaf})
		}
	}
	for _, item := range s.Cmd.Items {
		text, seen := item.Text()
		words = append(words, word{text, seen, item})
	}
	if len(words) > 0 && path.Base(words[0].text) == "docker-entrypoint.sh" {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil, !s.Entrypoint.Set()
	}
	if path.Base(words[0].text) != "postgres" && !strings.HasPrefix(words[0].text, "-") {
		return nil, false
	}
	whole = true
	for i, w := range words {
		long, isLong := strings.CutPrefix(w.text, "--")
		short, isShort := strings.CutPrefix(w.text, "-c")
		whole = whole && w.seen
		switch {
		case i > 0 && words[i-1].text == "-c":
			short = w.text
		case isLong:
			short = long
		case !isShort:
			continue
		}
		if name, value, ok := strings.Cut(short, "="); ok && w.seen && name != "" {
			all = append(all, Setting{strings.ReplaceAll(name, "-", "_"), value, w.at})
		}
	}
	return all, whole && !s.Entrypoint.Set()
}
