package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"philipp.info/stackgen/pkg/spec"
)

//go:embed starter.yaml
var starter []byte

const (
	gitignore = "# The secrets, and the rendered tree, which is secret as a whole.\nsecrets.yaml\nout/\n"
	preCommit = `repos:
  - repo: local
    hooks:
      - id: stackgen-validate
        name: stackgen validate
        entry: stackgen validate
        language: system
        files: (^|/)stack\.yaml$
`
)

type initCmd struct {
	Dir string `arg:"" optional:"" help:"Directory to start in." default:"."`
}

func (*initCmd) Help() string {
	return `Writes stack.yaml to start from, its JSON Schema for the editor, a .gitignore and a pre-commit hook. A file that is there already is left as it is.

Example:

    stackgen init matrix
`
}

func (c *initCmd) Run(a *app) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{"stack.yaml", starter},
		{"stack.schema.json", spec.Schema()},
		{".gitignore", []byte(gitignore)},
		{".pre-commit-config.yaml", []byte(preCommit)},
	} {
		path := filepath.Join(c.Dir, f.name)
		err := writeNew(path, f.data)
		switch {
		case errors.Is(err, fs.ErrExist):
			fmt.Fprintf(a.stderr, "left     %s (it is there already)\n", path)
		case err != nil:
			return err
		default:
			fmt.Fprintf(a.stderr, "created  %s\n", path)
		}
	}
	fmt.Fprintf(a.stderr, "next     set server_name in %s, then: stackgen render %[1]s\n", filepath.Join(c.Dir, "stack.yaml"))
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
