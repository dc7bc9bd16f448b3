package check_test

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/suppress"
)

// In each kind of file that a finding names as the one to edit, a comment above the line suppresses it, and brings nothing else.
func TestAnswersInEveryKindOfFile(t *testing.T) {
	kinds := []string{".yaml", ".yml", ".sql", ".env", ".conf", ".toml", ".config", "Dockerfile"}
	tried := make(map[string]bool)
	for _, c := range readCases(t) {
		_, first, _ := strings.Cut("\n"+c.want, "\n")
		name, _, _ := strings.Cut(first, ":")
		kind := cmp.Or(path.Ext(name), path.Base(name))
		if c.kind != "bad" || tried[kind] || !slices.Contains(kinds, kind) {
			continue
		}
		tried[kind] = true
		t.Run(kind+"/"+c.rule+"/"+c.name, func(t *testing.T) {
			tree, base := c.build(t)
			before := base.caused(run(t, tree))
			i := slices.IndexFunc(before, func(f finding.Finding) bool { return f.Rule == c.rule && f.Pos().File == name })
			at := before[i].Pos()
			f := tree[at.File]
			lines := strings.Split(string(f.Data), "\n")
			line := lines[max(at.Line, 1)-1]
			sign := "#"
			if strings.HasSuffix(at.File, ".sql") {
				sign = "--"
			}
			comment := line[:len(line)-len(strings.TrimLeft(line, " \t"))] + sign + " stackgen:ignore " + c.rule + " it is so"
			lines = slices.Insert(lines, max(at.Line, 1)-1, comment)
			tree[at.File] = &fstest.MapFile{Data: []byte(strings.Join(lines, "\n")), Mode: f.Mode, Sys: f.Sys}
			rehash(tree)
			d, found := opened(tree)
			more, _ := check.Run(d, composego.Judge)
			var known []string
			for _, r := range check.Rules {
				known = append(known, r.ID)
			}
			rest, suppressed := suppress.Apply(suppress.Input{
				Findings: append(found, more...), Deployment: d, Known: append(known, "yaml"), Today: "2026-11-26", Unsure: func(string) bool { return false },
			})
			if !slices.ContainsFunc(suppressed, func(f finding.Finding) bool {
				return f.Message == before[i].Message && f.Suppression.Reason == "it is so"
			}) {
				t.Errorf("the comment above %s suppresses nothing; suppressed is\n%s", at, printed(t, suppressed))
			}
			for _, f := range base.caused(rest) {
				if !slices.ContainsFunc(before, func(b finding.Finding) bool { return b.Rule == f.Rule && b.Message == f.Message }) {
					t.Errorf("the comment brings %s: %s [%s]", f.Pos(), f.Message, f.Rule)
				}
			}
		})
	}
	for _, kind := range kinds {
		if !tried[kind] {
			t.Errorf("no finding is about a file of the kind %s", kind)
		}
	}
}

// holdSome: a finding about several things is the same when all are wanted, none when none is, and says less of one.
func holdSome(t *testing.T, f finding.Finding) {
	t.Helper()
	if f.Some == nil {
		return
	}
	var things [][]source.Site
	all, ok := f.Some(func(places []source.Site) bool {
		things = append(things, places)
		return true
	})
	if !ok || all.Message != f.Message || len(all.Sites) != len(f.Sites) || all.Status != f.Status {
		t.Errorf("%s of all things is %q, and not %q", f.Rule, all.Message, f.Message)
	}
	if none, ok := f.Some(func([]source.Site) bool { return false }); ok {
		t.Errorf("%s of nothing is %q", f.Rule, none.Message)
	}
	if len(things) < 2 {
		t.Errorf("%s is about one thing", f.Rule)
	}
	n := 0
	one, ok := f.Some(func([]source.Site) bool {
		n++
		return n == 1
	})
	if !ok || one.Message == f.Message || len(one.Sites) > len(f.Sites) {
		t.Errorf("%s of the first thing is %q, as of all", f.Rule, one.Message)
	}
}
