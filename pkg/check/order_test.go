package check_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
)

// What a rule finds does not depend on which rules ran before it: all of them backwards or shuffled find the same.
func TestOrder(t *testing.T) {
	all := check.Rules
	defer func() { check.Rules = all }()
	// found runs some rules on a deployment of its own; only what the stack has, too, is not parsed again.
	found := func(tree fstest.MapFS, base stack, rules []check.Rule) []string {
		check.Rules = rules
		d, _ := compose.Open(tree, base.read)
		findings, _ := check.Run(d, nil)
		return linesOf(findings)
	}
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	random := rand.New(rand.NewPCG(1, 2))
	done := make(map[string]bool)
	for _, c := range readCases(t) {
		if c.kind != "bad" || done[c.rule] {
			continue
		}
		done[c.rule] = true
		tree, base := c.build(t)
		want := found(tree, base, all)
		other, how := backwards, "backwards"
		if len(done)%2 == 0 {
			other, how = slices.Clone(all), "shuffled"
			random.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		}
		if diff := cmp.Diff(want, found(tree, base, other)); diff != "" {
			t.Errorf("%s/%s: -in order +%s:\n%s", c.rule, c.name, how, diff)
		}
	}
}

// Each rule alone finds in each of its cases what it finds among all.
func TestAlone(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: it runs all rules too often for the race detector; the same rules run in TestRuleCases")
	}
	all := check.Rules
	defer func() { check.Rules = all }()
	for _, c := range readCases(t) {
		if c.kind != "bad" {
			continue
		}
		check.Rules = all
		rule, known := check.Find(c.rule)
		if !known {
			t.Fatalf("no rule %s", c.rule)
		}
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			check.Rules = all
			tree, base := c.build(t)
			check.Rules = []check.Rule{rule}
			d, findings := compose.Open(tree, base.read)
			if d.File == "" {
				d, findings = opened(tree)
			}
			var judge *deployment.Judge
			if c.rule == "compose-valid" {
				judge = composego.Judge
			}
			more, _ := check.Run(d, judge)
			own := slices.DeleteFunc(append(findings, more...), func(f finding.Finding) bool { return f.Rule != c.rule || base.known[f.Rule+f.Message] })
			if diff := cmp.Diff(c.want, printed(t, own)); diff != "" {
				t.Errorf("-with all +alone:\n%s", diff)
			}
		})
	}
}

// linesOf gives all of each finding.
func linesOf(findings []finding.Finding) (lines []string) {
	for _, f := range findings {
		var line strings.Builder
		fmt.Fprint(&line, f.Rule, " ", f.Severity, " ", f.Status, " ", f.Message, " / ", f.Fix)
		for _, s := range f.Sites {
			fmt.Fprint(&line, " / ", s.Pos, " ", s.Note)
		}
		lines = append(lines, line.String())
	}
	return lines
}
