package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"

	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/git"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/spec"
	"philipp.info/stackgen/pkg/store"
	"philipp.info/stackgen/pkg/suppress"
)

type diffCmd struct {
	Spec    string `arg:"" optional:"" help:"The spec." default:"stack.yaml"`
	Output  string `short:"o" help:"Compare with this directory: what render would change in it. Default: out." placeholder:"DIR" xor:"with"`
	Base    string `help:"Compare with the spec as it was at this git revision, with placeholders for all secrets." placeholder:"REF" xor:"with"`
	Head    string `help:"With --base: the spec as it is at this revision, instead of the file." placeholder:"REF"`
	Secrets string `help:"Secrets file. Default: secrets.yaml beside the spec. Not used with --base." placeholder:"FILE"`
	Summary bool   `help:"Leave out values and files: what happens to services, what cannot be undone, and what is to be done by hand."`
	Format  string `help:"What is printed on stdout: ${enum}." enum:"${diffs}" default:"text" placeholder:"FORMAT"`
}

func (*diffCmd) Help() string {
	return `Shows what a change of the spec does: to files, to values, to the running services, and what cannot be undone. No secret is shown. Nothing is written. Compared with a directory, the secrets are read as render reads them, which runs the commands that the spec names; with --base no secret is read and no such command is run.

Exit code: 0 no difference, 1 differences or findings, 2 wrong command line, 3 could not be finished.

Example:

    stackgen diff -o out
    stackgen diff --base main --format markdown
`
}

func (c *diffCmd) Run(a *app) error {
	if c.Head != "" && c.Base == "" {
		return usagef("--head needs --base")
	}
	if c.Base != "" && c.Secrets != "" {
		return usagef("--secrets is for a comparison with a directory; with --base placeholders stand for all secrets")
	}
	if c.Summary && c.Format != "text" {
		return usagef("--summary is for text; --format json has everything by its kind")
	}
	c.Output = cmp.Or(c.Output, "out")
	compare := c.directory
	if c.Base != "" {
		compare = c.revisions
	}
	p, d, err := compare(a.ctx)
	if err := ended(a.ctx, "nothing was written"); err != nil {
		return err
	}
	if err != nil {
		return p.maskErr(err)
	}
	if d == nil {
		d = diff.Nothing(c.Spec)
		if c.Format != "json" {
			err := a.report(a.stdout, c.Format, p.found())
			return errors.Join(err, exit(exitFindings))
		}
	}
	said, err := a.foundJSON(p.found())
	if err != nil {
		return err
	}
	d.Findings, d.Suppressed = said.Findings, said.Suppressed
	if err := d.Write(a.stdout, diff.Options{Format: c.Format, Summary: c.Summary, Color: a.colored(a.stdout), Width: a.width(a.stdout)}); err != nil {
		return err
	}
	if n := warnings(p.Findings); n > 0 && c.Format != "json" { // which has them
		say(a.stderr, "%s about what is rendered: `stackgen validate %s` shows them", output.Plural(n, "warning"), shell.Path(c.Spec))
	}
	if !p.OK() || !d.Empty() {
		return exitCode(exitFindings)
	}
	return nil
}

func warnings(findings []finding.Finding) int {
	n := 0
	for _, f := range findings {
		if f.Severity == finding.Warning {
			n++
		}
	}
	return n
}

// directory compares with what lies in the output directory. The Diff is nil when the spec has errors.
func (c *diffCmd) directory(ctx context.Context) (*proof, *diff.Diff, error) {
	// What the stack loses is a part of the answer, not a reason to give none.
	p, err := proveFile(ctx, request{spec: c.Spec, secrets: c.Secrets, dir: c.Output, real: true, anew: true, compare: true})
	if err != nil || !p.OK() {
		return p, nil, err
	}
	plan, err := store.Compare(c.Output, p.stack())
	if err != nil {
		return p, nil, err
	}
	d := diff.New(p.input(plan, c.Output))
	d.Spec, d.From, d.To = c.Spec, c.Output, "what render would write there"
	for _, name := range p.made {
		d.Secrets = append(d.Secrets, diff.Secret{Name: name})
	}
	return p, d, nil
}

// input is what a plan does in a directory.
func (p *proof) input(plan *store.Plan, dir string) diff.Input {
	in := diff.Input{Old: diff.Tree{}, New: diff.Tree{}, Hand: map[string]diff.Hand{}, Before: plan.Fixed(), Secrets: p.set, Known: p.Deployment, Dir: filepath.ToSlash(dir), Root: p.chowns(plan, dir)}
	for _, f := range p.Bundle.Files {
		if f.Data != nil {
			in.Old[f.Path], in.New[f.Path] = f.Data, f.Data
		}
	}
	for _, ch := range plan.Changes {
		delete(in.Old, ch.Path)
		if ch.Old() != nil {
			in.Old[ch.Path] = ch.Old()
		}
		switch ch.Action {
		case store.Edited, store.Kept:
			in.Hand[ch.Path] = diff.Edited
		case store.Foreign:
			in.Hand[ch.Path] = diff.Foreign
		default:
		}
	}
	return in
}

