package deployment

import (
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Absent says why Compose starts no container of a service; Why is "" where it does. Profiles are those behind which
// the service stands when none of them is switched on in .env.
type Absent struct {
	Why      string
	Profiles []string
	At       source.Value
}

// absence reads profiles, scale and deploy.replicas.
func (s *Service) absence() Absent {
	list := s.Value.At("profiles")
	on := strings.Split(s.D.Env["COMPOSE_PROFILES"], ",")
	var names []string
	for _, p := range list.Items() {
		name := p.Str()
		if slices.ContainsFunc(on, func(o string) bool { o = strings.TrimSpace(o); return o == name || o == "*" }) {
			names = nil
			break
		}
		names = append(names, name)
	}
	if len(names) > 0 {
		return Absent{Why: "it stands behind the profile " + strings.Join(names, ", "), Profiles: names, At: list}
	}
	if n, at, ok := s.replicas(); ok && n == 0 {
		return Absent{Why: at.Name() + " is 0", At: at}
	}
	return Absent{}
}

// replicas is the number of containers that Compose starts of a service; ok is false where it stands behind a variable.
func (s *Service) replicas() (n int, at source.Value, ok bool) {
	for _, at := range []source.Value{s.Value.At("scale"), s.Value.At("deploy", "replicas")} {
		if !at.Set() {
			continue
		}
		text, ok := s.D.Expand(at)
		n, err := strconv.Atoi(text)
		return n, at, ok && err == nil
	}
	return 1, source.Value{}, true
}

// Copies is the number of containers of a service where that is told, and the place that tells it.
func (s *Service) Copies() (n int, at source.Value) {
	n, at, ok := s.replicas()
	if !ok {
		return 1, at
	}
	return n, at
}

// DependsOn yields the services without which Compose does not start this one, with the place that says so.
func (s *Service) DependsOn() iter.Seq2[string, source.Value] {
	return func(yield func(string, source.Value) bool) {
		list := s.Value.At("depends_on")
		for _, item := range list.Items() {
			if !yield(item.Str(), item) {
				return
			}
		}
		for key, v := range list.Entries() {
			if !IsFalse(v.At("required")) && !yield(key.Str(), v) {
				return
			}
		}
	}
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
	e := c.Entry
	if e == nil && c.Bridge == nil {
		return Itself, "", source.Site{}
	}
	if e == nil {
		e = &component.BridgeEntry
	}
	entry := s.wordsOf("entrypoint")
	replaced := len(entry) > 0 || c.Bridge != nil
	words := append(entry, s.wordsOf("command")...)
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
		for _, w := range words[1:] {
			script += w.Text + " "
		}
		inline := strings.TrimSpace(strings.TrimPrefix(script, "-c "))
		if one, _, _ := strings.Cut(inline, " "); strings.HasPrefix(script, "-c ") && slices.Contains(idle, one) && !strings.ContainsAny(inline, ";&|\n") {
			return Other, one, at
		}
		return Script, "a script", at
	case replaced && launches(first), !replaced && launches(first) && e.Modes == nil:
		return Itself, "", at
	case (replaced || e.Modes == nil) && slices.Contains(idle, name):
		return Other, first, at
	case replaced, e.Modes == nil && !(e.Options && strings.HasPrefix(first, "-")):
		return Script, first, at
	case e.Modes == nil, slices.Contains(e.Modes, first), e.Options && strings.HasPrefix(first, "-"):
		return Itself, "", at
	case slices.Contains(e.Images, s.Image.Repository):
		return Refused, first, at
	}
	return Script, first, at
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
func (s *Service) wordsOf(key string) (words []Word) {
	v := s.Value.At(key)
	if v.Kind() == source.Scalar {
		text, _ := s.D.Expand(v)
		for _, w := range split(text) {
			words = append(words, Word{w, v.Site("")})
		}
	}
	for _, item := range v.Items() {
		text, _ := s.D.Expand(item)
		words = append(words, Word{text, item.Site("")})
	}
	return words
}
