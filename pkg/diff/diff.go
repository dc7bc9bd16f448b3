// Package diff compares two trees of a stack: which files and values differ, what that does to the running
// services, and what cannot be undone. Every text in its result is free of secrets, whatever the trees hold.
package diff

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
)

// Tree is the files of a stack by path.
type Tree map[string][]byte

func (t Tree) fs() fs.FS {
	files := make([]memfs.File, 0, len(t))
	for p, data := range t {
		files = append(files, memfs.File{Path: p, Data: data})
	}
	return memfs.New(files)
}

// Input is what is compared, and what is known beside it.
type Input struct {
	Old, New Tree
	// Hand are the files of Old that are not as stackgen wrote them.
	Hand map[string]Hand
	// Before is what the old stack has to keep, as check.Values gives it, beside what its files say.
	Before map[string]string
	// Unmade are the secrets of the new stack for which placeholders stand and the old one had none.
	Unmade []string
	// Secrets hides what it holds. New adds to it what it finds in the trees.
	Secrets *secret.Set
	// Dir begins the paths that a person is told to use.
	Dir string
	// Known is the deployment that New was proven as, whose files need not be parsed again; nil where there is none.
	Known *deployment.Deployment
	// Root are commands that root has to run before the new stack can start.
	Root []string
}

// Hand says what is not stackgen's about a file.
type Hand string

// The ways in which a file is not as stackgen wrote it.
const (
	Edited  Hand = "edited"  // stackgen wrote it, and somebody changed it since
	Foreign Hand = "foreign" // stackgen never wrote it, and has something else for its place
)

// Action is what happens to a file, a value or a service.
type Action string

// The actions. Files and values are added, changed or removed; a list can be reordered; a file that was edited by hand and is no
// longer in the stack is kept; services are created, recreated or removed.
const (
	Added     Action = "added"
	Changed   Action = "changed"
	Removed   Action = "removed"
	Kept      Action = "kept"
	Created   Action = "created"
	Recreated Action = "recreated"
	Reordered Action = "reordered"
)

// Diff is the difference between two trees.
type Diff struct {
	Spec  string   `json:"spec"`
	From  string   `json:"from"`  // what the old tree is
	To    string   `json:"to"`    // what the new tree is
	Notes []string `json:"notes"` // why it is not compared as asked
	// Blind says that there was a stack to compare with, and that it could not be rendered.
	Blind bool `json:"-"`
	Effects
	Secrets []Secret `json:"secrets"`
	// Findings of the new spec, as the JSON report of findings has them.
	Findings json.RawMessage `json:"findings"`
	// Suppressed are those of its findings that somebody answered, in the same form.
	Suppressed json.RawMessage `json:"suppressed"`
	// Silenced says in words which of those the change suppresses: they count in the old spec, or are not there.
	Silenced []string `json:"silenced"`
	Values   []Value  `json:"values"`
	Files    []File   `json:"files"`
}

// Effects is what a difference does to the running stack.
type Effects struct {
	Services     []Service `json:"services"`
	Irreversible []Loss    `json:"irreversible"`
	Databases    []string  `json:"databases"` // that are created
	Steps        []string  `json:"steps"`     // for a person
	Next         []string  `json:"next"`      // Steps and Command, in the order to do them
	Command      string    `json:"command"`   // what brings the stack to the new state; empty when nothing does
	First        bool      `json:"first"`     // there was no stack before
}

