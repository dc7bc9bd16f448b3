package component_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// Every bridge is rendered, recognised, checked and told of: what a bridge needs beside its own file, this test names.
func TestEveryBridge(t *testing.T) {
	for c := range component.Bridges() {
		t.Run(string(c.Program), func(t *testing.T) {
			t.Parallel()
			w := walk{c, "config/" + string(c.Program) + "/config.yaml", stack(t, c.Program)}
			t.Run("image", w.image)
			t.Run("sound", w.sound)
			t.Run("broken", w.broken)
			t.Run("shape", w.shape)
			t.Run("keys", w.keys)
			t.Run("runbook", w.runbook)
			t.Run("diff", w.diff)
		})
	}
}

// walk is one bridge, its configuration, and a stack that has it alone.
type walk struct {
	*component.Component
	config string
	bundle *render.Bundle
}

// stack renders a spec with these bridges and no more about them than their names.
func stack(t *testing.T, bridges ...component.Program) *render.Bundle {
	t.Helper()
	var src strings.Builder
	src.WriteString("version: 1\nserver_name: example.org\nauth: {passwords: true}\npermissions: {example.org: user}\nbridges: {")
	for _, b := range bridges {
		src.WriteString(string(b) + ": {},")
	}
	src.WriteString("}\n")
	s, findings := spec.Parse("stack.yaml", []byte(src.String()))
	if s == nil || len(findings) > 0 {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	b, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func file(t *testing.T, b *render.Bundle, path string) string {
	t.Helper()
	i := slices.IndexFunc(b.Files, func(f render.File) bool { return f.Path == path })
	if i < 0 {
		t.Fatalf("%s is not rendered", path)
	}
	return string(b.Files[i].Data)
}

// found checks the stack with one text of a file put for another.
func (w walk) found(t *testing.T, path, old, now string) []finding.Finding {
	t.Helper()
	b := *w.bundle
	b.Files = slices.Clone(b.Files)
	for i, f := range b.Files {
		if f.Path != path {
			continue
		}
		text := strings.Replace(string(f.Data), old, now, 1)
		if old != now && text == string(f.Data) {
			t.Fatalf("%s has no %q", path, old)
		}
		b.Files[i].Data = []byte(text)
	}
	d, problems := compose.Open(b.FS())
	findings, _ := check.Run(d, composego.Judge)
	return append(problems, findings...)
}

// wants reports an error where none of the findings is of the rule and about the file.
func wants(t *testing.T, findings []finding.Finding, rule, path string) {
	t.Helper()
	for _, f := range findings {
		if f.Rule == rule && slices.ContainsFunc(f.Sites, func(s source.Site) bool { return s.File == path }) {
			return
		}
	}
	t.Errorf("no finding of %s at %s, but %v", rule, path, texts(findings))
}

func texts(findings []finding.Finding) (all []string) {
	for _, f := range findings {
		all = append(all, fmt.Sprintf("%s [%s]", f.Message, f.Rule))
	}
	return all
}

func (w walk) image(t *testing.T) {
	for _, end := range w.Images {
		for _, tag := range []string{w.Tested.Tag, w.TagPrefix + "latest"} {
			ref := component.Ref{Repository: "registry.example.org:5000/mirror/" + end, Tag: tag}
			if got := ref.Program(); got != w.Program {
				t.Errorf("%s is taken for %q", ref, got)
			}
		}
	}
	if _, ok := w.Tested.Dialect(); !ok {
		t.Errorf("%s has no dialect that is known", w.Tested)
	}
	d, problems := compose.Open(w.bundle.FS())
	if len(problems) > 0 || len(d.Bridges) != 1 || d.Bridges[0].Program != w.Program {
		t.Errorf("the bridge is not recognised: %v", texts(problems))
	}
}

func (w walk) sound(t *testing.T) {
	if findings := w.found(t, w.config, "", ""); len(findings) > 0 {
		t.Errorf("as rendered: %v", texts(findings))
	}
	registration := file(t, w.bundle, "config/matrix/"+string(w.Program)+".yaml")
	for _, name := range []string{w.Bridge.ID, w.Bridge.Bot, w.Bridge.Prefix, fmt.Sprint(w.Bridge.Port)} {
		if !strings.Contains(registration, name) {
			t.Errorf("%s is not in the registration", name)
		}
	}
}

// broken breaks what most people break.
func (w walk) broken(t *testing.T) {
	for _, tt := range w.faults() {
		wants(t, w.found(t, w.config, tt.old, tt.now), tt.rule, w.config)
	}
	if move := w.Bridge.Move; move != nil && move.PickleKey == "" {
		t.Error("it moved, and the key that stood in its code is not known")
	}
}

// shape has the same in an image of a name that nobody knows.
func (w walk) shape(t *testing.T) {
	own := w
	own.bundle = &render.Bundle{Stack: w.bundle.Stack, Files: slices.Clone(w.bundle.Files)}
	for i, f := range own.bundle.Files {
		if f.Path == "docker-compose.yml" {
			own.bundle.Files[i].Data = []byte(strings.Replace(string(f.Data), w.Tested.String(), "registry.example.org/own/build:1", 1))
		}
	}
	for _, f := range own.found(t, w.config, "", "") {
		if f.Status != finding.NotChecked && f.Rule != "compose-config-hash" {
			t.Errorf("as rendered: %s [%s]", f.Message, f.Rule)
		}
	}
	for _, tt := range w.faults() {
		if slices.Contains([]string{"registration-tokens-match", "registration-url-reaches-bridge", "bridge-msc4190"}, tt.rule) {
			wants(t, own.found(t, w.config, tt.old, tt.now), tt.rule, w.config)
		}
	}
}

// fault is a text of the bridge's configuration, what somebody put in its place, and the rule that says so.
type fault struct{ rule, old, now string }

func (w walk) faults() []fault {
	return []fault{
		{"registration-tokens-match", "  as_token: \"", "  as_token: \"other"},
		{"registration-tokens-match", "  hs_token: \"", "  hs_token: \"other"},
		{"registration-url-reaches-bridge", fmt.Sprintf("  port: %d\n", w.Bridge.Port), "  port: 12345\n"},
		{"bridge-msc4190", "msc4190: true", "msc4190: false"},
		{"registration-bot-namespace", w.Bridge.Bot, "another"},
		{"registration-ghost-namespace", w.Bridge.Prefix + "_{", "another_{"},
		{"server-name-agrees", "domain: \"example.org\"", "domain: \"example.net\""},
		{"database-credentials-match", "postgres://" + string(w.Program) + ":", "postgres://" + string(w.Program) + ":other"},
	}
}

// keys are known: those of its own are taken, and one letter more is not.
func (w walk) keys(t *testing.T) {
	wants(t, w.found(t, w.config, "\nbridge:\n", "\nbridge:\n  no_such_key: 1\n"), "bridge-known-keys", w.config)
	if d, _ := w.Tested.Dialect(); d != component.BridgeV2 {
		return
	}
	if w.Bridge.Network == "" || w.Bridge.NetworkRead == (component.Span{}) {
		t.Error("what it reads of its section network is not known")
	}
	section := "\nnetwork:\n"
	if text := file(t, w.bundle, w.config); !strings.Contains(text, section) {
		section = "\nbridge:\n"
	}
	with := func(keys string) string {
		if section == "\nbridge:\n" {
			return "\nnetwork:\n" + keys + section
		}
		return section + keys
	}
	wants(t, w.found(t, w.config, section, with("  no_such_key: 1\n")), "bridge-known-keys", w.config)
	tree, findings := finding.Parse("network", []byte(w.Bridge.Network))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	var keys strings.Builder
	for key, v := range tree.Root().Entries() {
		sample, ok := map[string]string{"str": "text", "bool": "true", "int": "1", "str|int": "1m", "num": "1.5"}[v.Str()]
		if ok && !strings.Contains(file(t, w.bundle, w.config), "\n  "+key.Str()+": ") {
			keys.WriteString("  " + key.Str() + ": " + sample + "\n")
		}
	}
	own := keys.String()
	if own == "" {
		return
	}
	for _, f := range w.found(t, w.config, section, with(own)) {
		if f.Rule == "bridge-known-keys" {
			t.Errorf("its own keys: %s", f.Message)
		}
	}
}

func (w walk) runbook(t *testing.T) {
	text := file(t, w.bundle, "RUNBOOK.md")
	for _, word := range []string{
		"| " + w.Title + " | @" + w.Bridge.Bot + ":example.org | `" + w.Bridge.CommandPrefix + "` |",
		fmt.Sprintf("docker compose exec %s curl -fsS http://localhost:%d/_matrix/mau/ready", w.Program, w.Bridge.Port),
		"| " + string(w.Program) + " | " + w.Tested.String() + " |",
	} {
		if !strings.Contains(text, word) {
			t.Errorf("RUNBOOK.md has no %q", word)
		}
	}
}

func (w walk) diff(t *testing.T) {
	tree := func(b *render.Bundle) diff.Tree {
		files := make(diff.Tree)
		for _, f := range b.Files {
			if f.Data != nil {
				files[f.Path] = f.Data
			}
		}
		return files
	}
	without, with := tree(stack(t)), tree(w.bundle)
	comes := diff.EffectsOf(diff.Input{Old: without, New: with})
	if !slices.ContainsFunc(comes.Services, func(s diff.Service) bool { return s.Name == string(w.Program) && s.Action == diff.Created }) ||
		!slices.Contains(comes.Databases, string(w.Program)) {
		t.Errorf("it comes: %+v", comes)
	}
	goes := diff.EffectsOf(diff.Input{Old: with, New: without})
	i := slices.IndexFunc(goes.Services, func(s diff.Service) bool { return s.Name == string(w.Program) && s.Action == diff.Removed })
	if i < 0 || goes.Services[i].Affects == "" || !strings.Contains(strings.Join(goes.Steps, "\n"), "before "+string(w.Program)+" goes for good") {
		t.Errorf("it goes: %+v", goes)
	}
}
