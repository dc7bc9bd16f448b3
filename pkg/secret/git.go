package secret

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// tracked reports a file with plain secrets that git tracks.
func (l *loader) tracked(ctx context.Context, path string, sites []source.Site) {
	// Of a symlink git keeps only where it leads, so the file itself counts.
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return
	}
	if real, err = filepath.Abs(real); err != nil || !inGit(filepath.Dir(real)) {
		return
	}
	_, err = runEnv(ctx, filepath.Dir(real), gitEnv(os.Environ()), []string{
		// A repository may name a program as its file system monitor, which every look at the index would start.
		"git", "-c", "core.fsmonitor=false", "--literal-pathspecs", "ls-files", "--error-unmatch", "--", filepath.Base(real),
	}, source.MaxSize)
	var exit *exitError
	switch {
	case err == nil:
		l.report(source.Error, sites, "git tracks "+shellWord(path)+" in plain text; everybody who can read the repository has these secrets",
			"`git rm --cached "+shellWord(path)+"`, name the file in .gitignore, and rotate what is in it: the history keeps it")
	case errors.As(err, &exit) && exit.code != 1:
		l.report(source.Info, sites, "whether git tracks "+shellWord(path)+" is not known: `git ls-files` "+err.Error(), "run `git status` there")
	}
}

func inGit(dir string) bool {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

// gitEnv leaves out what git sets for its hooks: as a pre-commit hook we would otherwise be answered
// about the repository of the commit, with paths relative to its top.
func gitEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"}, name)
	})
}
