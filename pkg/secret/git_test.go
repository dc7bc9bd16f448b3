package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/command"
	"philipp.info/stackgen/pkg/git"
	"philipp.info/stackgen/pkg/shell"
)

func runGit(t *testing.T, dir string, args ...string) {
	t.Helper()
	if _, err := (command.Command{Argv: append([]string{"git"}, args...), Dir: dir}).Output(t.Context(), 1<<16); err != nil {
		if err.Error() == "is not installed" {
			t.Skip("git is not installed")
		}
		t.Fatalf("git %s %v", args[0], err)
	}
}

func TestTracked(t *testing.T) {
	repo := t.TempDir()
	runGit(t, repo, "init", "-q")
	sub := filepath.Join(repo, "deploy")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	tracked := writeFile(t, sub, "--secrets [x].yaml", "smtp.password: fake-value\n")
	free := writeFile(t, sub, "free.yaml", "smtp.password: fake-value\n")
	encrypted := writeFile(t, sub, "enc.yaml", "sops: {mac: x}\n")
	value := writeFile(t, sub, "value", "fake-value\n")
	runGit(t, repo, "add", "--", tracked, encrypted, value)
	outside := filepath.Join(t.TempDir(), "secrets.yaml")
	if err := os.Symlink(tracked, outside); err != nil {
		t.Fatal(err)
	}
	// As git runs its hooks: none of this may lead to another answer.
	t.Setenv("GIT_DIR", filepath.Join(t.TempDir(), "other"))
	t.Setenv("GIT_INDEX_FILE", "no-index")

	for path, want := range map[string]string{tracked: tracked, free: "", outside: outside} {
		_, findings := Load(t.Context(), Sources{Tracked: git.Tracked, Path: path}, testNeeds())
		got := texts(findings, "")
		if want == "" {
			if diff := cmp.Diff([]string{}, got); diff != "" {
				t.Error(diff)
			}
			continue
		}
		word := shell.Path(want)
		if diff := cmp.Diff([]string{
			want + ": error: git tracks " + word + " in plain text; everybody who can read the repository has these secrets fix: `git rm --cached " + word +
				"`, name the file in .gitignore, and rotate what is in it: the history keeps it",
		}, got); diff != "" {
			t.Error(diff)
		}
	}
	_, findings := Load(t.Context(), Sources{Tracked: git.Tracked, Path: encrypted, Command: []string{"sops"}}, testNeeds())
	if diff := cmp.Diff([]string{}, texts(findings, "")); diff != "" {
		t.Errorf("encrypted: %s", diff)
	}
	_, findings = Load(t.Context(), Sources{Tracked: git.Tracked, Dir: sub, From: map[string]From{"smtp.password": {File: "value"}}}, testNeeds())
	if got := strings.Join(texts(findings, ""), "\n"); !strings.Contains(got, "git rm --cached "+value) {
		t.Errorf("a tracked value file gives %q", got)
	}
}

func TestTrackedUnknown(t *testing.T) {
	dir := t.TempDir()
	runGit(t, dir, "--version")
	path := writeFile(t, dir, "secrets.yaml", "")
	writeFile(t, dir, ".git", "gitdir: nowhere\n")
	_, findings := Load(t.Context(), Sources{Tracked: git.Tracked, Path: path}, nil)
	want := []string{"secrets.yaml: info: whether git tracks secrets.yaml is not known: .git names nowhere, which is no git directory fix: run `git status` there"}
	if diff := cmp.Diff(want, texts(findings, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestTrackedRunsNothing: a repository may name programs that git starts; a look at the secrets must not.
func TestTrackedRunsNothing(t *testing.T) {
	dir := t.TempDir()
	runGit(t, dir, "init", "-q")
	path := writeFile(t, dir, "secrets.yaml", "")
	runGit(t, dir, "config", "core.fsmonitor", "touch "+filepath.Join(dir, "ran")+"; false")
	Load(t.Context(), Sources{Tracked: git.Tracked, Path: path}, nil)
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("the repository's program ran")
	}
}
