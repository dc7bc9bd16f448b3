package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/git"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

type checkCmd struct {
	Dir     string   `arg:"" optional:"" help:"Directory with the docker-compose.yml, or with manifests of Kubernetes; - reads manifests from stdin." default:"."`
	File    []string `short:"f" sep:"none" help:"Compose file below the directory, as docker compose has -f; one for each of several. By default those that Compose finds." placeholder:"FILE"`
	Profile []string `sep:"none" help:"Profile of Compose that is switched on, as docker compose has --profile; one for each of several. By default those that COMPOSE_PROFILES in .env names." placeholder:"NAME"`
	Root    string   `help:"Directory beyond which nothing is read. By default the git work tree, or else the directory itself." placeholder:"DIR"`
	Format  string   `help:"How findings are printed: ${enum}." enum:"${formats}" default:"text" placeholder:"FORMAT"`
	Fix     bool     `help:"Show what mends the findings whose fix is one certain edit, as a diff, and what is left then."`
	Write   bool     `help:"With --fix: write it. All of it or, where that would bring a new finding, nothing."`
	Against string   `help:"Compare with the stack in this directory, which DIR takes the place of, instead of auditing; and say what was edited there since it was taken over." placeholder:"OLD"`
	Strict  bool     `help:"Fail also where something was not checked; suppress what is meant to stay so."`
	shownFlags
}

func (*checkCmd) Help() string {
	return `Starts at the compose files, read as Docker Compose reads them, and follows images, mounts and registrations to the other files. Nothing in them has to come from stackgen, and without --write nothing is written.

Example:

    stackgen check /opt/matrix
    stackgen check -f compose.yaml -f compose.prod.yaml
    stackgen check --fix /opt/matrix
    stackgen check --fix --write /opt/matrix

Where there is no compose file, manifests of Kubernetes are read: those that a kustomization.yaml names, or all that lie in the directory. A chart of Helm is filled in by Helm:

    stackgen check k8s/overlays/prod
    helm template matrix ./chart | stackgen check -

The report ends with what was read of each program. What was not checked is no error, but makes the exit code 1 with --strict, and where
nothing of Matrix was read at all.

A finding that is known and meant to stay is suppressed by a comment on its line or above it, or by an entry of .stackgen.yaml beside the compose file:

    # stackgen:ignore compose-image-pinned renovate pins it
    ignore: [{rule: compose-image-pinned, path: docker-compose.yml, reason: renovate pins it, until: 2027-06-30}]

What a rendered stack does otherwise than the one that it takes the place of, and what was edited there since it was imported:

    stackgen check --against /opt/matrix matrix/out

Only what is new since the day on which everything was accepted:

    stackgen check --format json > baseline.json
    stackgen check --baseline baseline.json
`
}

func (c *checkCmd) Run(a *app) error {
	switch {
	case c.Against != "" && (c.Fix || c.Strict || !slices.Contains(compare.Formats, c.Format)):
		return usagef("--against compares, and prints %s; the audit is check without it", strings.Join(compare.Formats, " or "))
	case c.Write && !c.Fix:
		return usagef("--write goes with --fix")
	case c.Fix && !c.Write && c.Format != "text":
		return usagef("--fix shows a diff, which is text; in %s each finding has its edits without it", c.Format)
	}
	if c.Dir == "-" {
		return c.piped(a)
	}
	if err := inRepository(c.Dir); err != nil {
		return err
	}
	if c.Against != "" {
		return c.against(a)
	}
	shown, err := c.ready()
	if err != nil {
		return err
	}
	if err := c.completed(a); err != nil {
		return err
	}
	files, closed, err := openTree(c.Dir, c.Root)
	if err != nil {
		return err
	}
	defer func() { _ = closed() }()
	look := c.look
	f, differs := look(files), false
	if c.Fix {
		if f, differs, err = c.fix(a, fixing{tree: files, before: f, shown: shown, look: look}); err != nil {
			return err
		}
	}
	return c.tell(a, shown, f, differs)
}

