package report

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// GitHub takes no comment of more than 65,536 characters. Errors come before warnings where not all fit,
// and nothing is left out in silence.
func TestMarkdownLimit(t *testing.T) {
	for _, n := range []int{1, 120, 2000} {
		var fs []finding.Finding
		for i := range n {
			sev := finding.Warning
			if i >= n-n/10 {
				sev = finding.Error
			}
			fs = append(fs, finding.Finding{
				Rule: "bridge-msc4190", Severity: sev, Message: fmt.Sprintf("finding %d %s", i, strings.Repeat("words ", 40)), Fix: strings.Repeat("a: b\n", 20),
				Sites: []source.Site{site("config/signal/config.yaml", i+1, 3, "  msc4190: false", "here"), site("docker-compose.yml", 3, 1, "a: b", "there")},
			})
		}
		out := render(t, fs, Summary{Rules: 1, Files: 1}, Options{Format: Markdown, Command: "stackgen validate"})
		if chars := utf8.RuneCountInString(out); chars > 65_000 {
			t.Errorf("%d findings: %d characters", n, chars)
		}
		rows, details := strings.Count(out, "\n| `bridge-"), strings.Count(out, "<details>")
		_, left, cut := strings.Cut(out, "**Left out**")
		switch {
		case n == 1 && (rows != 1 || details != 1 || cut):
			t.Errorf("one finding: %s", out)
		case n > 1 && !strings.Contains(left, "`stackgen validate` without"):
			t.Errorf("%d findings: it is not said where all are", n)
		case rows < n && !strings.Contains(left, fmt.Sprintf(" %d findings", n-rows)):
			t.Errorf("%d findings, %d rows: …%s", n, rows, left)
		case details < rows && !strings.Contains(left, fmt.Sprintf(" %d details", rows-details)):
			t.Errorf("%d findings, %d rows, %d details: …%s", n, rows, details, left)
		}
		if first := strings.SplitN(out, "\n", 6); n > 1 && !strings.Contains(first[4], "| error |") {
			t.Errorf("%d findings: the first is %s", n, first[4])
		}
	}
}

// At a terminal no word is broken, and nothing is lost; elsewhere a finding stays on its line.
func TestTextWidth(t *testing.T) {
	fs := []finding.Finding{
		{Rule: "rule-of-the-day", Severity: finding.Error, Message: strings.Repeat("several words ", 30) + "::error::x", Sites: []source.Site{site("a.yaml", 1, 1, "a: b", strings.Repeat("a note ", 30))}},
		finding.Unchecked("other-rule", strings.Repeat("it is Tuesday ", 20)),
	}
	whole := render(t, fs, Summary{Rules: 2, Files: 1}, Options{})
	for _, width := range []int{20, 60, 100} {
		out := render(t, fs, Summary{Rules: 2, Files: 1}, Options{Width: width})
		if a, b := strings.Count(whole, "several"), strings.Count(out, "several"); a != b || strings.Count(out, "Tuesday") != 20 {
			t.Errorf("width %d: words are lost", width)
		}
		for line := range strings.SplitSeq(out, "\n") {
			if utf8.RuneCountInString(line) > width && strings.Contains(strings.TrimSpace(line), " ") && width >= 60 {
				t.Errorf("width %d: %q", width, line)
			}
			if strings.HasPrefix(strings.TrimLeft(line, " "), "::") {
				t.Errorf("width %d: a word of the message became a command: %q", width, line)
			}
		}
	}
	if !strings.Contains(whole, strings.TrimSpace(fs[0].Message)+" [rule-of-the-day]\n") {
		t.Errorf("wrapped where no terminal is:\n%s", whole)
	}
}

// What is missed for one cause is one line, and the cause alone; by itself a reason stays as it is.
func TestOneCause(t *testing.T) {
	away := func(rule, what, of string) finding.Finding {
		return finding.Unchecked(rule, what+" cannot be seen: the Secret "+of+" is not among the manifests")
	}
	out := render(t, []finding.Finding{
		away("mas-signing-keys", "secrets.keys.0.key_file", "made"), away("mas-signing-keys", "secrets.keys.1.key_file", "made"),
		away("secret-strength", "registration_shared_secret_path", "made"), away("registration-tokens-match", "the registration a.yaml", "alone"),
	}, Summary{Rules: 4, Files: 2}, Options{})
	const want = "no findings in 2 files; 4 not checked\n" +
		"  mas-signing-keys, secret-strength: not checked, because the Secret made is not among the manifests\n" +
		"  registration-tokens-match: not checked, because the registration a.yaml cannot be seen: the Secret alone is not among the manifests\n"
	if out != want {
		t.Errorf("%s", out)
	}
}
