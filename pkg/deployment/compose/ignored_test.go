package compose_test

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/source"
)

// TestIgnored: a file that git ignores is not seen where it is missing, unless it would lie in an ignored directory that is
// there: that is the machine where the stack runs.
func TestIgnored(t *testing.T) {
	tree := fstest.MapFS{
		"compose.yaml":              {Data: []byte("services: {x: {image: y}}\n")},
		"live/data/db.yaml":         {},
		"kept/data/.gitkeep":        {},
		"part/data/conf.d/own.yaml": {},
	}
	d, _ := compose.OpenWith(tree, compose.Options{Ignored: func(name string) bool {
		return name == ".env" || strings.Contains("/"+name+"/", "/data/") && path.Base(name) != "own.yaml"
	}})
	for name, want := range map[string]error{
		"compose.yaml": nil, "live/data/db.yaml": nil, "gone.yaml": fs.ErrNotExist, "live/data/gone.yaml": fs.ErrNotExist,
		".env": source.ErrIgnored, "data": source.ErrIgnored, "data/a/b.yaml": source.ErrIgnored, "kept/data/gone.yaml": source.ErrIgnored,
		"part/data/gone.yaml": source.ErrIgnored,
	} {
		if _, err := fs.Stat(d.FS, name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if hidden := d.Hidden(name); (hidden != "") != errors.Is(want, source.ErrIgnored) {
			t.Errorf("%s is hidden: %q", name, hidden)
		}
	}
}

// TestIgnoredManifest: where git ignores every hidden file, that of another stack is not missed.
func TestIgnoredManifest(t *testing.T) {
	tree := fstest.MapFS{"compose.yaml": {Data: []byte("services: {x: {image: y}}\n")}}
	d, _ := compose.OpenWith(tree, compose.Options{Ignored: func(name string) bool { return strings.HasPrefix(name, ".") }})
	if m, err := manifest.Read(d.FS); err != nil || len(m.Files) > 0 {
		t.Errorf("%v, %v", m, err)
	}
}

// TestIgnoredBase: a compose file that git ignores, or that lies in a submodule, is not missed.
func TestIgnoredBase(t *testing.T) {
	for _, text := range []string{"services: {x: {extends: {file: base/x.yml, service: x}}}\n", "include: [base/x.yml]\nservices: {x: {image: y}}\n"} {
		for _, ignored := range []bool{true, false} {
			_, findings := compose.OpenWith(fstest.MapFS{"compose.yaml": {Data: []byte(text)}}, compose.Options{Ignored: func(string) bool { return ignored }})
			wrong := slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Rule == "compose-reads-exist" && f.Severity == finding.Error })
			if wrong == ignored {
				t.Errorf("%signored: %v: %v", text, ignored, findings)
			}
		}
	}
}