// revisions compares the spec of two git revisions, or of one and the file as it is.
func (c *diffCmd) revisions(ctx context.Context) (*proof, *diff.Diff, error) {
	repo, err := git.Open(filepath.Dir(c.Spec))
	if err != nil {
		return nil, nil, err
	}
	base, err := repo.Commit(ctx, c.Base)
	if err != nil {
		return nil, nil, err
	}
	head, to := "", "the working tree"
	if c.Head != "" {
		to = c.Head
		if head, err = repo.Commit(ctx, c.Head); err != nil {
			return nil, nil, err
		}
	}
	now, err := c.now(ctx, repo, head)
	if err != nil || !now.OK() {
		return now, nil, err
	}
	old, notes, err := c.old(ctx, repo, base, head)
	if err != nil {
		return now, nil, err
	}
	made := newSecrets(old.needs, now)
	in := diff.Input{Old: old.tree(), New: now.tree(), Secrets: now.set, Known: now.Deployment}
	for _, s := range made {
		in.Unmade = append(in.Unmade, s.Name)
	}
	d := diff.New(in)
	d.Spec, d.From, d.To, d.Notes = c.Spec, c.Base, to, append(d.Notes, notes...)
	d.Secrets, d.Blind = append(d.Secrets, made...), old.blind
	d.Silenced = append(d.Silenced, silenced(old.found().suppressed, now.found().suppressed)...)
	return now, d, nil
}

// now is the spec as it is after the change.
func (c *diffCmd) now(ctx context.Context, repo *git.Repo, head string) (*proof, error) {
	if head == "" {
		if err := repo.Holds(c.Spec); err != nil {
			return nil, err
		}
		s, findings, err := loadSpec(c.Spec)
		if err != nil {
			return nil, err
		}
		if s == nil {
			return &proof{Result: prove.Result{Findings: findings}}, nil
		}
		files, more, err := copiedFrom(s, c.Spec)
		if err != nil {
			return nil, err
		}
		config, wrong, err := answersBeside(c.Spec)
		if err != nil {
			return nil, err
		}
		return proveWithout(s, config, slices.Concat(findings, more, wrong), files)
	}
	src, err := repo.File(ctx, head, repo.Path(filepath.Base(c.Spec)))
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", c.Spec, c.Head, err)
	}
	s, findings := spec.Parse(c.Spec, src)
	if s == nil {
		return &proof{Result: prove.Result{Findings: findings}}, nil
	}
	files, more := copiedAt(ctx, s, repo, head, repo.Path(""))
	config, wrong := answersAt(ctx, repo, head, c.Spec)
	return proveWithout(s, config, slices.Concat(findings, more, wrong), files)
}

// old is the spec as it was before the change; an empty proof, and a note that says why, where there is no
// stack to compare with.
func (c *diffCmd) old(ctx context.Context, repo *git.Repo, base, head string) (*proof, []string, error) {
	name := repo.Path(filepath.Base(c.Spec))
	var notes []string
	src, err := repo.File(ctx, base, name)
	if errors.Is(err, fs.ErrNotExist) {
		was, renameErr := repo.RenamedFrom(ctx, base, head, name)
		if renameErr != nil {
			return nil, nil, renameErr
		}
		if was == "" {
			return &proof{}, []string{fmt.Sprintf("%s does not exist at %s: compared with nothing", c.Spec, c.Base)}, nil
		}
		notes = append(notes, fmt.Sprintf("at %s the spec is %s", c.Base, was))
		name = was
		src, err = repo.File(ctx, base, was)
	}
	if err != nil {
		return nil, nil, err
	}
	s, findings := spec.Parse(c.Spec, src)
	var files []render.Copy
	if s != nil {
		var more []finding.Finding
		files, more = copiedAt(ctx, s, repo, base, path.Dir(name))
		findings = append(findings, more...)
	}
	config, _ := answersAt(ctx, repo, base, c.Spec) // one that cannot be read suppressed nothing
	p, err := proveWithout(s, config, findings, files)
	switch {
	case err != nil:
		return &proof{blind: true}, append(notes, fmt.Sprintf("at %s the spec cannot be rendered: compared with nothing, and what cannot be undone is not known", c.Base)), nil
	case p.Bundle == nil:
		return &proof{blind: true}, append(notes, fmt.Sprintf("at %s the spec is not valid (%s): compared with nothing, and what cannot be undone is not known", c.Base, output.Plural(len(p.Findings), "finding"))), nil
	}
	return p, notes, nil
}

// proveWithout proves with placeholders for all secrets, wherever they may come from. findings are those so far.
func proveWithout(s *spec.Spec, config *suppress.Config, findings []finding.Finding, files []render.Copy) (*proof, error) {
	p := &proof{config: config}
	if s == nil {
		p.Findings = findings
		return p, nil
	}
	p.needs = render.Needs(s)
	p.set = secret.Placeholders(p.needs)
	return p, p.run(prove.Input{Spec: s, Judge: composego.Judge, Secrets: p.set, Placeholders: true, Copies: files, Dir: prove.Nowhere}, findings)
}

// tree is the rendered files.
func (p *proof) tree() diff.Tree {
	t := diff.Tree{}
	if p.Bundle != nil {
		for _, f := range p.Bundle.Files {
			if f.Data != nil {
				t[f.Path] = f.Data
			}
		}
	}
	return t
}

// newSecrets are those that the new stack has and the old one had not.
func newSecrets(old []secret.Need, now *proof) []diff.Secret {
	had := make(map[string]bool)
	for _, n := range old {
		had[n.Name] = true
	}
	var secrets []diff.Secret
	for _, n := range now.needs {
		if !had[n.Name] {
			secrets = append(secrets, diff.Secret{Name: n.Name, Where: now.mask(n.Where)})
		}
	}
	return secrets
}
