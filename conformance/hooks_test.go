package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const (
	goodSpec   = "version: 1\nserver_name: example.org\nauth: {passwords: true}\nbridges: {signal: {}}\npermissions: {example.org: user}\n"
	actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
)

// repository is a scratch git repository.
type repository struct {
	dir string
	env []string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{dir: t.TempDir(), env: os.Environ()}
	for _, name := range []string{"AUTHOR", "COMMITTER"} {
		r.env = append(r.env, "GIT_"+name+"_NAME=test", "GIT_"+name+"_EMAIL=test@example.org")
	}
	r.run(t, 0, "git", "init", "-q", "-b", "main")
	return r
}

func (r *repository) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r *repository) commit(t *testing.T) {
	t.Helper()
	r.run(t, 0, "git", "add", "-A")
	r.run(t, 0, "git", "commit", "-q", "--allow-empty", "-m", "a state")
}

// run runs a program in the repository, wants its exit code, and gives all that it prints.
func (r *repository) run(t *testing.T, want int, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != want {
		t.Fatalf("%s %s: exit %d instead of %d (%v)\n%s", filepath.Base(name), strings.Join(args, " "), code, want, err, out)
	}
	return string(out)
}

// thisTree is this tree, changes and all, as a repository of its own: hooks are built from one.
func thisTree(t *testing.T) string {
	t.Helper()
	r := newRepository(t)
	files := output(t, "git", "-C", "..", "ls-files", "-co", "--exclude-standard", "-z")
	for name := range strings.SplitSeq(strings.Trim(files, "\x00"), "\x00") {
		path := filepath.Join("..", name)
		info, err := os.Stat(path)
		if err != nil {
			continue // deleted, but not yet for git
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r.write(t, name, string(text))
		if err := os.Chmod(filepath.Join(r.dir, name), info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	r.commit(t)
	return r.dir
}

// stackgen builds the program of this tree.
func stackgen(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stackgen")
	output(t, "go", "-C", "..", "build", "-o", path, "./cmd/stackgen")
	return path
}

// pre-commit passes a good repository, and fails a broken one with the finding, with the hooks that it builds
// and with those that take the installed program. A file name is never an option.
func TestPreCommit(t *testing.T) {
	bin := program(t, ".venv/bin/pre-commit")
	src, installed := thisTree(t), stackgen(t)
	output(t, bin, "validate-manifest", filepath.Join(src, ".pre-commit-hooks.yaml"))
	modules, proxy := output(t, "go", "env", "GOMODCACHE"), output(t, "go", "env", "GOPROXY")
	r := newRepository(t)
	r.env = append(r.env, "PRE_COMMIT_HOME="+t.TempDir(), "PRE_COMMIT_COLOR=never",
		"PATH="+filepath.Dir(installed)+string(os.PathListSeparator)+os.Getenv("PATH"),
		// pre-commit empties the module cache that it is told of; from this one it only reads.
		"GOMODCACHE=", "GOPROXY=file://"+modules+"/cache/download,"+proxy)
	version := strings.TrimSpace(r.run(t, 0, bin, "--version"))
	r.write(t, "stack.yaml", goodSpec)
	r.write(t, "--output=x/stack.yaml", goodSpec)
	r.write(t, ".gitignore", "secrets.yaml\n")
	r.run(t, 0, installed, "render", "-o", "deploy")
	for _, variant := range []string{"", "-system"} {
		t.Run("stackgen"+variant, func(t *testing.T) {
			r.write(t, ".pre-commit-config.yaml", fmt.Sprintf(
				"repos:\n  - repo: %s\n    rev: %s\n    hooks: [{id: stackgen-validate%s}, {id: stackgen-check%[3]s, args: [deploy]}]\n",
				src, output(t, "git", "-C", src, "rev-parse", "HEAD"), variant))
			r.commit(t)
			r.run(t, 0, bin, "install-hooks")
			r.passes(t, bin)
			r.fails(t, bin, "stack.yaml", "signal", "singal", "singal")
			r.fails(t, bin, "deploy/config/signal/config.yaml", "msc4190: true", "msc4190: false", "[bridge-msc4190]")
			accepted(t, version, "stackgen-validate"+variant+" and stackgen-check"+variant+" of .pre-commit-hooks.yaml")
		})
	}
	t.Run("stackgen init", func(t *testing.T) {
		r := &repository{dir: t.TempDir(), env: r.env}
		r.run(t, 0, "git", "init", "-q")
		r.run(t, 0, installed, "init")
		r.commit(t)
		r.passes(t, bin)
		r.fails(t, bin, "stack.yaml", "server_name", "server_nam", "server_nam")
		accepted(t, version, "the .pre-commit-config.yaml of stackgen init")
	})
}

var duration = regexp.MustCompile(`(?m)^- duration: ([0-9.]+)s$`)

// passes runs all hooks, three times over for their shortest durations: the machine may be busy.
func (r *repository) passes(t *testing.T, bin string) {
	t.Helper()
	best := 60.0
	for range 3 {
		out := r.run(t, 0, bin, "run", "--all-files", "--verbose")
		for _, g := range duration.FindAllStringSubmatch(out, -1) {
			seconds, err := strconv.ParseFloat(g[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			best = min(best, seconds)
		}
	}
	if t.Logf("a hook takes %.2f s", best); best >= 1 {
		t.Errorf("a hook takes %.2f s", best)
	}
}

// fails breaks a file for one run, which has to end with the finding.
func (r *repository) fails(t *testing.T, bin, name, old, broken, finding string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%s holds no %q: %v", name, old, err)
	}
	r.write(t, name, strings.ReplaceAll(string(text), old, broken))
	if out := r.run(t, 1, bin, "run", "--all-files"); !strings.Contains(out, finding) {
		t.Errorf("the finding %s is not shown:\n%s", finding, out)
	}
	r.write(t, name, string(text))
}

// actionlint takes our workflows and the one that init writes, with ShellCheck for their scripts.
func TestActionlint(t *testing.T) {
	shellcheck := program(t, ".venv/bin/shellcheck")
	dir := t.TempDir()
	output(t, stackgen(t), "init", "--workflow", "example/stackgen@v1", dir)
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(workflows) == 0 {
		t.Fatalf("workflows: %v %v", workflows, err)
	}
	lint := []string{"run", actionlint, "-shellcheck", shellcheck, "-pyflakes", ""}
	output(t, "go", append(lint, workflows...)...)
	output(t, "go", append(lint, filepath.Join(dir, ".github/workflows/stackgen.yml"))...)
	_, version, _ := strings.Cut(actionlint, "@")
	for _, path := range workflows {
		accepted(t, "actionlint "+version, strings.TrimPrefix(path, "../"))
	}
	accepted(t, "actionlint "+version, "the workflow of stackgen init")
}
