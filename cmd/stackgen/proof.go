package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/command"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/git"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/spec"
	"philipp.info/stackgen/pkg/store"
	"philipp.info/stackgen/pkg/suppress"
)

// proof is what became of one spec on the way to its files.
type proof struct {
	prove.Result // without Bundle when it did not come that far; Findings are those about the spec and its secrets, too

	config     *suppress.Config
	suppressed []finding.Finding // what of the findings was answered, and is not among them

	set   *secret.Set
	needs []secret.Need
	made  []string // the secrets that were missing
	blind bool     // there was a spec, and it could not be rendered
}

func (p *proof) mask(text string) string {
	if p == nil || p.set == nil {
		return text
	}
	return p.set.Mask(text)
}

// found is the findings without a secret.
func (p *proof) found() found {
	return found{findings: p.hide(p.Findings), suppressed: p.hide(p.suppressed), files: p.Files, blind: p.Bundle == nil}
}

func (p *proof) hide(findings []finding.Finding) []finding.Finding {
	if p == nil || p.set == nil {
		return findings
	}
	return p.set.Findings(findings)
}

// maskErr keeps the chain of an error and hides secrets in its text.
func (p *proof) maskErr(err error) error {
	if text := p.mask(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// stack is what is written.
func (p *proof) stack() store.Stack {
	return store.Stack{Files: p.Bundle.Files, Fixed: p.Fixed, Accepted: p.Accepted}
}

// request says what to prove, and with what.
type request struct {
	spec, secrets string
	dir           string // where the stack would lie
	real          bool   // the secrets are needed as they are; otherwise placeholders stand in, and no command of the spec is run
	anew          bool   // what was in dir does not bind the new stack
	compare       bool   // what differs from dir is the answer, not a fault
	apart         bool   // what lies in dir now will not lie beside the stack
}

// proveFile reads the spec, its secrets and what lies in the directory, and proves what is to lie there. It writes nothing.
func proveFile(ctx context.Context, r request) (*proof, error) {
	s, findings, err := loadSpec(r.spec)
	p := &proof{Result: prove.Result{Findings: findings}}
	if err != nil || s == nil {
		return p, err
	}
	if p.config, findings, err = answersBeside(r.spec); err != nil {
		return p, err
	}
	p.Findings = append(p.Findings, findings...)
	use := offline
	if r.real {
		use = reading
	}
	set, findings := loadSecrets(ctx, s, r.spec, r.secrets, use)
	if err := ended(ctx, "nothing was written"); err != nil {
		return p, err
	}
	p.set, p.needs, p.Findings = set, render.Needs(s), append(p.Findings, findings...)
	p.Findings = append(p.Findings, plainSecrets(ctx, s, r.spec)...)
	if !r.compare {
		p.Findings = append(p.Findings, stillExample(s)...)
	}
	if finding.HasErrors(p.Findings) {
		return p, nil
	}
	var beside *os.Root
	if !r.apart {
		if beside, err = openBeside(r.dir); beside != nil {
			defer beside.Close()
		}
	}
	in := prove.Input{Spec: s, Judge: composego.Judge, Secrets: set, Placeholders: !r.real, Past: manifest.New()}
	if beside != nil {
		in.Beside = beside.FS()
		in.Past, err = check.Past(in.Beside)
	}
	switch {
	case err != nil && r.anew && !r.compare:
	case err != nil && r.real:
		return p, err
	case err != nil: // a tree of root's is none of a hook's business
		p.Findings = append(p.Findings, finding.Unchecked("irreversible-change", err.Error()))
	}
	if r.real {
		p.made = set.Fill()
		if lost := prove.Lost(s, p.made, in.Past); len(lost) > 0 && (!r.anew || r.compare) {
			p.Findings = append(p.Findings, p.lostFinding(lost, r))
			return p, nil
		}
		p.Findings = append(p.Findings, secret.MissingFindings(set.Missing(), secretsPath(r.spec, r.secrets), setsSecret(r.spec, r.secrets))...)
		if finding.HasErrors(p.Findings) {
			return p, nil
		}
		if in.Backup, err = r.sources(s, len(p.made) > 0 && len(s.Secrets.Store) == 0); err != nil {
			return p, err
		}
	} else {
		secret.FillPlaceholders(set)
	}
	if in.Dir, err = filepath.Abs(r.dir); err != nil {
		return p, err
	}
	if r.real && !r.compare {
		p.Findings = append(p.Findings, goneSources(s, in.Dir)...)
	}
	if r.anew {
		in.Past.Fixed = nil
	}
	if in.Copies, findings, err = copiedFrom(s, r.spec); err == nil {
		err = p.run(in, findings)
	}
	if err != nil {
		return p, err
	}
	return p, ended(ctx, "nothing was written")
}

// run adds to the findings so far those about the files that the spec names, and unless they are errors, the proof.
func (p *proof) run(in prove.Input, findings []finding.Finding) error {
	if p.Findings = append(p.Findings, findings...); finding.HasErrors(findings) {
		return nil
	}
	r, err := prove.Run(in)
	if err != nil {
		return err
	}
	r.Findings = append(p.Findings, r.Findings...)
	if p.Result = *r; p.Bundle != nil {
		p.Findings, p.suppressed = answered(p.Findings, p.Deployment, in.Spec.File(), p.config)
	}
	return nil
}

// openBeside opens the directory that a stack is proven for; nil where it is not there. No link leads out of it.
func openBeside(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return root, err
}

// sources are the absolute paths of the spec and of what its secrets come from, for the backup. saved says that
// the secrets file will be there, even if it is not yet.
func (r request) sources(s *spec.Spec, saved bool) ([]string, error) {
	dir := filepath.Dir(r.spec)
	names, saved := []string{r.spec}, saved || len(s.Secrets.Command) == 0
	if path := secretsPath(r.spec, r.secrets); saved || there("", path) {
		names = append(names, path)
	}
	named := func(file string) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			names = append(names, file)
		}
	}
	ofCommand := func(words []string) {
		for i, word := range words {
			// The first word is a program; of the spec's own only with a path.
			if i > 0 || !filepath.IsAbs(word) && filepath.Base(word) != word {
				named(word)
			}
		}
	}
	ofCommand(s.Secrets.Command)
	for _, name := range slices.Sorted(maps.Keys(s.Secrets.From)) {
		if from := s.Secrets.From[name]; from.File != "" {
			named(from.File)
		} else {
			ofCommand(from.Command)
		}
	}
	var paths []string
	for _, name := range names {
		abs, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		paths = append(paths, abs)
		if target, err := filepath.EvalSymlinks(abs); err == nil && target != abs {
			paths = append(paths, target) // of a link, borg keeps the link
		}
	}
	return paths, nil
}

