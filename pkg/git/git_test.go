package git

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/source"
)

// do runs git as a person would, in dir.
func do(t *testing.T, dir string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	cmd := exec.Command("git", append([]string{"-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgSign=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"}, args...)...)
	cmd.Dir, cmd.Env = dir, slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "GIT_") })
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skip("links cannot be made here:", err)
	}
}

// open makes a repository with a commit, in which every kind of entry stands, and opens it from deploy.
func open(t *testing.T) (repo *Repo, top string) {
	t.Helper()
	top = t.TempDir()
	do(t, top, "init", "--quiet", "--initial-branch=main")
	write(t, filepath.Join(top, "deploy/stack.yaml"), "one\n")
	write(t, filepath.Join(top, "deploy/large.yaml"), strings.Repeat("x", source.MaxSize+1))
	write(t, filepath.Join(top, "deploy/[x] :(top)*.yaml"), "odd\n")
	link(t, "../deploy/stack.yaml", filepath.Join(top, "deploy/link.yaml"))
	link(t, "../../outside.yaml", filepath.Join(top, "deploy/out.yaml"))
	link(t, "/etc/hostname", filepath.Join(top, "deploy/absolute.yaml"))
	link(t, "loop.yaml", filepath.Join(top, "deploy/loop.yaml"))
	do(t, top, "add", "--all")
	do(t, top, "commit", "--quiet", "--message", "first")
	repo, err := Open(filepath.Join(top, "deploy"))
	if err != nil {
		t.Fatal(err)
	}
	return repo, top
}

func TestFile(t *testing.T) {
	repo, top := open(t)
	// As git runs its hooks: none of this may lead to another answer.
	t.Setenv("GIT_DIR", filepath.Join(top, "other"))
	t.Setenv("GIT_INDEX_FILE", "no-index")
	t.Setenv("GIT_GLOB_PATHSPECS", "1")
	commit, err := repo.Commit(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ text, err string }{
		"stack.yaml":         {text: "one\n"},
		"[x] :(top)*.yaml":   {text: "odd\n"},
		"link.yaml":          {text: "one\n"},
		"out.yaml":           {err: "leads out of the repository"},
		"absolute.yaml":      {err: "leads out of the repository"},
		"loop.yaml":          {err: "too many symbolic links"},
		"large.yaml":         {err: "printed more than"},
		"none.yaml":          {err: "file does not exist"},
		"*.yaml":             {err: "file does not exist"},
		"stack.yaml/beneath": {err: "file does not exist"},
		"../deploy":          {err: ""},
	} {
		got, err := repo.File(t.Context(), commit, repo.Path(name))
		if string(got) != want.text || want.text == "" && (err == nil || !strings.Contains(err.Error(), want.err)) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if want.err == "file does not exist" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v is not fs.ErrNotExist", name, err)
		}
	}
	for name, leads := range map[string]bool{"stack.yaml": false, "link.yaml": false, "none.yaml": false, "absolute.yaml": true} {
		if err := repo.Holds(filepath.Join(top, "deploy", name)); (err != nil) != leads {
			t.Errorf("Holds(%s): %v", name, err)
		}
	}
}

