package deployment

import (
	"maps"
	"slices"

	"philipp.info/stackgen/pkg/source"
)

// HeldAt is the file that stands at a place of a manifest, in a Secret or ConfigMap, and the keys of that file at the place; nothing where
// none does.
func (d *Deployment) HeldAt(p source.Pos) (text []byte, keys []string) {
	best, line := "", 0
	for _, name := range slices.Sorted(maps.Keys(d.Holders)) {
		if h := d.Holders[name]; h.File == p.File && h.Line <= p.Line && h.Line > line {
			best, line = name, h.Line
		}
	}
	if best == "" {
		return nil, nil
	}
	text, err := source.ReadFS(d.FS, best)
	if err != nil {
		return nil, nil
	}
	if f := d.Held(best); f != nil {
		keys = f.KeysAt(p)
	}
	return text, keys
}
