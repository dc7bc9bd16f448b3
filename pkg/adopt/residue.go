package adopt

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// residue is what has to be laid onto ours for it to say what theirs says: what source.Merge undoes. nil where nothing has.
func residue(ours, theirs *source.Node) *source.Node {
	over := &source.Node{Kind: source.Mapping}
	for _, name := range theirs.Names() {
		was, is := ours.Get(name), theirs.Get(name)
		switch {
		case was == nil:
			over.Set(name, is)
		case was.Is(source.Mapping) && is.Is(source.Mapping):
			if below := residue(was, is); below != nil {
				over.Set(name, below)
			}
		case begins(was, is):
			over.Set("+"+name, &source.Node{Kind: source.Sequence, Items: is.Items[len(was.Items):]})
		case !was.Equal(is):
			over.Set(name, is)
		}
	}
	for _, name := range ours.Names() {
		if theirs.Get(name) == nil {
			over.Set("-"+name, source.Made("!!null", "null"))
		}
	}
	if len(over.Names()) == 0 {
		return nil
	}
	return over
}

// beside is residue for a file that somebody else wrote: what is not in it has the program's default, or is as it is rendered,
// and two scalars of one text are alike. nil where nothing has to be laid on.
func beside(ours, theirs *source.Node) *source.Node {
	over := &source.Node{Kind: source.Mapping}
	for _, name := range theirs.Names() {
		was, is := ours.Get(name), theirs.Get(name)
		op, _ := source.Operator(name)
		switch {
		case op != 0 || alike(was, is):
		case is.Is(source.Mapping) && (was == nil || was.Is(source.Mapping)):
			if below := beside(was, is); below != nil {
				over.Set(name, below)
			}
		case is.Is(source.Mapping) && len(is.Names()) == 0 && was == nil, is.Is(source.Null):
		case was.Is(source.Sequence) && is.Is(source.Sequence) && len(was.Items) < len(is.Items) && slices.EqualFunc(was.Items, is.Items[:len(was.Items)], alike):
			over.Set("+"+name, &source.Node{Kind: source.Sequence, Items: is.Items[len(was.Items):]})
		default:
			over.Set(name, is)
		}
	}
	if len(over.Names()) == 0 {
		return nil
	}
	return over
}

// alike reports whether two values are the same to a program, however they are written.
func alike(a, b *source.Node) bool {
	switch {
	case a == nil || b == nil || a.Kind != b.Kind:
		return false
	case a.Is(source.Scalar):
		return a.Text == b.Text || truth(a.Text) != "" && truth(a.Text) == truth(b.Text)
	case a.Is(source.Sequence):
		return slices.EqualFunc(a.Items, b.Items, alike)
	case a.Is(source.Mapping):
		return len(a.Names()) == len(b.Names()) && !slices.ContainsFunc(a.Names(), func(name string) bool { return !alike(a.Get(name), b.Get(name)) })
	}
	return true
}

func truth(text string) string {
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		return "true"
	case "false", "no", "off":
		return "false"
	}
	return ""
}

// begins reports whether a list is another one with more behind it.
func begins(was, is *source.Node) bool {
	return was.Is(source.Sequence) && is.Is(source.Sequence) && len(was.Items) < len(is.Items) &&
		slices.EqualFunc(was.Items, is.Items[:len(was.Items)], (*source.Node).Equal)
}
