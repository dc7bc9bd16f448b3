package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

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

	List   secretsListCmd   `cmd:"" help:"List the secrets of the stack: name, kind, where each comes from."`
	Set    secretsSetCmd    `cmd:"" help:"Give a secret a value, read from stdin."`
	Rotate secretsRotateCmd `cmd:"" help:"Give a generated secret a new value."`
}

type secretsListCmd struct{}

func (*secretsListCmd) Help() string {
	return `Example:

    stackgen secrets list --spec family/stack.yaml
`
}

type secretsSetCmd struct {
	Name string `arg:"" help:"The secret, as secrets list names it."`
	File string `help:"Read the value from this file instead of stdin." placeholder:"FILE"`
}

func (*secretsSetCmd) Help() string {
	return `The value never stands on the command line, where others can read it: it comes from stdin or a file, or is asked for without echo. One line break at its end is dropped.

Example:

    pass show matrix/telegram | stackgen secrets set bridges.telegram.api_hash
`
}

type secretsRotateCmd struct {
	Name  string `arg:"" help:"The secret, as secrets list names it."`
	Force bool   `name:"i-know-what-this-breaks" help:"Rotate a secret that others depend on."`
}

func (*secretsRotateCmd) Help() string {
	return `The stack gets the new value with the next render and docker compose up -d. Where that is not enough, it says what would break and does nothing.

Example:

    stackgen secrets rotate auth.matrix_secret
`
}

// open loads the spec and its secrets. exitCode is the error when there are findings, which are printed.
func (c *secretsCmd) open(a *app) (*spec.Spec, *secret.Set, error) {
	s, findings, err := loadSpec(c.Spec)
	if err != nil {
		return nil, nil, err
	}
	p := &proof{}
	if s != nil {
		var more []finding.Finding
		p.set, more = loadSecrets(a.ctx, s, c.Spec, c.Secrets, false)
		findings = append(findings, more...)
	}
	if finding.HasErrors(findings) {
		if err := a.report(a.stdout, "text", p.hide(findings), 0); err != nil {
			return nil, nil, err
		}
		return nil, nil, exitCode(exitFindings)
	}
	return s, p.set, nil
}

// openOne is open for a command on the secret of that name.
func (c *secretsCmd) openOne(a *app, name string) (*secret.Set, secret.Need, error) {
	s, set, err := c.open(a)
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

func (*secretsListCmd) Run(a *app, c *cli) error {
	s, set, err := c.Secrets.open(a)
	if err != nil {
		return err
	}
	st := style{output.PaletteFor(a.colored(a.stdout))}
	needs := render.Needs(s)
	missing := set.Missing()
	width := 0
	for _, n := range needs {
		width = max(width, len(n.Name))
	}
	var b strings.Builder
	group := ""
	for _, n := range needs {
		g := n.Name[:strings.LastIndex(n.Name, ".")]
		if group != "" && g != group {
			b.WriteByte('\n')
		}
		group = g
		status := st.green("ok")
		origin := set.Origin(n.Name)
		switch {
		case slices.ContainsFunc(missing, func(m secret.Need) bool { return m.Name == n.Name }):
			status = st.red("to be set: " + n.Where)
		case set.Get(n.Name) == "" && strings.HasPrefix(origin, "command "):
			status = "read by render"
		case set.Get(n.Name) == "":
			status = st.yellow("made by the next render")
		}
		fmt.Fprintf(&b, "%s  %-11s  %-12s  %s\n", st.Bold(fmt.Sprintf("%-*s", width, n.Name)), n.Kind, origin, status)
	}
	_, err = io.WriteString(a.stdout, set.Mask(b.String()))
	return err
}

func (c *secretsSetCmd) Run(a *app, all *cli) error {
	set, n, err := all.Secrets.openOne(a, c.Name)
	if err != nil {
		return err
	}
	value, err := c.value(a)
	if err != nil {
		return err
	}
	if value == "" {
		return usagef("the value of %s is empty", c.Name)
	}
	if err := set.Set(n.Name, value); err != nil {
		say(a.stderr, "%s", set.Mask(fmt.Sprintf("stackgen: %s: %v", n.Name, err)))
		return exitCode(exitFindings)
	}
	if err := set.Save(); err != nil {
		return errors.New(set.Mask(err.Error()))
	}
	say(a.stderr, "%s is set; render to use it", n.Name)
	return nil
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

func (c *secretsRotateCmd) Run(a *app, all *cli) error {
	set, n, err := all.Secrets.openOne(a, c.Name)
	if err != nil {
		return err
	}
	refuse := func(format string, args ...any) error {
		say(a.stderr, "%s", set.Mask("stackgen: "+fmt.Sprintf(format, args...)))
		return exitCode(exitFindings)
	}
	if n.Kind == secret.External {
		return refuse("%s comes from elsewhere (%s): renew it there, then `stackgen secrets set %s`", n.Name, n.Where, n.Name)
	}
	if n.Breaks != "" && !c.Force {
		return refuse("%s is not rotated: %s; with --i-know-what-this-breaks it is done", n.Name, n.Breaks)
	}
	if err := set.Rotate(n); err != nil {
		return refuse("%s: %v", n.Name, err)
	}
	if err := set.Save(); err != nil {
		return errors.New(set.Mask(err.Error()))
	}
	render := "stackgen render"
	if n.Breaks != "" {
		render += " --i-know-what-this-breaks"
	}
	say(a.stderr, "%s has a new value; next: %s, then docker compose up -d", n.Name, render)
	return nil
}
