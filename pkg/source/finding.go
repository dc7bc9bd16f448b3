package source

import (
	"cmp"
	"fmt"
	"slices"
)

// Pos is a place in a file. File is the slash-separated path as the user knows it; Line and Col are
// 1-based and Col counts runes (as yaml.v3 and SARIF's unicodeCodePoints do). Line 0 means the whole file.
type Pos struct {
	File string
	Line int
	Col  int
}

// String gives file:line:col, or only the file when the position has no line.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Site is one place that takes part in a finding: where it is, what stands there in a few words
// (never a secret's value), and the source line as File.Snippet makes it; nil when there is none to show.
// The line is made when it is asked for: rules name more places than anybody gets to see.
type Site struct {
	Pos
	Note    string
	Snippet func() string
}

// Text is the source line of the place, empty when there is none to show.
func (s Site) Text() string {
	if s.Snippet == nil {
		return ""
	}
	return s.Snippet()
}

// Severity grades a finding.
type Severity int

// The severities. Only errors make a command fail.
const (
	// Info is something that was not checked, and why.
	Info Severity = iota
	// Warning will bite later, or only under a condition that cannot be seen from the files.
	Warning
	// Error means that the stack does not start, a user cannot do something, or something private is exposed.
	Error
)

// String gives the lower-case name used in every output format.
func (s Severity) String() string {
	return [...]string{"info", "warning", "error"}[s]
}

// Finding is one thing that is wrong. Message states the fact and, after a semicolon, the consequence in
// the running system; Fix is the line to write. Sites holds every place that takes part, the one to edit
// first at index 0. None of the texts ever holds the value of a secret.
type Finding struct {
	Rule     string
	Severity Severity
	Message  string
	Fix      string
	Sites    []Site
}

// Pos is the place to edit first; the zero Pos when the finding has no site.
func (f Finding) Pos() Pos {
	if len(f.Sites) == 0 {
		return Pos{}
	}
	return f.Sites[0].Pos
}

// Sort orders findings by file, line, column, rule and message and drops exact repetitions.
func Sort(fs []Finding) []Finding {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		p, q := a.Pos(), b.Pos()
		return cmp.Or(
			cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(fs, func(a, b Finding) bool {
		return a.Rule == b.Rule && a.Message == b.Message && a.Pos() == b.Pos()
	})
}

// HasErrors reports whether any finding is an Error.
func HasErrors(fs []Finding) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Error })
}
