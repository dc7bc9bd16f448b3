// Package git asks git about files: whether it tracks one, and what one was in an earlier commit. It only
// reads, runs nothing that a repository names, fetches nothing, and takes no name for an option.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"philipp.info/stackgen/pkg/command"
	"philipp.info/stackgen/pkg/regex"
)

// Tracked reports whether git tracks the file. Of a symlink git keeps only where it leads, so the file
// itself counts. The error says why that is not known.
func Tracked(ctx context.Context, file string) (bool, error) {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false, nil //nolint:nilerr // what is not there is not tracked
	}
	if real, err = filepath.Abs(real); err != nil {
		return false, nil //nolint:nilerr // without a place it has no repository
	}
	at, err := find(filepath.Dir(real))
	if err != nil {
		if errors.Is(err, errNone) {
			err = nil
		}
		return false, err
	}
	name, err := filepath.Rel(at.top, real)
	if err != nil {
		return false, err
	}
	_, err = at.run(ctx, "--literal-pathspecs", "ls-files", "--error-unmatch", "--", filepath.ToSlash(name))
	switch {
	case err == nil:
		return true, nil
	case status(err) == 1:
		return false, nil
	}
	return false, fmt.Errorf("`git ls-files` %w", err)
}

// Repo is a repository, as seen from a directory of its working tree.
type Repo struct {
	at     place
	prefix string // the directory below the top of the working tree, with a slash at its end
}

// Open finds the repository of a directory.
func Open(dir string) (*Repo, error) {
	real := absolute(dir)
	at, err := find(real)
	if errors.Is(err, errNone) {
		return nil, fmt.Errorf("%s is in no git repository", dir)
	}
	if err != nil {
		return nil, err
	}
	below, err := filepath.Rel(at.top, real)
	if err != nil {
		return nil, err
	}
	r := &Repo{at: at}
	if below != "." {
		r.prefix = filepath.ToSlash(below) + "/"
	}
	return r, nil
}

// Top is the absolute path of the working tree's top directory.
func (r *Repo) Top() string { return r.at.top }

// Path is the path from the top of the working tree of a file beside which the repository was opened.
func (r *Repo) Path(name string) string { return r.prefix + name }

// Ignores reports whether git would ignore a file or directory that is not there, by its path from the top of the working
// tree; false where git cannot tell. What lies in a submodule that is not checked out is as little here.
func (r *Repo) Ignores(ctx context.Context, name string) bool {
	out, err := r.at.run(ctx, "check-ignore", "--", "./"+name, "./"+path.Join(name, "x"))
	exit := (*command.ExitError)(nil)
	return err == nil && len(out) > 0 || errors.As(err, &exit) && strings.Contains(exit.Stderr, "is in submodule")
}

// IgnoresOf is Ignores for many paths at once, by their names; nil where git cannot tell of one of them.
func (r *Repo) IgnoresOf(ctx context.Context, names []string) map[string]bool {
	var asked bytes.Buffer
	for _, name := range names {
		asked.WriteString("./" + name + "\x00./" + path.Join(name, "x") + "\x00")
	}
	out, err := r.at.runOn(ctx, asked.Bytes(), "check-ignore", "-z", "--stdin")
	if err != nil && status(err) != 1 { // which says that none is
		return nil
	}
	ignored := make(map[string]bool)
	for name := range strings.SplitSeq(string(out), "\x00") {
		ignored[strings.TrimPrefix(name, "./")] = true
	}
	all := make(map[string]bool)
	for _, name := range names {
		all[name] = ignored[name] || ignored[path.Join(name, "x")]
	}
	return all
}

// Holds reports with an error when a file of the working tree is a symbolic link that leads out of it.
func (r *Repo) Holds(file string) error {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil //nolint:nilerr // who reads the file says what is wrong with it
	}
	if rel, err := filepath.Rel(r.at.top, absolute(real)); err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("%s is a symbolic link that leads out of the repository", file)
	}
	return nil
}

