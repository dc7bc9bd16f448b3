package conformance

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// action is action.yml, as far as a runner's shell has to do with it.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Steps []struct {
			Name, ID, If, Uses, Shell, Run string
			Env                            map[string]string
		}
	}
}

func readAction(t *testing.T) *action {
	t.Helper()
	src, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	a := &action{}
	if err := yaml.Unmarshal(src, a); err != nil || len(a.Runs.Steps) == 0 {
		t.Fatalf("action.yml: %v", err)
	}
	return a
}

// No expression stands in a script, where what a pull request says would be run; and ShellCheck finds nothing.
func TestActionScripts(t *testing.T) {
	shellcheck := program(t, ".venv/bin/shellcheck")
	scripts := []string{"run", "../.ci/run"}
	for _, step := range readAction(t).Runs.Steps {
		if step.Run == "" {
			if !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(step.Uses) {
				t.Errorf("%s is not named by its commit", step.Uses)
			}
			continue
		}
		if strings.Contains(step.Run, "${{") {
			t.Errorf("%s: an expression stands in the script", step.Name)
		}
		path := filepath.Join(t.TempDir(), "step.sh")
		if err := os.WriteFile(path, []byte("#!/bin/bash\nset -eo pipefail\n"+step.Run), 0o600); err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, path)
	}
	output(t, shellcheck, scripts...)
	version := regexp.MustCompile(`(?m)^version: (.*)$`).FindStringSubmatch(output(t, shellcheck, "--version"))
	accepted(t, "ShellCheck "+version[1], "the scripts of action.yml, conformance/run and .ci/run")
}

// pullRequest is a run of the action's scripts, as a runner runs them, on a checkout of a pull request. Only
// `gh` is ours: it notes what it is asked for.
type pullRequest struct {
	*repository
	inputs map[string]string
	vars   map[string]string
	tmp    string
}

const fakeGH = `#!/bin/bash
if [ -n "$GH_FAILS" ]; then exit 1; fi
for arg; do
  case "$arg" in
    --paginate) printf '%s' "$GH_COMMENTS"; exit ;;
    body=@*) cp "${arg#body=@}" "$RUNNER_TEMP/said" ;;
    POST | PATCH) echo "$arg" > "$RUNNER_TEMP/method" ;;
  esac
done
`

