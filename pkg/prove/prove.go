// Package prove turns a spec, its secrets and what the stack has to keep into the files of the stack and the findings
// about them. It is pure: it starts no program, asks neither network nor clock, and reads no file but those it is handed.
package prove

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// Input is all that a proof depends on.
type Input struct {
	Spec *spec.Spec
	// Secrets has a value for each that the spec needs, as secret.Set.Fill and secret.FillPlaceholders leave it.
	Secrets *secret.Set
	// Placeholders says that some of them are no real values, and that where the files will lie is a guess: what is not
	// rendered may lie there.
	Placeholders bool
	// Copies are the files that compose.files names, as Copies reads them.
	Copies []render.Copy
	// Dir is the absolute path of the directory that the files are meant for.
	Dir string
	// Backup are the absolute paths that a backup keeps besides that directory, unless the spec names its own.
	Backup []string
	// Beside is what lies in that directory; nil where that is not to be seen.
	Beside fs.FS
	// Judge is asked whether Compose accepts the files. Nil: that is not checked.
	Judge *deployment.Judge
	// Past is what is remembered of the stack there. Nil: a stack that has nothing to keep.
	Past *manifest.Manifest
}

// Nowhere stands for the Dir of a stack that lies in none.
const Nowhere = "/DIR"

// Result is one spec, rendered in memory, and what the rules say about it.
type Result struct {
	// Bundle is the files; nil where an extra block does not fit its file, which the findings say.
	Bundle *render.Bundle
	// Fixed is what the stack has to keep from now on, by name, as deployment.Values gives it.
	Fixed map[string]string
	// Accepted is the verdict of compose-go on docker-compose.yml; "" where it refuses the file.
	Accepted string
	// Findings are sorted, and may quote secrets until they are masked.
	Findings []finding.Finding
	// Files is how many files were read to find them.
	Files int
	// Deployment is what the rules saw; nil without a Bundle.
	Deployment *deployment.Deployment
}

// OK reports whether the files may be written.
func (r *Result) OK() bool { return r.Bundle != nil && !finding.HasErrors(r.Findings) }

// Run renders the spec and holds the rules against the files, as they will lie in the directory. The same input has the same
// result. An error, free of secrets, means that a template and the spec do not fit.
func Run(in Input) (*Result, error) {
	st := render.Resolve(in.Spec, in.Secrets, in.Dir, in.Backup...)
	st.Files = in.Copies
	bundle, err := render.Render(in.Spec, st, in.Secrets.Get)
	if misfits, ok := errors.AsType[source.Misfits](err); ok {
		return &Result{Findings: misfitFindings(misfits)}, nil
	}
	if err != nil {
		return nil, masked(in.Secrets, fmt.Errorf("%s: %w", in.Spec.File().Path, err))
	}
	r := &Result{Bundle: bundle}
	r.check(in)
	return r, nil
}

func misfitFindings(misfits source.Misfits) []finding.Finding {
	findings := make([]finding.Finding, len(misfits))
	for i, m := range misfits {
		findings[i] = finding.Finding{Rule: "spec", Severity: finding.Error, Message: m.Message, Fix: m.Fix, Sites: []source.Site{m.At.Site("")}}
	}
	return findings
}

// masked keeps the chain of an error unless its text holds a secret.
func masked(set *secret.Set, err error) error {
	if text := set.Mask(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// open reads the bundle as it will lie in the directory. Manifests see nothing of what lies beside them.
func open(b *render.Bundle, in Input) (*deployment.Deployment, []finding.Finding) {
	switch {
	case in.Spec.OnKubernetes():
		return kubernetes.Open(b.Manifests())
	case in.Placeholders:
		return compose.OpenAlone(over(b, in.Beside))
	}
	return compose.Open(over(b, in.Beside))
}

// check holds the rules against the bundle.
func (r *Result) check(in Input) {
	d, found := open(r.Bundle, in)
	r.Deployment = d
	fixed := d.Fixed()
	r.Fixed = deployment.Values(fixed)
	if in.Past != nil {
		d.Before = maps.Clone(in.Past.Fixed)
	}
	for _, f := range fixed {
		if f.Secret && in.Placeholders { // a placeholder is not what it stands for
			delete(d.Before, f.Name)
		}
	}
	if in.Past != nil && !in.Placeholders { // which are not what was accepted
		d.Accepted = in.Past.Accepted
	}
	more, files := check.Run(d, in.Judge)
	for i := range more {
		more[i].Edits = nil // what is rendered is made anew from its spec
	}
	if in.Judge != nil && d.Target != deployment.Kubernetes && len(found) == 0 && !slices.ContainsFunc(more, func(f finding.Finding) bool { return f.Rule == "compose-valid" }) {
		r.Accepted = in.Judge.Verdict(d)
	}
	r.Findings, r.Files = append(found, more...), files
	r.Bundle.Govern(r.Findings, d)
}
