package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const telegramSpec = `version: 1
server_name: example.org
auth: {passwords: true}
bridges: {telegram: {}}
permissions: {example.org: user}
`

// plant makes a directory what git takes for a repository when it is started there, of plain files that can be
// tracked, in which each look needs an object that is missing. The command that its config names leaves a mark.
func plant(t *testing.T, dir, mark string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir, err := filepath.Abs(dir)
	must(err)
	made := t.TempDir()
	must(os.MkdirAll(filepath.Join(made, "a/b"), 0o700))
	put(t, filepath.Join(made, "a/b/file"), "x")
	put(t, filepath.Join(made, "value"), "x")
	gitRun(t, "-C", made, "init", "--quiet", "--initial-branch=main")
	gitRun(t, "-C", made, "add", "--all")
	gitRun(t, "-C", made, "commit", "--quiet", "--message", "planted")
	gitRun(t, "-C", made, "sparse-checkout", "set", "--cone", "--sparse-index", "none")
	for _, sub := range []string{"objects", "refs/heads", "hooks"} {
		must(os.MkdirAll(filepath.Join(dir, sub), 0o700))
		put(t, filepath.Join(dir, sub, "keep"), "")
	}
	for _, name := range []string{"HEAD", "index", "refs/heads/main"} {
		text, err := os.ReadFile(filepath.Join(made, ".git", name))
		must(err)
		put(t, filepath.Join(dir, name), string(text))
	}
	run := filepath.Join(dir, "run")
	must(os.WriteFile(run, []byte("#!/bin/sh\necho \"$0 $*\" >> '"+mark+"'\nexit 1\n"), 0o700))
	for _, hook := range []string{"post-index-change", "reference-transaction"} {
		must(os.Symlink(run, filepath.Join(dir, "hooks", hook)))
	}
	put(t, filepath.Join(dir, "config"), strings.ReplaceAll(`[core]
	repositoryformatversion = 1
	bare = false
	worktree = .
	sparseCheckout = true
	sparseCheckoutCone = true
	sshCommand = RUN
	fsmonitor = RUN
	pager = RUN
	alternateRefsCommand = RUN
[index]
	sparse = true
[extensions]
	partialClone = origin
[remote "origin"]
	url = ssh://nowhere.invalid/x
	promisor = true
[protocol]
	allow = always
[protocol "ssh"]
	allow = always
[diff]
	external = RUN
[diff "x"]
	textconv = RUN
	command = RUN
[filter "x"]
	clean = RUN
	smudge = RUN
	process = RUN
	required = true
`, "RUN", run))
	put(t, filepath.Join(dir, ".gitattributes"), "* filter=x diff=x\n")
}

// untouched fails the test when something has left a mark.
func untouched(t *testing.T, mark, after string) {
	t.Helper()
	if ran, err := os.ReadFile(mark); err == nil {
		t.Errorf("%s ran a planted command:\n%s", after, ran)
		_ = os.Remove(mark)
	}
}

// asking are the commands that ask git about a spec or its secrets, and their exit codes where a secrets file is
// tracked. OUT is a directory to render to.
func asking(spec, out string) []struct {
	code int
	args []string
} {
	return []struct {
		code int
		args []string
	}{
		{1, []string{"validate", spec}},
		{1, []string{"diff", "--base", "main", spec}},
		{1, []string{"diff", "--base", "HEAD^", "--head", "main", spec}},
		{1, []string{"diff", "-o", out, spec}},
		{1, []string{"render", spec, "-o", out}},
		{1, []string{"secrets", "list", "--spec", spec}},
		{1, []string{"secrets", "set", "bridges.telegram.api_id", "--spec", spec}},
		{1, []string{"secrets", "rotate", "auth.matrix_secret", "--spec", spec}},
	}
}

