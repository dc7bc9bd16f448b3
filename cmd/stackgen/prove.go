package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/report"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// proof is one spec, rendered in memory, and what the rules say about it.
type proof struct {
	set      *secret.Set
	needs    []secret.Need
	bundle   *render.Bundle // nil when it did not come that far
	made     []string       // the secrets that were missing
	findings []finding.Finding
	files    int
	blind    bool // there was a spec, and it could not be rendered
}

func (p *proof) ok() bool { return p.bundle != nil && !finding.HasErrors(p.findings) }

func (p *proof) mask(text string) string {
	if p == nil || p.set == nil {
		return text
	}
	return p.set.Mask(text)
}

// masked is the findings without a secret.
func (p *proof) masked() []finding.Finding { return p.hide(p.findings) }

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

// request says what to prove, and with what.
type request struct {
	spec, secrets string
	dir           string // where the stack would lie
	real          bool   // the secrets are needed as they are; otherwise placeholders stand in, and no command of the spec is run
	anew          bool   // what was in dir does not bind the new stack
	compare       bool   // what differs from dir is the answer, not a fault
}

// prove renders the spec as it would lie in the directory, and checks the result. It writes nothing.
func prove(ctx context.Context, r request) (*proof, error) {
	s, findings, err := loadSpec(r.spec)
	p := &proof{findings: findings}
	if err != nil || s == nil {
		return p, err
	}
	use := offline
	if r.real {
		use = reading
	}
	set, findings := loadSecrets(ctx, s, r.spec, r.secrets, use)
	if err := ended(ctx, "nothing was written"); err != nil {
		return p, err
	}
	p.set, p.needs, p.findings = set, render.Needs(s), append(p.findings, findings...)
	p.findings = append(p.findings, plainSecrets(ctx, s, r.spec)...)
	if !r.compare {
		p.findings = append(p.findings, stillExample(s)...)
	}
	if finding.HasErrors(p.findings) {
		return p, nil
	}
	if r.real {
		p.made = set.Fill()
	} else {
		secret.FillPlaceholders(set)
	}
	m, err := past(r.dir)
	before := m.Fixed
	switch {
	case err != nil && r.anew && !r.compare:
	case err != nil && r.real:
		return p, err
	case err != nil: // a tree of root's is none of a hook's business
		p.findings = append(p.findings, finding.Unchecked("irreversible-change", err.Error()))
	}
	if r.real && (!r.anew || r.compare) {
		if lost := p.lost(s, before); len(lost) > 0 {
			p.findings = append(p.findings, p.lostFinding(lost, r))
			return p, nil
		}
	}
	if r.real {
		p.findings = append(p.findings, secret.MissingFindings(set.Missing(), secretsPath(r.spec, r.secrets))...)
		if finding.HasErrors(p.findings) {
			return p, nil
		}
	}
	abs, err := filepath.Abs(r.dir)
	if err != nil {
		return p, err
	}
	if r.anew {
		before = nil
	}
	var sources []string
	if r.real {
		if sources, err = r.sources(s, len(p.made) > 0 && len(s.Secrets.Store) == 0); err != nil {
			return p, err
		}
	}
	files, findings, err := copiedFrom(s, r.spec)
	if p.findings = append(p.findings, findings...); err != nil || finding.HasErrors(findings) {
		return p, err
	}
	if err := p.render(s, abs, files, sources...); err != nil || p.bundle == nil {
		return p, err
	}
	if err := ended(ctx, "nothing was written"); err != nil {
		return p, err
	}
	accepted := ""
	if r.real {
		accepted = m.Accepted
	}
	p.check(r.dir, before, accepted, r.real)
	return p, nil
}

// past is what is remembered of the stack in a directory, which may not be there.
func past(dir string) (*manifest.Manifest, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest.New(), nil
	}
	if err != nil {
		return manifest.New(), err
	}
	defer root.Close()
	return check.Past(root.FS())
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

// render makes the bundle, which is nil when an extra block does not fit its file: the findings say so.
func (p *proof) render(s *spec.Spec, dir string, files []render.Copy, sources ...string) (err error) {
	st := render.Resolve(s, p.set, dir, sources...)
	st.Files = files
	p.bundle, err = render.Render(s, st, p.set.Get)
	if misfits, ok := errors.AsType[source.Misfits](err); ok {
		for _, m := range misfits {
			p.findings = append(p.findings, finding.Finding{Rule: "spec", Severity: finding.Error, Message: m.Message, Fix: m.Fix, Sites: []source.Site{m.At.Site("")}})
		}
		return nil
	}
	if err != nil {
		return p.maskErr(fmt.Errorf("%s: %w", s.File().Path, err))
	}
	return nil
}

