package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Absent says why no container of a service is started; Why is "" where one is. Profiles are those behind which the
// service stands when none of them is switched on.
type Absent struct {
	Why      string
	Profiles []string
	At       Leaf
}

// Launch is what a service runs.
type Launch int

// The kinds of Launch: the program of its image; a tool of it, such as a migration; certainly something else; what a
// script does that was not read; words that the program of the image refuses.
const (
	Itself Launch = iota
	Tool
	Other
	Script
	Refused
)

// idle are programs that leave a container doing nothing.
var idle = []string{"true", "false", "sleep", "tail", "cat", "echo", "ls", "env", ":", "/bin/true"}

// wrappers start what follows them.
var wrappers = []string{"tini", "dumb-init", "catatonit", "exec", "nice", "nohup", "--", "-g", "-s"}

var shells = []string{"sh", "bash", "ash", "dash"}

// Launch tells what a service runs, with the word that says so and its place.
func (s *Service) Launch() (kind Launch, word string, at source.Site) {
	c := s.Component()
	e := c.EntryOf(s.Image.Repository)
	if e == nil && c.Bridge == nil {
		return Itself, "", source.Site{}
	}
	if e == nil {
		e = &component.BridgeEntry
	}
	entry := wordsOf(s.Entrypoint)
	replaced := s.Entrypoint.Set() || c.Bridge != nil // an empty one takes the image's away
	words := append(entry, wordsOf(s.Cmd)...)
	for len(words) > 0 && replaced && slices.Contains(wrappers, path.Base(words[0].Text)) {
		words = words[1:]
	}
	if len(words) == 0 {
		return Itself, "", source.Site{}
	}
	first, at := words[0].Text, words[0].Site
	name := path.Base(first)
	launches := func(text string) bool {
		return slices.ContainsFunc(e.Words, func(l string) bool { return path.Base(text) == l }) || c.Bridge != nil && strings.HasPrefix(path.Base(text), "mautrix-")
	}
	isTool := slices.Contains(c.Once, name) || slices.ContainsFunc(words, func(w Word) bool { return slices.Contains(c.Once, w.Text) })
	switch {
	case isTool && (c.Serve == "" || !slices.ContainsFunc(words, func(w Word) bool { return w.Text == c.Serve })):
		return Tool, first, at
	case slices.Contains(shells, name) && (replaced || e.Modes == nil):
		script := ""
		var scriptSb71 strings.Builder
		for _, w := range words[1:] {
			scriptSb71.WriteString(w.Text + " ")
		}
		script += scriptSb71.String()
		inline := strings.TrimSpace(strings.TrimPrefix(script, "-c "))
		if one, _, _ := strings.Cut(inline, " "); strings.HasPrefix(script, "-c ") && slices.Contains(idle, one) && !strings.ContainsAny(inline, ";&|\n") {
			return Other, one, at
		}
		return Script, "a script", at
	case replaced && launches(first), !replaced && launches(first) && e.Modes == nil:
		return Itself, "", at
	case (replaced || e.Modes == nil) && slices.Contains(idle, name):
		return Other, first, at
	case replaced, e.Modes == nil && (!e.Options || !strings.HasPrefix(first, "-")):
		return Script, first, at
	case e.Modes == nil, slices.Contains(e.Modes, first), e.Options && strings.HasPrefix(first, "-"):
		return Itself, "", at
	case slices.Contains(e.Images, s.Image.Repository):
		return Refused, first, at
	}
	return Script, first, at
}

// OtherProgram is the program with which a bridge of mautrix is started that its image, of a release in the other language, does not have:
// python with a module, or a program of Go's. ok is false where there is none, or it cannot be told.
func (s *Service) OtherProgram() (program Word, ok bool) {
	b, words := s.Component().Bridge, s.CommandWords()
	dialect, known := s.Image.Dialect()
	if b == nil || !known || len(words) == 0 || s.Image.Repository != s.Component().Tested.Repository {
		return Word{}, false
	}
	name := path.Base(words[0].Text)
	module := slices.ContainsFunc(words, func(w Word) bool { return strings.HasPrefix(w.Text, "mautrix_") })
	switch dialect {
	case component.OlderPython: // how their images start is not known
		return Word{}, false
	case component.Python:
		return words[0], b.Binary != "" && name == path.Base(b.Binary)
	}
	return words[0], strings.HasPrefix(name, "python") && module
}

// split takes a command line apart as Compose does: at blanks, but for those between quotes.
func split(text string) (words []string) {
	var b strings.Builder
	quote, open := rune(0), false
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, open = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n' || r == '\r'):
			if b.Len() > 0 || open {
				words = append(words, b.String())
			}
			b.Reset()
			open = false
		default:
			b.WriteRune(r)
		}
	}
	if b.Len() > 0 || open {
		words = append(words, b.String())
	}
	return words
}

// wordsOf are the words of entrypoint or of command.
func wordsOf(list List) (words []Word) {
	text, known := list.Text()
	for _, w := range split(text) {
		words = append(words, Word{w, list.Site(""), !known})
	}
	for _, item := range list.Items {
		text, known := item.Text()
		words = append(words, Word{text, item.Site(""), !known})
	}
	return words
}

// idle reports whether a service has an image of Synapse, MAS or a bridge, and nobody runs that program.
func (d *Deployment) idle(s *Service) bool {
	known := s.Program == component.Synapse || s.Program == component.MAS || s.Component().Bridge != nil
	return known && s.Absent.Why == "" && !s.worker() && len(d.Running(s.Program)) == 0
}

// OnlyTool is the word by which a service runs a tool of Synapse, MAS or a bridge, where no other runs the program itself; "" else.
func (d *Deployment) OnlyTool(s *Service) string {
	if kind, word, _ := s.Launch(); kind == Tool && d.idle(s) {
		return word
	}
	return ""
}

// misled says of a service of Synapse's, MAS's or a bridge's image that it does not run the program, where no other does; "" else.
func (d *Deployment) misled(s *Service) string {
	kind, word, _ := s.Launch()
	switch {
	case s.Once || !d.idle(s):
	case kind == Refused:
		return "it is started with " + word + ", which its image does not take"
	case kind == Other:
		return "it runs " + word + " in its place"
	}
	return ""
}

// IsShell reports whether a word starts a shell.
func IsShell(word string) bool { return slices.Contains(shells, path.Base(word)) }
