package deployment

import (
	"io/fs"
	"sync"
	"sync/atomic"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// mostRead is how many bytes of files are read back to prove edits. Nobody makes as many at once; those of findings behind it are
// made the next time.
const mostRead = 16 << 20

// Mendable gives the findings with the edits that can be made: of a file that lies as it was read in the directory itself. What is
// above it may be that of other deployments, too, and what stackgen rendered is made anew from its spec.
func (d *Deployment) Mendable(findings []finding.Finding) []finding.Finding {
	var read atomic.Int64
	for i := range findings {
		edits := findings[i].Edits
		switch {
		case edits == nil:
		case d.Chosen.Managed:
			findings[i].Edits = nil
		default:
			findings[i].Edits = sync.OnceValue(func() []source.Edit {
				if read.Load() > mostRead {
					return nil
				}
				made := d.makeable(edits())
				for _, e := range made {
					read.Add(int64(e.Size()))
				}
				return made
			})
		}
	}
	return findings
}

// makeable are the edits with the names that the files have without symbolic links.
func (d *Deployment) makeable(edits []source.Edit) []source.Edit {
	for i, e := range edits {
		src, err := source.ReadFS(d.FS, e.File)
		if err != nil || !e.Of(src) {
			return nil
		}
		if edits[i] = e.In(source.Real(d.FS, e.File)); !fs.ValidPath(edits[i].File) {
			return nil
		}
	}
	return edits
}
