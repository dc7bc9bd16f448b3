// Package git asks git about files: whether it tracks one, and what one was in an earlier commit. It only
// reads, runs nothing that a repository names, and takes no name for an option.
package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/command"
	"philipp.info/stackgen/pkg/source"
)

// Tracked reports whether git tracks the file. Of a symlink git keeps only where it leads, so the file
// itself counts.
func Tracked(ctx context.Context, file string) (bool, error) {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false, nil //nolint:nilerr // what is not there is not tracked
	}
	if real, err = filepath.Abs(real); err != nil || !inside(filepath.Dir(real)) {
		return false, nil //nolint:nilerr // without a place it has no repository
	}
	_, err = run(ctx, filepath.Dir(real), "--literal-pathspecs", "ls-files", "--error-unmatch", "--", filepath.Base(real))
	if status(err) == 1 {
		return false, nil
	}
	return err == nil, err
}

// inside reports whether a directory is in a working tree, without asking git: it may not be installed.
func inside(dir string) bool {
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

// Repo is a repository, as seen from a directory of its working tree.
type Repo struct {
	dir    string // where git runs
	prefix string // dir below the top of the working tree, with a slash at its end
}

// Open finds the repository of a directory.
func Open(ctx context.Context, dir string) (*Repo, error) {
	if !inside(absolute(dir)) {
		return nil, fmt.Errorf("%s is in no git repository", dir)
	}
	out, err := run(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, explain(err)
	}
	return &Repo{dir: dir, prefix: strings.TrimSuffix(string(out), "\n")}, nil
}

func absolute(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// Path is the path from the top of the working tree of a file beside which the repository was opened.
func (r *Repo) Path(name string) string { return r.prefix + name }

// Holds reports with an error when a file of the working tree is a symbolic link that leads out of it.
func (r *Repo) Holds(file string) error {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil //nolint:nilerr // who reads the file says what is wrong with it
	}
	top := strings.TrimSuffix(absolute(r.dir), filepath.FromSlash(strings.TrimSuffix("/"+r.prefix, "/")))
	if rel, err := filepath.Rel(top, absolute(real)); err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("%s is a symbolic link that leads out of the repository", file)
	}
	return nil
}

// Commit gives the id of the commit that a revision names. The error says what to do in a clone that does
// not have it.
func (r *Repo) Commit(ctx context.Context, ref string) (string, error) {
	out, err := run(ctx, r.dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	// For ^HEAD it prints that no commit is meant.
	if id := strings.TrimSpace(string(out)); err == nil && commitID.MatchString(id) {
		return id, nil
	}
	if err != nil && status(err) < 0 {
		return "", explain(err)
	}
	if out, err := run(ctx, r.dir, "rev-parse", "--is-shallow-repository"); err == nil && strings.TrimSpace(string(out)) == "true" {
		return "", fmt.Errorf("this clone is shallow and does not have the revision %q; `git fetch --unshallow --tags origin '+refs/heads/*:refs/remotes/origin/*'` brings the rest (actions/checkout: fetch-depth: 0)", ref)
	}
	return "", fmt.Errorf("there is no revision %q here; `git fetch` may bring it", ref)
}

var commitID = regexp.MustCompile(`^[0-9a-f]{40,64}$`)

// maxLinks is how many symbolic links are followed to a file.
const maxLinks = 8

// File gives a file of a commit, at most source.MaxSize bytes of it. The error is fs.ErrNotExist where the
// commit has no such file. A symbolic link is followed within the commit, and nowhere else.
func (r *Repo) File(ctx context.Context, commit, name string) ([]byte, error) {
	for range maxLinks {
		out, err := run(ctx, r.dir, "--literal-pathspecs", "ls-tree", "--full-tree", "-z", commit, "--", name)
		if err != nil {
			return nil, explain(err)
		}
		// MODE SP TYPE SP ID TAB PATH NUL
		entry, _, _ := strings.Cut(string(out), "\t")
		f := strings.Fields(entry)
		if len(f) != 3 || f[1] != "blob" {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		data, err := run(ctx, r.dir, "cat-file", "blob", f[2])
		if err != nil {
			return nil, explain(err)
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

// RenamedFrom gives the path that a file had in the commit base when git takes it for a renamed one; ""
// when it does not. head is the commit that has the file under its new name; "" stands for the index and
// the working tree, where git knows only what was added.
func (r *Repo) RenamedFrom(ctx context.Context, base, head, name string) (string, error) {
	args := []string{"diff-index", base}
	if head != "" {
		args = []string{"diff-tree", "-r", base, head}
	}
	out, err := run(ctx, r.dir, append(args, "-z", "--name-status", "--find-renames", "--diff-filter=R", "--no-relative", "--no-ext-diff", "--no-textconv", "--")...)
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

func run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	argv := []string{
		// A repository may name programs for these, and every look at the index would start the first.
		"git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "--no-optional-locks", "--no-pager",
	}
	return command.Command{Argv: append(argv, args...), Dir: dir, Env: environ(os.Environ())}.Output(ctx, source.MaxSize)
}

// environ leaves out what git sets for its hooks: as a pre-commit hook we would otherwise be answered about
// the repository of the commit, with paths relative to its top. Only its configuration stays, and how it
// reaches a server: a partial clone fetches a file when it is read.
func environ(env []string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		return strings.HasPrefix(kv, "GIT_") && !strings.HasPrefix(kv, "GIT_CONFIG") && !strings.HasPrefix(kv, "GIT_SSH")
	})
	return append(env, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
}

// status is the exit status of git; -1 when it did not come to one.
func status(err error) int {
	if exit := (*command.ExitError)(nil); errors.As(err, &exit) {
		return exit.Code
	}
	return -1
}

// explain adds the first line of what git said.
func explain(err error) error {
	if exit := (*command.ExitError)(nil); errors.As(err, &exit) {
		line, _, _ := strings.Cut(strings.TrimSpace(exit.Stderr), "\n")
		if line != "" {
			return fmt.Errorf("git: %s", source.MaskLine(line))
		}
	}
	return fmt.Errorf("git %w", err)
}