// TestPlantedRepository: a directory of tracked files that looks like a repository is none. Where the spec lies,
// where a secret lies, and where stackgen is started, the commands that its config names do not run.
func TestPlantedRepository(t *testing.T) {
	repository(t, "README.md", "x\n")
	top, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	mark := filepath.Join(t.TempDir(), "ran")
	for _, dir := range []string{"deploy", "deploy/evil"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		plant(t, dir, mark)
	}
	put(t, "deploy/evil/value", "0123456789abcdef0123456789abcdef\n")
	put(t, "deploy/secrets.yaml", "bridges.telegram.api_id: \"1234567\"\n")
	put(t, "deploy/stack.yaml", telegramSpec)
	gitRun(t, "add", "--all")
	gitRun(t, "commit", "--quiet", "--message", "planted")
	put(t, "deploy/stack.yaml", telegramSpec+"secrets: {from: {bridges.telegram.api_hash: {file: evil/value}}}\nname: other\n")
	untouched(t, mark, "making the repository")

	// The trap works: git falls into it where it is started in the directory.
	_ = gitFails("-C", "deploy", "rev-parse", "--verify", "main^{commit}")
	_ = gitFails("-C", "deploy/evil", "ls-files")
	if _, err := os.Stat(mark); err != nil {
		t.Fatal("the planted directory is no trap for this git")
	}
	if err := os.Remove(mark); err != nil {
		t.Fatal(err)
	}

	for _, from := range []string{".", "deploy", "deploy/evil"} {
		t.Chdir(filepath.Join(top, from))
		spec, err := filepath.Rel(filepath.Join(top, from), filepath.Join(top, "deploy/stack.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range asking(spec, t.TempDir()) {
			stdout, stderr := stackgen(t, tt.code, tt.args...)
			if all := stdout + stderr; tt.args[0] != "diff" && (!strings.Contains(all, "git tracks") || strings.Contains(all, "is not known")) {
				t.Errorf("in %s, stackgen %v did not learn that the secrets are tracked:\n%s", from, tt.args, all)
			}
			untouched(t, mark, "in "+from+", stackgen "+strings.Join(tt.args, " "))
		}
		stackgen(t, 1, "check", filepath.Dir(spec))
		untouched(t, mark, "check")
	}
}

// TestHostileRepository: not even what the working tree's own .git names is run, as an unpacked archive may have
// one; nor what a .git file leads to.
func TestHostileRepository(t *testing.T) {
	for _, kind := range []string{".git", "pointer", "submodule", "worktree"} {
		t.Run(kind, func(t *testing.T) {
			dir, mark := t.TempDir(), filepath.Join(t.TempDir(), "ran")
			t.Chdir(dir)
			if kind == "submodule" { // within a repository that is what it seems
				gitRun(t, "init", "--quiet")
				if err := os.MkdirAll("sub", 0o700); err != nil {
					t.Fatal(err)
				}
				dir = filepath.Join(dir, "sub")
				t.Chdir(dir)
			}
			put(t, "stack.yaml", telegramSpec+"secrets: {from: {bridges.telegram.api_hash: {file: value}}}\n")
			put(t, "secrets.yaml", "bridges.telegram.api_id: \"1234567\"\n")
			put(t, "value", "0123456789abcdef0123456789abcdef\n")
			put(t, ".gitattributes", "* filter=x diff=x\n")
			gitDir := filepath.Join(dir, ".git")
			if kind == "pointer" {
				gitDir = filepath.Join(dir, "evil")
				put(t, ".git", "gitdir: evil\n")
			}
			switch kind {
			case "submodule":
				gitDir = filepath.Join(filepath.Dir(dir), ".git/modules/sub")
				put(t, ".git", "gitdir: ../.git/modules/sub\n")
			case "worktree":
				gitDir = filepath.Join(dir, "evil")
			}
			plant(t, gitDir, mark)
			if kind == "worktree" { // the working tree's own directory has only HEAD, and says where the rest is
				own := filepath.Join(gitDir, "worktrees/x")
				if err := os.MkdirAll(own, 0o700); err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{"HEAD", "index"} {
					text, err := os.ReadFile(filepath.Join(gitDir, name))
					if err != nil {
						t.Fatal(err)
					}
					put(t, filepath.Join(own, name), string(text))
				}
				put(t, filepath.Join(own, "commondir"), "../..\n")
				put(t, filepath.Join(own, "gitdir"), filepath.Join(dir, ".git")+"\n")
				put(t, ".git", "gitdir: evil/worktrees/x\n")
				gitDir = own
			}
			_ = gitFails("--git-dir="+gitDir, "--work-tree=.", "rev-parse", "--verify", "main^{commit}")
			if err := os.Remove(mark); err != nil {
				t.Fatal("the planted directory is no trap for this git")
			}
			for _, tt := range asking("stack.yaml", t.TempDir()) {
				var out bytes.Buffer
				run(t.Context(), tt.args, strings.NewReader("1234567"), &out, &out)
				untouched(t, mark, "stackgen "+strings.Join(tt.args, " "))
			}
		})
	}
}

// TestCommandsOfTheSpecAreNotRun: a pull request can change the spec, and these are what looks at a pull request.
func TestCommandsOfTheSpecAreNotRun(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "ran")
	leave := `[sh, -c, 'echo "1234567"; echo x >> "$0"', "` + mark + `"]`
	repository(t, "stack.yaml", telegramSpec)
	commit(t, "stack.yaml", telegramSpec+"secrets:\n  command: "+leave+"\n  from:\n    bridges.telegram.api_id: {command: "+leave+"}\n")
	put(t, ".gitignore", "out/\n")
	for _, args := range [][]string{
		{"validate"},
		{"validate", "stack.yaml", "stack.yaml"},
		{"validate", "--secrets", "other.yaml"},
		{"validate", "--format", "sarif"},
		{"check", "."},
		{"diff", "--base", "HEAD^"},
		{"diff", "--base", "HEAD^", "--head", "HEAD"},
		{"diff", "--base", "HEAD", "--format", "json"},
		{"secrets", "list"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(""), &out, &out); code > exitFindings {
			t.Errorf("stackgen %v: exit %d\n%s", args, code, &out)
		}
		untouched(t, mark, "stackgen "+strings.Join(args, " "))
	}
	// The mark is left where the secrets are needed.
	stackgen(t, 1, "render")
	if ran, err := os.ReadFile(mark); err != nil || strings.Count(string(ran), "x") != 2 {
		t.Errorf("render ran %d of the 2 commands: %v", strings.Count(string(ran), "x"), err)
	}
}
