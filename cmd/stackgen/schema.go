package main

import "philipp.info/stackgen/pkg/spec"

type schemaCmd struct{}

func (*schemaCmd) Help() string {
	return `An editor with a YAML language server completes and underlines with it; a spec names it in its first line.

Example:

    stackgen schema > stack.schema.json
`
}

func (*schemaCmd) Run(a *app) error {
	_, err := a.stdout.Write(spec.Schema())
	return err
}