// A name that git would take for a pattern is that of one file.
func TestTracked(t *testing.T) {
	_, top := open(t)
	write(t, filepath.Join(top, "deploy/*.yaml"), "new\n")
	for name, want := range map[string]bool{"stack.yaml": true, "[x] :(top)*.yaml": true, "*.yaml": false, "none.yaml": false} {
		if got, err := Tracked(t.Context(), filepath.Join(top, "deploy", name)); err != nil || got != want {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
}

func TestCommit(t *testing.T) {
	repo, top := open(t)
	do(t, top, "tag", "--annotate", "--message", "x", "v1")
	do(t, top, "update-ref", "refs/heads/-n", "HEAD")
	want, err := repo.Commit(t.Context(), "HEAD")
	if err != nil || len(want) != 40 {
		t.Fatal(want, err)
	}
	for _, ref := range []string{"main", "v1", "-n", "HEAD^0", "@"} {
		if got, err := repo.Commit(t.Context(), ref); got != want {
			t.Errorf("%s: %q, %v", ref, got, err)
		}
	}
	for _, ref := range []string{"", "none", "--all", "--output=x", "HEAD:deploy", "HEAD..main", "^HEAD", "HEAD\nHEAD", strings.Repeat("x", 1<<16)} {
		if got, err := repo.Commit(t.Context(), ref); err == nil {
			t.Errorf("%.20q is taken for %s", ref, got)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is in no git repository") {
		t.Errorf("err = %v", err)
	}
}

func TestRenamedFrom(t *testing.T) {
	repo, top := open(t)
	write(t, filepath.Join(top, "long.yaml"), strings.Repeat("a line of the spec\n", 50))
	do(t, top, "add", "--all")
	do(t, top, "commit", "--quiet", "--message", "second")
	base, err := repo.Commit(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	do(t, top, "mv", "long.yaml", "deploy/matrix.yaml")
	if was, err := repo.RenamedFrom(t.Context(), base, "", "deploy/matrix.yaml"); was != "long.yaml" {
		t.Errorf("%q, %v", was, err)
	}
	do(t, top, "commit", "--quiet", "--message", "third")
	head, err := repo.Commit(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if was, err := repo.RenamedFrom(t.Context(), base, head, "deploy/matrix.yaml"); was != "long.yaml" {
		t.Errorf("%q, %v", was, err)
	}
	if was, err := repo.RenamedFrom(t.Context(), base, head, "deploy/stack.yaml"); was != "" || err != nil {
		t.Errorf("%q, %v", was, err)
	}
}

// TestErrorsAreOurs: what git says may name a server with its password.
func TestErrorsAreOurs(t *testing.T) {
	repo, _ := open(t)
	_, err := repo.at.run(t.Context(), "fetch", "https://user:zebra-secret@127.0.0.1:1/")
	if err = explain(err); strings.Contains(err.Error(), "zebra") {
		t.Errorf("%v", err)
	}
}

// TestWorkingTrees: in a linked working tree and in a submodule .git is a file, and in a repository with a bare
// directory beside its working trees, too. An empty .git is none.
func TestWorkingTrees(t *testing.T) {
	_, top := open(t)
	tree := filepath.Join(t.TempDir(), "tree")
	do(t, top, "worktree", "add", "--quiet", tree, "-b", "other")
	do(t, top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", top, "sub")
	write(t, filepath.Join(top, "deploy/.git/keep"), "")
	if repo, err := Open(top); err != nil || !repo.Ignores(t.Context(), "sub/deploy/gone.yaml") || repo.Ignores(t.Context(), "deploy/gone.yaml") {
		t.Errorf("what a submodule holds is not to be seen in a clone without it, and the rest is: %v", err)
	}
	for dir, prefix := range map[string]string{
		top: "", filepath.Join(top, "deploy"): "deploy/", filepath.Join(tree, "deploy"): "deploy/", filepath.Join(top, "sub/deploy"): "deploy/",
	} {
		repo, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := repo.Path(""); got != prefix {
			t.Errorf("%s: prefix %q, want %q", dir, got, prefix)
		}
		commit, err := repo.Commit(t.Context(), "HEAD")
		if err != nil {
			t.Fatal(dir, err)
		}
		if text, err := repo.File(t.Context(), commit, "deploy/stack.yaml"); string(text) != "one\n" {
			t.Errorf("%s: %q, %v", dir, text, err)
		}
	}
	for file, want := range map[string]bool{
		filepath.Join(top, "deploy/stack.yaml"): true, filepath.Join(tree, "deploy/stack.yaml"): true, filepath.Join(top, "sub/deploy/stack.yaml"): true,
		filepath.Join(top, "deploy/.git/keep"): false, filepath.Join(top, ".git/HEAD"): false, filepath.Join(tree, ".git"): false,
	} {
		if got, err := Tracked(t.Context(), file); got != want || err != nil {
			t.Errorf("Tracked(%s): %v, %v", file, got, err)
		}
	}
}

// TestPartialClone: what is not there is not fetched, and the error says how to get it.
func TestPartialClone(t *testing.T) {
	_, top := open(t)
	do(t, top, "config", "uploadpack.allowFilter", "true")
	write(t, filepath.Join(top, "deploy/stack.yaml"), "two\n")
	do(t, top, "commit", "--quiet", "--all", "--message", "second")
	clone := filepath.Join(t.TempDir(), "clone")
	do(t, top, "clone", "--quiet", "--filter=blob:none", "file://"+filepath.ToSlash(top), clone)
	repo, err := Open(clone)
	if err != nil {
		t.Fatal(err)
	}
	file := func() ([]byte, error) {
		commit, err := repo.Commit(t.Context(), "HEAD^")
		if err != nil {
			t.Fatal(err)
		}
		return repo.File(t.Context(), commit, "deploy/stack.yaml")
	}
	if text, err := file(); err == nil || !strings.Contains(err.Error(), "this clone is partial and does not have deploy/stack.yaml") {
		t.Errorf("%q, %v", text, err)
	}
	do(t, clone, "fetch", "--quiet", "--refetch", "--no-filter", "origin")
	if text, err := file(); string(text) != "one\n" {
		t.Errorf("after what the error says: %q, %v", text, err)
	}
}

// TestEnvironment: git is started with no secret and nothing that steers it, and in no directory but the top.
func TestEnvironment(t *testing.T) {
	_, top := open(t)
	bin := t.TempDir()
	said := filepath.Join(bin, "said")
	write(t, filepath.Join(bin, "git"), "#!/bin/sh\n{ pwd -P; printf '%s\\n' \"$@\"; env; } > '"+said+"'\n")
	if err := os.Chmod(filepath.Join(bin, "git"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("STACKGEN_SECRET_AUTH_MATRIX_SECRET", "zebra")
	t.Setenv("GIT_SSH_COMMAND", "zebra")
	t.Setenv("GIT_CONFIG_PARAMETERS", "'core.fsmonitor'='zebra'")
	if _, err := Tracked(t.Context(), filepath.Join(top, "deploy/stack.yaml")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if want := absolute(top); lines[0] != want {
		t.Errorf("git runs in %s, want %s", lines[0], want)
	}
	for _, want := range []string{"--git-dir=" + absolute(top) + "/.git", "--work-tree=" + absolute(top), "safe.bareRepository=explicit", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL="} {
		if !slices.Contains(lines, want) {
			t.Errorf("%s is not there", want)
		}
	}
	if strings.Contains(string(text), "zebra") {
		t.Errorf("git sees what it must not:\n%s", text)
	}
}

// TestIgnores: what is missing is ignored by its own name or by that of a directory above it, which may be missing too.
func TestIgnores(t *testing.T) {
	repo, top := open(t)
	var names []string
	write(t, filepath.Join(top, ".gitignore"), "data/\n*.key\n!keep.key\n/deploy/.env\n")
	for name, want := range map[string]bool{
		"data": true, "data/homeserver.yaml": true, "deploy/data/x": true, "a.key": true, "keep.key": false,
		"deploy/.env": true, ".env": false, ":(top)x": false, "deploy/stack.yaml": false, "-x": false,
	} {
		names = append(names, name)
		if got := repo.Ignores(t.Context(), name); got != want {
			t.Errorf("%s: ignored is %v, want %v", name, got, want)
		}
	}
	for name, got := range repo.IgnoresOf(t.Context(), names) {
		if want := repo.Ignores(t.Context(), name); got != want {
			t.Errorf("%s of several: ignored is %v, want %v", name, got, want)
		}
	}
	if got := repo.IgnoresOf(t.Context(), names); len(got) != len(names) {
		t.Errorf("%d names have an answer, want %d", len(got), len(names))
	}
	if got := repo.IgnoresOf(t.Context(), []string{"deploy/stack.yaml"}); len(got) != 1 || got["deploy/stack.yaml"] {
		t.Errorf("of one that is not ignored: %v", got)
	}
}
