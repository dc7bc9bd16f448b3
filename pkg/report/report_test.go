package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func site(file string, line, col int, snippet, note string) source.Site {
	return source.Site{Pos: source.Pos{File: file, Line: line, Col: col}, Note: note, Snippet: func() string { return snippet }}
}

// registration is the file that the first finding of the sample mends.
func registration() *source.File {
	f, problem := source.Parse("config/matrix/signal.yaml", []byte("id: signal\nas_token: fake-word\nrate_limited: false\nio.element.msc4190: false # 名前\nnamespaces:\n  users: []\n"))
	if problem != nil {
		panic(problem.Message)
	}
	return f
}

// mending are its edits: of a value, and of a line that is not there.
func mending() []source.Edit {
	f := registration()
	return append(f.At("io.element.msc4190").Become("true"), f.At("receive_ephemeral").Become("true")...)
}

// sample has what a report can meet: several files, wide characters, no line, no site, several lines of
// fix, and things that were not checked.
func sample() []finding.Finding {
	return []finding.Finding{
		{
			Rule: "bridge-msc4190-in-both-registrations", Severity: finding.Error,
			Message: `the bridge "signal" logs in by MSC4190, but Synapse's copy of the registration does not allow it; the bridge stops at start with M_UNKNOWN_ENDPOINT`,
			Fix:     "io.element.msc4190: true", Edits: mending,
			Sites: []source.Site{
				site("config/matrix/signal.yaml", 12, 1, "io.element.msc4190: false", "Synapse reads this copy"),
				site("config/matrix/signal.yaml", 4, 1, "id: signal", "the same registration"),
				site("config/signal/registration.yaml", 112, 1, "io.element.msc4190: true", ""),
				site("config/signal/config.yaml", 0, 0, "", "encryption.msc4190 is not set"),
			},
		},
		{
			Rule: "room-name-readable", Severity: finding.Warning,
			Message: "the name has no letters",
			Sites:   []source.Site{site("config/名前.yaml", 3, 8, "  日本語: x 😀", "wide characters stand before it")},
		},
		{
			Rule: "yaml", Severity: finding.Error, Message: "the file is binary, not YAML", Fix: "name the right file",
			Sites: []source.Site{site("config/mas/config.yaml", 0, 0, "", "")},
		},
		{
			Rule: "compose-file-present", Severity: finding.Error, Message: "the directory has no compose file",
			Fix: "services:\n  synapse:\n    image: matrixdotorg/synapse:v1.157.1",
		},
		{
			Rule: "backup-configured", Severity: finding.Info, Message: "no backup is described here",
			Sites: []source.Site{site("docker-compose.yml", 1, 1, "services:", "")},
		},
		{
			Rule: "traefik-entrypoint-exists", Severity: finding.Info, Status: finding.NotChecked,
			Message: "not checked, because Traefik's own configuration is not in the directory",
			Sites:   []source.Site{site("docker-compose.yml", 40, 7, "    - traefik.enable=true", "")},
		},
	}
}

func rules() []RuleInfo {
	return []RuleInfo{
		{ID: "unbroken", Severity: finding.Error, Summary: "A rule that held", Why: "Because [see](here).", Fix: "Nothing."},
		{ID: "bridge-msc4190-in-both-registrations", Severity: finding.Error, Summary: "Both registrations allow MSC4190", Why: "Else the bridge stops.", Fix: "io.element.msc4190: true"},
	}
}

func render(t *testing.T, findings []finding.Finding, s Summary, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, findings, s, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	url := func(id string) string {
		if id == "yaml" {
			return ""
		}
		return "https://example.org/RULES.md#" + id
	}
	all := Summary{Rules: 88, Files: 25}
	for name, o := range map[string]Options{
		"text.txt":           {},
		"text-color.txt":     {Format: Text, Color: true, Verbose: true},
		"findings.json":      {Format: JSON},
		"findings.sarif":     {Format: SARIF, RuleURL: url, Rules: rules()},
		"github.txt":         {Format: GitHub},
		"github-verbose.txt": {Format: GitHub, Verbose: true},
		"markdown.md":        {Format: Markdown, RuleURL: url},
		"markdown-plain.md":  {Format: Markdown, Verbose: true},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, render(t, sample(), all, o))
		})
	}
	for _, format := range Formats {
		t.Run("empty-"+format, func(t *testing.T) {
			golden(t, "empty."+format, render(t, nil, Summary{Rules: 28, Files: 25}, Options{Format: Format(format)}))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-golden +got; -update rewrites):\n%s", diff)
	}
}

func TestHeadline(t *testing.T) {
	of := func(sev finding.Severity, msg string) finding.Finding {
		return finding.Finding{Severity: sev, Message: msg}
	}
	skipped := finding.Unchecked("x", "it is Tuesday")
	for _, tt := range []struct {
		name     string
		findings []finding.Finding
		s        Summary
		verbose  bool
		want     string
	}{
		{"none", nil, Summary{Rules: 28, Files: 25}, false, "no findings in 25 files"},
		{"one of each", []finding.Finding{of(finding.Info, "x"), of(finding.Warning, "x"), of(finding.Error, "x")}, Summary{Rules: 1, Files: 1}, false, "1 error, 1 warning, 1 info in 1 file"},
		{"many", []finding.Finding{of(finding.Error, "x"), of(finding.Error, "y")}, Summary{Rules: 88, Files: 25}, false, "2 errors in 25 files"},
		{"skipped", []finding.Finding{skipped}, Summary{Rules: 2, Files: 3}, false, "no findings in 3 files; 1 not checked"},
		{"skipped, listed", []finding.Finding{skipped, of(finding.Warning, "x")}, Summary{Rules: 2, Files: 3}, true, "1 warning in 3 files; 1 not checked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := headline(tt.findings, tt.s, Options{Verbose: tt.verbose}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnknownFormatWritesNothing(t *testing.T) {
	var b bytes.Buffer
	err := Write(&b, sample(), Summary{}, Options{Format: "xml"})
	if err == nil || !strings.Contains(err.Error(), "sarif") || b.Len() > 0 {
		t.Errorf("error %v, output %q; want an error that names the formats, and nothing written", err, &b)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteErrorIsReported(t *testing.T) {
	for _, format := range Formats {
		if Write(broken{}, sample(), Summary{}, Options{Format: Format(format)}) == nil {
			t.Errorf("%s: no error from a writer that refuses", format)
		}
	}
}
