package check_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/report"
)

// tainted are secrets that people keep where they should not. None looks like one by itself.
const (
	inCommand = "fake-command-word"
	inURL     = "fake-url-word"
	inHeader  = "fakeheaderword"
	inValue   = "fake-value-word"
	inShort   = "fk7word"
)

// plants put them into the lines of a file, where a person would.
var plants = []struct {
	line *regexp.Regexp
	to   string
}{
	// Commands, as text and as lists.
	{regexp.MustCompile(`(?m)^(\s+(?:-\s)?(?:pg_dump|pg_restore|psql)_command: )["']?([^"'\n]+)["']?$`), "${1}\"env PGPASSWORD=" + inCommand + " $2 --password " + inShort + "\""},
	{regexp.MustCompile(`(?m)^(\s+(?:command|test|entrypoint): \[)([^\n]*)\]$`), "${1}$2, --password, " + inCommand + ", -u, \"me:" + inShort + "\", \"--token=" + inValue + "\"]"},
	{regexp.MustCompile(`(?m)^(\s+(?:command|test|entrypoint): )["']?([^\s|>&*\["'][^"'\n]*)["']?$`), "${1}\"API_TOKEN=" + inValue + " $2 --password " + inCommand + " -u me:" + inShort + " -H 'Authorization: Bearer " + inHeader + "'\""},
	// URLs with a user and a password, and those that had none.
	{regexp.MustCompile(`(://[^\s/@:"']*:)[^\s/@"']+@`), "${1}" + inURL + "@"},
	{regexp.MustCompile(`(?m)^(\s+(?:- )?[a-z_]+: ["']?(?:https?|postgres|postgresql)://)([a-z][a-z.-]*[/:])`), "${1}me:" + inURL + "@$2"},
	// What stands under the name of a secret.
	{regexp.MustCompile(`(?m)^(\s*(?:- )?\w*(?:secret|token|password|passw|pickle_key|api_hash|smtp_pass)\w*: )["']?[A-Za-z0-9][^\n"':{\[]{6,}["']?$`), "${1}" + inValue},
	// The environment as a mapping and as a list.
	{regexp.MustCompile(`(?m)^(    environment:\n)(      - )`), "${1}      - SMTP_PASSWORD=" + inValue + "\n      - DATABASE_URL=postgres://me:" + inURL + "@db/x\n$2"},
	{regexp.MustCompile(`(?m)^(    environment:\n)(      [A-Z])`), "${1}      SMTP_PASSWORD: " + inValue + "\n      DATABASE_URL: postgres://me:" + inURL + "@db/x\n$2"},
	// Labels.
	{regexp.MustCompile(`(?m)^(    labels:\n)(      - )`), "${1}      - traefik.http.middlewares.door.basicauth.users=me:$$$$apr1$$$$fake$$$$" + inHeader + "\n$2"},
	{regexp.MustCompile(`(?m)^(    labels:\n)(      [a-z"])`), "${1}      traefik.http.middlewares.door.basicauth.users: me:$$$$apr1$$$$fake$$$$" + inHeader + "\n$2"},
	// A build.
	{regexp.MustCompile(`(?m)^(    image: [^\n]+\n)`), "${1}    x-build: {args: {NPM_TOKEN: " + inValue + "}, from: \"https://me:" + inURL + "@git.example/x\"}\n"},
}

func taint(tree fstest.MapFS) fstest.MapFS {
	out := maps.Clone(tree)
	for name, f := range out {
		text := string(f.Data)
		for _, p := range plants {
			text = p.line.ReplaceAllString(text, p.to)
		}
		c := *f
		c.Data = []byte(text)
		out[name] = &c
	}
	out[".env"] = &fstest.MapFile{Data: []byte("SMTP_PASSWORD=" + inValue + "\n"), Mode: 0o600}
	return out
}

// Whatever rule fires on a stack with secrets in commands, URLs, labels, the environment and the rest, no format
// shows one.
func TestTaint(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: all formats for each rule take too long under the race detector; the same rules run in TestRuleCases")
	}
	words := []string{inCommand, inURL, inHeader, inValue, inShort}
	fired := make(map[string]bool)
	seen := make(map[string]bool)
	had := make(map[string]bool)
	for _, c := range readCases(t) {
		if c.kind != "bad" || had[c.rule] {
			continue
		}
		had[c.rule] = true
		tree, _ := c.build(t)
		tree = taint(tree)
		for _, f := range tree {
			for _, w := range words {
				seen[w] = seen[w] || bytes.Contains(f.Data, []byte(w))
			}
		}
		d, findings := compose.Open(tree)
		found, files := check.Run(d, composego.Judge)
		findings = append(findings, found...)
		for _, f := range findings {
			fired[f.Rule] = true
			texts := []string{f.Message, f.Fix}
			for _, s := range f.Sites {
				texts = append(texts, s.Note, s.Text())
			}
			for _, text := range texts {
				for _, w := range words {
					if strings.Contains(text, w) {
						t.Errorf("%s/%s: %s shows %s: %s", c.rule, c.name, f.Rule, w, text)
					}
				}
			}
		}
		formats := report.Formats
		if len(had)%10 != 1 {
			formats = formats[:1] // they print the same findings
		}
		for _, format := range formats {
			var out bytes.Buffer
			if err := report.Write(&out, findings, report.Summary{Rules: len(check.Rules), Files: files}, report.Options{Format: report.Format(format), Verbose: true}); err != nil {
				t.Fatal(err)
			}
			for _, w := range words {
				if strings.Contains(out.String(), w) {
					t.Errorf("%s/%s: %s shows %s", c.rule, c.name, format, w)
				}
			}
		}
	}
	for _, w := range words {
		if !seen[w] {
			t.Errorf("%s was planted nowhere", w)
		}
	}
	if len(fired) < len(check.Rules)*9/10 {
		t.Errorf("only %d of %d rules fired", len(fired), len(check.Rules))
	}
}

// A secret that is a common word, or a number, breaks no format and shreds no text; behind its name it is hidden
// all the same.
func TestCommonSecrets(t *testing.T) {
	plain := treeOf("hand-kept")
	count := func(tree fstest.MapFS) (findings []finding.Finding, texts string) {
		d, findings := compose.Open(tree)
		found, _ := check.Run(d, composego.Judge)
		findings = append(findings, found...)
		var all strings.Builder
		for _, f := range findings {
			all.WriteString(f.Rule + f.Message + f.Fix)
		}
		return findings, all.String()
	}
	_, want := count(plain)
	for _, word := range []string{"error", "rules", "1", "true", "message", "synapse", "8008", "matrix", "fix", "null"} {
		tree := maps.Clone(plain)
		tree[".env"] = &fstest.MapFile{Data: []byte("SOME_PASSWORD=" + word + "\n"), Mode: 0o600}
		findings, texts := count(tree)
		if n := strings.Count(texts, "********") - strings.Count(want, "********"); n > 0 {
			t.Errorf("%s: %d words of the findings are lost", word, n)
		}
		for _, format := range []report.Format{report.JSON, report.SARIF} {
			var out bytes.Buffer
			if err := report.Write(&out, findings, report.Summary{}, report.Options{Format: format}); err != nil || !json.Valid(out.Bytes()) {
				t.Errorf("%s: the %s is not valid", word, format)
			}
		}
		var m finding.Mask
		m.Open("synapse", "matrix")
		m.Hide(word)
		m.HideBehind("SOME_PASSWORD=", word)
		if got := m.Text("SOME_PASSWORD=" + word + " and " + word); got != "SOME_PASSWORD=******** and "+word {
			t.Errorf("%s: %s", word, got)
		}
	}
}
