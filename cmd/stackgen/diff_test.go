package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/spec"
)

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
	if fixture.Race {
		t.Skip("skipped: a comparison for each file takes too long under the race detector; TestGoldenDiff runs the same command")
	}
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
