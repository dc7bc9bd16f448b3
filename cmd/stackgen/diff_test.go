package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/spec"
)

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

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// stackgen runs the command and gives what it prints on both streams.
func stackgen(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, talk bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &talk); code != want {
		t.Fatalf("stackgen %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, &out, &talk)
	}
	return out.String(), talk.String()
}

func philApp(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/phil-app/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// changes are what people do to a spec. All of old is replaced. What begins with the example ends in it for
// the upgrade: what runs had an older version.
var changes = []struct{ name, old, new string }{
	{"upgrade", "  signal: {}", "  signal: {version: v0.2607.0}"},
	{"telegram-go", "    version: v0.15.3 ", "    version: v0.2608.0 "},
	{"bridge-off", "  whatsapp: {}\n", ""},
	{"bridge-on", "  meta: {}", "  meta: {}\n  instagram: {}"},
	{"upload-size", "database:\n", "synapse: {max_upload_size: 100M}\n\ndatabase:\n"},
	{"keycloak-issuer", "realms/family", "realms/friends"},
	{"stack-name", "name: matrix  ", "name: family  "},
	{"server-name", "philipp.info", "philipp.example"},
}

// TestGoldenDiff makes each change in a repository and shows what a reviewer sees. The services that are
// said to be recreated are those whose definition, config hash included, differs in the two rendered trees.
func TestGoldenDiff(t *testing.T) {
	example := philApp(t)
	home, err := filepath.Abs("testdata/diff")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			before, after := example, strings.ReplaceAll(example, c.old, c.new)
			if after == before {
				t.Fatalf("the example does not hold %q", c.old)
			}
			if c.name == "upgrade" {
				before, after = after, before
			}
			repository(t, "stack.yaml", before)
			put(t, "stack.yaml", after)
			formats := map[string]string{"text": "txt", "github": "github"}
			if c.name == "upgrade" || c.name == "bridge-on" { // the others would say the same in more bytes
				formats["markdown"], formats["json"] = "md", "json"
			}
			for format, ext := range formats {
				got, talk := stackgen(t, 1, "diff", "--base", "HEAD", "--format", format)
				if talk != "" {
					t.Errorf("it also says %q", talk)
				}
				sameAs(t, filepath.Join(home, c.name+"."+ext), got)
			}
			text, _ := stackgen(t, 1, "diff", "--base", "HEAD", "--format", "json")
			var d diff.Diff
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatal(err)
			}
			got := make(map[string]diff.Action)
			for _, s := range d.Services {
				got[s.Name] = s.Action
			}
			if diff := cmp.Diff(recreated(t, before, after), got); diff != "" {
				t.Errorf("-what the rendered files say +what diff says:\n%s", diff)
			}
			if irreversible := len(d.Irreversible) > 0; irreversible != (c.name == "server-name") {
				t.Errorf("irreversible: %v", d.Irreversible)
			}
		})
	}
}

// recreated renders both specs and compares the compose files as plain data.
func recreated(t *testing.T, before, after string) map[string]diff.Action {
	t.Helper()
	load := func(text string) map[string]any {
		s, findings := spec.Parse("stack.yaml", []byte(text))
		p, err := proveWithout(s, nil, findings, nil)
		if err != nil || !p.OK() {
			t.Fatal(err, p.Findings)
		}
		f, findings := finding.Parse("docker-compose.yml", p.tree()["docker-compose.yml"])
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		return f.Root().Any().(map[string]any)
	}
	old, now := load(before), load(after)
	was, is := old["services"].(map[string]any), now["services"].(map[string]any)
	actions := make(map[string]diff.Action)
	for name, service := range is {
		switch {
		case was[name] == nil:
			actions[name] = diff.Created
		case !cmp.Equal(was[name], service) || old["name"] != now["name"]:
			actions[name] = diff.Recreated
		}
	}
	for name := range was {
		if is[name] == nil {
			actions[name] = diff.Removed
		}
	}
	delete(actions, "syn2mas") // up -d starts no service of a profile
	return actions
}

// sameAs compares with a golden file, or writes it anew.
func sameAs(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-%s +got (make generate accepts it):\n%s", filepath.Base(path), diff)
	}
}

// TestGoldenReadme holds the comment that README.md shows against the golden file.
func TestGoldenReadme(t *testing.T) {
	const path, begin, end = "../../README.md", "<!-- Made by make generate. -->\n", "<!-- The end of what is made. -->"
	comment, err := os.ReadFile("testdata/diff/upgrade.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(readme), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatal("README.md has no place for the comment")
	}
	sameAs(t, path, before+begin+"````markdown\n"+string(comment)+"````\n"+end+after)
}

// TestDiffAfterRender edits every rendered file in turn.
func TestDiffAfterRender(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "stack.yaml", everySecret)
	put(t, "secrets.yaml", `auth.upstream.keycloak.client_secret: fake-client-secret
bridges.telegram.api_id: "1234567"
bridges.telegram.api_hash: 0123456789abcdef0123456789abcdef
backup.heartbeat_url: https://uptime.example.org/api/push/fake
`)
	stackgen(t, 0, "render")
	text, _ := stackgen(t, 0, "diff")
	if !strings.Contains(text, "no difference") {
		t.Errorf("right after render: %s", text)
	}
	files := rendered(t)
	for i, name := range slices.Sorted(maps.Keys(files)) {
		was := string(files[name])
		put(t, name, []string{was + "\n# a note\n", "", "a: [\n", "\x00\xff"}[i%4])
		rel, _ := filepath.Rel("out", name)
		out, _ := stackgen(t, 1, "diff", "--format", "json")
		var d diff.Diff
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			t.Fatal(err)
		}
		if len(d.Files) != 1 || d.Files[0].Path != filepath.ToSlash(rel) || d.Files[0].Hand != diff.Edited || len(d.Services) > 0 {
			t.Errorf("%s: %s", rel, out)
		}
		if format := []string{"", "", "text", "markdown", "github"}[i%5]; format != "" {
			if out, _ := stackgen(t, 1, "diff", "--format", format); !strings.Contains(out, filepath.ToSlash(rel)) {
				t.Errorf("%s does not name %s:\n%s", format, rel, out)
			}
		}
		put(t, name, was)
	}
	stackgen(t, 0, "diff")
}

