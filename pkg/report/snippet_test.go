package report

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/source"
)

func TestCaretStandsBelowItsColumn(t *testing.T) {
	for _, tt := range []struct {
		name    string
		snippet string
		col     int
		want    int // terminal columns before the caret
	}{
		{"ASCII", "key: value", 6, 5},
		{"wide", "日本: value", 5, 6},
		{"emoji", "😀: x", 4, 4},
		{"combining", "e\u0301: x", 5, 3},
		{"control", "\x1b: x", 4, 6},
		{"first", "x", 1, 0},
		{"behind the end", "ab", 99, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := siteLines(output.PaletteFor(false), finding.Finding{Sites: []source.Site{site("f", 7, tt.col, tt.snippet, "")}}, 0)
			if got, want := lines[1], "     | "+strings.Repeat(" ", tt.want)+"^"; got != want {
				t.Errorf("got\n%s\n%s\nwant\n%s", lines[0], got, want)
			}
		})
	}
}

func TestLongLineIsCutAroundTheCaret(t *testing.T) {
	long := strings.Repeat("a", 5000) + "HERE" + strings.Repeat("b", 5000)
	text, indent := excerpt(site("f", 1, 5001, long, ""))
	if n := len([]rune(text)); n > maxSnippet+2 {
		t.Errorf("%d characters are shown", n)
	}
	if at := []rune(text)[len(indent):]; !strings.HasPrefix(string(at), "HERE") {
		t.Errorf("the caret stands below %q", string(at[:10]))
	}
	if text, _ := excerpt(site("f", 1, 1, long, "")); !strings.HasPrefix(text, "aaa") || !strings.HasSuffix(text, "…") {
		t.Errorf("the beginning of a long line is shown as %q", text)
	}
}

func TestSiteWithoutColumn(t *testing.T) {
	lines := siteLines(output.PaletteFor(false), finding.Finding{Sites: []source.Site{site("f", 7, 0, "key: value", "all of it")}}, 0)
	if got, want := strings.Join(lines, "\n"), "   7 | key: value\n     = all of it"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