// check holds the rules against the bundle, which is to keep what a stack had before. accepted is the verdict
// on a compose file that need not be asked for again.
func (p *proof) check(dir string, before map[string]string, accepted string, real bool) {
	fsys, beside := p.bundle.Over(dir)
	if beside != nil {
		defer beside.Close()
	}
	open := compose.Open
	if !real { // where it will lie is a guess
		open = compose.OpenAlone
	}
	d, found := open(fsys)
	fixed := d.Fixed()
	p.bundle.Fixed = deployment.Values(fixed)
	d.Before = before
	for _, f := range fixed {
		if f.Secret && !real { // a placeholder is not what it stands for
			delete(before, f.Name)
		}
	}
	d.Accepted = accepted
	more, files := check.Run(d)
	if !slices.ContainsFunc(more, func(f finding.Finding) bool { return f.Rule == "compose-valid" }) {
		p.bundle.Accepted = check.ComposeVerdict(d)
	}
	found = append(found, more...)
	p.bundle.Govern(found, d.KeysAt)
	p.findings, p.files = append(p.findings, found...), files
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

// use is what the secrets of a spec are wanted for.
type use int

const (
	offline use = iota // what can be seen without running a command of the spec
	editing            // to change them: the store is asked what it has, secrets with a source of their own are not
	reading            // all values
)

func loadSecrets(ctx context.Context, s *spec.Spec, path, secrets string, u use) (*secret.Set, []finding.Finding) {
	src := secret.Sources{
		Path: secretsPath(path, secrets), Command: s.Secrets.Command, CommandPos: s.At("secrets", "command").Pos(), Store: s.Secrets.Store,
		From: map[string]secret.From{}, Dir: filepath.Dir(path), Getenv: os.LookupEnv, RunCommands: u != offline, SkipFrom: u == editing,
	}
	for name, from := range s.Secrets.From {
		// Where only the files are proven, a secret that lies on another machine is no fault.
		if u == offline && from.File != "" && !there(src.Dir, from.File) {
			continue
		}
		src.From[name] = secret.From{File: from.File, Command: from.Command, Pos: s.At("secrets", "from", name).KeyPos()}
	}
	set, findings := secret.Load(ctx, src, render.Needs(s))
	render.HideNamed(s, set)
	return set, findings
}

func there(dir, file string) bool {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	_, err := os.Stat(file)
	return err == nil
}

// report prints findings as the product of a command.
func (a *app) report(w io.Writer, format string, findings []finding.Finding, files int) error {
	text, err := a.findings(w, format, findings, files)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

func (a *app) findings(w io.Writer, format string, findings []finding.Finding, files int) (string, error) {
	var b bytes.Buffer
	ran := len(check.Rules)
	if files == 0 {
		ran = 0
	}
	err := report.Write(&b, finding.Sort(findings), report.Summary{Rules: ran, Files: files}, report.Options{
		Format: report.Format(format), Color: a.colored(w), Rules: ruleInfos(), RuleURL: ruleURL, Width: a.width(w), Command: a.command,
	})
	return b.String(), err
}

// findingsJSON gives the findings alone, as they stand in the JSON report.
func (a *app) findingsJSON(findings []finding.Finding) (json.RawMessage, error) {
	text, err := a.findings(io.Discard, "json", findings, 0)
	if err != nil {
		return nil, err
	}
	var doc struct{ Findings json.RawMessage }
	err = json.Unmarshal([]byte(text), &doc)
	return doc.Findings, err
}

// width is the number of columns of the terminal that w is; 0 for what is none.
func (a *app) width(w io.Writer) int {
	if out, ok := w.(*output.Writer); ok {
		return out.Width(os.LookupEnv)
	}
	return 0
}

func (a *app) colored(w io.Writer) bool { return output.ColorFor(w, a.color, os.LookupEnv) }

// rulesURL is where RULES.md is published, below the address of the module.
const rulesURL = "https://philipp.info/stackgen/RULES.md"

// ruleURL is the anchor of a rule in RULES.md; "" for what is no rule, such as a file that is not YAML.
func ruleURL(id string) string {
	if _, ok := check.Find(id); !ok {
		return ""
	}
	return rulesURL + "#" + id
}

func ruleInfos() []report.RuleInfo {
	infos := make([]report.RuleInfo, 0, len(check.Rules))
	for _, r := range check.Rules {
		infos = append(infos, report.RuleInfo{ID: r.ID, Severity: r.Severity, Summary: r.Summary, Why: r.Why, Fix: r.Fix})
	}
	return infos
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
