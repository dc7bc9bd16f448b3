package adopt

import (
	"slices"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// usual takes out of theirs what is a default anyway, and is not rendered either.
func usual(theirs, ours, is *source.Node) {
	for _, name := range slices.Clone(theirs.Names()) {
		mine, was := theirs.Get(name), is.Get(name)
		switch {
		case was == nil:
		case mine.Is(source.Mapping) && was.Is(source.Mapping):
			if usual(mine, ours.Get(name), was); len(mine.Names()) == 0 {
				theirs.Delete(name)
			}
		case ours.Get(name) == nil && theDefault(mine, was):
			theirs.Delete(name)
		}
	}
}

// theDefault reports whether a value is a default, which may be known by its digest.
func theDefault(n, is *source.Node) bool {
	if n.Is(source.Sequence) && is.Is(source.Sequence) && len(n.Items) == len(is.Items) {
		for i, item := range n.Items {
			if !theDefault(item, is.Items[i]) {
				return false
			}
		}
		return true
	}
	return is.Is(source.Scalar) && n.Is(source.Scalar) && deployment.IsDefault(is.Text, n.Text) || alike(n, is)
}
