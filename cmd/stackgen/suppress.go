package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/git"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/suppress"
)

// answered parts what somebody answered from the findings. It is asked once, when all are there and before anything is made
// of them: what blocks a render, fails a check or is printed is the rest.
func answered(findings []finding.Finding, d *deployment.Deployment, spec *source.File, config *suppress.Config) (rest, suppressed []finding.Finding) {
	return suppress.Apply(suppress.Input{
		Findings: findings, Deployment: d, Spec: spec, Config: config, Known: findingNames(), Today: time.Now().Format(time.DateOnly),
		Unsure: func(rule string) bool { return d.Alone && seesMore(rule, findings) },
	})
}

// findingNames are the rules, and the names of what is found where no rule is asked.
func findingNames() []string {
	names := []string{"yaml", "spec", secret.Rule}
	for _, r := range check.Rules {
		names = append(names, r.ID)
	}
	return names
}

// seesMore reports whether a rule may find something in a directory and with the real secrets that it does not find without.
func seesMore(rule string, findings []finding.Finding) bool {
	switch rule {
	case "irreversible-change", "secret-strength", "secret-quoted", "config-readable", "compose-mount-exists", secret.Rule:
		return true
	}
	for _, f := range findings {
		if f.Rule == rule && f.Status == finding.NotChecked {
			return true
		}
	}
	return false
}

// answersIn reads the .stackgen.yaml of a deployment: that beside its compose file, or else in its directory.
func answersIn(files fs.FS, d *deployment.Deployment) (*suppress.Config, []finding.Finding) {
	names := []string{suppress.Name}
	if beside := path.Join(path.Dir(d.File), suppress.Name); d.File != "" && beside != suppress.Name {
		names = append([]string{beside}, names...)
	}
	for _, name := range names {
		src, err := source.ReadFS(files, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return answers(name, src, err)
		}
	}
	return nil, nil
}

// answersBeside reads the .stackgen.yaml beside a spec. No link leads out of that directory: the findings quote what they are about.
func answersBeside(spec string) (*suppress.Config, []finding.Finding, error) {
	dir, name := filepath.Dir(spec), filepath.ToSlash(filepath.Join(filepath.Dir(spec), suppress.Name))
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	src, err := source.ReadFS(root.FS(), suppress.Name)
	config, findings := answers(name, src, err)
	return config, findings, nil
}

// answersAt reads the .stackgen.yaml beside a spec from a commit.
func answersAt(ctx context.Context, repo *git.Repo, commit, spec string) (*suppress.Config, []finding.Finding) {
	src, err := repo.File(ctx, commit, repo.Path(suppress.Name))
	return answers(filepath.ToSlash(filepath.Join(filepath.Dir(spec), suppress.Name)), src, err)
}

// answers are those of a .stackgen.yaml as far as it could be read; none where there is no such file.
func answers(name string, src []byte, err error) (*suppress.Config, []finding.Finding) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, []finding.Finding{{
			Rule: suppress.Rule, Severity: finding.Error, Message: "cannot be read: " + strings.TrimPrefix(deployment.Cause(err), "it is ") + "; nothing is suppressed by it",
			Fix: "put a readable file there, or remove it", Sites: []source.Site{{Pos: source.Pos{File: name}}},
		}}
	}
	return suppress.Parse(name, src, findingNames())
}

// silenced says which of the suppressed findings were not suppressed before. What they say counts, not on which line.
func silenced(old, now []finding.Finding) []string {
	had := counted(old)
	var lines []string
	for _, f := range now {
		if had[f.Fact()]--; had[f.Fact()] >= 0 {
			continue
		}
		where := f.Suppression.At.File
		if line := f.Suppression.At.Line; line > 0 {
			where = fmt.Sprintf("%s:%d", where, line)
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s [%s], by %s: %s", f.Severity, f.Pos(), f.Message, f.Rule, where, cmp.Or(f.Suppression.Reason, "no reason given")))
	}
	return lines
}
