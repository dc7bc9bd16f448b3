package source

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Edit is a change of the text of a file: the bytes from Start up to End become Text.
type Edit struct {
	// File is the slash-separated path as Pos has it.
	File       string
	Start, End int
	// From and To are Start and End by line and column.
	From, To Pos
	Text     string

	src  []byte // what the file held
	show func(string) string
}

// What keeps edits from being made.
var (
	ErrOther   = errors.New("the file is not the one that was read")
	ErrOverlap = errors.New("two changes meet at one place")
)

// Apply gives the text of a file with the edits made, in whatever order they are given, and every other byte as it was.
// The error is ErrOther for a text that they were not made for, and ErrOverlap.
func Apply(src []byte, edits []Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	var out []byte
	at := 0
	for _, e := range edits {
		switch {
		case !e.Of(src) || e.Start < 0 || e.End < e.Start || e.End > len(src):
			return nil, ErrOther
		case e.Start < at:
			return nil, ErrOverlap
		}
		out = append(append(out, src[at:e.Start]...), e.Text...)
		at = e.End
	}
	return append(out, src[at:]...), nil
}

// Of reports whether the edit is one of a file with that content.
func (e Edit) Of(src []byte) bool { return bytes.Equal(e.src, src) }

// In is the edit with another name of its file.
func (e Edit) In(name string) Edit {
	e.File, e.From.File, e.To.File = name, name, name
	return e
}

// Masked is the edit where Diff shows the lines of the file through show.
func (e Edit) Masked(show func(line string) string) Edit {
	e.show = show
	return e
}

// Size is the number of bytes of the file.
func (e Edit) Size() int { return len(e.src) }

// Same reports whether two edits are the same change.
func (e Edit) Same(o Edit) bool {
	return e.File == o.File && e.Start == o.Start && e.End == o.End && e.Text == o.Text
}

// Meets reports whether two edits change the same place, so that one of them cannot be made after the other.
func (e Edit) Meets(o Edit) bool {
	return e.File == o.File && e.Start <= o.End && o.Start <= e.End
}

// text is a file to be changed, and the edits so far.
type text struct {
	*lines
	file  *File
	bom   int
	edits []Edit
}

func (f *File) text() *text {
	body := strings.TrimPrefix(string(f.Src), "\ufeff")
	return &text{lines: newLines(body), file: f, bom: len(f.Src) - len(body)}
}

// put makes the bytes of the text from start up to end another text. What stays of them is not written once more.
func (t *text) put(start, end int, now string) {
	before, after, within := strings.Cut(now, t.text[start:end])
	if within && start < end {
		if before != "" {
			t.put(start, start, before)
		}
		if after != "" {
			t.put(end, end, after)
		}
		return
	}
	t.edits = append(t.edits, Edit{
		File: t.file.Path, Start: t.bom + start, End: t.bom + end, From: t.pos(start), To: t.pos(end), Text: now, src: t.file.Src,
	})
}

func (t *text) pos(i int) Pos {
	n := t.lineOf(i)
	return Pos{File: t.file.Path, Line: n + 1, Col: utf8.RuneCountInString(t.text[t.starts[n]:i]) + 1}
}

// proven reads the file back: at the path stands what fits, and everything else is as it was. What the arithmetic with
// lines does not foresee, such as an alias elsewhere, ends here instead of in a damaged file.
func (t *text) proven(path []string, fits func(before, after Value) bool) []Edit {
	src, err := Apply(t.file.Src, t.edits)
	if err != nil || len(t.edits) == 0 {
		return nil
	}
	after, problem := Parse(t.file.Path, src)
	if problem != nil || !onlyAt(path, t.file.Root(), after.Root(), fits) {
		return nil
	}
	return t.edits
}

// onlyAt reports whether two values differ at the path alone, and there in the way that fits.
func onlyAt(path []string, before, after Value, fits func(before, after Value) bool) bool {
	if len(path) == 0 {
		return fits(before, after)
	}
	if before.Kind() != after.Kind() {
		return false
	}
	switch before.Kind() {
	case Mapping:
		was, now := before.entries(0), after.entries(0)
		if len(was) != len(now) || len(deref(before.node).Content) != len(deref(after.node).Content) {
			return false
		}
		for i, e := range was {
			if e[0].id() != now[i][0].id() {
				return false
			}
			if e[0].id() == (keyID{Scalar, path[0]}) {
				if !onlyAt(path[1:], e[1], now[i][1], fits) {
					return false
				}
			} else if !e[1].Equal(now[i][1]) {
				return false
			}
		}
		return true
	case Sequence:
		was, now := before.Items(), after.Items()
		if len(was) != len(now) {
			return false
		}
		for i, item := range was {
			if item.Name() == path[0] {
				if !onlyAt(path[1:], item, now[i], fits) {
					return false
				}
			} else if !item.Equal(now[i]) {
				return false
			}
		}
		return true
	}
	return false
}
