package prove

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

const foreignSpec = `version: 1
server_name: example.org
auth: {passwords: true}
compose:
  extra:
    services:
      door: {image: "example/door:1.0", env_file: [./door.env], networks: [stack], volumes: ["./config/door:/door:ro"]}
`

// tree reads files as `-- NAME --` and lines, and leaves out what no file system could hold together.
func tree(text string) (files []memfs.File) {
	var names []string
	for part := range strings.SplitSeq("\n"+text, "\n-- ") {
		name, data, ok := strings.Cut(part, " --\n")
		clash := slices.ContainsFunc(names, func(n string) bool {
			return n == name || strings.HasPrefix(n, name+"/") || strings.HasPrefix(name, n+"/")
		})
		if ok && fs.ValidPath(name) && name != "." && !clash {
			names = append(names, name)
			files = append(files, memfs.File{Path: name, Data: append([]byte{}, data...)})
		}
	}
	return files
}

// FuzzOver: whatever lies in the output directory, what is judged is what was rendered, and the answer comes.
func FuzzOver(f *testing.F) {
	for _, seed := range []string{
		"", "-- compose.yaml --\nservices: {}\n", "-- .env --\nCOMPOSE_FILE=a.yml:docker-compose.yml\nX=\"a\nb\"\n-- a.yml --\n[",
		"-- .stackgen/manifest.json --\n{\"version\":1,\"files\":{\"config/door/x\":{\"sha256\":\"x\"}},\"fixed\":{\"server_name\":\"old\"}}\n-- config/door/x --\nsecret\n",
		"-- config/door/x --\na\n-- door.env --\nA=b\n-- config/matrix/homeserver.yaml --\nserver_name: other\n-- data/matrix/x --\n\n",
		"-- docker-compose.override.yml --\nservices: {synapse: {}}\n-- .stackgen-x.tmp --\nx\n-- config --\nfile\n", "-- borgmatic.d/other.yaml --\nrepositories: [{path: x}]\n",
	} {
		f.Add(seed)
	}
	s, findings := spec.Parse("stack.yaml", []byte(foreignSpec))
	if s == nil {
		f.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	f.Fuzz(func(t *testing.T, text string) {
		beside := memfs.New(tree(text))
		past, _ := manifest.Read(beside)
		r, err := Run(Input{Spec: s, Secrets: set, Dir: "/srv/matrix", Beside: beside, Past: past})
		if err != nil || r.Bundle == nil {
			t.Fatal(err)
		}
		o := over(r.Bundle, beside)
		rendered := make(map[string]bool)
		for _, file := range r.Bundle.Files {
			if file.Data == nil {
				continue
			}
			rendered[file.Path] = true
			if got, err := source.ReadFS(o, file.Path); err != nil || !bytes.Equal(got, file.Data) {
				t.Fatalf("%s is not as it was rendered: %v", file.Path, err)
			}
		}
		err = fs.WalkDir(o, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if _, err := fs.Stat(o, name); err != nil {
				return fmt.Errorf("%s is listed: %w", name, err)
			}
			if !e.IsDir() && !rendered[name] && past.Files[name] != (manifest.Entry{}) {
				return errors.New(name + " is stackgen's, and will not be there")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range r.Findings {
			if found.Message == "" || strings.Contains(found.Message, "a fault in stackgen") {
				t.Errorf("%s: %q", found.Rule, found.Message)
			}
		}
	})
}

// FuzzCopies: a file of compose.files lands below the output directory, in nobody's place, or is refused.
func FuzzCopies(f *testing.F) {
	for _, seed := range [][2]string{
		{"config/door/x", "x"},
		{"../x", "x"},
		{"/etc/x", "../../x"},
		{".git/config", ".git/config"},
		{".GIT/hooks/x", "x"},
		{"docker-compose.yml", "x"},
		{"docker-compose.yml/x", "x"},
		{"config", "x"},
		{"config/mas/config.yaml", "x"},
		{"config/mas/more.yaml", "x"},
		{"data/x", "x"},
		{".stackgen/manifest.json", "x"},
		{"a//b", "x"},
		{"a/./b", "a/../../b"},
		{"C:\\x", "x"},
		{"", ""},
		{"x\ny", "x"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, to, from string) {
		if !utf8.ValidString(to + from) {
			return // no YAML file holds it
		}
		src := "version: 1\nserver_name: example.org\nauth: {passwords: true}\ncompose:\n  files:\n    " + source.Quote(to) + ": " + source.Quote(from) + "\n"
		s, _ := spec.Parse("stack.yaml", []byte(src))
		if s == nil {
			return
		}
		set := secret.Placeholders(render.Needs(s))
		read := 0
		copies, findings := Copies(s, "deploy", func(name string) ([]byte, error) {
			read++
			if !fs.ValidPath(name) || slices.ContainsFunc(strings.Split(name, "/"), func(p string) bool { return strings.EqualFold(p, ".git") }) {
				t.Errorf("%q reads %q", from, name)
			}
			return []byte("copied"), nil
		})
		if len(findings) > 0 {
			return
		}
		r, err := Run(Input{Spec: s, Secrets: set, Dir: "/srv/matrix", Copies: copies})
		if err != nil {
			t.Fatal(err)
		}
		if r.Bundle == nil {
			return
		}
		seen := make(map[string]bool)
		for _, file := range r.Bundle.Files {
			top, _, _ := strings.Cut(file.Path, "/")
			if seen[file.Path] || !fs.ValidPath(file.Path) || file.Path != path.Clean(file.Path) || strings.EqualFold(top, ".git") {
				t.Errorf("%q lands in %q", to, file.Path)
			}
			seen[file.Path] = true
			if string(file.Data) == "copied" && (file.Path != to || top == "data" || top == manifest.Dir) {
				t.Errorf("%q lands in %q", to, file.Path)
			}
		}
		if read != 1 {
			t.Errorf("%q was read %d times", from, read)
		}
	})
}
