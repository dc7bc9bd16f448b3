package compose_test

import (
	"errors"
	"fmt"
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

// TestIgnoredAtOnce: git is asked once of all paths that the files name, and of more of them than it would be asked one by one.
func TestIgnoredAtOnce(t *testing.T) {
	var text strings.Builder
	text.WriteString("services:\n  x:\n    image: y\n    env_file: [{path: kept/x.env, required: false}]\n    volumes:\n")
	const many = 200
	for i := range many {
		fmt.Fprintf(&text, "      - ./data/%d:/data%d\n      - ./gone%d:/gone%d\n", i, i, i, i)
	}
	is := func(name string) bool { return strings.HasPrefix(name, "data/") || strings.HasPrefix(name, "kept/") }
	var single, several int
	d, _ := compose.OpenWith(fstest.MapFS{"compose.yaml": {Data: []byte(text.String())}}, compose.Options{
		Ignored: func(name string) bool { single++; return is(name) },
		IgnoredOf: func(names []string) map[string]bool {
			several++
			all := make(map[string]bool)
			for _, name := range names {
				all[name] = is(name)
			}
			return all
		},
	})
	for i := range many {
		if hidden := d.Hidden(fmt.Sprintf("data/%d", i)); hidden == "" {
			t.Errorf("data/%d is not hidden", i)
		}
		if hidden := d.Hidden(fmt.Sprintf("gone%d", i)); hidden != "" {
			t.Errorf("gone%d is hidden: %s", i, hidden)
		}
	}
	if several != 1 || single > 5 {
		t.Errorf("asked %d times of several paths, and %d times of one", several, single)
	}
}
