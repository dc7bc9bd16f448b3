package main

import (
	"path/filepath"
	"slices"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/git"
)

type validateCmd struct {
	Specs   []string `arg:"" optional:"" name:"spec" help:"Specs to validate." default:"stack.yaml"`
	Secrets string   `help:"Secrets file. Default: secrets.yaml beside the spec." placeholder:"FILE"`
	Format  string   `help:"How findings are printed: ${enum}." enum:"${formats}" default:"text" placeholder:"FORMAT"`
	shownFlags
}

func (*validateCmd) Help() string {
	return `Renders in memory and checks the result, as render does. Placeholders stand in for secrets that are not at hand, and no command that the spec names is run, so that it works in a pre-commit hook.

Example:

    stackgen validate family/stack.yaml work/stack.yaml

A finding that is known and meant to stay is suppressed by an entry of .stackgen.yaml beside the spec, for render as well:

    ignore: [{rule: compose-image-pinned, path: docker-compose.yml, reason: renovate pins it, until: 2027-06-30}]
`
}

func (c *validateCmd) Run(a *app) error {
	if c.Secrets != "" && len(c.Specs) > 1 {
		return usagef("--secrets is the file of one spec, but there are %d", len(c.Specs))
	}
	shown, err := c.ready()
	if err != nil {
		return err
	}
	var all found
	code := exitClean
	verdicts := each(a, c.Specs, func(i int) verdict { return judge(a, c.Specs[i], c.Secrets) })
	if slices.ContainsFunc(verdicts, func(v verdict) bool { return !v.done }) {
		return ended(a.ctx, "nothing is said about the specs; nothing was written")
	}
	for i, v := range verdicts {
		shown.narrow(&v.found)
		all.add(v.found)
		switch {
		case v.err != nil:
			code = max(code, fail(a.stderr, v.err))
		case finding.HasErrors(v.findings):
			code = max(code, exitFindings)
		default:
			say(a.stderr, "%s: ok", c.Specs[i])
		}
	}
	shown.dim(&all)
	if !all.silent() || c.Format != "text" {
		if err := a.report(a.stdout, c.Format, all); err != nil {
			return err
		}
	}
	return exit(code)
}

// verdict is what is kept of a proof until all specs are through.
type verdict struct {
	done bool // false where a signal came first
	found
	err error
}

// inRepository refuses a spec that is a symbolic link out of the working tree that it lies in: findings quote
// what they point at, and a pull request can have the link lead to any file of the machine.
func inRepository(path string) error {
	repo, err := git.Open(filepath.Dir(path))
	if err != nil {
		return nil //nolint:nilerr // outside of a repository nothing comes by a pull request
	}
	return repo.Holds(path)
}

func judge(a *app, spec, secrets string) verdict {
	if err := inRepository(spec); err != nil {
		return verdict{done: true, err: err}
	}
	p, err := proveFile(a.ctx, request{spec: spec, secrets: secrets, dir: "out"})
	return verdict{done: ended(a.ctx, "") == nil, found: p.found(), err: err}
}
