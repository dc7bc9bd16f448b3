package main

import (
	"fmt"
	"path/filepath"

	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/finding"
)

// verify holds the spec and the secrets that are there against the stack that they were taken over from.
func (c *importCmd) verify(a *app) error {
	old, closed, err := openStack(c.Dir, c.Root, c.File, c.Profile...)
	if err != nil {
		return err
	}
	defer closed()
	if old.File == "" {
		return fmt.Errorf("%s: there is no stack that can be read; `stackgen check` says why", c.Dir)
	}
	p, err := proveFile(a.ctx, request{spec: c.Output, dir: c.Dir, real: true, anew: true, compare: true, apart: true})
	if err := ended(a.ctx, "nothing was written"); err != nil {
		return err
	}
	if err != nil {
		return p.maskErr(err)
	}
	if p.Deployment == nil || finding.HasErrors(p.Findings) {
		out := a.stdout
		if c.Format == "json" {
			out = a.stderr // what stdout has is one document
		}
		if err := a.report(out, "text", p.found()); err != nil {
			return err
		}
		if p.Deployment == nil {
			return exitCode(exitFindings)
		}
	}
	r := compare.Deployments(old, p.inPlace(old))
	if err := c.compared(a, r); err != nil {
		return err
	}
	if r.Needs() || finding.HasErrors(p.Findings) {
		return exitCode(exitFindings)
	}
	return nil
}

// compared prints a comparison.
func (c *importCmd) compared(a *app, r *compare.Result) error {
	return r.Write(a.stdout, compare.Options{Format: c.Format, Color: a.colored(a.stdout), Width: a.width(a.stdout), Old: filepath.ToSlash(filepath.Clean(c.Dir)), More: "--format full"})
}
