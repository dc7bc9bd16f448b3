package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/adopt/move"
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/shell"
)

type importCmd struct {
	Dir     string   `arg:"" help:"Directory with the compose files of the stack that runs."`
	File    []string `short:"f" sep:"none" help:"Compose file below the directory, as docker compose has -f; one for each of several. By default those that Compose finds." placeholder:"FILE"`
	Profile []string `sep:"none" help:"Profile of Compose that is switched on, as docker compose has --profile; one for each of several. By default those that COMPOSE_PROFILES in .env names." placeholder:"NAME"`
	Root    string   `help:"Directory beyond which nothing is read. By default the git work tree, or else the directory itself." placeholder:"DIR"`
	Output  string   `short:"o" help:"The spec to write; the secrets go into secrets.yaml beside it." default:"stack.yaml" placeholder:"FILE"`
	Keep    bool     `name:"keep-auth" help:"Where Synapse logs users in itself, leave that as it is: auth.kind synapse. Without it the spec has MAS, and prepares the move of the users."`
	Force   bool     `help:"Overwrite a spec, and secrets of the same names, that are there already."`
	Verify  bool     `help:"Compare the spec that is there with the directory once more, and write nothing."`
	Format  string   `help:"How the comparison is printed: ${enum}; full names what needs no attention, too." enum:"${compared}" default:"text" placeholder:"FORMAT"`
}

func (*importCmd) Help() string {
	return `Takes over a stack that runs already, whoever wrote its files: reads them as check does, and writes the spec that says the same, with comments where something has to be decided, and a file with every secret, token and key as it is. Nothing in the directory is changed, and nothing secret is printed.

Example:

    stackgen import /opt/matrix -o matrix/stack.yaml
    stackgen validate matrix/stack.yaml
    stackgen render matrix/stack.yaml -o matrix/out

It proves itself: what the spec renders is compared with the directory by meaning, setting by setting, file by file and request by request. Every difference is listed with what it does and what to write to keep the old; what is not in the list does not change. Later, after a change of either:

    stackgen import --verify /opt/matrix -o matrix/stack.yaml

Of a stack that stackgen rendered it gives the spec that it was rendered from. The exit code is 1 where something has to be decided before the spec means what the stack does.
`
}

func (c *importCmd) Run(a *app) error {
	if err := inRepository(c.Dir); err != nil {
		return err
	}
	if c.Verify {
		return c.verify(a)
	}
	if err := c.free(); err != nil {
		return err
	}
	tree, closed, err := openTree(c.Dir, c.Root)
	if err != nil {
		return err
	}
	defer func() { _ = closed() }()
	d, findings := compose.OpenWith(tree, composeOptions(c.Dir, c.File, c.Profile...))
	if d.File == "" && len(d.Chosen.Files) == 0 && kubernetes.Has(tree) {
		return errManifests(c.Dir)
	}
	if d.File == "" {
		return c.refuse(a, d, findings)
	}
	options := adopt.Options{SpecName: filepath.Base(c.Output), KeepAuth: c.Keep}
	if options.Dir, err = realPath(c.Dir); err != nil {
		return err
	}
	for _, name := range []string{c.Output, secretsPath(c.Output, "")} {
		path, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		options.Sources = append(options.Sources, path)
	}
	draft, findings := adopt.Read(d, options)
	if draft == nil {
		return c.refuse(a, d, findings)
	}
	p, err := c.prove(draft, options)
	if err != nil {
		return err
	}
	var ours *deployment.Deployment
	var compared *compare.Result
	if p.Deployment != nil {
		ours = p.inPlace(d)
		compared = compare.Deployments(d, ours)
	}
	if err := ended(a.ctx, "nothing was written"); err != nil {
		return err
	}
	more := records{manifest.ImportedPath: importedFrom(c.Dir, c.File, d).Bytes()}
	if compared != nil {
		text, err := move.Write(move.Input{Old: d, Ours: ours, Compared: compared, Dir: options.Dir, Spec: filepath.ToSlash(options.Sources[0]), Files: c.File, Profiles: c.Profile})
		if err != nil {
			return err
		}
		more["MIGRATION.md"] = []byte(p.mask(string(text)))
	}
	kept, wrong, err := c.write(a, draft, more)
	if err != nil {
		return err
	}
	return c.tell(a, imported{draft, p, compared, kept, wrong})
}

// free refuses to overwrite a spec.
func (c *importCmd) free() error {
	if _, err := os.Lstat(c.Output); err == nil && !c.Force {
		return fmt.Errorf("%s is there already; name another file with -o, or overwrite it with --force", c.Output)
	}
	return nil
}

// refuse says why nothing can be taken over.
func (c *importCmd) refuse(a *app, d *deployment.Deployment, findings []finding.Finding) error {
	findings = d.Hide(findings)
	inDir(c.Dir, findings)
	if err := a.report(a.stdout, "text", found{findings: findings, blind: true}); err != nil {
		return err
	}
	say(a.stderr, "nothing was written")
	return exitCode(exitFailed)
}

