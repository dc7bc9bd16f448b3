package main

import (
	"fmt"
	"io/fs"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
)

// opened reads the deployment of a directory: the Compose files that are there or named, or else the manifests of Kubernetes.
func opened(tree fs.FS, o compose.Options) (*deployment.Deployment, []finding.Finding) {
	d, findings := compose.OpenWith(tree, o)
	if d.File == "" && len(d.Chosen.Files) == 0 && kubernetes.Has(tree) {
		return kubernetes.Open(tree)
	}
	return d, findings
}

// errManifests says that what a directory holds is audited, and neither taken over nor compared.
func errManifests(dir string) error {
	return fmt.Errorf("%s holds manifests of Kubernetes: `stackgen check` audits them, but only stacks of Compose are taken over and compared", dir)
}
