package prove_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

const smallSpec = `version: 1
server_name: example.org
auth: {passwords: true}
bridges: {signal: {}}
permissions: {"@admin:example.org": admin}
`

// input is a spec with placeholders that are taken for its secrets.
func input(t *testing.T, text string) prove.Input {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", []byte(text))
	if s == nil || len(findings) > 0 {
		t.Fatal(findings)
	}
	return prove.Input{Spec: s, Judge: composego.Judge, Secrets: secret.Placeholders(render.Needs(s)), Dir: "/srv/matrix"}
}

func run(t *testing.T, in prove.Input) *prove.Result {
	t.Helper()
	r, err := prove.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func rules(r *prove.Result) []string {
	var ids []string
	for _, f := range r.Findings {
		ids = append(ids, f.Rule)
	}
	return slices.Compact(ids)
}

// One input has one result, in whatever order it is asked for, and nothing of the input is changed.
func TestSameInputSameResult(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		in := input(t, string(text))
		in.Past = &manifest.Manifest{Fixed: map[string]string{"server_name": "example.net", "auth.encryption": "sha256:00"}}
		past := maps.Clone(in.Past.Fixed)
		first := run(t, in)
		in.Placeholders = true
		run(t, in)
		in.Placeholders = false
		second := run(t, in)
		if diff := cmp.Diff(first.Bundle.Files, second.Bundle.Files, cmpopts.IgnoreUnexported(render.File{})); diff != "" {
			t.Errorf("%s: other files:\n%s", path, diff)
		}
		said := func(r *prove.Result) (lines []string) {
			for _, f := range r.Findings {
				lines = append(lines, f.Rule+" "+f.Pos().String()+" "+f.Message)
			}
			return lines
		}
		if diff := cmp.Diff(said(first), said(second)); diff != "" || len(first.Findings) == 0 {
			t.Errorf("%s: other findings:\n%s", path, diff)
		}
		if diff := cmp.Diff([]any{first.Fixed, first.Accepted, first.Files}, []any{second.Fixed, second.Accepted, second.Files}); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if diff := cmp.Diff(past, in.Past.Fixed); diff != "" {
			t.Errorf("%s: the past is another:\n%s", path, diff)
		}
	}
}

func TestPast(t *testing.T) {
	in := input(t, smallSpec)
	r := run(t, in)
	if !r.OK() || r.Accepted == "" || r.Fixed["server_name"] != "example.org" {
		t.Fatalf("%v %q %v", r.Findings, r.Accepted, r.Fixed)
	}
	in.Past = &manifest.Manifest{Fixed: maps.Clone(r.Fixed), Accepted: r.Accepted}
	if r := run(t, in); len(r.Findings) > 0 {
		t.Errorf("what is kept is found: %v", r.Findings)
	}
	in.Past.Fixed["auth.encryption"] = "sha256:00"
	if r := run(t, in); r.OK() || !slices.Equal(rules(r), []string{"irreversible-change"}) {
		t.Errorf("a lost key: %v", r.Findings)
	}
	in.Placeholders = true
	if r := run(t, in); !r.OK() {
		t.Errorf("a placeholder is taken for a lost key: %v", r.Findings)
	}
	in.Past.Fixed["server_name"] = "example.net"
	if r := run(t, in); r.OK() {
		t.Error("another server name is taken")
	}
}

// What lies in the directory is seen where it is not stackgen's.
func TestBeside(t *testing.T) {
	in := input(t, smallSpec+`compose:
  extra:
    services:
      notes: {image: "docker.io/library/nginx:1.29", volumes: ["./notes/nginx.conf:/etc/nginx/nginx.conf:ro"], networks: [stack]}
`)
	missing := func(beside fs.FS) bool {
		in.Beside = beside
		return slices.Contains(rules(run(t, in)), "compose-mount-exists")
	}
	if !missing(nil) || !missing(fstest.MapFS{}) {
		t.Error("a file that is nowhere is not missed")
	}
	if missing(fstest.MapFS{"notes/nginx.conf": {}}) {
		t.Error("a file that is kept by hand is not seen")
	}
	old := manifest.New()
	old.Files["notes/nginx.conf"] = manifest.Entry{SHA256: "00"}
	if !missing(fstest.MapFS{"notes/nginx.conf": {}, manifest.Path: {Data: old.Bytes()}}) {
		t.Error("a file that this render removes is taken for one that stays")
	}
	in.Beside = fstest.MapFS{"compose.yaml": {Data: []byte("services: {}\n")}, "data/matrix/x": {}, manifest.Stage("docker-compose.yml"): {Data: []byte("{")}}
	if r := run(t, in); r.Bundle == nil || r.Files < 5 {
		t.Errorf("another compose file takes the place of the rendered one: %d files, %v", r.Files, r.Findings)
	}
}

func TestMisfit(t *testing.T) {
	r := run(t, input(t, smallSpec+"compose: {extra: {services: {-nobody: }}}\nsynapse: {extra: {+server_name: [x]}}\n"))
	if r.Bundle != nil || r.OK() || len(r.Findings) != 1 || r.Findings[0].Rule != "spec" || r.Findings[0].Pos().Line != 7 {
		t.Errorf("%+v", r)
	}
}

func TestLost(t *testing.T) {
	s := input(t, smallSpec).Spec
	past := &manifest.Manifest{Fixed: map[string]string{"auth.encryption": "sha256:00", "server_name": "example.org"}}
	if got := prove.Lost(s, []string{"auth.encryption", "auth.matrix_secret"}, past); !slices.Equal(got, []string{"auth.encryption"}) {
		t.Errorf("%q", got)
	}
	if got := prove.Lost(s, []string{"auth.encryption"}, manifest.New()); len(got) > 0 {
		t.Errorf("of a first render: %q", got)
	}
}

func TestCopies(t *testing.T) {
	s := input(t, smallSpec+"compose: {files: {a/x: files/x, b/y: ../y, c/z: ../../z, d: none}}\n").Spec
	tree := fstest.MapFS{"deploy/files/x": {Data: []byte("x")}, "y": {Data: []byte{}}, "z": {}}
	copies, findings := prove.Copies(s, "deploy", func(name string) ([]byte, error) { return fs.ReadFile(tree, name) })
	got := make(map[string]string)
	for _, c := range copies {
		got[c.Path] = string(c.Data)
		if c.Data == nil {
			t.Errorf("%s is empty, and no directory", c.Path)
		}
	}
	if diff := cmp.Diff(map[string]string{"a/x": "x", "b/y": ""}, got); diff != "" {
		t.Error(diff)
	}
	if len(findings) != 2 || !strings.Contains(findings[0].Message, "outside") || !strings.Contains(findings[1].Message, "does not exist") || !finding.HasErrors(findings) {
		t.Errorf("%v", findings)
	}
}

func TestCopiesOfWhatCannotBeRead(t *testing.T) {
	s := input(t, smallSpec+"compose: {files: {a: a}}\n").Spec
	_, findings := prove.Copies(s, ".", func(string) ([]byte, error) { return nil, errors.New("permission denied") })
	if len(findings) != 1 || !strings.HasSuffix(findings[0].Message, "permission denied") {
		t.Errorf("%v", findings)
	}
}
