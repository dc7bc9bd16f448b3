package main

import (
	"bytes"
	"io/fs"
	"slices"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/render"
)

// inPlace is the rendered stack as Compose reads it in the directory of the old one, whose .env goes on to fill in variables.
// That COMPOSE_FILE is taken out of it is a step of the move.
func (p *proof) inPlace(old *deployment.Deployment) *deployment.Deployment {
	env, err := fs.ReadFile(old.FS, ".env")
	if err != nil || slices.ContainsFunc(p.Bundle.Files, func(f render.File) bool { return f.Path == ".env" }) {
		return p.Deployment
	}
	lines := slices.DeleteFunc(bytes.SplitAfter(env, []byte("\n")), func(line []byte) bool { return bytes.Contains(line, []byte("COMPOSE_FILE")) })
	tree := p.Bundle.FS(memfs.File{Path: ".env", Data: bytes.Join(lines, nil)})
	open := compose.Open
	if p.Deployment.Alone {
		open = compose.OpenAlone
	}
	d, _ := open(tree)
	return d
}
