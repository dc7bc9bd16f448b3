package deployment

import (
	"io/fs"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Mendable gives the findings with the edits that can be made: of a file that lies as it was read in the directory itself. What is
// above it may be that of other deployments, too, and what stackgen rendered is made anew from its spec.
func (d *Deployment) Mendable(findings []finding.Finding) []finding.Finding {
	for i := range findings {
		edits := findings[i].Edits
		switch {
		case edits == nil:
		case d.Chosen.Managed:
			findings[i].Edits = nil
		default:
			findings[i].Edits = func() []source.Edit { return d.makeable(edits()) }
		}
	}
	return findings
}

func (d *Deployment) makeable(edits []source.Edit) []source.Edit {
	for _, e := range edits {
		if !fs.ValidPath(e.File) {
			return nil
		}
		if src, err := source.ReadFS(d.FS, e.File); err != nil || !e.Of(src) {
			return nil
		}
	}
	return edits
}
