package report

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"philipp.info/stackgen/pkg/finding"
)

func parted() Summary {
	return Summary{Rules: 2, Files: 3, Parts: []finding.Part{
		{Name: "Synapse", From: []string{"synapse/homeserver.yaml"}},
		{Name: "MAS", Seen: finding.Unread, Why: "/config.yaml: it is the named volume mas"},
		{Name: "bridge signal", Seen: finding.Partly, From: []string{"a.yaml", "b.yaml", "c.yaml", "d.yaml"}, Why: "its registration cannot be seen"},
		{Name: "others", Seen: finding.Unread, Why: "web, cache: only what Compose is told"},
	}}
}

// The report ends with a line for each part, in every format for people.
func TestParts(t *testing.T) {
	for _, tt := range []struct {
		format Format
		want   []string
	}{
		{Text, []string{
			"no findings in 3 files",
			"",
			"  Synapse        read         synapse/homeserver.yaml",
			"  MAS            not read     /config.yaml: it is the named volume mas",
			"  bridge signal  partly read  a.yaml, b.yaml, 2 more; its registration cannot be seen",
			"  others         not read     web, cache: only what Compose is told",
		}},
		{GitHub, []string{
			"no findings in 3 files",
			"  Synapse        read         synapse/homeserver.yaml",
			"  MAS            not read     /config.yaml: it is the named volume mas",
			"  bridge signal  partly read  a.yaml, b.yaml, 2 more; its registration cannot be seen",
			"  others         not read     web, cache: only what Compose is told",
		}},
		{Markdown, []string{
			"**stackgen: no findings in 3 files**",
			"",
			"| part | | |",
			"| --- | --- | --- |",
			"| Synapse | read | synapse/homeserver.yaml |",
			"| MAS | not read | /config.yaml: it is the named volume mas |",
			"| bridge signal | partly read | a.yaml, b.yaml, 2 more; its registration cannot be seen |",
			"| others | not read | web, cache: only what Compose is told |",
		}},
	} {
		if out := render(t, nil, parted(), Options{Format: tt.format}); out != strings.Join(tt.want, "\n")+"\n" {
			t.Errorf("%s:\n%s", tt.format, out)
		}
	}
}

// JSON has all of it, SARIF what was not read.
func TestPartsForPrograms(t *testing.T) {
	s := parted()
	s.Blank = "it rains"
	var doc struct {
		Blank string
		Parts []struct {
			Name, Seen, Why string
			Files           []string
		}
	}
	if err := json.Unmarshal([]byte(render(t, nil, s, Options{Format: JSON})), &doc); err != nil {
		t.Fatal(err)
	}
	if p := doc.Parts[2]; doc.Blank != "it rains" || len(doc.Parts) != 4 || p.Seen != "partly read" || len(p.Files) != 4 || p.Why == "" {
		t.Errorf("%+v", doc)
	}
	r, err := sarif.FromString(render(t, nil, s, Options{Format: SARIF}), sarif.WithStrictValidation())
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	for _, n := range r.Runs[0].Invocations[0].ToolExecutionNotifications {
		notes = append(notes, n.Level+": "+*n.Message.Text)
	}
	if want := []string{"warning: nothing of Matrix was read: it rains", "note: MAS: not read: /config.yaml: it is the named volume mas"}; len(notes) != 4 || !slices.Equal(notes[:2], want) {
		t.Errorf("%q", notes)
	}
}

// That nothing of Matrix was read stands before everything else.
func TestBlankIsFirst(t *testing.T) {
	for _, format := range []Format{Text, GitHub, Markdown} {
		out := render(t, sample()[1:2], Summary{Files: 1, Blank: "no service is known"}, Options{Format: format})
		if i, j := strings.Index(out, "nothing of Matrix was read: no service is known"), strings.Index(out, "the name has no letters"); i < 0 || format != GitHub && i > j {
			t.Errorf("%s:\n%s", format, out)
		}
	}
}

func TestPartsHostile(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		s := Summary{Blank: hostile(r), Parts: []finding.Part{{Name: hostile(r), Seen: finding.Partly, From: []string{hostile(r), hostile(r)}, Why: hostile(r)}}}
		for _, format := range []Format{Text, JSON, SARIF, GitHub, Markdown} {
			out := render(t, nil, s, Options{Format: format})
			checkPrintable(t, out)
			for line := range strings.Lines(out) {
				if format == GitHub && strings.HasPrefix(line, "::") && !strings.HasPrefix(line, "::warning title=stackgen::nothing of Matrix") {
					t.Errorf("a command: %q", line)
				}
			}
		}
	}
}
