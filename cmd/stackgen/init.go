package main

import (
	"bytes"
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

//go:embed starter.yaml
var starter []byte

//go:embed workflow.yaml
var workflow []byte

const (
	gitignore = "# The secrets, and the rendered tree, which is secret as a whole.\nsecrets.yaml\nout/\n"
	preCommit = `repos:
  - repo: local
    hooks:
      - id: stackgen-validate
        name: stackgen validate
        entry: stackgen validate --
        language: system
        files: (^|/)stack\.yaml$
`
)

// actionName is how a workflow names an action: it goes into YAML as it is.
var actionName = regex.Of(`^[\w.-]+/[\w./-]+@[\w./-]+$`)

type initCmd struct {
	Dir      string `arg:"" optional:"" help:"Directory to start in." default:"."`
	Workflow string `help:"Also write a GitHub workflow with stackgen's action, named by where it lives, such as owner/stackgen@v1. DIR is the top of the repository then." placeholder:"ACTION"`
}

func (*initCmd) Help() string {
	return `Writes stack.yaml to start from, its JSON Schema for the editor, a .gitignore and a pre-commit hook. A file that is there already is left as it is.

Example:

    stackgen init matrix
    stackgen init --workflow owner/stackgen@v1
`
}

type initFile struct {
	name string
	data []byte
}

func (c *initCmd) Run(a *app) error {
	files := []initFile{
		{"stack.yaml", starter},
		{"stack.schema.json", spec.Schema()},
		{".gitignore", []byte(gitignore)},
		{".pre-commit-config.yaml", []byte(preCommit)},
	}
	if c.Workflow != "" {
		if !actionName().MatchString(c.Workflow) {
			return usagef("--workflow is an action such as owner/stackgen@v1, with the tag or commit to use, not %q", c.Workflow)
		}
		data := bytes.Replace(workflow, []byte("OWNER/REPO@REF"), []byte(c.Workflow), 1)
		files = append(files, initFile{".github/workflows/stackgen.yml", data})
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(c.Dir) // no link of a repository that somebody else made leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range files {
		path := filepath.Join(c.Dir, f.name)
		if err := root.MkdirAll(filepath.Dir(f.name), 0o755); err != nil {
			return err
		}
		err := writeNew(root, f.name, f.data, 0o644)
		switch {
		case errors.Is(err, fs.ErrExist):
			say(a.stderr, "left     %s (it is there already)%s", path, f.lacks(root))
		case err != nil:
			return err
		default:
			say(a.stderr, "created  %s", path)
		}
	}
	spec := filepath.Join(c.Dir, "stack.yaml")
	say(a.stderr, "next     set server_name in %s, then: stackgen render %s", spec, shell.Word(spec))
	return nil
}

// lacks says what a file that was there already is without; "" for nothing.
func (f initFile) lacks(root *os.Root) string {
	there, err := source.ReadFS(root.FS(), f.name)
	if err != nil {
		return "; whether it has what init would write is not known: " + cause(err).Error()
	}
	switch f.name {
	case ".gitignore":
		var missing []string
		for line := range strings.Lines(string(f.data)) {
			name := strings.Trim(strings.TrimSpace(line), "/")
			if strings.HasPrefix(name, "#") {
				continue
			}
			if !slices.ContainsFunc(strings.Split(string(there), "\n"), func(l string) bool { return strings.Trim(strings.TrimSpace(l), "/") == name }) {
				missing = append(missing, strings.TrimSpace(line))
			}
		}
		if len(missing) > 0 {
			return "; if nothing in it covers them, add: " + strings.Join(missing, " and ")
		}
	case ".pre-commit-config.yaml":
		if !bytes.Contains(there, []byte("stackgen")) {
			return "; it has no hook of stackgen: README.md, Hooks and CI, has the lines"
		}
	case "stack.schema.json":
		if !bytes.Equal(there, f.data) {
			return "; it is that of another version: `stackgen schema` prints the present one"
		}
	case "stack.yaml":
	default: // the workflow
		if !bytes.Contains(there, []byte("stackgen")) {
			return "; it does not name stackgen's action"
		}
	}
	return ""
}

// stillExample warns of the server name that init writes, where it still stands with the comment of init: the name is
// kept for examples (RFC 2606), and can never change once the stack has run. A spec that somebody writes for
// example.org is an example.
func stillExample(s *spec.Spec) []finding.Finding {
	v := s.At("server_name")
	for line := range strings.Lines(string(starter)) {
		value, comment, _ := strings.Cut(line, "#")
		name, ok := strings.CutPrefix(value, "server_name:")
		if !ok || s.ServerName != strings.TrimSpace(name) || !strings.Contains(string(s.File().Src), strings.TrimSpace(comment)) {
			continue
		}
		return []finding.Finding{{
			Rule: "spec", Severity: finding.Warning, Sites: []source.Site{v.Site("")},
			Message: "server_name is still " + s.ServerName + ", which `stackgen init` wrote; no server can be reached by that name, and it can never change once the stack has run",
			Fix:     "server_name: followed by your own domain, the one behind the colon of your user ids",
		}}
	}
	return nil
}

func writeNew(root *os.Root, path string, data []byte, mode fs.FileMode) error {
	f, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = root.Remove(path) // half a file would be taken for one that was there before
	}
	return err
}
