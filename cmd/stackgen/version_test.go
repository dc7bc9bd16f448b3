package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/output"
)

// TestGoldenVersions holds the table of README.md against the one that version --components prints.
func TestGoldenVersions(t *testing.T) {
	const path, begin, end = "../../README.md", "<!-- stackgen version --components, written by make generate -->\n", "<!-- until here the versions -->"
	var table strings.Builder
	for i, row := range append([][]string{trialColumns}, trialRows()...) {
		for j, cell := range row {
			row[j] = output.Escape(cell)
		}
		table.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			table.WriteString(strings.Repeat("| --- ", len(row)) + "|\n")
		}
	}
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(readme), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatal("README.md has no place for the versions")
	}
	sameAs(t, path, before+begin+table.String()+end+after)
}

// Each component is told, in both formats; one that never ran says so.
func TestVersionComponents(t *testing.T) {
	text, _ := stackgen(t, 0, "version", "--components")
	printed, _ := stackgen(t, 0, "version", "--components", "--format", "json")
	var doc versionJSON
	if err := json.Unmarshal([]byte(printed), &doc); err != nil {
		t.Fatal(err)
	}
	told := make(map[string]componentJSON)
	for _, c := range doc.Components {
		told[c.Name] = c
	}
	for _, c := range component.All {
		got, ok := told[string(c.Program)]
		if !ok || got.Image != c.Tested.String() || len(got.Trials) != len(component.TrialsOf(c.Program)) {
			t.Errorf("%s: %+v", c.Program, got)
		}
		lines := 0
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, c.Title+" ") {
				lines++
				if c.Tested.Tag != "" && strings.Contains(line, "never ran itself") == c.Ran() {
					t.Errorf("%s ran: %v; %s", c.Program, c.Ran(), line)
				}
			}
		}
		if lines != 1 {
			t.Errorf("%s has %d lines:\n%s", c.Program, lines, text)
		}
	}
	plain, _ := stackgen(t, 0, "version", "--format", "json")
	if strings.Contains(plain, "components") || !strings.Contains(plain, `"version"`) {
		t.Error(plain)
	}
}
