package secret

import (
	"context"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// tracked reports a file with plain secrets that git tracks.
func (l *loader) tracked(ctx context.Context, path string, sites []source.Site) {
	if l.src.Tracked == nil {
		return
	}
	switch tracked, err := l.src.Tracked(ctx, path); {
	case tracked:
		l.report(finding.Error, sites, "git tracks "+shell.Path(path)+" in plain text; everybody who can read the repository has these secrets",
			"`git rm --cached "+shell.Path(path)+"`, name the file in .gitignore, and rotate what is in it: the history keeps it")
	case err != nil:
		l.report(finding.Info, sites, "whether git tracks "+shell.Path(path)+" is not known: "+err.Error(), "run `git status` there")
	}
}
