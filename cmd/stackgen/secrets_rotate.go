package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
)

type secretsRotateCmd struct {
	Names []string `arg:"" name:"name" help:"Secrets, as secrets list names them. * stands for any part of a name." completion-predictor:"secret"`
	Force bool     `name:"i-know-what-this-breaks" help:"Rotate secrets that others depend on."`
}

func (*secretsRotateCmd) Help() string {
	return `The stack gets the new value with the next render and docker compose up -d. Where that is not enough, it says what would break: a secret that is named is then refused, and nothing at all is rotated; one that only a pattern meets is left, and told. What comes from elsewhere can only be renewed there.

Example:

    stackgen secrets rotate auth.matrix_secret
    stackgen secrets rotate 'bridges.signal.*' database.signal_password doublepuppet.as_token
`
}

// choose gives the needs that the names and patterns mean, in the order of the needs. named are those that
// stand there without a pattern.
func choose(needs []secret.Need, names []string, find func(string) (secret.Need, error)) (chosen []secret.Need, named map[string]bool, err error) {
	wanted := make(map[string]bool)
	named = make(map[string]bool)
	for _, name := range names {
		if !strings.ContainsAny(name, "*?[") {
			if _, err := find(name); err != nil {
				return nil, nil, err
			}
			wanted[name], named[name] = true, true
			continue
		}
		found := false
		for _, n := range needs {
			ok, err := path.Match(name, n.Name)
			if err != nil {
				return nil, nil, usagef("the pattern %q is not valid", name)
			}
			if ok && n.Kind != component.OldKeys {
				found, wanted[n.Name] = true, true
			}
		}
		if !found {
			return nil, nil, usagef("the stack has no secret like %q; `stackgen secrets list` names them", name)
		}
	}
	return slices.DeleteFunc(slices.Clone(needs), func(n secret.Need) bool { return !wanted[n.Name] }), named, nil
}

func (c *secretsRotateCmd) Run(a *app, all *cli) error {
	s, set, err := all.Secrets.open(a, editing)
	if err != nil {
		return err
	}
	chosen, named, err := choose(render.Needs(s), c.Names, func(name string) (secret.Need, error) { return need(s, name) })
	if err != nil {
		return err
	}
	var left []string // why each of the others is not rotated
	var rotated []string
	again := "stackgen render"
	for _, n := range chosen {
		why := c.refusal(n)
		switch {
		case why != "" && named[n.Name]:
			return refuse(a, set, "%s", why)
		case why != "":
			left = append(left, why)
			continue
		}
		// Half of what leaked would still be valid: nothing is rotated, where something is elsewhere.
		if err := set.Settable(n.Name); err != nil {
			return refuse(a, set, "%v; nothing was rotated", err)
		}
		if err := set.Rotate(n); err != nil {
			return refuse(a, set, "%v; nothing was rotated", err)
		}
		if n.Kept {
			again = "stackgen render --i-know-what-this-breaks"
		}
		rotated = append(rotated, n.Name)
	}
	if err := set.Save(a.ctx); err != nil {
		return errors.New(set.Mask(err.Error()))
	}
	for _, why := range left {
		say(a.stderr, "%s", set.Mask("left: "+why))
	}
	if len(rotated) == 0 {
		return refuse(a, set, "nothing was rotated")
	}
	what := rotated[0] + " has a new value"
	if len(rotated) > 1 {
		what = fmt.Sprintf("%s have new values: %s", output.Plural(len(rotated), "secret"), strings.Join(rotated, ", "))
	}
	say(a.stderr, "%s%s; next: %s, then docker compose up -d", what, landed(set), again)
	if slices.Contains(rotated, "synapse.signing_key") {
		say(a.stderr, "%s", "synapse.old_signing_keys keeps the public half of the old key, valid for one more hour: be done by then")
	}
	return nil
}

// refusal says why a secret is not rotated, "" when it may be.
func (c *secretsRotateCmd) refusal(n secret.Need) string {
	switch {
	case n.Kind == component.External:
		return fmt.Sprintf("%s comes from elsewhere (%s): renew it there, then `stackgen secrets set %s`", n.Name, n.Where, n.Name)
	case n.Kind == component.OldKeys:
		return n.Name + " is a list of old public keys; rotating synapse.signing_key adds to it"
	case n.Breaks != "" && !c.Force:
		return fmt.Sprintf("%s is not rotated: %s; with --i-know-what-this-breaks it is", n.Name, n.Breaks)
	}
	return ""
}
