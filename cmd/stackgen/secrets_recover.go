package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/store"
)

type secretsRecoverCmd struct {
	Output string `short:"o" help:"The directory that the stack was rendered into." default:"out" placeholder:"DIR"`
}

func (*secretsRecoverCmd) Help() string {
	return `Reads the secrets that no source has any more from the files that they were rendered into, and keeps them where new ones go. What a source has is left as it is. No value is printed.

Example:

    stackgen secrets recover -o out
`
}

func (c *secretsRecoverCmd) Run(a *app, all *cli) error {
	s, set, err := all.Secrets.open(a, editing)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(c.Output)
	if err != nil {
		return fmt.Errorf("%s: no such directory, or not to be read; name the one that the stack was rendered into with -o", c.Output)
	}
	defer root.Close()
	copies, _, err := copiedFrom(s, all.Secrets.Spec)
	if err != nil {
		return err
	}
	values, missing, err := render.Recover(s, root.FS(), copies)
	if err != nil {
		return errors.New(set.Mask(err.Error()))
	}
	var got, other, not []string
	for _, n := range render.Needs(s) {
		value, found := values[n.Name]
		if found {
			set.Hide(value)
		}
		switch origin := set.Origin(n.Name); {
		case origin != "missing":
			// With a source of its own the value is not read here.
			if has := set.Get(n.Name); found && has != "" && has != value {
				other = append(other, fmt.Sprintf("%s is another one in %s than in %s, and was left as it is", n.Name, origin, c.Output))
			}
		case found:
			if err := set.Set(n.Name, value); err != nil {
				return refuse(a, set, "%v", err)
			}
			got = append(got, n.Name)
		case missing[n.Name] != nil && n.Kind == component.External:
			not = append(not, fmt.Sprintf("%s: %v; get it from %s, then `stackgen secrets set %s`", n.Name, missing[n.Name], n.Where, n.Name))
		case missing[n.Name] != nil:
			not = append(not, fmt.Sprintf("%s: %v; the next render makes a new one", n.Name, missing[n.Name]))
		}
	}
	if err := set.Save(a.ctx); err != nil {
		return errors.New(set.Mask(err.Error()))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s read from %s%s\n", output.Plural(len(got), "secret"), c.Output, into(set, len(got)))
	for _, line := range other {
		fmt.Fprintln(&b, line)
	}
	for _, line := range not {
		fmt.Fprintln(&b, "not found: "+line)
	}
	fmt.Fprintln(&b, c.verdict(a, all))
	for line := range strings.Lines(set.Mask(b.String())) {
		say(a.stderr, "%s", strings.TrimSuffix(line, "\n"))
	}
	if len(not) > 0 {
		return exitCode(exitFindings)
	}
	return nil
}

func into(set *secret.Set, n int) string {
	if n == 0 {
		return ""
	}
	return ", now in " + set.Target()
}

// verdict renders with what is there now and compares: only that proves that the secrets are the right ones.
func (c *secretsRecoverCmd) verdict(a *app, all *cli) string {
	p, err := proveFile(a.ctx, request{spec: all.Secrets.Spec, secrets: all.Secrets.Secrets, dir: c.Output, real: true, anew: true})
	if err == nil && !p.OK() {
		err = errors.New("the spec has errors; `stackgen render` names them")
	}
	if err != nil {
		return "not proven by a render: " + p.mask(err.Error())
	}
	plan, err := store.Compare(c.Output, p.stack())
	switch {
	case err != nil:
		return "not proven by a render: " + p.mask(err.Error())
	case len(plan.Changes) == 0:
		return "rendered with them, " + filepath.ToSlash(c.Output) + " is unchanged"
	}
	return fmt.Sprintf("rendered with them, %s would change: see `stackgen diff -o %s` before you render", output.Plural(len(plan.Changes), "file"), shell.Word(c.Output))
}
