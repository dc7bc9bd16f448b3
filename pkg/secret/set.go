// Package secret holds the named secrets of a stack: it loads them from secrets.yaml and what the spec
// names beside it, makes the missing ones, and hides all of them in what is printed.
package secret

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
)

// Set is the secrets of one stack. It is not safe for concurrent changes.
type Set struct {
	path  string
	needs []Need
	src   Sources // what it was loaded from

	values map[string]held
	// closed names are never made here: their value is bad (and reported), or it belongs to a command
	// that was not run, and a second value would shadow or contradict the real one.
	closed  map[string]bool
	pending []string // names to write to path, in the order they were changed
	err     error    // why Fill could not make a secret

	loaded    []byte // the bytes of path that values come from
	existed   bool
	encrypted bool
	broken    bool   // path is there, but not readable as a mapping
	withheld  string // the command that may have what is closed and has no origin of its own
	printed   []byte // what the command for all secrets printed, if it ran
	ran       bool

	hidden finding.Mask
	named  map[string]bool // keys of files at which secrets stand
}

type held struct{ value, origin string }

func newSet(path string, needs []Need) *Set {
	s := &Set{path: path, values: make(map[string]held), closed: make(map[string]bool)}
	seen := make(map[string]bool)
	for _, n := range needs {
		if !seen[n.Name] {
			seen[n.Name] = true
			s.needs = append(s.needs, n)
		}
	}
	return s
}

func (s *Set) need(name string) (Need, bool) {
	i := slices.IndexFunc(s.needs, func(n Need) bool { return n.Name == name })
	if i < 0 {
		return Need{Name: name}, false
	}
	return s.needs[i], true
}

// Get gives the value of a secret, "" when it has none.
func (s *Set) Get(name string) string { return s.values[name].value }

// Origin says where the value comes from: the name of the secrets file, "environment STACKGEN_SECRET_X",
// "file P", "command pass", "placeholder", or "missing". "command pass (not run)" has no value, and
// "command pass (not run), else secrets.yaml" that of the file, which counts only if the command has none.
func (s *Set) Origin(name string) string {
	if o := s.values[name].origin; o != "" {
		return o
	}
	if s.closed[name] && s.withheld != "" {
		return s.withheld
	}
	return NoOrigin
}

// NoOrigin is the Origin of a secret without a value.
const NoOrigin = "missing"

// Missing gives the external secrets without a value that nothing else was said about: neither a finding
// of Load nor a command that was not run.
func (s *Set) Missing() []Need {
	var missing []Need
	for _, n := range s.needs {
		if n.Kind == component.External && s.Get(n.Name) == "" && !s.closed[n.Name] {
			missing = append(missing, n)
		}
	}
	return missing
}

// Fill makes every generated secret that is missing and gives their names in the order of the needs. They
// are written by Save, which also says when one could not be made.
func (s *Set) Fill() []string {
	var made []string
	before := maps.Clone(s.values)
	for _, n := range s.needs {
		if n.Kind == component.External || n.Kind == component.OldKeys || s.Get(n.Name) != "" || s.closed[n.Name] {
			continue
		}
		if n.Inherit != "" && before[n.Beside].value != "" {
			s.put(n.Name, n.Inherit)
			made = append(made, n.Name)
			continue
		}
		value, err := generate(n.Kind)
		if err != nil {
			s.err = fmt.Errorf("make %q: %w", n.Name, err)
			continue
		}
		s.put(n.Name, value)
		made = append(made, n.Name)
	}
	return made
}

// Existed reports whether the secrets file was there.
func (s *Set) Existed() bool { return s.existed || s.broken }

// Dirty reports whether Save has something to write.
func (s *Set) Dirty() bool { return len(s.pending) > 0 }

// Set gives a secret a value, to be written by Save. It refuses a value that the need of that name does
// not allow, and a name whose value comes from somewhere that secrets.yaml cannot override.
func (s *Set) Set(name, value string) error {
	need, known := s.need(name)
	err := checkText(value)
	if known && err == nil {
		err = need.Check(value)
	}
	if err == nil {
		err = checkName(name)
	}
	if err != nil {
		return fmt.Errorf("the value for %q %w", name, err)
	}
	if err := s.settable(name); err != nil {
		return err
	}
	s.put(name, value)
	return nil
}

// settable says why a new value of name would not count: a stronger source has one.
func (s *Set) settable(name string) error {
	o := s.Origin(name)
	if o == NoOrigin || o == originPlaceholder || o == s.fileOrigin() || s.stores() && o == s.commandOrigin() {
		return nil
	}
	where := "change it there"
	if _, own := s.src.From[name]; !own && len(s.src.Command) > 0 && strings.HasPrefix(o, s.commandOrigin()) {
		where += ", or name the command that takes new values as `secrets: {store: [...]}` in the spec"
	}
	return fmt.Errorf("%q comes from %s, which wins over %s; %s", name, o, s.Target(), where)
}

// stores reports whether new values go to the command that the spec names for it.
func (s *Set) stores() bool { return len(s.src.Store) > 0 && s.src.Run != nil }

func (s *Set) commandOrigin() string { return "command " + program(s.src.Command) }

// Target says where Save writes, as Origin would.
func (s *Set) Target() string {
	if s.stores() {
		return s.commandOrigin()
	}
	return s.fileOrigin()
}

// PlainBeside names the command that gives the other secrets, when Save writes in plain text beside it; else "".
func (s *Set) PlainBeside() string {
	if len(s.src.Command) == 0 || s.stores() {
		return ""
	}
	return program(s.src.Command)
}

// Rotate gives a generated secret a new value, to be written by Save. An external one has to be renewed
// where it comes from.
func (s *Set) Rotate(need Need) error {
	value, err := generate(need.Kind)
	if err != nil {
		return fmt.Errorf("rotate %q: %w", need.Name, err)
	}
	old := s.Get(need.Name)
	if err := s.Set(need.Name, value); err != nil || need.Remembers == "" || old == "" {
		return err
	}
	line := oldKey(old, time.Now().Add(oldKeyGrace))
	if known := strings.TrimRight(s.Get(need.Remembers), "\n"); known != "" {
		line = known + "\n" + line
	}
	return s.Set(need.Remembers, line)
}

// Settable says why a new value of name would not count, because a source that Save does not write wins; else nil.
func (s *Set) Settable(name string) error { return s.settable(name) }

func (s *Set) put(name, value string) {
	s.values[name] = held{value: value, origin: s.Target()}
	delete(s.closed, name)
	s.Hide(value)
	if !slices.Contains(s.pending, name) {
		s.pending = append(s.pending, name)
	}
}

func (s *Set) fileOrigin() string {
	if s.path == "" {
		return "secrets.yaml"
	}
	return filepath.Base(s.path)
}
