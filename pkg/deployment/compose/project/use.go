package project

import "github.com/compose-spec/compose-go/v2/template"

// Use is one dollar of a text that is not doubled, with all that compose-go takes for one variable.
type Use struct {
	Text string // as it stands: $X, ${X:-y}, or ${ where what follows is none
	// Variables are the one that it names and those that stand within: of ${X:-${Y:-z}} there are two.
	Variables []template.Variable
}

// Bare is the name where no braces stand around it; "" where some do.
func (u Use) Bare() string {
	if u.Text[1] == '{' {
		return ""
	}
	return u.Text[1:]
}

// Invalid reports whether the dollar begins no variable at all.
func (u Use) Invalid() bool { return u.Text == "${" }

// Uses are those of a text, in its order.
func Uses(text string) (all []Use) {
	for m := template.DefaultPattern.FindStringIndex(text); m != nil; m = template.DefaultPattern.FindStringIndex(text) {
		one := closed(text[m[0]:m[1]])
		text = text[m[0]+len(one):]
		if one == "$$" {
			continue
		}
		u := Use{Text: one}
		for _, v := range template.ExtractVariables(map[string]any{"": one}, nil) {
			u.Variables = append(u.Variables, v)
		}
		all = append(all, u)
	}
	return all
}

// closed ends a match at the brace that closes it: the expression of compose-go takes all up to the last one.
func closed(match string) string {
	depth := 0
	for i, c := range match {
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return match[:i+1]
			}
		}
	}
	return match
}
