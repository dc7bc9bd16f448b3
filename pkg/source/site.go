package source

import "fmt"

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
