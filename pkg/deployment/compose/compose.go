// Package compose reads what Docker Compose reads: the compose file, what is laid over it, .env and the files it
// names.
package compose

import (
	"io/fs"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

// Names are the file names that Compose looks for, in its order.
var Names = deployment.ComposeNames

// Open reads a deployment. The findings are what kept it from being read at all: then it has no services.
func Open(fsys fs.FS) (*deployment.Deployment, []finding.Finding) { return deployment.Open(fsys) }

// OpenAlone is Open for files whose directory is not known: what is missing may lie there already, and is not checked.
func OpenAlone(fsys fs.FS) (*deployment.Deployment, []finding.Finding) {
	return deployment.OpenAlone(fsys)
}
