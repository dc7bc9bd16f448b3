package main

import (
	"fmt"

	"philipp.info/stackgen/pkg/source"
)

type validateCmd struct {
	Specs   []string `arg:"" optional:"" name:"spec" help:"Specs to validate." default:"stack.yaml"`
	Secrets string   `help:"Secrets file. Default: secrets.yaml beside the spec." placeholder:"FILE"`
	Format  string   `help:"How findings are printed: ${enum}." enum:"${formats}" default:"text" placeholder:"FORMAT"`
}

func (*validateCmd) Help() string {
	return `Renders in memory and checks the result, as render does. Placeholders stand in for secrets that are not at hand, and no command that the spec names is run, so that it works in a pre-commit hook.

Example:

    stackgen validate family/stack.yaml work/stack.yaml
`
}

func (c *validateCmd) Run(a *app) error {
	if c.Secrets != "" && len(c.Specs) > 1 {
		return usagef("--secrets is the file of one spec, but there are %d", len(c.Specs))
	}
	var findings []source.Finding
	var proofs []*proof
	code, files, dir := exitClean, 0, "out"
	for i, r := range each(a, c.Specs, func(i int) *proof {
		p, err := prove(a.ctx, request{spec: c.Specs[i], secrets: c.Secrets, dir: dir})
		p.err = err
		return p
	}) {
		proofs = append(proofs, r)
		findings, files = append(findings, r.findings...), files+r.files
		switch {
		case r.err != nil:
			code = max(code, fail(a.stderr, r.err))
		case !r.ok():
			code = max(code, exitFindings)
		default:
			fmt.Fprintf(a.stderr, "%s: ok\n", c.Specs[i])
		}
	}
	if len(findings) > 0 || c.Format != "text" {
		err := a.report(a.stdout, c.Format, findings, files, func(text string) string {
			for _, p := range proofs {
				text = p.mask(text)
			}
			return text
		})
		if err != nil {
			return err
		}
	}
	return exit(code)
}
