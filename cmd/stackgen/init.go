package main

import (
	"bytes"
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"philipp.info/stackgen/pkg/shell"
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
var actionName = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[\w./-]+$`)

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
		if !actionName.MatchString(c.Workflow) {
			return usagef("--workflow is an action such as owner/stackgen@v1, with the tag or commit to use, not %q", c.Workflow)
		}
		data := bytes.Replace(workflow, []byte("OWNER/REPO@REF"), []byte(c.Workflow), 1)
		files = append(files, initFile{".github/workflows/stackgen.yml", data})
	}
	for _, f := range files {
		path := filepath.Join(c.Dir, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		err := writeNew(path, f.data)
		switch {
		case errors.Is(err, fs.ErrExist):
			say(a.stderr, "left     %s (it is there already)", path)
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

func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(path) // half a file would be taken for one that was there before
	}
	return err
}