// look reads the deployment of a tree and holds the rules against it.
func (c *checkCmd) look(tree fs.FS) found {
	deployment, findings := opened(tree, composeOptions(c.Dir, c.File, c.Profile...))
	more, read := check.Run(deployment, composego.Judge)
	config, problems := answersIn(tree, deployment)
	f := found{files: read, dir: c.Dir, blind: deployment.File == "", rendered: deployment.Chosen.Managed, parts: deployment.Parts(), blank: deployment.Blank()}
	f.findings, f.suppressed = answered(finding.Sort(append(deployment.Hide(findings), more...)), deployment, nil, config)
	f.findings = append(f.findings, deployment.Hide(problems)...)
	inDir(c.Dir, f.findings)
	inDir(c.Dir, f.suppressed)
	return f
}

// tell prints what was found.
func (c *checkCmd) tell(a *app, shown *shown, f found, differs bool) error {
	shown.narrow(&f)
	failed := differs || finding.HasErrors(f.findings) || (c.Strict || f.blank != "") && slices.ContainsFunc(f.findings, func(is finding.Finding) bool { return is.Status == finding.NotChecked })
	shown.dim(&f)
	if err := a.report(a.stdout, c.Format, f); err != nil {
		return err
	}
	if failed {
		return exitCode(exitFindings)
	}
	return nil
}

// piped audits the manifests that come by stdin.
func (c *checkCmd) piped(a *app) error {
	if c.Fix || c.Against != "" || len(c.File)+len(c.Profile) > 0 {
		return usagef("manifests from stdin are audited, and nothing else is done with them")
	}
	shown, err := c.ready()
	if err != nil {
		return err
	}
	src, err := io.ReadAll(io.LimitReader(a.stdin, source.MaxSize+1))
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(src)) == 0 {
		return usagef("nothing came by stdin: what was to write the manifests failed, or has none")
	}
	c.Dir = "."
	return c.tell(a, shown, c.look(memfs.New([]memfs.File{{Path: "stdin.yaml", Data: append([]byte{}, src...)}})), false)
}

// composeOptions are what a command line says to Compose.
func composeOptions(dir string, files []string, profiles ...string) compose.Options {
	o := compose.Options{Profiles: profiles}
	if repo, err := git.Open(dir); err == nil {
		o.Ignored = func(name string) bool { return repo.Ignores(context.Background(), path.Clean(repo.Path(name))) }
		o.IgnoredOf = func(names []string) map[string]bool {
			all, paths := make(map[string]bool), make([]string, len(names))
			for i, name := range names {
				paths[i] = path.Clean(repo.Path(name))
			}
			is := repo.IgnoresOf(context.Background(), paths)
			for i, name := range names {
				if ignored, told := is[paths[i]]; told {
					all[name] = ignored
				}
			}
			return all
		}
	}
	real, err := realPath(dir)
	if err == nil {
		o.Name, o.Dir = filepath.Base(real), filepath.ToSlash(real)
	}
	for _, name := range files {
		if below, err := filepath.Rel(real, name); err == nil && filepath.IsAbs(name) {
			name = below
		}
		o.Files = append(o.Files, filepath.ToSlash(name))
	}
	return o
}

// inDir makes the files of the findings relative to where the user stands, so that an editor can jump there.
func inDir(dir string, findings []finding.Finding) {
	for i, f := range findings {
		if edits := f.Edits; edits != nil {
			findings[i].Edits = func() []source.Edit {
				all := slices.Clone(edits())
				for i, e := range all {
					all[i] = e.In(path.Join(filepath.ToSlash(dir), e.File))
				}
				return all
			}
		}
		for i := range f.Sites {
			if file := &f.Sites[i].File; *file != "" {
				*file = path.Join(filepath.ToSlash(dir), *file)
			}
		}
		if s := f.Suppression; s != nil {
			s.At.File = path.Join(filepath.ToSlash(dir), s.At.File)
		}
	}
}
