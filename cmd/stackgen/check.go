package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
)

type checkCmd struct {
	Dir    string `arg:"" optional:"" help:"Directory with the docker-compose.yml." default:"."`
	Format string `help:"How findings are printed: ${enum}." enum:"${formats}" default:"text" placeholder:"FORMAT"`
}

func (*checkCmd) Help() string {
	return `Starts at the compose file and follows images, mounts and registrations to the other files. Nothing in them has to come from stackgen, and nothing is written.

Example:

    stackgen check /opt/matrix
`
}

func (c *checkCmd) Run(a *app) error {
	if err := inRepository(c.Dir); err != nil {
		return err
	}
	info, err := os.Stat(c.Dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a file; name the directory with the compose file", c.Dir)
	}
	root, err := os.OpenRoot(c.Dir) // no link leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	deployment, findings := compose.Open(root.FS())
	found, files := check.Run(deployment, composego.Judge)
	findings = finding.Sort(append(deployment.Hide(findings), found...))
	inDir(c.Dir, findings)
	if err := a.report(a.stdout, c.Format, findings, files); err != nil {
		return err
	}
	if finding.HasErrors(findings) {
		return exitCode(exitFindings)
	}
	return nil
}

// inDir makes the files of the findings relative to where the user stands, so that an editor can jump there.
func inDir(dir string, findings []finding.Finding) {
	for _, f := range findings {
		for i := range f.Sites {
			if file := &f.Sites[i].File; *file != "" {
				*file = path.Join(filepath.ToSlash(dir), *file)
			}
		}
	}
}
