package check_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
)

// What a rule finds does not depend on which rules ran before it: all of them backwards and shuffled find the same, and
// each alone finds its own.
func TestOrder(t *testing.T) {
	all := check.Rules
	defer func() { check.Rules = all }()
	// found runs some rules on a deployment of its own.
	found := func(tree fstest.MapFS, rules []check.Rule) []string {
		check.Rules = rules
		d, _ := compose.Open(tree)
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
		tree, _ := c.build(t)
		want := found(tree, all)
		other, how := backwards, "backwards"
		if len(done)%2 == 0 {
			other, how = slices.Clone(all), "shuffled"
			random.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		}
		if diff := cmp.Diff(want, found(tree, other)); diff != "" {
			t.Errorf("%s/%s: -in order +%s:\n%s", c.rule, c.name, how, diff)
		}
		check.Rules = all
		rule, known := check.Find(c.rule)
		if !known {
			t.Fatalf("no rule %s", c.rule)
		}
		if diff := cmp.Diff(of(c.rule, want), of(c.rule, found(tree, []check.Rule{rule}))); diff != "" {
			t.Errorf("%s/%s: -with all +alone:\n%s", c.rule, c.name, diff)
		}
	}
}

// Every rule alone, on the two stacks and on each with something wrong that many rules look at.
func TestAlone(t *testing.T) {
	all := check.Rules
	defer func() { check.Rules = all }()
	for name, s := range stacks {
		tree := s().tree
		check.Rules = all
		d, _ := compose.Open(tree)
		findings, _ := check.Run(d, nil)
		want := linesOf(findings)
		for _, rule := range all {
			check.Rules = []check.Rule{rule}
			d, _ := compose.Open(tree)
			findings, _ := check.Run(d, nil)
			if diff := cmp.Diff(of(rule.ID, want), of(rule.ID, linesOf(findings))); diff != "" {
				t.Errorf("%s: %s: -with all +alone:\n%s", name, rule.ID, diff)
			}
		}
	}
}

// linesOf gives all of each finding.
func linesOf(findings []finding.Finding) (lines []string) {
	for _, f := range findings {
		line := fmt.Sprint(f.Rule, " ", f.Severity, " ", f.Status, " ", f.Message, " / ", f.Fix)
		for _, s := range f.Sites {
			line += fmt.Sprint(" / ", s.Pos, " ", s.Note)
		}
		lines = append(lines, line)
	}
	return lines
}

// of are the lines of a rule.
func of(rule string, lines []string) (own []string) {
	for _, l := range lines {
		if len(l) > len(rule) && l[:len(rule)+1] == rule+" " {
			own = append(own, l)
		}
	}
	return own
}
