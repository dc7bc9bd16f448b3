package deployment

import (
	"fmt"

	"philipp.info/stackgen/pkg/source"
)

// Leaf is a value of which nothing counts but its text and its place: one of the files that the deployment itself is
// written in, in whatever format, or of a program's configuration. One that is not in the file has the place where
// it would stand.
type Leaf struct {
	v    source.Value
	text string
	open bool // a variable in it is set nowhere in the directory
}

// LeafOf is a value whose text is the one in the file.
func LeafOf(v source.Value) Leaf { return Leaf{v: v, text: v.Str()} }

// Filled is a value whose text has variables in it. ok says that all of them are set in the directory.
func Filled(v source.Value, text string, ok bool) Leaf { return Leaf{v: v, text: text, open: !ok} }

// Str is the text as it stands in the file.
func (l Leaf) Str() string { return l.v.Str() }

// Written is the text as the file has it before any variable is replaced.
func (l Leaf) Written() string { return l.v.Origin().Str() }

// Text is what the program is given. ok is false when a variable in it is set nowhere in the directory.
func (l Leaf) Text() (text string, ok bool) { return l.text, !l.open }

// Exists reports whether the value stands in the file. A null exists.
func (l Leaf) Exists() bool { return l.v.Exists() }

// Set reports whether the value stands in the file and is not null.
func (l Leaf) Set() bool { return l.v.Set() }

// True and False report whether the value is that one.
func (l Leaf) True() bool { return l.v.True() }

// False is told from what is not set.
func (l Leaf) False() bool { return IsFalse(l.v) }

// Pos is where the value stands.
func (l Leaf) Pos() source.Pos { return l.v.Pos() }

// Site is its place for a finding.
func (l Leaf) Site(note string) source.Site { return l.v.Site(note) }

// Path is the dotted path of keys that leads to it, Name the last of them.
func (l Leaf) Path() string { return l.v.Path() }

// Name is the key that it stands under.
func (l Leaf) Name() string { return l.v.Name() }

// ReadAs says as what the reader takes it; see source.Value.ReadAs.
func (l Leaf) ReadAs(r source.Reader) string { return l.v.ReadAs(r) }

// NamesSecret reports whether its key names a secret.
func (l Leaf) NamesSecret() bool { return l.v.NamesSecret() }

// Scalar reports whether it is a single value, or nothing at all.
func (l Leaf) Scalar() bool {
	return l.v.Kind() != source.Mapping && l.v.Kind() != source.Sequence
}

// Respelt reports whether who reads it and writes it anew writes something else.
func (l Leaf) Respelt() bool { return l.Scalar() && fmt.Sprint(l.v.Any()) != l.v.Str() }

// Become gives the edits that make it another value, Gone those that take it out of its file; see source.Value.
func (l Leaf) Become(written string) []source.Edit { return l.v.Become(written) }

// BecomeText is Become for a string.
func (l Leaf) BecomeText(text string) []source.Edit { return l.v.BecomeText(text) }

// Gone is nil where that is not done at one place.
func (l Leaf) Gone() []source.Edit { return l.v.Gone() }

// List is a list of values, or a single one in its place, which has no items.
type List struct {
	Leaf
	Items []Leaf
}

// ListOf is a list of a program's configuration.
func ListOf(v source.Value) List {
	l := List{Leaf: LeafOf(v)}
	for _, item := range v.Items() {
		l.Items = append(l.Items, LeafOf(item))
	}
	return l
}

// Texts are those of the items.
func (l List) Texts() []string {
	var texts []string
	for _, item := range l.Items {
		texts = append(texts, item.Str())
	}
	return texts
}