// Commit gives the id of the commit that a revision names. The error says what to do in a clone that does
// not have it.
func (r *Repo) Commit(ctx context.Context, ref string) (string, error) {
	out, err := r.at.run(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	// For ^HEAD it prints that no commit is meant.
	if id := strings.TrimSpace(string(out)); err == nil && commitID().MatchString(id) {
		return id, nil
	}
	if err != nil && status(err) < 0 {
		return "", explain(err)
	}
	if out, err := r.at.run(ctx, "rev-parse", "--is-shallow-repository"); err == nil && strings.TrimSpace(string(out)) == "true" {
		return "", fmt.Errorf("this clone is shallow and does not have the revision %q; `git fetch --unshallow --tags origin '+refs/heads/*:refs/remotes/origin/*'` brings the rest (actions/checkout: fetch-depth: 0)", ref)
	}
	return "", fmt.Errorf("there is no revision %q here; `git fetch` may bring it", ref)
}

var commitID = regex.Of(`^[0-9a-f]{40,64}$`)

// maxLinks is how many symbolic links are followed to a file.
const maxLinks = 8

// File gives a file of a commit, at most source.MaxSize bytes of it. The error is fs.ErrNotExist where the
// commit has no such file. A symbolic link is followed within the commit, and nowhere else.
func (r *Repo) File(ctx context.Context, commit, name string) ([]byte, error) {
	for range maxLinks {
		out, err := r.at.run(ctx, "--literal-pathspecs", "ls-tree", "--full-tree", "-z", commit, "--", name)
		if err != nil {
			return nil, r.missing(ctx, commit, name, err)
		}
		// MODE SP TYPE SP ID TAB PATH NUL
		entry, _, _ := strings.Cut(string(out), "\t")
		f := strings.Fields(entry)
		if len(f) != 3 || f[1] != "blob" {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		data, err := r.at.run(ctx, "cat-file", "blob", f[2])
		if err != nil {
			return nil, r.missing(ctx, commit, name, err)
		}
		if f[0] != "120000" {
			return data, nil
		}
		target := path.Join(path.Dir(name), string(data))
		if path.IsAbs(string(data)) || !fs.ValidPath(target) {
			return nil, fmt.Errorf("%s is a symbolic link that leads out of the repository", name)
		}
		name = target
	}
	return nil, fmt.Errorf("%s: too many symbolic links", name)
}

// missing says how to get what a partial clone does not have, and that it is none where it is not.
func (r *Repo) missing(ctx context.Context, commit, name string, err error) error {
	if status(err) < 0 {
		return explain(err)
	}
	if _, notPartial := r.at.run(ctx, "config", "--get-regexp", `^remote\..*\.promisor$`); notPartial != nil {
		return explain(err)
	}
	return fmt.Errorf("this clone is partial and does not have %s at %s; `git fetch --refetch --no-filter origin` brings the rest (actions/checkout: no filter)", name, commit)
}

// RenamedFrom gives the path that a file had in the commit base when git takes it for a renamed one; ""
// when it does not. head is the commit that has the file under its new name; "" stands for the
// index: git knows only what was added. The working tree is not read, for git would take its files through the
// filters that a config names.
func (r *Repo) RenamedFrom(ctx context.Context, base, head, name string) (string, error) {
	args := []string{"diff-index", "--cached", base}
	if head != "" {
		args = []string{"diff-tree", "-r", base, head}
	}
	out, err := r.at.run(ctx, append(args, "-z", "--name-status", "--find-renames", "--diff-filter=R", "--no-relative", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--")...)
	if err != nil {
		return "", explain(err)
	}
	// STATUS NUL OLD NUL NEW NUL
	f := strings.Split(string(out), "\x00")
	for i := 0; i+2 < len(f); i += 3 {
		if f[i+2] == name {
			return f[i+1], nil
		}
	}
	return "", nil
}
