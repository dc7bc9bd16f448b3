package adopt

import (
	"slices"

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

// begins reports whether a list is another one with more behind it.
func begins(was, is *source.Node) bool {
	return was.Is(source.Sequence) && is.Is(source.Sequence) && len(was.Items) < len(is.Items) &&
		slices.EqualFunc(was.Items, is.Items[:len(was.Items)], (*source.Node).Equal)
}
