package source

import "strings"

// Line is one line of a file, for comparing two versions of it. Text may be shown to people; Raw is what
// stands there and may be a secret. A value that goes over several lines is one Line.
type Line struct{ Text, Raw string }

// hiddenComment stands for a comment that may hold an old value.
const hiddenComment = "# …"

// Lines gives the lines of a file that Parse could read, each without anything that could be secret, as
// Snippet does it. Comments are shown only with comments: they are known not to hold old values.
func (f *File) Lines(comments bool) []Line {
	f.once.Do(f.index)
	lines := f.lines
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	var out []Line
	open := false // the value of the last line goes on
	for i, raw := range lines {
		scalars := f.scalars[i+1]
		if len(scalars) == 0 && open {
			last := &out[len(out)-1]
			last.Raw += "\n" + raw
			continue
		}
		l := Line{Text: raw, Raw: raw}
		switch bare := strings.TrimSpace(raw); {
		case len(scalars) > 0:
			l.Text = f.Snippet(i + 1)
			open = goesOn([]rune(raw), scalars[len(scalars)-1].node)
		case strings.HasPrefix(bare, "#") && !comments:
			l.Text = strings.Repeat(" ", strings.Index(raw, "#")) + hiddenComment
		case strings.HasPrefix(bare, "#"), structural().MatchString(raw):
		default:
			l.Text = Masked
		}
		out = append(out, l)
	}
	return out
}
