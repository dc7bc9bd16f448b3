package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/posener/complete"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
)

type rulesCmd struct {
	ID     string `arg:"" optional:"" help:"The rule to explain." completion-predictor:"rule"`
	Format string `help:"What is printed on stdout: ${enum}." enum:"text,json" default:"text" placeholder:"FORMAT"`
}

func (*rulesCmd) Help() string {
	return `Without an ID, lists every rule. With one, says what breaks without it, how it is put right, and where that is written.

Example:

    stackgen rules mas-secret-matches
    stackgen rules --format json
`
}

func (c *rulesCmd) Run(a *app) error {
	st := a.style(a.stdout)
	rules := check.Rules
	if c.ID != "" {
		r, ok := check.Find(c.ID)
		if !ok {
			return noRule(c.ID)
		}
		rules = []check.Rule{r}
	}
	switch {
	case c.Format == "json":
		return rulesJSON(a.stdout, rules)
	case c.ID == "":
		listRules(a.stdout, st)
	default:
		explain(a.stdout, st, rules[0])
	}
	return nil
}

// ruleJSON is a rule as it is printed; url is where RULES.md shows a bad case and a good one.
type ruleJSON struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Why      string `json:"why"`
	Fix      string `json:"fix"`
	Source   string `json:"source"`
	URL      string `json:"url"`
	// Why the rule has no meaning on one of the targets.
	ComposeOnly    string `json:"compose_only,omitempty"`
	KubernetesOnly string `json:"kubernetes_only,omitempty"`
}

func rulesJSON(w io.Writer, rules []check.Rule) error {
	doc := struct {
		Rules []ruleJSON `json:"rules"`
	}{}
	for _, r := range rules {
		doc.Rules = append(doc.Rules, ruleJSON{r.ID, r.Severity.String(), r.Summary, r.Why, r.Fix, r.Source, ruleURL(r.ID), r.ComposeOnly, r.KubernetesOnly})
	}
	text, err := output.JSON(doc, "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// ruleIDs completes the names of the rules.
var ruleIDs = complete.PredictFunc(func(complete.Args) []string {
	ids := make([]string, 0, len(check.Rules))
	for _, r := range check.Rules {
		ids = append(ids, r.ID)
	}
	return ids
})

func noRule(id string) error {
	if near := finding.Nearest(id, ruleIDs(complete.Args{})); near != "" {
		return usagef("there is no rule %q; did you mean %q?", id, near)
	}
	return usagef("there is no rule %q; `stackgen rules` lists them", id)
}

func explain(w io.Writer, st style, r check.Rule) {
	fmt.Fprintf(w, "%s  %s\n%s\n", st.Bold(r.ID), r.Severity, strings.Join(output.Wrap(r.Summary, st.width), "\n"))
	for _, part := range [][2]string{{"why", r.Why}, {"fix", r.Fix}, {"source", r.Source}, {"not on Kubernetes", r.ComposeOnly}, {"not on Compose", r.KubernetesOnly}} {
		if part[1] != "" {
			fmt.Fprintf(w, "\n%s\n%s\n", st.Bold(part[0]), indent(output.Wrap(part[1], readable(st.width)-2)))
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
			for _, line := range output.Hang(fmt.Sprintf("  %-*s  %-7s  %s", width, r.ID, r.Severity, r.Summary), st.width) {
				fmt.Fprintln(w, line)
			}
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
