package report

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/finding"
)

var hostileParts = []string{
	"\n", "\r\n", "\r", "\t", "\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;https://evil.example\x1b\\", "\u009b2J", "\x7f", "\x00", "\xff\xfe",
	"::error file=evil::owned", "\n::stop-commands::x", "##[error]owned", "##vso[task.complete]", "%0A::error::owned", "%25",
	"|", "\\|", "\\", "`", "``", "```", "````\n", "\n```\n", "~~~", "</details>", "</summary>", "</code>", "<script>", "<!--", "-->", "&lt;", "&#64;",
	"@octocat", "@org/team", "#12", "[x](https://evil.example)", "![x](y)", "](", "**", "_", "\u2028", "\u2029", "\u0085", "\u202e", "\u200b", "\ufeff", "\U000e0041",
	"日本語", "😀", "e\u0301", "a.yaml:1:1: error: forged [rule]", "\nforged.yaml:1:1: error: forged [rule]", " ", ",", ":", "=", "\"", "'", "word",
}

func hostile(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(6) {
		b.WriteString(hostileParts[r.IntN(len(hostileParts))])
	}
	return b.String()
}

func hostileFindings(r *rand.Rand) []finding.Finding {
	fs := make([]finding.Finding, 1+r.IntN(3))
	for i := range fs {
		f := finding.Finding{Rule: "rule" + hostile(r), Severity: finding.Severity(r.IntN(3)), Message: hostile(r), Fix: hostile(r)}
		for range r.IntN(4) {
			f.Sites = append(f.Sites, site(hostile(r), r.IntN(3), r.IntN(9), hostile(r), hostile(r)))
		}
		fs[i] = f
	}
	return fs
}

// forEachHostile renders many hostile reports and hands the output on.
func forEachHostile(t *testing.T, o Options, check func(t *testing.T, fs []finding.Finding, out string)) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		fs := hostileFindings(r)
		out := render(t, fs, Summary{Rules: 1, Files: 1}, o)
		check(t, fs, out)
		if t.Failed() {
			t.Fatalf("report %d of %#v:\n%s", i, fs, out)
		}
	}
}

func checkPrintable(t *testing.T, out string) {
	t.Helper()
	for _, r := range out {
		if r != '\n' && (!unicode.IsPrint(r) || r == utf8.RuneError && !strings.Contains(out, "\ufffd")) {
			t.Errorf("the output holds %U", r)
		}
	}
	if !utf8.ValidString(out) {
		t.Error("the output is not UTF-8")
	}
}

func TestHostileText(t *testing.T) {
	frame := regexp.MustCompile(`^(?: {2,}(?:fix:.*|\d+ \| .*|\|.*|= .*|--> .*)|    .*|)$`)
	forEachHostile(t, Options{}, func(t *testing.T, fs []finding.Finding, out string) {
		checkPrintable(t, out)
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		first := 0
		for _, l := range lines[:len(lines)-1] {
			if !frame.MatchString(l) {
				first++
			}
			if strings.HasPrefix(strings.TrimSpace(l), "::") {
				t.Errorf("a line is a workflow command: %q", l)
			}
			if strings.Contains(l, "##[") || strings.Contains(l, "##vso[") {
				t.Errorf("a line holds a runner command: %q", l)
			}
		}
		if first != len(fs) {
			t.Errorf("%d first lines of findings, want %d", first, len(fs))
		}
	})
}

func TestHostileColor(t *testing.T) {
	style := regexp.MustCompile(`\x1b\[\d*m`)
	forEachHostile(t, Options{Color: true}, func(t *testing.T, _ []finding.Finding, out string) {
		checkPrintable(t, style.ReplaceAllString(out, ""))
	})
}

func TestHostileGitHub(t *testing.T) {
	command := regexp.MustCompile(`^::(error|warning|notice) ((?:file|line|col|title)=[^:,]*(?:,(?:file|line|col|title)=[^:,]*)*)::(.*)$`)
	escape := regexp.MustCompile(`%(?:25|0A|0D|3A|2C)`)
	forEachHostile(t, Options{Format: GitHub}, func(t *testing.T, fs []finding.Finding, out string) {
		checkPrintable(t, out)
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if len(lines) != len(fs)+1 {
			t.Errorf("%d lines for %d findings and a summary", len(lines), len(fs))
		}
		for _, l := range lines[:len(lines)-1] {
			if !command.MatchString(l) || strings.Contains(escape.ReplaceAllString(l, ""), "%") {
				t.Errorf("not one whole command: %q", l)
			}
		}
	})
}

