package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/agext/levenshtein"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/output"
)

type rulesCmd struct {
	ID string `arg:"" optional:"" help:"The rule to explain."`
}

func (*rulesCmd) Help() string {
	return `Without an ID, lists every rule. With one, says what breaks without it, how it is put right, and where that is written.

Example:

    stackgen rules mas-secret-matches
`
}

func (c *rulesCmd) Run(a *app) error {
	st := style{output.PaletteFor(a.colored(a.stdout))}
	if c.ID == "" {
		listRules(a.stdout, st)
		return nil
	}
	r, ok := check.Find(c.ID)
	if ok {
		explain(a.stdout, st, r)
		return nil
	}
	nearest, best := "", 0.5
	for _, r := range check.Rules {
		if near := levenshtein.Similarity(c.ID, r.ID, nil); near > best {
			nearest, best = r.ID, near
		}
	}
	if nearest != "" {
		return usagef("there is no rule %q; did you mean %q?", c.ID, nearest)
	}
	return usagef("there is no rule %q; `stackgen rules` lists them", c.ID)
}

func explain(w io.Writer, st style, r check.Rule) {
	fmt.Fprintf(w, "%s  %s\n%s\n", st.Bold(r.ID), r.Severity, r.Summary)
	for _, part := range [][2]string{{"why", r.Why}, {"fix", r.Fix}, {"source", r.Source}} {
		if part[1] != "" {
			fmt.Fprintf(w, "\n%s\n%s\n", st.Bold(part[0]), indent(output.Wrap(part[1], 90)))
		}
	}
}

func listRules(w io.Writer, st style) {
	width := 0
	var order []string
	groups := make(map[string][]check.Rule)
	for _, r := range check.Rules {
		width = max(width, len(r.ID))
		g := groupOf(r.ID)
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], r)
	}
	for i, g := range order {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, st.Bold(g))
		for _, r := range groups[g] {
			fmt.Fprintf(w, "  %-*s  %-7s  %s\n", width, r.ID, r.Severity, r.Summary)
		}
	}
}

// headings say what the subjects of rules have in common; a subject without one is a heading itself.
var headings = []struct{ prefix, heading string }{
	{"auth-metadata", "routing"},
	{"auth", "login"},
	{"mas", "login"},
	{"server", "login"},
	{"keycloak", "login"},
	{"compat", "routing"},
	{"internal", "routing"},
	{"apex", "routing"},
	{"well-known", "routing"},
	{"traefik", "routing"},
	{"forwarded", "routing"},
	{"registration", "bridges"},
	{"encryption", "bridges"},
	{"bridge", "bridges"},
	{"telegram", "bridges"},
	{"double", "bridges"},
	{"postgres", "database"},
	{"config", "compose"},
}

// groupOf gives the heading of a rule: its subject, or what several subjects have in common.
func groupOf(id string) string {
	for _, h := range headings {
		if strings.HasPrefix(id, h.prefix+"-") {
			return h.heading
		}
	}
	subject, _, _ := strings.Cut(id, "-")
	return subject
}
