package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/command"
	"philipp.info/stackgen/pkg/source"
)

// place is a working tree and its git directory. git is always told both: left to look for itself, it takes any
// directory that holds HEAD, config, objects and refs for a repository, and such a directory can be made of
// tracked files. Its config would name the programs that git starts.
type place struct {
	top    string // has the .git; absolute, without symbolic links
	gitDir string
}

var errNone = errors.New("in no git repository")

// find looks for the .git of a directory, there and above. git refuses to track a file of that name, so what is
// found was made by the owner of the working tree. The error is errNone where there is none.
func find(dir string) (place, error) {
	for {
		name := filepath.Join(dir, ".git")
		switch info, err := os.Stat(name); {
		case err != nil:
		case info.IsDir() && isGitDir(name):
			return place{top: dir, gitDir: name}, nil
		case info.Mode().IsRegular():
			to, err := pointer(name)
			return place{top: dir, gitDir: to}, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return place{}, errNone
		}
		dir = parent
	}
}

// isGitDir asks what git asks of a directory (setup.c, is_git_directory); without it git looks further up.
func isGitDir(dir string) bool {
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	return there("HEAD") && (there("commondir") || there("objects") && there("refs"))
}

// pointer reads the .git file of a linked working tree or a submodule: where the git directory is.
func pointer(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<16))
	if err != nil {
		return "", err
	}
	to, ok := strings.CutPrefix(strings.TrimRight(string(text), "\r\n"), "gitdir: ")
	if !ok || to == "" {
		return "", fmt.Errorf("%s names no git directory", name)
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(name), to)
	}
	if !isGitDir(to) {
		return "", fmt.Errorf("%s names %s, which is no git directory", name, to)
	}
	return to, nil
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

// run asks git, from the top of the working tree: no directory that a spec names is one that git starts in.
func (p place) run(ctx context.Context, args ...string) ([]byte, error) {
	return p.runOn(ctx, nil, args...)
}

// runOn is run with something to read.
func (p place) runOn(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	argv := []string{
		"git", "--git-dir=" + p.gitDir, "--work-tree=" + p.top, "--no-optional-locks", "--no-pager", "--no-replace-objects",
		// A repository may name programs for these, and every look at the index would start the first.
		"-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull,
		"-c", "safe.bareRepository=explicit", "-c", "protocol.allow=never",
	}
	return command.Command{Argv: append(argv, args...), Dir: p.top, Env: environ(os.Environ()), Stdin: stdin}.Output(ctx, source.MaxSize)
}

// environ leaves out the secrets, which git has no use for, and all that steers git. What it sets for its hooks
// would have us answered about the repository of the commit, with paths relative to its top.
func environ(env []string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		kv = strings.ToUpper(kv) // as Windows compares
		return strings.HasPrefix(kv, "GIT_") || strings.HasPrefix(kv, "STACKGEN_")
	})
	return append(env,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_ATTR_NOSYSTEM=1",
		// A missing object is missing: to fetch it, git would start what the repository's config names. The
		// second is for a git that does not know the first (before 2.45), and no config can overrule it.
		"GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=",
		"GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
	)
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
