package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/diff"
)

// TestDiffRevisions tries every state in which the spec may be at the revision.
func TestDiffRevisions(t *testing.T) {
	const plain = "version: 1\nserver_name: example.org\nauth: {passwords: true}\n"
	with := plain + "bridges: {signal: {}}\npermissions: {example.org: user}\n"
	repository(t, "README", "nothing yet\n")
	commit(t, "stack.yaml", "version: 1\nbridges: 7\n")
	commit(t, "stack.yaml", plain)
	gitRun(t, "mv", "stack.yaml", "matrix.yaml")
	commit(t, "matrix.yaml", with)
	for _, c := range []struct {
		base string
		say  []string
	}{
		{"HEAD~3", []string{"matrix.yaml does not exist at HEAD~3: compared with nothing", "created"}},
		{"HEAD~2", []string{"at HEAD~2"}},
		{"HEAD~1", []string{"at HEAD~1 the spec is stack.yaml", "1 service created"}},
	} {
		out, _ := stackgen(t, 1, "diff", "matrix.yaml", "--base", c.base)
		for _, say := range c.say {
			if !strings.Contains(out, say) {
				t.Errorf("%s: %q is not in\n%s", c.base, say, out)
			}
		}
		again, _ := stackgen(t, 1, "diff", "matrix.yaml", "--base", c.base, "--head", "main")
		if strings.ReplaceAll(again, "→ main", "→ the working tree") != out {
			t.Errorf("%s: --head main says something else:\n%s", c.base, again)
		}
	}
	stackgen(t, 0, "diff", "matrix.yaml", "--base", "main")
	out, _ := stackgen(t, 1, "diff", "stack.yaml", "--base", "HEAD~2", "--head", "HEAD~1")
	if !strings.Contains(out, "the spec is not valid (3 findings): compared with nothing, and what cannot be undone is not known") {
		t.Error(out)
	}
	// A reviewer is warned: what looks like a stack made anew may be one that is destroyed.
	if out, _ := stackgen(t, 1, "diff", "stack.yaml", "--base", "HEAD~2", "--head", "HEAD~1", "--format", "github"); !strings.Contains(out, "::warning file=stack.yaml,title=not compared::what cannot be undone is not known") {
		t.Error(out)
	}
	if out, _ := stackgen(t, 1, "diff", "matrix.yaml", "--base", "HEAD~3", "--format", "github"); strings.Contains(out, "title=not compared") {
		t.Error(out)
	}
	out, _ = stackgen(t, 1, "diff", "stack.yaml", "--base", "HEAD~1", "--head", "HEAD~2", "--format", "json")
	var d diff.Diff
	if err := json.Unmarshal([]byte(out), &d); err != nil || !strings.Contains(string(d.Findings), "bridges") {
		t.Error(err, out)
	}
	out, _ = stackgen(t, 1, "diff", "stack.yaml", "--base", "HEAD~1", "--head", "HEAD~2")
	if !strings.Contains(out, "stack.yaml:2:1: error: bridges must be a mapping") {
		t.Errorf("an invalid spec is not told as validate does:\n%s", out)
	}

	gitRun(t, "worktree", "add", "--quiet", "--detach", "linked", "HEAD~1")
	stackgen(t, 0, "diff", "linked/stack.yaml", "--base", "HEAD")
	stackgen(t, 1, "diff", "linked/stack.yaml", "--base", "main~2")

	shallow := filepath.Join(t.TempDir(), "shallow")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	gitRun(t, "clone", "--quiet", "--depth=1", "file://"+here, shallow)
	_, talk := stackgen(t, 3, "diff", filepath.Join(shallow, "matrix.yaml"), "--base", "HEAD~1")
	deepen := regexpFind(t, talk)
	gitRun(t, append([]string{"-C", shallow}, deepen...)...)
	out, _ = stackgen(t, 1, "diff", filepath.Join(shallow, "matrix.yaml"), "--base", "HEAD~1")
	if !strings.Contains(out, "1 service created") {
		t.Error(out)
	}
}

