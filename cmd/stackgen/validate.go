package main

import (
	"philipp.info/stackgen/pkg/finding"
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
	var findings []finding.Finding
	code, files := exitClean, 0
	for i, v := range each(a, c.Specs, func(i int) verdict { return judge(a, c.Specs[i], c.Secrets) }) {
		findings, files = append(findings, v.findings...), files+v.files
		switch {
		case v.err != nil:
			code = max(code, fail(a.stderr, v.err))
		case !v.ok:
			code = max(code, exitFindings)
		default:
			say(a.stderr, "%s: ok", c.Specs[i])
		}
	}
	if len(findings) > 0 || c.Format != "text" {
		if err := a.report(a.stdout, c.Format, findings, files); err != nil {
			return err
		}
	}
	return exit(code)
}

// verdict is what is kept of a proof until all specs are through.
type verdict struct {
	findings []finding.Finding
	files    int
	ok       bool
	err      error
}

func judge(a *app, spec, secrets string) verdict {
	p, err := prove(a.ctx, request{spec: spec, secrets: secrets, dir: "out"})
	return verdict{findings: p.masked(), files: p.files, ok: p.ok(), err: err}
}
