package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/git"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// copiedFrom is prove.Copies from the directory of the spec or, within a git repository, from that. No link leads out of it.
func copiedFrom(s *spec.Spec, file string) ([]render.Copy, []finding.Finding, error) {
	any := false
	for range s.Copied() {
		any = true
	}
	if !any {
		return nil, nil, nil
	}
	top, below := filepath.Dir(file), "."
	if repo, err := git.Open(top); err == nil {
		top, below = repo.Top(), repo.Path("")
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	all, findings := prove.Copies(s, below, func(name string) ([]byte, error) {
		info, err := root.Lstat(name)
		switch {
		case err != nil:
			return nil, cause(err)
		case info.Mode()&fs.ModeSymlink != 0:
			return nil, errors.New("it is a symbolic link; name the file that it leads to")
		}
		data, err := source.ReadFS(root.FS(), name)
		return data, cause(err)
	})
	return all, findings, nil
}

// copiedAt is prove.Copies from a commit.
func copiedAt(ctx context.Context, s *spec.Spec, repo *git.Repo, commit, dir string) ([]render.Copy, []finding.Finding) {
	return prove.Copies(s, dir, func(name string) ([]byte, error) { return repo.File(ctx, commit, name) })
}

// cause is an error without the path, which the finding names.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
