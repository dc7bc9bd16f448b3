package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
)

// leastFaults is how many faults each component is broken by.
const leastFaults = 8

// left begins what stands for a fault that is not found, before the reason.
const left = "left: "

// Files testdata/faults/COMPONENT.txtar hold what somebody may do to a component who edits the rendered files by hand: sections
// "fault: NAME" with edits as in ruleCase, and below each "want: NAME" with a line for each finding: its rule, and the place that
// it shows first. What no rule can find has its reason there.
func TestFaults(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: it runs all rules too often for the race detector; the same rules run in TestRuleCases")
	}
	files, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(files) < 19 {
		t.Fatal(files, err)
	}
	faults, unfound := 0, 0
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		component := strings.TrimSuffix(filepath.Base(file), ".txtar")
		found := 0
		for i := 0; i+1 < len(ar.Files); i += 2 {
			name, want := ar.Files[i].Name, &ar.Files[i+1]
			if !strings.HasPrefix(name, "fault: ") || want.Name != "want: "+strings.TrimPrefix(name, "fault: ") {
				t.Fatalf("%s: %q is no fault with its want", file, name)
			}
			t.Run(component+"/"+strings.TrimPrefix(name, "fault: "), func(t *testing.T) {
				tree, base := ruleCase{edits: string(ar.Files[i].Data)}.build(t)
				findings := base.caused(judged(tree, strings.Contains(string(ar.Files[i].Data), "docker-compose.yml\n")))
				sound(t, findings)
				var told strings.Builder
				for _, f := range findings {
					if f.Severity == finding.Info {
						continue
					}
					fmt.Fprintf(&told, "%s %s: %s\n", f.Rule, f.Pos().File, lineAt(tree[f.Pos().File].Data, f.Pos().Line))
				}
				got := told.String()
				faults++
				reason, isLeft := strings.CutPrefix(string(want.Data), left)
				switch {
				case got == "" && isLeft && strings.TrimSpace(reason) != "":
					unfound++
					return
				case got == "":
					t.Error("nothing was found")
				default:
					found++
				}
				if *update {
					want.Data = []byte(got)
				} else if diff := cmp.Diff(string(want.Data), got); diff != "" {
					t.Errorf("-want +got; make generate writes it anew:\n%s", diff)
					for _, f := range findings {
						t.Logf("%s %s: %s [%s] fix: %s", f.Severity, f.Pos(), f.Message, f.Rule, f.Fix)
					}
				}
			})
		}
		if found < leastFaults {
			t.Errorf("%s: %d faults are found, which are fewer than %d", file, found, leastFaults)
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d faults in %d components, of which %d are left", faults, len(files), unfound)
}

// judged are the findings of a tree. Compose is asked where its own file was edited: its verdict costs as much as all rules.
func judged(tree fstest.MapFS, compose bool) []finding.Finding {
	judge := composego.Judge
	if !compose {
		judge = nil
	}
	d, problems := opened(tree)
	findings, _ := check.Run(d, judge)
	return append(problems, findings...)
}

// lineAt is the line of a text, or nothing where a finding is about the whole file.
func lineAt(text []byte, line int) string {
	lines := slices.Collect(strings.Lines(string(text)))
	if line < 1 || line > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[line-1])
}