func TestHostileMarkdown(t *testing.T) {
	tag := regexp.MustCompile(`^(?:</?details>|</?summary>|</?code>)$`)
	anyTag := regexp.MustCompile(`<[^>]*>?`)
	for _, url := range []func(string) string{nil, func(id string) string { return "https://example.org/" + id }} {
		forEachHostile(t, Options{Format: Markdown, RuleURL: url}, func(t *testing.T, fs []finding.Finding, out string) {
			checkPrintable(t, out)
			prose, blocks := outsideFences(t, out)
			if n := strings.Count(prose, "<details>"); n != blocks || n != strings.Count(prose, "</details>") || n > len(fs) {
				t.Errorf("%d <details>, %d </details>, %d code blocks", n, strings.Count(prose, "</details>"), blocks)
			}
			rows := 0
			for l := range strings.SplitSeq(prose, "\n") {
				if strings.HasPrefix(l, "|") {
					rows++
					if strings.Count(l, "|") != 5 || strings.Contains(l, `\`) {
						t.Errorf("not a row of four cells: %q", l)
					}
				}
			}
			if rows != len(fs)+2 {
				t.Errorf("%d table rows for %d findings", rows, len(fs))
			}
			prose = regexp.MustCompile("\\]\\(<[^<>|\\\\ ]*>\\)|`[^`\n|\\\\]*`").ReplaceAllString(prose, "")
			for _, m := range anyTag.FindAllString(prose, -1) {
				if !tag.MatchString(m) {
					t.Errorf("foreign HTML: %q", m)
				}
			}
			if strings.ContainsAny(prose, "@`") {
				t.Errorf("a mention or a backtick got through")
			}
		})
	}
}

// outsideFences reads Markdown as CommonMark does and leaves out the code blocks.
func outsideFences(t *testing.T, out string) (prose string, blocks int) {
	t.Helper()
	open := regexp.MustCompile("^(`{3,})text$")
	fence := ""
	var kept []string
	for l := range strings.SplitSeq(out, "\n") {
		closing := strings.TrimSpace(l)
		switch m := open.FindStringSubmatch(l); {
		case fence != "":
			if len(closing) >= len(fence) && strings.Trim(closing, "`") == "" {
				if closing != l || closing != fence {
					t.Errorf("a code block is closed by its own text: %q", l)
				}
				fence = ""
			}
		case m != nil:
			fence = m[1]
			blocks++
		default:
			kept = append(kept, l)
		}
	}
	if fence != "" {
		t.Error("a code block is not closed")
	}
	return strings.Join(kept, "\n"), blocks
}

func TestHostileJSON(t *testing.T) {
	forEachHostile(t, Options{Format: JSON}, func(t *testing.T, fs []finding.Finding, out string) {
		checkPrintable(t, out)
		var got jsonReport
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Error(err)
			return
		}
		for i, f := range fs {
			if want := string([]rune(f.Message)); got.Findings[i].Message != want {
				t.Errorf("message %q came back as %q", want, got.Findings[i].Message)
			}
		}
	})
}

func TestHostileSARIF(t *testing.T) {
	uri := regexp.MustCompile(`^[A-Za-z0-9._~!$&'()*+,;=:@/%-]*$`)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 20 { // each is held against the whole schema
		fs := hostileFindings(r)
		out := render(t, fs, Summary{}, Options{Format: SARIF})
		checkPrintable(t, out)
		for _, res := range decodeSARIF(t, fs, Options{}).Results {
			for _, l := range append(res.Locations, res.RelatedLocations...) {
				if u := *l.PhysicalLocation.ArtifactLocation.URI; !uri.MatchString(u) {
					t.Errorf("report %d: %q is no URI reference", i, u)
				}
			}
		}
	}
}

func TestGitHubLimit(t *testing.T) {
	many := func(errors, warnings, infos int) (fs []finding.Finding) {
		for sev, n := range map[finding.Severity]int{finding.Error: errors, finding.Warning: warnings, finding.Info: infos} {
			for i := range n {
				fs = append(fs, finding.Finding{Rule: "r", Severity: sev, Message: fmt.Sprint(i)})
			}
		}
		return fs
	}
	for _, tt := range []struct {
		name                      string
		fs                        []finding.Finding
		errors, warnings, notices int
		more                      string
	}{
		{"few", many(10, 10, 10), 10, 10, 10, ""},
		{"errors", many(13, 1, 0), 10, 1, 1, "::notice::… 3 errors more, see the SARIF/JSON output"},
		{"all", many(11, 12, 13), 10, 10, 10, "::notice::… 1 error, 2 warnings, 4 info more, see the SARIF/JSON output"},
		{"errors and ten notices", many(11, 0, 10), 10, 0, 10, "::notice::… 1 error, 1 info more, see the SARIF/JSON output"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := render(t, tt.fs, Summary{}, Options{Format: GitHub})
			got := []int{strings.Count(out, "::error "), strings.Count(out, "::warning "), strings.Count(out, "::notice")}
			if got[0] != tt.errors || got[1] != tt.warnings || got[2] != tt.notices || !strings.Contains(out, tt.more) {
				t.Errorf("got %v:\n%s", got, out)
			}
			if strings.Contains(out, "::warning ") && strings.LastIndex(out, "::error ") > strings.Index(out, "::warning ") {
				t.Error("errors do not come first")
			}
		})
	}
}