// prove renders the draft in memory, and holds the rules against it.
func (c *importCmd) prove(draft *adopt.Draft, o adopt.Options) (*proof, error) {
	p := &proof{needs: render.Needs(draft.Spec), set: draft.Set()}
	render.HideNamed(draft.Spec, p.set)
	copies, findings := prove.Copies(draft.Spec, ".", draft.File)
	in := prove.Input{Spec: draft.Spec, Judge: composego.Judge, Secrets: p.set, Placeholders: true, Copies: copies, Dir: o.Dir, Backup: o.Sources}
	return p, p.run(in, findings)
}

// records are files that are written beside the spec, by their paths from there.
type records map[string][]byte

// write writes the spec, the files that it copies, and the secrets. kept is how many secrets were, wrong why others were not.
func (c *importCmd) write(a *app, draft *adopt.Draft, more records) (kept int, wrong []string, err error) {
	dir := filepath.Dir(c.Output)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, nil, err
	}
	set, findings := loadSecrets(a.ctx, draft.Spec, c.Output, "", editing)
	if finding.HasErrors(findings) {
		return 0, nil, fmt.Errorf("%s is there already, and cannot be added to: `stackgen secrets list` says why", secretsPath(c.Output, ""))
	}
	for _, name := range slices.Sorted(maps.Keys(draft.Secrets)) {
		value := draft.Secrets[name]
		set.Hide(value)
		if old := set.Get(name); old != "" && old != value && !c.Force {
			return 0, nil, fmt.Errorf("%s has another %s already; name another directory with -o, or overwrite it with --force", secretsPath(c.Output, ""), name)
		}
		if err := set.Set(name, value); err != nil {
			wrong = append(wrong, set.Mask(err.Error()))
			continue
		}
		kept++
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, nil, err
	}
	defer root.Close()
	put := func(name string, data []byte, mode fs.FileMode) error {
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if c.Force {
			if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return writeNew(root, name, data, mode)
	}
	for _, name := range slices.Sorted(maps.Keys(draft.Files)) {
		if err := put(name, draft.Files[name], 0o600); err != nil {
			return 0, nil, err
		}
	}
	if err := set.Save(a.ctx); err != nil {
		return 0, nil, errors.New(set.Mask(err.Error()))
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		_ = root.Remove(name) // that of an import from before
		if err := put(name, more[name], 0o600); err != nil {
			return 0, nil, err
		}
	}
	return kept, wrong, put(filepath.Base(c.Output), draft.Text, 0o644)
}

// imported is what there is to say about a draft.
type imported struct {
	*adopt.Draft
	proof    *proof
	compared *compare.Result // with what is rendered; nil where that could not be
	kept     int
	wrong    []string
}

func (c *importCmd) tell(a *app, t imported) error {
	code := exitClean
	if finding.HasErrors(t.proof.Findings) {
		out := a.stdout
		if c.Format == "json" {
			out = a.stderr // what stdout has is one document
		}
		if err := a.report(out, "text", t.proof.found()); err != nil {
			return err
		}
		code = exitFindings
	}
	if t.compared != nil && len(t.compared.Differences)+len(t.compared.Unseen) > 0 {
		if err := c.compared(a, t.compared); err != nil {
			return err
		}
	}
	var b strings.Builder
	st := a.style(a.stderr)
	fmt.Fprintf(&b, "%s %s %s\n", st.Bold(output.Clean(c.Dir)), "→", st.Bold(output.Clean(c.Output)))
	st.section(&b, "secrets", fmt.Sprintf("%s as they are, now in %s", output.Plural(t.kept, "secret"), output.Clean(secretsPath(c.Output, ""))))
	if n := len(t.Files); n > 0 {
		st.section(&b, "files", fmt.Sprintf("%s of your own, copied to %s", output.Plural(n, "file"), output.Clean(filepath.Join(filepath.Dir(c.Output), "files"))))
	}
	if t.compared != nil {
		st.section(&b, "compare", t.compared.Headline())
		if t.compared.Needs() {
			code = exitFindings
		}
	}
	var decide []string
	for _, n := range t.Notes {
		if n.Aside {
			continue
		}
		text := strings.Join(n.Field, ".") + ": " + n.Text
		if n.Site.File != "" {
			text += " (" + filepath.Join(c.Dir, n.Site.Pos.String()) + ")"
		}
		for line := range strings.SplitSeq(text, "\n") { // commands stand on lines of their own
			decide = append(decide, output.Clean(line))
		}
	}
	for _, w := range t.wrong {
		decide = append(decide, output.Clean(w))
	}
	st.section(&b, "decide", decide...)
	st.section(&b, "get", missing(t)...)
	if t.compared != nil {
		st.section(&b, "move", output.Clean(filepath.Join(filepath.Dir(c.Output), "MIGRATION.md"))+" says how, step by step, and the way back of each")
	}
	st.section(&b, "next", "stackgen validate "+shell.Word(c.Output))
	if _, err := a.stderr.Write([]byte(t.proof.mask(b.String()))); err != nil {
		return err
	}
	if len(decide) > 0 {
		code = exitFindings
	}
	return exit(code)
}

// missing are the secrets that were not to be seen, and that nobody can make.
func missing(t imported) (lines []string) {
	for _, n := range t.proof.needs {
		if _, ok := t.Secrets[n.Name]; !ok && n.Kind == component.External {
			lines = append(lines, fmt.Sprintf("%s: %s; `stackgen secrets set %s`", n.Name, n.Where, n.Name))
		}
	}
	return lines
}
