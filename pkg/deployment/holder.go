package deployment

import (
	"slices"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Holder is where a file stands that is a part of another one. Its first line is Line there; where Whole, all of it is that line.
type Holder struct {
	File  string
	Line  int
	Whole bool
}

// held is a place in the file that people have.
func (d *Deployment) held(p source.Pos) source.Pos {
	h, ok := d.Holders[p.File]
	switch {
	case !ok:
		return p
	case h.Whole || p.Line == 0:
		return source.Pos{File: h.File, Line: h.Line, Col: min(h.Line, 1)}
	}
	return source.Pos{File: h.File, Line: h.Line + p.Line - 1, Col: p.Col}
}

// heldBy gives the findings with the places that people have.
func (d *Deployment) heldBy(findings []finding.Finding) []finding.Finding {
	if len(d.Holders) == 0 {
		return findings
	}
	all := slices.Clone(findings)
	for i := range all {
		all[i].Sites = slices.Clone(all[i].Sites)
		for j := range all[i].Sites {
			all[i].Sites[j].Pos = d.held(all[i].Sites[j].Pos)
		}
	}
	return all
}
