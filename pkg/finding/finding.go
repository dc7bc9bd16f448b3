// Package finding says what is wrong with a stack, or could not be looked at, and where. A finding never
// carries a secret to whoever prints it.
package finding

import (
	"cmp"
	"slices"

	"philipp.info/stackgen/pkg/source"
)

// Severity grades a finding.
type Severity int

// The severities. Only errors make a command fail.
const (
	// Info is something to know that breaks nothing; also the severity of what was not checked.
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

// Status tells what is known to be wrong from what could not be looked at.
type Status int

// The statuses.
const (
	// Found is a fact about the files.
	Found Status = iota
	// NotChecked means that a rule could not see what it needs; it may hold or not.
	NotChecked
)

// String gives the name used in JSON.
func (s Status) String() string {
	return [...]string{"found", "not checked"}[s]
}

// Finding is one thing that is wrong. Message states the fact and, after a semicolon, the consequence in
// the running system; Fix is the line to write. Sites holds every place that takes part, the one to edit
// first at index 0. None of the texts ever holds the value of a secret.
//
// Edits gives the changes of files that together are the fix, where that is certain: nil, or none, where something has to be
// chosen or made up. They are made when they are asked for. The files are named from the directory of the deployment.
type Finding struct {
	Rule     string
	Severity Severity
	Status   Status
	Message  string
	Fix      string
	Sites    []source.Site
	Edits    func() []source.Edit
	// Some makes the same finding of only those of several things that are wanted, by the places of each; false where none is. It is
	// nil where the finding is about one thing.
	Some func(wanted func(places []source.Site) bool) (Finding, bool)
	// Suppression says who answered the finding, and how; nil for one that nobody did.
	Suppression *Suppression
}

// Suppression is the answer to a finding that is known and meant to stay. Reason is in the words of whoever wrote it.
type Suppression struct {
	By     Answer
	Reason string
	At     source.Pos // of the comment or the entry; only the file of a baseline
}

// Answer is the way in which a finding was answered.
type Answer int

// The answers.
const (
	Comment  Answer = iota // beside the place
	Entry                  // of .stackgen.yaml
	Baseline               // an earlier report that has the finding
)

// String gives the name used in JSON.
func (a Answer) String() string {
	return [...]string{"comment", ".stackgen.yaml", "baseline"}[a]
}

// Unchecked is a finding of the rule that something was not checked, and why: a clause that goes on from
// "because". It is an Info.
func Unchecked(rule, why string, sites ...source.Site) Finding {
	return Finding{Rule: rule, Severity: Info, Status: NotChecked, Message: "not checked, because " + why, Sites: sites}
}

// Pos is the place to edit first; the zero Pos when the finding has no site.
func (f Finding) Pos() source.Pos {
	if len(f.Sites) == 0 {
		return source.Pos{}
	}
	return f.Sites[0].Pos
}

// Fact is what a finding says, wherever in its file it stands: lines move.
type Fact struct{ Rule, File, Message string }

// Fact is what the finding says.
func (f Finding) Fact() Fact { return Fact{f.Rule, f.Pos().File, f.Message} }

// Mends gives the edits of the finding; none where its fix is not certain.
func (f Finding) Mends() []source.Edit {
	if f.Edits == nil {
		return nil
	}
	return f.Edits()
}

// Parse is source.Parse with what makes the file unreadable as findings of the rule "yaml".
func Parse(path string, src []byte) (*source.File, []Finding) {
	f, p := source.Parse(path, src)
	if p == nil {
		return f, nil
	}
	return f, []Finding{{Rule: "yaml", Severity: Error, Message: p.Message, Fix: p.Fix, Sites: []source.Site{{Pos: p.Pos}}}}
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
