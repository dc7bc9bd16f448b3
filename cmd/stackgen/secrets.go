package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/term"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// maxSecret bounds what is read for one secret; the longest real one is a key of 2 kB.
const maxSecret = 1 << 20

type secretsCmd struct {
	Spec    string `help:"The spec whose secrets are meant." default:"stack.yaml" placeholder:"FILE"`
	Secrets string `help:"Secrets file. Default: secrets.yaml beside the spec." placeholder:"FILE"`

	List    secretsListCmd    `cmd:"" help:"List the secrets of the stack: name, kind, where each comes from."`
	Set     secretsSetCmd     `cmd:"" help:"Give a secret a value, read from stdin."`
	Rotate  secretsRotateCmd  `cmd:"" help:"Give generated secrets new values."`
	Recover secretsRecoverCmd `cmd:"" help:"Read lost secrets back from the rendered files."`
}

type secretsSetCmd struct {
	Name string `arg:"" help:"The secret, as secrets list names it." completion-predictor:"secret"`
	File string `help:"Read the value from this file instead of stdin." placeholder:"FILE"`
}

func (*secretsSetCmd) Help() string {
	return `The value never stands on the command line, where others can read it: it comes from stdin or a file, or is asked for without echo. One line break at its end is dropped.

Example:

    pass show matrix/telegram | stackgen secrets set bridges.telegram.api_hash
`
}

// open loads the spec and its secrets. exitCode is the error when there are findings, which are printed.
func (c *secretsCmd) open(a *app, u use) (*spec.Spec, *secret.Set, error) {
	s, findings, err := loadSpec(c.Spec)
	if err != nil {
		return nil, nil, err
	}
	p := &proof{}
	if s != nil {
		var more []finding.Finding
		p.set, more = loadSecrets(a.ctx, s, c.Spec, c.Secrets, u)
		if err := ended(a.ctx, "nothing was written"); err != nil {
			return nil, nil, err
		}
		findings = append(findings, more...)
	}
	if finding.HasErrors(findings) {
		if err := a.report(a.stdout, "text", found{findings: p.hide(findings)}); err != nil {
			return nil, nil, err
		}
		return nil, nil, exitCode(exitFindings)
	}
	return s, p.set, nil
}

// openOne is open for a command on the secret of that name.
func (c *secretsCmd) openOne(a *app, name string) (*secret.Set, secret.Need, error) {
	s, set, err := c.open(a, editing)
	if err != nil {
		return nil, secret.Need{}, err
	}
	n, err := need(s, name)
	return set, n, err
}

func need(s *spec.Spec, name string) (secret.Need, error) {
	needs := render.Needs(s)
	if i := slices.IndexFunc(needs, func(n secret.Need) bool { return n.Name == name }); i >= 0 {
		return needs[i], nil
	}
	if near := secret.Nearest(name, needs); near != "" {
		return secret.Need{}, usagef("the stack has no secret %q; did you mean %q?", name, near)
	}
	return secret.Need{}, usagef("the stack has no secret %q; `stackgen secrets list` names them", name)
}

func (c *secretsSetCmd) Run(a *app, all *cli) error {
	set, n, err := all.Secrets.openOne(a, c.Name)
	if err != nil {
		return err
	}
	if err := set.Settable(n.Name); err != nil {
		return refuse(a, set, "%v", err)
	}
	value, err := c.value(a)
	if err != nil {
		return err
	}
	if value == "" {
		return usagef("the value of %s is empty", c.Name)
	}
	if err := set.Set(n.Name, value); err != nil {
		return refuse(a, set, "%v", err)
	}
	if err := set.Save(a.ctx); err != nil {
		return errors.New(set.Mask(err.Error()))
	}
	say(a.stderr, "%s is set%s; render to use it", n.Name, landed(set))
	return nil
}

// refuse says why nothing was done.
func refuse(a *app, set *secret.Set, format string, args ...any) error {
	say(a.stderr, "%s", set.Mask("stackgen: "+fmt.Sprintf(format, args...)))
	return exitCode(exitFindings)
}

// landed says where new values are, as far as that is news.
func landed(set *secret.Set) string {
	if from := set.PlainBeside(); from != "" {
		return fmt.Sprintf(" in plain text in %s, beside what `%s` gives (`secrets: {store: [...]}` names the command that takes it instead)", set.Target(), from)
	}
	if set.Target() != "secrets.yaml" {
		return " in " + set.Target()
	}
	return ""
}

func (c *secretsSetCmd) value(a *app) (string, error) {
	in := a.stdin
	switch {
	case c.File != "":
		f, err := os.Open(c.File)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	case isTerminal(a.stdin):
		fmt.Fprint(a.stderr, output.Line("%s (not shown): ", c.Name))
		text, err := term.ReadPassword(int(a.stdin.(*os.File).Fd()))
		fmt.Fprintln(a.stderr)
		return string(text), err
	}
	text, err := io.ReadAll(io.LimitReader(in, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxSecret {
		return "", usagef("the value is larger than 1 MiB")
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	return string(bytes.TrimSuffix(text, []byte("\r"))), nil
}