func newPullRequest(t *testing.T, base, head string) *pullRequest {
	t.Helper()
	p := &pullRequest{repository: newRepository(t), tmp: t.TempDir(), inputs: map[string]string{}}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	p.vars = map[string]string{
		"GITHUB_ACTION_PATH": root, "GITHUB_WORKSPACE": p.dir, "RUNNER_TEMP": p.tmp, "GITHUB_REPOSITORY": "example/matrix",
		"GITHUB_PATH": filepath.Join(p.tmp, "path"), "GITHUB_OUTPUT": filepath.Join(p.tmp, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(p.tmp, "summary"),
		"PATH": filepath.Join(p.tmp, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	(&repository{dir: p.tmp}).write(t, "bin/gh", fakeGH)
	if err := os.Chmod(filepath.Join(p.tmp, "bin/gh"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.write(t, "stack.yaml", base)
	p.commit(t)
	p.inputs["base"] = strings.TrimSpace(p.repository.run(t, 0, "git", "rev-parse", "HEAD"))
	p.write(t, "stack.yaml", head)
	p.commit(t)
	return p
}

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// expand puts in what the runner knows.
func (p *pullRequest) expand(t *testing.T, a *action, text string) string {
	t.Helper()
	outputs := map[string]string{}
	for line := range strings.Lines(p.read("output")) {
		key, val, _ := strings.Cut(strings.TrimSpace(line), "=")
		outputs[key] = val
	}
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		name := expression.FindStringSubmatch(e)[1]
		if key, ok := strings.CutPrefix(name, "steps.prove.outputs."); ok {
			return outputs[key]
		}
		if key, ok := strings.CutPrefix(name, "inputs."); ok {
			if val, given := p.inputs[key]; given {
				return val
			}
			return p.expand(t, a, a.Inputs[key].Default)
		}
		known := map[string]string{"github.event.pull_request.number": "7", "github.token": "token"}
		if known[name] == "" {
			t.Errorf("an expression that is not known here: %s", name)
		}
		return known[name]
	})
}

func (p *pullRequest) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(p.tmp, name))
	return string(text)
}

// run runs all scripts, up to the first one that fails, and gives its exit code and all that was printed.
func (p *pullRequest) run(t *testing.T) (int, string) {
	t.Helper()
	var printed strings.Builder
	a := readAction(t)
	for _, step := range a.Runs.Steps {
		if step.Run == "" {
			continue
		}
		script := filepath.Join(t.TempDir(), "step")
		if err := os.WriteFile(script, []byte(step.Run), 0o600); err != nil {
			t.Fatal(err)
		}
		env := maps.Clone(p.vars)
		for key, val := range step.Env {
			env[key] = p.expand(t, a, val)
		}
		env["PATH"] = strings.TrimSpace(p.read("path")) + string(os.PathListSeparator) + env["PATH"]
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
		cmd.Dir, cmd.Env = p.dir, p.env
		for key, val := range env {
			cmd.Env = append(cmd.Env, key+"="+val)
		}
		out, err := cmd.CombinedOutput()
		printed.Write(out)
		if err != nil {
			return cmd.ProcessState.ExitCode(), printed.String()
		}
	}
	return 0, printed.String()
}

// The action does what it says, in each of the cases that a pull request can be.
func TestAction(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("skipped: jq is not here; the action needs it, and a runner has it")
	}
	bridge := strings.Replace(goodSpec, "signal: {}", "signal: {}, whatsapp: {}", 1)
	for _, c := range []struct {
		name, head string
		vars       map[string]string
		code       int
		method     string
		said       []string
	}{
		{"nothing changes", goodSpec, nil, 0, "", nil},
		{"nothing changes any more", goodSpec, map[string]string{"GH_COMMENTS": "12\n34\n"}, 0, "PATCH", nil},
		{"a bridge comes", bridge, nil, 0, "POST", []string{"whatsapp"}},
		{"a bridge comes, said before", bridge, map[string]string{"GH_COMMENTS": "12"}, 0, "PATCH", []string{"whatsapp"}},
		{"a bridge comes, and the token may not write", bridge, map[string]string{"GH_FAILS": "1"}, 0, "", nil},
		{"another server", strings.ReplaceAll(goodSpec, "example.org", "example.com"), nil, 1, "POST", []string{"server_name"}},
		{"a broken spec", strings.Replace(goodSpec, "signal", "singal", 1), nil, 1, "POST", []string{"singal", "signal"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPullRequest(t, goodSpec, c.head)
			maps.Copy(p.vars, c.vars)
			code, printed := p.run(t)
			if code != c.code || strings.TrimSpace(p.read("method")) != c.method {
				t.Errorf("exit %d with the comment %q, instead of %d and %q\n%s", code, p.read("method"), c.code, c.method, printed)
			}
			if c.method != "" && !strings.HasPrefix(p.read("said"), "<!-- stackgen ") {
				t.Errorf("the comment has no mark: %s", p.read("said"))
			}
			for _, word := range c.said {
				if !strings.Contains(p.read("said"), word) || !strings.Contains(p.read("summary"), word) {
					t.Errorf("%q is not said:\n%s", word, p.read("said"))
				}
			}
			if !strings.Contains(p.read("stackgen/findings.sarif"), `"2.1.0"`) {
				t.Errorf("no SARIF: %s", p.read("stackgen/findings.sarif"))
			}
		})
	}
	// What a pull request suppresses fails neither the job nor code scanning, and is said.
	t.Run("a finding is suppressed", func(t *testing.T) {
		broken := strings.Replace(goodSpec, "signal: {}", "signal: {extra: {encryption: {msc4190: false}}}", 1)
		p := newPullRequest(t, broken, broken)
		p.write(t, ".stackgen.yaml", "ignore: [{rule: bridge-msc4190, reason: a build of our own}]\n")
		code, printed := p.run(t)
		if code != 0 || strings.TrimSpace(p.read("method")) != "POST" {
			t.Errorf("exit %d with the comment %q\n%s", code, p.read("method"), printed)
		}
		for _, word := range []string{"This change suppresses", "bridge-msc4190", "a build of our own"} {
			if !strings.Contains(strings.ReplaceAll(p.read("said"), `\`, ""), word) {
				t.Errorf("%q is not said:\n%s", word, p.read("said"))
			}
		}
		if strings.Contains(p.read("stackgen/findings.sarif"), `"suppressions"`) || !strings.Contains(p.read("stackgen/all.sarif"), "a build of our own") {
			t.Errorf("code scanning gets what is suppressed: %s", p.read("stackgen/findings.sarif"))
		}
	})
	accepted(t, "bash", "the scripts of action.yml, in every case of a pull request")
}

// The job for GitLab does what README says of the action.
func TestGitLab(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("skipped: jq is not here; the job installs it")
	}
	src, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(src), "**GitLab.**")
	_, text, _ = strings.Cut(text, "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	var doc map[string]struct{ Script []string }
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc["stackgen"].Script) == 0 {
		t.Fatalf("the job: %v\n%s", err, text)
	}
	script := strings.Join(doc["stackgen"].Script, "\n")
	installed := filepath.Dir(stackgen(t))
	for head, code := range map[string]int{
		goodSpec: 0,
		strings.Replace(goodSpec, "signal: {}", "signal: {}, whatsapp: {}", 1): 0,
		strings.Replace(goodSpec, "signal", "singal", 1):                       1,
		strings.ReplaceAll(goodSpec, "example.org", "example.com"):             1,
	} {
		p := newPullRequest(t, goodSpec, head)
		p.env = append(p.env, "PATH="+installed+string(os.PathListSeparator)+os.Getenv("PATH"), "CI_MERGE_REQUEST_DIFF_BASE_SHA="+p.inputs["base"])
		p.repository.run(t, code, "bash", "-eo", "pipefail", "-c", script)
	}
	accepted(t, "bash", "the GitLab job of README.md")
}

// A shallow checkout gets the revision that it lacks; what looks like an option or a command is neither.
func TestActionHostile(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("skipped: jq is not here; the action needs it, and a runner has it")
	}
	bridge := strings.Replace(goodSpec, "signal: {}", "signal: {}, whatsapp: {}", 1)
	// What cannot be read is not taken for a change without harm.
	t.Run("unread", func(t *testing.T) {
		p := newPullRequest(t, goodSpec, bridge)
		(&repository{dir: p.tmp}).write(t, "bin/jq", "#!/bin/sh\nexit 5\n")
		if err := os.Chmod(filepath.Join(p.tmp, "bin/jq"), 0o700); err != nil {
			t.Fatal(err)
		}
		if code, printed := p.run(t); code != 3 || !strings.Contains(printed, "::error::") {
			t.Errorf("exit %d\n%s", code, printed)
		}
	})
	t.Run("shallow", func(t *testing.T) {
		p := newPullRequest(t, goodSpec, bridge)
		p.repository.run(t, 0, "git", "config", "uploadpack.allowAnySHA1InWant", "true")
		clone := filepath.Join(t.TempDir(), "clone")
		p.repository.run(t, 0, "git", "clone", "-q", "--depth=1", "file://"+p.dir, clone)
		p.dir, p.vars["GITHUB_WORKSPACE"] = clone, clone
		if code, printed := p.run(t); code != 0 || !strings.Contains(p.read("said"), "whatsapp") {
			t.Errorf("exit %d\n%s\n%s", code, printed, p.read("said"))
		}
	})
	for _, c := range []struct {
		input, value string
		code         int
	}{
		{"base", "-n", 128},
		{"base", "--upload-pack=touch pwned", 128},
		{"base", "$(touch pwned)", 128},
		{"spec", "$(touch pwned).yaml", 0},
		{"spec", "`touch pwned`;.yaml", 0},
		{"spec", "--output=pwned.yaml", 0},
		{"spec", "a\nb --> ::error::.yaml", 0},
		{"spec", "-", 3},
	} {
		t.Run(c.input+" "+c.value, func(t *testing.T) {
			p := newPullRequest(t, goodSpec, bridge)
			if p.inputs[c.input] = c.value; c.code == 0 {
				p.write(t, c.value, bridge)
			}
			code, printed := p.run(t)
			if code != c.code {
				t.Errorf("exit %d instead of %d\n%s", code, c.code, printed)
			}
			if _, err := os.Stat(filepath.Join(p.dir, "pwned")); err == nil {
				t.Error("what stands in an input was run")
			}
		})
	}
}
