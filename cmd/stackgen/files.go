package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/git"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// copied reads the files of compose.files; read is given a path from the top of the tree that holds the spec, and
// below is the spec's directory there.
func copied(s *spec.Spec, below string, read func(name string) ([]byte, error)) ([]render.Copy, []finding.Finding) {
	var all []render.Copy
	var findings []finding.Finding
	for key, v := range s.At("compose", "files").Entries() {
		name := path.Join(below, v.Str())
		data, err := []byte(nil), errOutside
		if fs.ValidPath(name) {
			data, err = read(name)
		}
		if err == nil && len(data) > source.MaxSize {
			err = fmt.Errorf("it is larger than %d MiB", source.MaxSize>>20)
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = errors.New("it does not exist")
			}
			findings = append(findings, finding.Finding{
				Rule: "spec", Severity: finding.Error, Message: fmt.Sprintf("%q cannot be copied to %s: %v", v.Str(), key.Str(), err),
				Fix: "the path of a regular file, relative to the spec", Sites: []source.Site{v.Site("")},
			})
			continue
		}
		all = append(all, render.Copy{Path: key.Str(), Data: append([]byte{}, data...), At: v})
	}
	return all, findings
}

var errOutside = errors.New("it lies outside of the spec's directory and its git repository")

// copiedFrom is copied from the directory of the spec or, within a git repository, from that. No link leads out of it.
func copiedFrom(s *spec.Spec, file string) ([]render.Copy, []finding.Finding, error) {
	if s.At("compose", "files").Len() == 0 {
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
	all, findings := copied(s, below, func(name string) ([]byte, error) {
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

// copiedAt is copied from a commit.
func copiedAt(ctx context.Context, s *spec.Spec, repo *git.Repo, commit, dir string) ([]render.Copy, []finding.Finding) {
	return copied(s, dir, func(name string) ([]byte, error) { return repo.File(ctx, commit, name) })
}

// cause is an error without the path, which the finding names.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
