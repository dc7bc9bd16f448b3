package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	alarmSpec = `version: 1
server_name: example.org
auth: {passwords: true}
bridges: {signal: {extra: {encryption: {msc4190: false}}}}
permissions: {example.org: user}
`
	alarmAnswer = "ignore: [{rule: bridge-msc4190, reason: a build of our own}]\n"
)

// A change that suppresses a finding says so to whoever reviews it, also when nothing else changes; the next one does not.
func TestDiffSaysWhatIsSuppressed(t *testing.T) {
	repository(t, "stack.yaml", strings.Replace(alarmSpec, "{extra: {encryption: {msc4190: false}}}", "{}", 1))
	commit(t, "stack.yaml", alarmSpec)
	commit(t, ".stackgen.yaml", alarmAnswer)
	for format, want := range map[string]string{
		"text":     "suppressed by this change\n  error config/signal/config.yaml:",
		"markdown": "This change suppresses:",
		"github":   "::warning file=stack.yaml,title=suppressed by this change::error config/signal/config.yaml%",
	} {
		for _, base := range []string{"HEAD^", "HEAD^^"} { // where it was an error, and where there was nothing wrong
			for _, head := range [][]string{nil, {"--head", "HEAD"}} {
				out, _ := stackgen(t, 1, append([]string{"diff", "--base", base, "--format", format}, head...)...)
				out = strings.ReplaceAll(strings.ReplaceAll(out, `\`, ""), "%3A", ":")
				if !strings.Contains(out, strings.ReplaceAll(want, "%", ":")) && !strings.Contains(out, want) {
					t.Errorf("%s since %s does not say %q:\n%s", format, base, want, out)
				}
				if !strings.Contains(out, ".stackgen.yaml:1: a build of our own") || !strings.Contains(out, "1 finding suppressed anew") {
					t.Errorf("%s since %s does not say why, or how many:\n%s", format, base, out)
				}
			}
		}
	}
	out, _ := stackgen(t, 1, "diff", "--base", "HEAD^", "--format", "json")
	var doc struct {
		Silenced             []string
		Suppressed, Findings []any
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.Silenced) != 1 || len(doc.Suppressed) != 1 || len(doc.Findings) != 0 {
		t.Errorf("%v: %+v", err, doc)
	}
	commit(t, "stack.yaml", alarmSpec+"# A comment.\n")
	if out, _ := stackgen(t, 0, "diff", "--base", "HEAD^"); strings.Contains(out, "suppress") {
		t.Errorf("what was suppressed before is said again:\n%s", out)
	}
}

// No answer is read through a link that leads elsewhere: the findings quote what they are about.
func TestAnswersAreNotReadElsewhere(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.yaml")
	put(t, elsewhere, "ignore: [{rule: quoted-from-elsewhere, reason: x}]\n")
	repository(t, "stack.yaml", alarmSpec)
	put(t, "compose.yaml", "services: {}\n")
	if err := os.Symlink(elsewhere, ".stackgen.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"validate"}, {"render"}, {"check"}, {"diff", "--base", "HEAD"}} {
		out, _ := stackgen(t, 1, args...)
		if strings.Contains(out, "quoted-from-elsewhere") || !strings.Contains(out, ".stackgen.yaml:1:1: error: cannot be read: ") {
			t.Errorf("stackgen %v:\n%s", args, out)
		}
	}
}

// A secret that stands in a reason is hidden as everywhere, also one that only the secrets file tells.
func TestReasonsAreMasked(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "stack.yaml", alarmSpec)
	put(t, ".stackgen.yaml", alarmAnswer)
	stackgen(t, 0, "render")
	src, err := os.ReadFile("secrets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	value := ""
	for line := range strings.Lines(string(src)) {
		if _, after, ok := strings.Cut(line, "as_token:"); ok {
			value = strings.Trim(strings.TrimSpace(after), `"'`)
		}
	}
	if len(value) < 16 {
		t.Fatalf("no token in the secrets file: %d", len(value))
	}
	put(t, ".stackgen.yaml", "ignore: [{rule: bridge-msc4190, reason: the token is "+value+"}]\n")
	put(t, "out/.stackgen.yaml", "ignore: [{rule: bridge-msc4190, reason: the token is "+value+"}]\n")
	for _, args := range [][]string{{"render", "--format", "json"}, {"diff", "--format", "json"}, {"check", "out", "--format", "json"}, {"check", "out", "--format", "sarif"}} {
		if out, talk := stackgen(t, 0, args...); strings.Contains(out+talk, value) || !strings.Contains(out, "the token is") {
			t.Errorf("stackgen %v shows the token, or no reason", args)
		}
	}
}

// Thousands of comments, and entries of patterns that ask for much, come to an end soon.
func TestHostileAnswers(t *testing.T) {
	t.Chdir(t.TempDir())
	var compose strings.Builder
	compose.WriteString("services:\n")
	for i := range 300 {
		fmt.Fprintf(&compose, "  s%d: {image: example/x, depends_on: [nobody]} # stackgen:ignore %s x\n", i, strings.Repeat("a,", 50)+"compose-valid")
	}
	compose.WriteString(strings.Repeat("# stackgen:ignore yaml x\n", 50_000))
	put(t, "compose.yaml", compose.String())
	var entries strings.Builder
	for range 1000 {
		fmt.Fprintf(&entries, "  - {rule: compose-valid, path: %q, reason: x}\n", strings.Repeat("**/*a*a*a*/", 40)+"b")
	}
	put(t, ".stackgen.yaml", "ignore:\n"+entries.String())
	out, _ := stackgen(t, 1, "check") // nothing of Matrix stands in it
	if !strings.Contains(out, "more than 1000 comments") {
		t.Errorf("it does not say that some are not read: %.2000s", out)
	}
}