// Loss is a value that the stack has to keep, and that is another one now. Old and New are empty for what
// comes from a secret.
type Loss struct {
	Name   string `json:"name"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	Breaks string `json:"breaks"`
}

// Secret is a secret that the new stack has and the old one had not.
type Secret struct {
	Name string `json:"name"`
	// Where a person gets it; empty for one that render makes.
	Where string `json:"where,omitempty"`
}

// Empty reports whether the two trees are the same, and nothing that is wrong with the new one is suppressed anew.
func (d *Diff) Empty() bool { return d.same() && len(d.Silenced) == 0 }

func (d *Diff) same() bool { return len(d.Files) == 0 && len(d.Secrets) == 0 }

// New compares two trees.
func New(in Input) *Diff {
	c := compare(in)
	c.hide()
	return &Diff{Effects: c.effects(), Values: c.values(), Files: c.files(), Notes: []string{}, Secrets: []Secret{}, Silenced: []string{}}
}

// Nothing is the difference of a spec that cannot be rendered: two empty trees.
func Nothing(spec string) *Diff {
	d := New(Input{})
	d.Spec = spec
	return d
}

// EffectsOf tells only what a difference does to the running stack.
func EffectsOf(in Input) Effects { return compare(in).effects() }

// comparison is the work on one Input.
type comparison struct {
	Input
	old, new side
	changed  []string          // paths that differ, sorted
	first    bool              // there was no stack
	moved    bool              // it was one for another target
	of       map[string]string // the service that an object belongs to
}

// side is one of the trees as it was read.
type side struct {
	tree       Tree
	deployment *deployment.Deployment
	parsed     map[string]*source.File // by path, nil where the file is not YAML
	fixed      func() []deployment.Fixed
}

func compare(in Input) *comparison {
	if in.Secrets == nil {
		in.Secrets = secret.Placeholders(nil)
	}
	c := &comparison{Input: in}
	var known []*deployment.Deployment
	if in.Known != nil {
		known = append(known, in.Known)
	}
	c.first = !in.Old.ofManifests() && !slices.ContainsFunc(compose.Names, func(name string) bool { _, ok := in.Old[name]; return ok })
	c.moved = !c.first && in.Old.ofManifests() != in.New.ofManifests()
	var from map[string]string
	c.new = read(in.New, known...)
	c.old = read(in.Old, c.new.deployment)
	c.New, from, c.of = in.New.pieces()
	old, fromOld, of := in.Old.pieces()
	c.Old = old
	c.Hand = make(map[string]Hand)
	for _, where := range []map[string]string{fromOld, from} {
		for piece, file := range where {
			if h := in.Hand[file]; h != "" {
				c.Hand[piece] = h
			}
		}
	}
	for piece, name := range of {
		c.of[piece] = cmp.Or(c.of[piece], name)
	}
	c.new.tree, c.old.tree = c.New, c.Old
	in.New, in.Old = c.New, c.Old
	paths := make(map[string]bool)
	for _, t := range []Tree{in.Old, in.New} {
		for p := range t {
			paths[p] = true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		old, was := in.Old[p]
		now, is := in.New[p]
		if was != is || !bytes.Equal(old, now) {
			c.changed = append(c.changed, p)
		}
	}
	return c
}

func read(t Tree, known ...*deployment.Deployment) side {
	// What keeps a tree from being read as a deployment is no concern here: it has no services then.
	d := t.deployment(known...)
	return side{tree: t, deployment: d, parsed: make(map[string]*source.File), fixed: sync.OnceValue(d.Fixed)}
}

// file parses a file; nil when it is no YAML with keys or items.
func (s side) file(p string) *source.File {
	f, done := s.parsed[p]
	if done || !isYAML(p) {
		return f
	}
	if data, ok := s.tree[p]; ok {
		parsed, findings := s.deployment.Parsed(p, data), []finding.Finding(nil)
		if parsed == nil {
			parsed, findings = finding.Parse(p, data)
		}
		if kind := parsed.Root().Kind(); len(findings) == 0 && (kind == source.Mapping || kind == source.Sequence) {
			f = parsed
		}
	}
	s.parsed[p] = f
	return f
}

func isYAML(p string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json", ".config"}, path.Ext(p))
}

// opaque reports whether a file is one secret as a whole.
func opaque(p string) bool {
	return ofVariables(p) || strings.HasPrefix(p, "secrets/") || slices.Contains([]string{".key", ".pem", ".env"}, path.Ext(p))
}

func (c *comparison) effects() Effects {
	e := Effects{Services: []Service{}, Irreversible: c.irreversible(), Databases: []string{}, Steps: []string{}, Next: []string{}, First: c.first}
	if e.First = e.First || c.moved; c.new.deployment.File == "" || !e.First && c.old.deployment.File == "" {
		return e // what ran, or is to run, cannot be known
	}
	e.Services = c.services()
	had := c.old.deployment.Databases()
	for _, name := range c.new.deployment.Databases() {
		if !slices.Contains(had, name) {
			e.Databases = append(e.Databases, c.Secrets.Mask(name))
		}
	}
	before, after := c.steps(e)
	e.Steps = append(append(e.Steps, before...), after...)
	if len(e.Services) > 0 || c.new.cluster() && len(c.changed) > 0 {
		e.Command = c.new.command(slices.ContainsFunc(e.Services, func(s Service) bool { return s.Action == Removed }))
	}
	e.Next = append(e.Next, before...)
	if e.Command != "" {
		e.Next = append(e.Next, e.Command)
	}
	e.Next = append(e.Next, after...)
	return e
}

func (c *comparison) irreversible() []Loss {
	losses := []Loss{}
	for _, f := range c.broken() {
		if f.Mends != "" {
			continue // a step says so
		}
		l := Loss{Name: c.Secrets.Mask(f.Name), Breaks: f.Breaks}
		if !f.Secret {
			l.Old, l.New = c.Secrets.Mask(c.before()[f.Name]), c.Secrets.Mask(f.Value)
		}
		losses = append(losses, l)
	}
	return losses
}

// broken is what the stack had to keep and does not. A secret that is yet to be made is not known.
func (c *comparison) broken() []deployment.Fixed {
	return slices.DeleteFunc(deployment.Broken(c.before(), c.new.fixed()), func(f deployment.Fixed) bool {
		return f.Secret && slices.Contains(c.Unmade, f.Name)
	})
}

// before is what the old stack has to keep. Its manifest knows more than its files.
func (c *comparison) before() map[string]string {
	before := deployment.Values(c.old.fixed())
	maps.Copy(before, c.Before)
	return before
}