func loadSpec(path string) (*spec.Spec, []finding.Finding, error) {
	s, findings, err := spec.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: no such file; name the spec, or start one with `stackgen init`", path)
	}
	return s, findings, err
}

// secretsPath is where the secrets of a spec are, unless the command line says otherwise.
func secretsPath(path, given string) string {
	if given != "" {
		return given
	}
	return filepath.Join(filepath.Dir(path), "secrets.yaml")
}

// setsSecret is the command that gives a secret of this spec a value, without the name.
func setsSecret(path, given string) string {
	set := "stackgen secrets set"
	if path != "stack.yaml" {
		set += " --spec " + shell.Path(path)
	}
	if given != "" {
		set += " --secrets " + shell.Path(given)
	}
	return set
}

// use is what the secrets of a spec are wanted for.
type use int

const (
	offline use = iota // what can be seen without running a command of the spec, nor reading what lies elsewhere
	looking            // where each one is, also elsewhere; no command of the spec is run
	editing            // to change them: the store is asked what it has, secrets with a source of their own are not
	reading            // all values
)

func loadSecrets(ctx context.Context, s *spec.Spec, path, secrets string, u use) (*secret.Set, []finding.Finding) {
	src := secret.Sources{
		Path: secretsPath(path, secrets), Command: s.Secrets.Command, CommandPos: s.At("secrets", "command").Pos(), Store: s.Secrets.Store,
		From: map[string]secret.From{}, Dir: filepath.Dir(path), Getenv: os.LookupEnv, Tracked: git.Tracked, SkipFrom: u == editing,
	}
	if u > looking {
		src.Run = runCommand
	}
	for name, from := range s.Secrets.From {
		// Where only the files are proven, a secret that lies on another machine is no fault. Nor is one that lies
		// elsewhere on this one read: a pull request could name any file, and the pieces of it that a program or a
		// rule names are not the value that is hidden.
		if u <= looking && from.File != "" && !there(src.Dir, from.File) || u == offline && from.File != "" && !beside(src.Dir, from.File) {
			continue
		}
		src.From[name] = secret.From{File: from.File, Command: from.Command, Pos: s.At("secrets", "from", name).KeyPos()}
	}
	if u == offline && secrets == "" && !beside(src.Dir, filepath.Base(src.Path)) {
		src.Path = ""
	}
	set, findings := secret.Load(ctx, src, render.Needs(s))
	render.HideNamed(s, set)
	return set, findings
}

func runCommand(ctx context.Context, argv []string, dir string, stdin []byte, limit int) ([]byte, error) {
	return command.Command{Argv: argv, Dir: dir, Stdin: stdin}.Output(ctx, limit)
}

// beside reports whether a file, relative to dir or absolute, lies below dir or in its git repository; a symbolic link
// lies where it leads.
func beside(dir, file string) bool {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return true // who reads it says what is wrong with it
	}
	if repo, err := git.Open(dir); err == nil {
		dir = repo.Top()
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return false
	}
	var abs [2]string
	for i, path := range []string{dir, real} {
		if abs[i], err = filepath.Abs(path); err != nil {
			return false
		}
	}
	rel, err := filepath.Rel(abs[0], abs[1])
	return err == nil && filepath.IsLocal(rel)
}

func there(dir, file string) bool {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	_, err := os.Stat(file)
	return err == nil
}

// outputs says where each spec is rendered to: below out by the name of its directory when there are several.
func outputs(specs []string, out string) ([]string, error) {
	if len(specs) == 1 {
		return []string{out}, nil
	}
	dirs := make([]string, len(specs))
	for i, path := range specs {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		dirs[i] = filepath.Join(out, filepath.Base(filepath.Dir(abs)))
		if j := slices.Index(dirs[:i], dirs[i]); j >= 0 {
			return nil, usagef("%s and %s would both be rendered into %s; render them one by one, each with its own -o", specs[j], path, dirs[i])
		}
	}
	return dirs, nil
}
