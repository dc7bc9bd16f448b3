package check_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/check"
)

var update = flag.Bool("update", false, "write RULES.md anew")

// RULES.md is the catalogue as text, with one anchor per rule. Its examples are the first bad case of each rule,
// and what TestRuleCases has seen printed for it.
func TestRulesDoc(t *testing.T) {
	examples := make(map[string]ruleCase)
	for _, c := range readCases(t) {
		if _, ok := examples[c.rule]; !ok && c.kind == "bad" {
			examples[c.rule] = c
		}
	}
	var b strings.Builder
	b.WriteString("# Rules\n\nWhat `stackgen check` proves. Made from pkg/check by `make generate`.\n\n| rule | severity | holds when |\n| --- | --- | --- |\n")
	for _, r := range check.Rules {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, cell(r.Summary))
	}
	for _, r := range check.Rules {
		fmt.Fprintf(&b, "\n## %s\n\n%s (%s)\n\nWhat you see when it is broken: %s\n\nWhat to do: %s\n\nRead in: %s\n",
			r.ID, sentence(r.Summary), r.Severity, plain(r.Why), plain(r.Fix), plain(r.Source))
		for _, only := range [][2]string{{"Kubernetes", r.ComposeOnly}, {"Compose", r.KubernetesOnly}} {
			if only[1] != "" {
				fmt.Fprintf(&b, "\nNot on %s: %s\n", only[0], sentence(only[1]))
			}
		}
		c := examples[r.ID]
		fmt.Fprintf(&b, "\nExample: %s\n\n```diff\n%s\n```\n\n```text\n%s\n```\n", c.name, strings.TrimRight(c.edits, "\n"), strings.TrimRight(c.want, "\n"))
	}
	const path = "../../RULES.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Errorf("RULES.md is stale; run make generate:\n%s", diff)
	}
}

func cell(s string) string     { return strings.ReplaceAll(plain(s), "|", `\|`) }
func sentence(s string) string { return strings.ToUpper(s[:1]) + plain(s[1:]) + "." }

// plain keeps placeholders such as <server_name> from being taken for HTML.
func plain(s string) string { return strings.ReplaceAll(s, "<", "&lt;") }

// Every rule says what a person needs to know, under an id of its own.
func TestRulesAreWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range check.Rules {
		if seen[r.ID] {
			t.Errorf("%s stands twice", r.ID)
		}
		seen[r.ID] = true
		if r.Summary == "" || r.Why == "" || r.Fix == "" || r.Source == "" || r.Check == nil {
			t.Errorf("%s is not whole", r.ID)
		}
		if got, ok := check.Find(r.ID); !ok || got.ID != r.ID {
			t.Errorf("%s is not found", r.ID)
		}
	}
}
