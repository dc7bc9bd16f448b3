package source

import (
	"fmt"
	"slices"
	"strings"
)

// Hunk is a place of a file where edits change it: lines with what they begin with in a unified diff, a blank, - or +. Nothing that could be
// a secret is in them, as Snippet does it.
type Hunk struct {
	Old, New int // the number of the first line before and after
	Lines    []string
}

// Header is the line that a hunk begins with in a unified diff.
func (h Hunk) Header() string {
	old, now := 0, 0
	for _, l := range h.Lines {
		if l[0] != '+' {
			old++
		}
		if l[0] != '-' {
			now++
		}
	}
	return fmt.Sprintf("@@ -%d,%d +%d,%d @@", h.Old, old, h.New, now)
}

// Patch is what edits do to one file.
type Patch struct {
	File  string
	Hunks []Hunk
}

// around is how many lines a hunk shows beside those that change.
const around = 3

// Diff gives what the edits do, by file in the order of their names. Files whose edits cannot be made together are left out.
func Diff(edits []Edit) []Patch {
	of := make(map[string][]Edit)
	var names []string
	for _, e := range edits {
		if of[e.File] == nil {
			names = append(names, e.File)
		}
		of[e.File] = append(of[e.File], e)
	}
	slices.Sort(names)
	var all []Patch
	for _, name := range names {
		was := of[name][0].src
		now, err := Apply(was, of[name])
		before, problem := Parse(name, was)
		if err != nil || problem != nil {
			continue
		}
		after, problem := Parse(name, now)
		if problem != nil {
			continue
		}
		show := of[name][0].show
		if show == nil {
			show = func(text string) string { return text }
		}
		all = append(all, Patch{name, hunks(of[name], sides{before.allLines(), after.allLines(), before.shown(show), after.shown(show)})})
	}
	return all
}

// sides are the lines of a file before and after, as they are and as they are shown.
type sides struct{ was, now, showWas, showNow []string }

// stretch is where lines differ: the lines from up to end were, nowFrom up to nowEnd are in their place.
type stretch struct{ from, end, nowFrom, nowEnd int }

// hunks shows the lines that differ, with those around them.
func hunks(edits []Edit, s sides) []Hunk {
	last := len(s.was)
	if s.was[last-1] == "" {
		last--
	}
	var all []Hunk
	shown := 0
	places := differing(edits, s)
	for i, p := range places {
		if from := max(p.from-around, 0); i == 0 || from > shown {
			all = append(all, Hunk{Old: from + 1, New: from + 1 + p.nowFrom - p.from})
			shown = from
		}
		h := &all[len(all)-1]
		h.add(' ', s.showWas[shown:p.from])
		h.add('-', s.showWas[p.from:p.end])
		h.add('+', s.showNow[p.nowFrom:p.nowEnd])
		shown = max(min(p.end+around, last), p.end)
		if i+1 < len(places) {
			shown = min(shown, places[i+1].from)
		}
		h.add(' ', s.showWas[p.end:shown])
	}
	return all
}

// differing are the places where the lines differ by the edits.
func differing(edits []Edit, s sides) (all []stretch) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.Start - b.Start })
	moved := 0 // by how many the lines behind have moved
	for i := 0; i < len(edits); {
		p := stretch{from: edits[i].From.Line - 1, end: edits[i].To.Line}
		p.nowFrom = p.from + moved
		moved += growth(edits[i])
		for i++; i < len(edits) && edits[i].From.Line <= p.end; i++ {
			p.end = max(p.end, edits[i].To.Line)
			moved += growth(edits[i])
		}
		p.nowEnd = p.end + moved
		for p.from < p.end && p.nowFrom < p.nowEnd && s.was[p.from] == s.now[p.nowFrom] {
			p.from, p.nowFrom = p.from+1, p.nowFrom+1
		}
		for p.from < p.end && p.nowFrom < p.nowEnd && s.was[p.end-1] == s.now[p.nowEnd-1] {
			p.end, p.nowEnd = p.end-1, p.nowEnd-1
		}
		all = append(all, p)
	}
	return all
}

func (h *Hunk) add(mark byte, lines []string) {
	for _, l := range lines {
		h.Lines = append(h.Lines, string(mark)+l)
	}
}

// growth is by how many lines an edit makes its file longer.
func growth(e Edit) int { return len(newLines(e.Text).starts) - 1 - (e.To.Line - e.From.Line) }

func (f *File) allLines() []string {
	f.once.Do(f.index)
	return f.lines
}

// shown are the lines of a file for a person to read.
func (f *File) shown(show func(string) string) []string {
	lines := f.allLines()
	out := make([]string, len(lines))
	open := false // the value of the line above goes on
	for i, raw := range lines {
		scalars := f.scalars[i+1]
		bare := strings.TrimSpace(raw)
		switch {
		case len(scalars) > 0:
			out[i] = show(f.Snippet(i + 1))
			open = goesOn([]rune(raw), scalars[len(scalars)-1].node)
		case bare == "":
		case open:
			out[i] = Masked
		case strings.HasPrefix(bare, "#"):
			out[i] = strings.Repeat(" ", strings.Index(raw, "#")) + hiddenComment
		case structural().MatchString(raw):
			out[i] = strings.TrimRight(raw, " \t\r")
		default:
			out[i] = Masked
		}
	}
	return out
}
