package suppress

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/finding"
)

var known = []string{"yaml", "compose-image-pinned", "server-name-agrees", "bridge-msc4190"}

// Each slip has its place, and what it is about suppresses nothing.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		entries   int
		want      string // a line for each finding: its place and the beginning of its message
		fix       string // in the first
	}{
		{"empty", "", 0, "", ""},
		{"no entry", "ignore:\n", 0, "", ""},
		{"whole", "ignore:\n  - rule: bridge-msc4190\n    path: config/*/config.yaml\n    reason: it is so\n    until: 2027-01-31\n", 1, "", ""},
		{"short", "ignore: [{rule: yaml, reason: it is so}]\n", 1, "", ""},
		{"a quoted day", "ignore: [{rule: yaml, reason: x, until: \"2027-01-31\"}]\n", 1, "", ""},
		{"no such rule", "ignore: [{rule: bridge-msc4109, reason: x}]\n", 0, "1:11 there is no rule", "did you mean bridge-msc4190?"},
		{"nothing like it", "ignore: [{rule: everything, reason: x}]\n", 0, "1:11 there is no rule", "stackgen rules"},
		{"no rule", "ignore: [{reason: x}]\n", 0, "1:10 the entry names no rule", "in brackets"},
		{"no reason", "ignore: [{rule: yaml}]\n", 0, "1:10 the entry gives no reason", "reason:"},
		{"an empty reason", "ignore: [{rule: yaml, reason: \"  \"}]\n", 0, "1:10 the entry gives no reason", "reason:"},
		{"no day", "ignore: [{rule: yaml, reason: x, until: soon}]\n", 0, "1:34 \"soon\" is no day", "2027-01-31"},
		{"half a day", "ignore: [{rule: yaml, reason: x, until: 2027-1-5}]\n", 0, "1:34 \"2027-1-5\" is no day", "2027-01-31"},
		{"no such day", "ignore: [{rule: yaml, reason: x, until: 2027-02-30}]\n", 0, "1:34 \"2027-02-30\" is no day", ""},
		{"no pattern", "ignore: [{rule: yaml, reason: x, path: \"a[\"}]\n", 0, "1:34 the pattern \"a[\" cannot be read", "gitignore"},
		{"an empty pattern", "ignore: [{rule: yaml, reason: x, path: \"\"}]\n", 0, "1:34 the pattern \"\" is empty", "gitignore"},
		{"an empty day", "ignore: [{rule: yaml, reason: x, until: \"\"}]\n", 0, "1:34 \"\" is no day", "2027-01-31"},
		{"a list of paths", "ignore: [{rule: yaml, reason: x, path: [a, b]}]\n", 0, "1:34 path is a list", "path:"},
		{"an unknown key", "ignore: [{rule: yaml, reasn: x}]\n", 0, "1:23 unknown key \"reasn\"\n1:10 the entry gives no reason", "did you mean reason?"},
		{"an unknown key at the top", "ignroe: []\n", 0, "1:1 unknown key \"ignroe\"", "did you mean ignore?"},
		{"a key twice", "ignore: [{rule: yaml, reason: x, reason: y}]\n", 0, "1:34 the key reason stands twice", "remove"},
		{"a merge", "ignore:\n  - &a {rule: yaml, reason: x}\n  - <<: *a\n", 1, "3:5 this is no key", "write each entry out"},
		{"one that is wrong", "ignore: [{rule: yaml, reason: x}, {rule: yaml}]\n", 1, "1:35 the entry gives no reason", ""},
		{"a text", "ignore: yaml\n", 0, "1:1 ignore is a single value", "ignore:"},
		{"no mapping", "- rule: yaml\n", 0, "1:1 the file is a list", "ignore:"},
		{"no entry but a word", "ignore: [yaml]\n", 0, "1:10 an entry is a single value", "rule:"},
		{"no YAML", "ignore: [\n", 0, "1:1 not valid YAML", ""},
		{"binary", "\x00", 0, "f the file is binary", ""},
		{"a second document", "ignore: []\n---\nx\n", 0, "2:1 the file holds a second", ""},
		{"large", "#" + strings.Repeat("x", maxSize), 0, "f the file is larger than 1 MiB", ""},
		{"many", "ignore: [" + strings.Repeat("{rule: yaml, reason: x},", maxEntries+1) + "]", 0, "1:1 the list has 1001 entries", ""},
		{"aliases without end", "a: &a [x, x]\nb: &b [*a, *a]\nignore: &c [*b, *c]\n", 0, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, findings := Parse("f", []byte(tt.src), known)
			if tt.name == "aliases without end" {
				if len(findings) == 0 {
					t.Error("there is no finding")
				}
				return
			}
			if len(c.entries) != tt.entries {
				t.Errorf("%d entries, want %d", len(c.entries), tt.entries)
			}
			var want []string
			if tt.want != "" {
				want = strings.Split(tt.want, "\n")
			}
			if len(findings) != len(want) {
				t.Fatalf("%d findings, want %d: %+v", len(findings), len(want), findings)
			}
			for i, f := range findings {
				place, _ := strings.CutPrefix(f.Pos().String(), "f:")
				if got := place + " " + f.Message; !strings.HasPrefix(got, want[i]) || f.Severity != finding.Error {
					t.Errorf("%s: %s, want %s", f.Severity, got, want[i])
				}
			}
			if len(findings) > 0 && !strings.Contains(findings[0].Fix, tt.fix) {
				t.Errorf("the fix is %q, want %q in it", findings[0].Fix, tt.fix)
			}
		})
	}
}

