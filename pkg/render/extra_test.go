package render_test

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
)

const extraSpec = `version: 1
server_name: example.org
auth: {passwords: true}
bridges: {signal: {}}
permissions: {"@admin:example.org": admin}
`

// An extra block adds its own lines to a file and leaves all others as they are.
func TestExtraLeavesTheRest(t *testing.T) {
	plain := load(t, "stack.yaml", []byte(extraSpec))
	for file, c := range map[string]struct{ from, to, line string }{
		"docker-compose.yml":            {"auth:", "compose: {extra: {services: {signal: {cpu_shares: 7}}}}\nauth:", "    cpu_shares: 7"},
		"config/matrix/homeserver.yaml": {"auth:", "synapse: {extra: {presence_is_no_key: 7}}\nauth:", "presence_is_no_key: 7"},
		"config/mas/config.yaml":        {"{passwords: true}", "{passwords: true, extra: {clients_too: 7}}", "clients_too: 7"},
		"config/signal/config.yaml":     {"signal: {}", "signal: {extra: {no_key_either: 7}}", "no_key_either: 7"},
	} {
		b := load(t, "stack.yaml", []byte(strings.Replace(extraSpec, c.from, c.to, 1)))
		var want, got []string
		for line := range strings.Lines(content(t, b, file)) {
			if !strings.Contains(line, "stackgen.config-hash") {
				got = append(got, line)
			}
		}
		for line := range strings.Lines(content(t, plain, file)) {
			if !strings.Contains(line, "stackgen.config-hash") {
				want = append(want, line)
			}
		}
		i := slices.Index(got, c.line+"\n")
		if i < 0 {
			t.Errorf("%s lacks %q", file, c.line)
			continue
		}
		if diff := cmp.Diff(want, slices.Delete(got, i, i+1)); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
	}
}

func content(t *testing.T, b *render.Bundle, name string) string {
	t.Helper()
	i := slices.IndexFunc(b.Files, func(f render.File) bool { return f.Path == name })
	if i < 0 {
		t.Fatalf("%s is not rendered", name)
	}
	return string(b.Files[i].Data)
}

// What the templates make is written as the encoder of an extra block writes it, so that one line of extra is one line of
// difference.
func TestTemplatesAreAsTheEncoderWrites(t *testing.T) {
	nothing, _ := source.Parse("", []byte("{}"))
	for _, spec := range onHosts(t) {
		for _, f := range load(t, spec, mustRead(t, spec)).Files {
			if ext := path.Ext(f.Path); ext != ".yaml" && ext != ".yml" || f.Data == nil {
				continue
			}
			merged, err := source.Merge(f.Data, nothing.Root())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(f.Data), string(merged)); diff != "" {
				t.Errorf("%s of %s:\n%s", f.Path, spec, diff)
			}
		}
	}
}

// Every service that is rendered has its hash, and no mark stays in its place.
func TestConfigHashes(t *testing.T) {
	for _, spec := range onHosts(t) {
		b := load(t, spec, mustRead(t, spec))
		f, _ := source.Parse("docker-compose.yml", []byte(content(t, b, "docker-compose.yml")))
		for role, svc := range b.Stack.Services {
			name := svc.Name
			label := f.At("services", name, "labels", confighash.Label).Str()
			want, err := confighash.Of(b.FS(), confighash.Reads(f, name), nil)
			if err != nil || label != want && role != "syn2mas" { // which is run by hand
				t.Errorf("%s of %s: %q, %v", name, spec, label, err)
			}
		}
	}
}

// onHosts are the examples that are not for a cluster, whose manifests no template writes.
func onHosts(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(examples(t), func(spec string) bool {
		return slices.ContainsFunc(load(t, spec, mustRead(t, spec)).Files, func(f render.File) bool { return f.Path == "kustomization.yaml" })
	})
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
