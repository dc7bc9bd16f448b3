package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/posener/complete"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
)

type secretsListCmd struct {
	Format string `help:"What is printed on stdout: ${enum}." enum:"text,json" default:"text" placeholder:"FORMAT"`
}

func (*secretsListCmd) Help() string {
	return `Names for each secret the source that wins. No command that the spec names is run: what only such a command knows is "not run".

Example:

    stackgen secrets list --spec family/stack.yaml
`
}

// listed is one secret, as it is printed.
type listed struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Source string `json:"source"`
	// State is ok, needed (from a person), made (by the next render), unread (a command has it) or optional.
	State string `json:"state"`
	Where string `json:"where,omitempty"`
	Env   string `json:"environment"`
}

func listSecrets(needs []secret.Need, set *secret.Set) []listed {
	missing := make(map[string]bool)
	for _, n := range set.Missing() {
		missing[n.Name] = true
	}
	list := make([]listed, 0, len(needs))
	for _, n := range needs {
		l := listed{Name: n.Name, Kind: n.Kind.String(), Source: set.Origin(n.Name), State: "ok", Where: n.Where, Env: secret.EnvName(n.Name)}
		switch {
		case missing[n.Name]:
			l.State = "needed"
		case set.Get(n.Name) == "" && strings.HasPrefix(l.Source, "command "):
			l.State = "unread"
		case set.Get(n.Name) == "" && n.Kind == component.OldKeys:
			l.State = "optional"
		case set.Get(n.Name) == "":
			l.State = "made"
		}
		list = append(list, l)
	}
	return list
}

func (c *secretsListCmd) Run(a *app, all *cli) error {
	s, set, err := all.Secrets.open(a, looking)
	if err != nil {
		return err
	}
	list := listSecrets(render.Needs(s), set)
	if c.Format == "json" {
		text, err := json.MarshalIndent(struct {
			Secrets []listed `json:"secrets"`
		}{list}, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.stdout, set.Mask(string(text)))
		return err
	}
	_, err = io.WriteString(a.stdout, set.Mask(secretsText(list, a.style(a.stdout))))
	return err
}

// secretsText lists the secrets, those of one part of the stack together. The kind gives way where the terminal is
// too narrow for it.
func secretsText(list []listed, st style) string {
	said := map[string]string{
		"ok": st.green("ok"), "unread": "read by render", "made": st.yellow("made by render"), "optional": "made by rotate",
	}
	name, source := 0, 0
	for _, l := range list {
		name = max(name, len(l.Name))
		if l.Source != secret.NoOrigin {
			source = max(source, len(l.Source))
		}
	}
	kinds := st.width == 0 || st.width >= name+source+len("  signing-key    made by render")
	var b strings.Builder
	group := ""
	for _, l := range list {
		g := l.Name[:strings.LastIndex(l.Name, ".")]
		if group != "" && g != group {
			b.WriteByte('\n')
		}
		group = g
		line := st.Bold(fmt.Sprintf("%-*s", name, l.Name)) + "  "
		if kinds {
			line += fmt.Sprintf("%-11s  ", l.Kind)
		}
		state := said[l.State]
		if l.State == "needed" {
			state = st.red("to be set: " + l.Where)
		}
		if l.Source != secret.NoOrigin {
			state = fmt.Sprintf("%-*s  %s", source, l.Source, state)
		}
		for _, part := range output.Hang(line+state, st.width) {
			b.WriteString(part + "\n")
		}
	}
	return b.String()
}

// secretNames completes the names of the spec's secrets. What cannot be read has none.
var secretNames = complete.PredictFunc(func(args complete.Args) []string {
	path := "stack.yaml"
	for i, word := range args.All {
		if text, ok := strings.CutPrefix(word, "--spec="); ok {
			path = text
		} else if word == "--spec" && i+1 < len(args.All) {
			path = args.All[i+1]
		}
	}
	s, _, err := loadSpec(path)
	if err != nil || s == nil {
		return nil
	}
	var names []string
	for _, n := range render.Needs(s) {
		names = append(names, n.Name)
	}
	return names
})