// A pattern is one of .gitignore.
func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"docker-compose.yml", "docker-compose.yml", true},
		{"docker-compose.yml", "deploy/docker-compose.yml", true},
		{"/docker-compose.yml", "deploy/docker-compose.yml", false},
		{"./docker-compose.yml", "docker-compose.yml", true},
		{"config/*/config.yaml", "config/signal/config.yaml", true},
		{"config/*/config.yaml", "config/signal/a/config.yaml", false},
		{"config/**/config.yaml", "config/signal/a/config.yaml", true},
		{"config/**/config.yaml", "config/config.yaml", true},
		{"**/config.yaml", "config.yaml", true},
		{"**/a/**/b", "x/a/y/a/z/b", true},
		{"**/a/**/b", "x/a/y/a/z/c", false},
		{"**", "a/b", true},
		{"config", "config/signal/config.yaml", true},
		{"config/", "config/signal/config.yaml", true},
		{"signal/", "config/signal/config.yaml", true},
		{"/signal/", "config/signal/config.yaml", false},
		{"*.yaml", "config/signal/config.yaml", true},
		{"*.yml", "config/signal/config.yaml", false},
		{"config/signal/config.yaml/x", "config/signal/config.yaml", false},
		{"../hs/homeserver.yaml", "../hs/homeserver.yaml", true},
		{"../../x", "../x", false},
		{"[ab].yaml", "b.yaml", true},
	} {
		pattern, err := segments(tt.pattern)
		if err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
		} else if got := matches(pattern, strings.Split(tt.name, "/")); got != tt.want {
			t.Errorf("%q names %q: %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "ignore: [{rule: yaml, path: \"**/a*/[b-c]/../..\", reason: x, until: 2027-01-31}]", "ignore: {a: b}", "ignore: &a [*a]", "- ? [a]\n  : b", "ignore:\n - <<: {rule: yaml}",
		"ignore: [{rule: !!binary yaml, reason: 1, path: ~, until: 2027-01-31T00:00:00Z}]", "? ignore\n: [[]]", "ignore: [{rule: yaml, reason: x, path: \"../../../**\"}]", "\x00", "a: 'b",
	} {
		f.Add([]byte(seed), "config/a.yaml")
	}
	f.Fuzz(func(t *testing.T, src []byte, name string) {
		c, findings := Parse(".stackgen.yaml", src, known)
		for _, found := range findings {
			if found.Severity != finding.Error || found.Message == "" || found.Pos().File == "" {
				t.Errorf("a finding without a place or a text: %+v", found)
			}
		}
		for _, e := range c.entries {
			if e.reason == "" || !strings.Contains(strings.Join(known, " "), e.rule) || e.rule == "" {
				t.Errorf("an entry that nobody can check: %+v", e)
			}
			if e.path != nil {
				matches(e.path, strings.Split(name, "/"))
			}
			e.expired("2026-11-26")
		}
	})
}
