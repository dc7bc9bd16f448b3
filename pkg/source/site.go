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

// SiteAt is a line as a whole, as a place of a finding.
func (f *File) SiteAt(line int) Site {
	return Site{Pos: Pos{File: f.Path, Line: line, Col: 1}, Snippet: func() string { return f.Snippet(line) }}
}

// KeysAt is the path of the key or list item that begins at p, otherwise of the value, as Value.Keys gives it; nil
// when none does. A mapping begins where its first key does: the key is meant, for a Site of the mapping is
// at its own.
func (f *File) KeysAt(p Pos) []string {
	if found := f.keysAt(p, Value.KeyPos); found != nil {
		return found
	}
	return f.keysAt(p, Value.Pos)
}

func (f *File) keysAt(p Pos, begins func(Value) Pos) []string {
	var found []string
	var walk func(v Value, depth int)
	walk = func(v Value, depth int) {
		if found != nil || depth > 100 {
			return
		}
		if v.node != nil && begins(v) == p && len(v.path) > 0 {
			found = v.path
			return
		}
		for _, item := range v.Items() {
			walk(item, depth+1)
		}
		for _, val := range v.Entries() {
			walk(val, depth+1)
		}
	}
	walk(f.Root(), 0)
	return found
}