// regexpFind takes the git command out of a message.
func regexpFind(t *testing.T, text string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "`git ")
	command, _, ended := strings.Cut(rest, "`")
	if !ok || !ended || !strings.Contains(text, "shallow") {
		t.Fatalf("no command that deepens the clone in %q", text)
	}
	return strings.Fields(strings.ReplaceAll(command, "'", ""))
}

// TestDiffHostile calls the command in repositories that nobody would make in good faith.
func TestDiffHostile(t *testing.T) {
	const plain = "version: 1\nserver_name: example.org\nauth: {passwords: true}\n"
	repository(t, "--output=x", plain)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	put(t, secret, "version: 1\nserver_name: taintedOutside\n")
	ran := filepath.Join(here, "ran")
	for _, key := range []string{"core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "core.editor", "uploadpack.packObjectsHook"} {
		gitRun(t, "config", key, "touch "+ran+";")
	}
	gitRun(t, "update-ref", "refs/heads/-n", "HEAD")
	gitRun(t, "update-ref", "refs/heads/--output=y", "HEAD")
	if err := os.Symlink(secret, "link.yaml"); err != nil {
		t.Skip("links cannot be made here:", err)
	}
	if err := os.Symlink("./--output=x", "inside.yaml"); err != nil {
		t.Fatal(err)
	}
	commit(t, "long.yaml", plain+"permissions:\n"+strings.Repeat("  \"@u:example.org\": user\n", 10_000))
	_ = os.Remove(ran) // our own git may start it
	before := listing(t)

	stackgen(t, 0, "diff", "--base=-n", "--", "--output=x")
	stackgen(t, 0, "diff", "--base=-n", "--head=--output=y", "--", "--output=x")
	stackgen(t, 0, "diff", "--base=-n", "--head=--output=y", "./--output=x")
	stackgen(t, 2, "diff", "--base", "-n", "--", "--output=x")
	stackgen(t, 0, "diff", "--base=HEAD", "inside.yaml")
	stackgen(t, 0, "diff", "--base=HEAD", "--head=HEAD", "inside.yaml")
	stackgen(t, 1, "diff", "--base=HEAD", "long.yaml") // it names one user 10,000 times
	var printed strings.Builder
	for _, args := range [][]string{
		{"--base=HEAD", "link.yaml"},
		{"--base=HEAD", "--head=HEAD", "link.yaml"},
		{"--base=HEAD;touch ran", "inside.yaml"},
		{"--base=$(touch ran)", "inside.yaml"},
		{"--base=HEAD:inside.yaml", "inside.yaml"},
		{"--base=", "--head=HEAD", "inside.yaml"},
		{"--base=HEAD\n-n", "inside.yaml"},
	} {
		want := 3
		if args[0] == "--base=" {
			want = 2
		}
		out, talk := stackgen(t, want, append([]string{"diff"}, args...)...)
		printed.WriteString(out + talk)
	}
	if strings.Contains(printed.String(), "tainted") {
		t.Errorf("a file outside of the repository is shown:\n%s", &printed)
	}
	if diff := cmp.Diff(before, listing(t)); diff != "" {
		t.Errorf("files were made or changed:\n%s", diff)
	}
}

// listing is every path below the directory, but for what git keeps.
func listing(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(".", func(path string, e os.DirEntry, err error) error {
		if err == nil && path == ".git" {
			return filepath.SkipDir
		}
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(slices.Values(paths))
}

// gitFails runs git where it may well fail.
func gitFails(args ...string) error { return exec.Command("git", args...).Run() }

// repository makes a git repository that holds the file under its name, and stands in it.
func repository(t *testing.T, name, text string) {
	t.Helper()
	t.Chdir(t.TempDir())
	gitRun(t, "init", "--quiet", "--initial-branch=main")
	commit(t, name, text)
}

func gitRun(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	cmd := exec.Command("git", append([]string{"-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgSign=false"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func commit(t *testing.T, name, text string) {
	t.Helper()
	put(t, name, text)
	gitRun(t, "add", "--all")
	gitRun(t, "commit", "--quiet", "--message", "a change")
}