// rendered gives the files below out, by path, without the manifest.
func rendered(t *testing.T) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	err := filepath.WalkDir("out", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, ".stackgen") {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), "files", err)
	}
	return files
}

// TestDiffShowsNoSecret changes every secret in turn in every rendered file and looks for the old and the
// new value in what each format prints.
func TestDiffShowsNoSecret(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "stack.yaml", everySecret)
	put(t, "secrets.yaml", `auth.upstream.keycloak.client_secret: 'tainted "quoted" $value # one'
bridges.telegram.api_id: "1234567"
bridges.telegram.api_hash: "0123456789abcdef0123456789abcdef"
backup.heartbeat_url: "https://uptime.example.org/api/push/taintedToken"
`)
	stackgen(t, 0, "render")
	var printed strings.Builder
	show := func(want int, args ...string) {
		t.Helper()
		for _, format := range diff.Formats {
			out, talk := stackgen(t, want, append([]string{"diff", "--format", format, "--color", "always"}, args...)...)
			printed.WriteString(out + talk)
		}
	}
	// Added: what would be made, or is there for a bridge more. Removed: a bridge less.
	put(t, "stack.yaml", strings.Replace(everySecret, "signal: {}", "signal: {}, whatsapp: {}", 1))
	show(1)
	stackgen(t, 0, "render", "-o", "more")
	put(t, "stack.yaml", everySecret)
	show(1, "-o", "more")
	show(1, "-o", "nowhere")
	values := secretValues(t)
	// Changed: every one of them.
	put(t, "secrets.yaml", `auth.upstream.keycloak.client_secret: 'another "tainted" $value'
bridges.telegram.api_id: "7654321"
bridges.telegram.api_hash: "fedcba9876543210fedcba9876543210"
backup.heartbeat_url: "https://uptime.example.org/api/push/anotherTaintedToken"
`)
	stackgen(t, 0, "render", "-o", "anew")
	for name, value := range secretValues(t) {
		if strings.HasSuffix(name, " line 1") && value == values[name] {
			t.Errorf("%s is the same", name)
		}
	}
	show(1)
	maps.Copy(values, prefixed("new ", secretValues(t)))
	// By hand: values at every place that may hold one, in any form.
	edits := strings.NewReplacer("PRIVATE KEY-----\n", "PRIVATE KEY-----\ntaintedLine\n", "token: \"", "token: \"tainted", "\"as_token:", "\"as_token:tainted",
		"password: \"", "password: \"tainted", "@postgres", "tainted@postgres", "secret: \"", "secret: \"tainted", "_key: \"", "_key: \"tainted")
	for name, data := range rendered(t) {
		text := edits.Replace(string(data))
		if !strings.HasPrefix(name, "out/secrets") && !slices.Contains([]string{".key", ".json"}, filepath.Ext(name)) {
			text += "\n# the password was taintedComment\n"
		}
		put(t, name, text)
	}
	show(1)
	for name, data := range rendered(t) {
		if strings.HasSuffix(name, ".yaml") {
			put(t, name, "broken: [\n"+string(data))
		}
	}
	show(1)
	values["an edit"] = "tainted"
	if len(values) < 60 {
		t.Fatalf("only %d values", len(values))
	}
	for name, value := range values {
		for _, part := range []string{value, value[:min(len(value), 16)]} {
			if strings.Contains(printed.String(), part) {
				t.Errorf("%s is printed", name)
				break
			}
		}
	}
	for _, digest := range hashes(t) {
		if strings.Contains(printed.String(), digest) {
			t.Error("a digest of a secret is printed")
		}
	}
}

func prefixed(prefix string, values map[string]string) map[string]string {
	out := make(map[string]string)
	for name, value := range values {
		out[prefix+name] = value
	}
	return out
}

// secretValues are the lines of the values in secrets.yaml.
func secretValues(t *testing.T) map[string]string {
	t.Helper()
	secrets, findings, err := readYAML("secrets.yaml")
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	values := make(map[string]string)
	for key, val := range secrets.Root().Entries() {
		for i, line := range strings.Split(strings.TrimSpace(val.Str()), "\n") {
			if !strings.HasPrefix(line, "-----") {
				values[key.Str()+" line "+string(rune('1'+i%9))+strings.Repeat("'", i/9)] = strings.TrimPrefix(line, "ed25519 ")
			}
		}
	}
	return values
}

// hashes are the digests that the manifest holds.
func hashes(t *testing.T) []string {
	t.Helper()
	m, err := manifest.Read(os.DirFS("out"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range m.Files {
		all = append(all, f.SHA256)
	}
	for _, v := range m.Fixed {
		if digest, ok := strings.CutPrefix(v, "sha256:"); ok {
			all = append(all, digest)
		}
	}
	if len(all) < 20 {
		t.Fatal("few digests")
	}
	return all
}

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
