package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/source"
)

// planted is part of every secret here.
const planted = "zebra"

// both compares two versions of one file.
func both(path, old, now string) *Diff {
	return New(Input{Old: Tree{path: []byte(old), "docker-compose.yml": nil}, New: Tree{path: []byte(now), "docker-compose.yml": nil}})
}

func valueTexts(d *Diff) []string {
	texts := []string{}
	for _, v := range d.Values {
		texts = append(texts, v.text())
	}
	return texts
}

func TestValues(t *testing.T) {
	for name, c := range map[string]struct {
		old, now string
		want     []string
	}{
		"moved and quoted":          {"a: 1\nb: \"x\"\nc: [1, 2]\n", "# new\nc:\n- 0x1\n- 2\nb: 'x'\na: 1\n", nil},
		"another type":              {"a: 1\n", "a: \"1\"\n", []string{"a: 1 → \"1\""}},
		"nested":                    {"a: {b: {c: x}}\n", "a: {b: {c: y, d: z}}\n", []string{"a.b.c: x → y", "a.b.d: z (added)"}},
		"removed":                   {"a: x\nb: y\n", "b: y\n", []string{"a: x (removed)"}},
		"null is not absent":        {"a: null\n", "b: 1\n", []string{"b: 1 (added)", "a: null (removed)"}},
		"kind":                      {"a: [x]\n", "a: {x: 1}\n", []string{"a: [x] → {x: 1}"}},
		"an anchor written out":     {"x: &x {a: 1}\ny: *x\n", "x: {a: 1}\ny: {a: 1}\n", nil},
		"item added":                {"l: [a, b]\n", "l: [a, c, b]\n", []string{"l: c (added)"}},
		"item twice":                {"l: [a]\n", "l: [a, a]\n", []string{"l: a (added)"}},
		"another order":             {"l: [a, b]\n", "l: [b, a]\n", []string{"l: in another order"}},
		"item by its name":          {"l:\n- {name: x, v: 1}\n- {name: y, v: 2}\n", "l:\n- {name: y, v: 3}\n- {name: x, v: 1}\n", []string{"l.0.v: 2 → 3"}},
		"another name":              {"l:\n- {name: x, v: 1}\n", "l:\n- {name: z, v: 1}\n", []string{"l: {name: z, v: 1} (added)", "l: {name: x, v: 1} (removed)"}},
		"item without a name":       {"l:\n- {regex: a, exclusive: true}\n", "l:\n- {regex: b, exclusive: true}\n", []string{"l.0.regex: a → b"}},
		"secret by name":            {"token: zebra-one\n", "token: zebra-two-longer\n", []string{"token: changed (secret)"}},
		"secret added":              {"a: 1\n", "a: 1\npassword: zebra\n", []string{"password: added (secret)"}},
		"secret removed":            {"a: 1\npassword: zebra\n", "a: 1\n", []string{"password: removed (secret)"}},
		"secret in a URL":           {"uri: postgres://u:zebra1@db/x\n", "uri: postgres://u:zebra2@db/x\n", []string{"uri: changed (secret)"}},
		"secret in an added block":  {"a: 1\n", "a: 1\nb: {c: {password: zebra, d: 2}}\n", []string{"b: {c: {password: ********, d: 2}} (added)"}},
		"secret at another place":   {"a: 1\ntoken: zebra-one\n", "a: zebra-one\ntoken: zebra-one\n", []string{"a: 1 → ********"}},
		"old secret where none was": {"a: 1\nuri: postgres://u:zebra%2Done@db/x\n", "a: zebra-one\nuri: none\n", []string{"a: 1 → ********", "uri: changed (secret)"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := both("config/x.yaml", c.old, c.now)
			if diff := cmp.Diff(append([]string{}, c.want...), valueTexts(d)); diff != "" {
				t.Error(diff)
			}
			noSecret(t, d)
		})
	}
}

// noSecret looks for secrets in everything that a Diff can show.
func noSecret(t *testing.T, d *Diff) {
	t.Helper()
	for _, format := range Formats {
		var b bytes.Buffer
		if err := d.Write(&b, Options{Format: format, Color: true}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), planted) {
			t.Errorf("%s shows a secret:\n%s", format, &b)
		}
	}
}

// fences are the code blocks of a Markdown text.
var fences = regexp.MustCompile("(?ms)^(`{3,})[a-z]*\n.*?^`{3,}$")

const pemText = "-----BEGIN PRIVATE KEY-----\nzebraAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nzebraBBBBBBBBBBBBBBBBBBBBBBBBBBBB\n-----END PRIVATE KEY-----\n"

func TestLines(t *testing.T) {
	block := "  " + strings.ReplaceAll(strings.TrimSpace(pemText), "\n", "\n  ") + "\n"
	for name, c := range map[string]struct {
		path, old, now string
		hand           Hand
		want           []string
		note           string
	}{
		"a secret is only said to be another one": {
			path: "config/x.yaml", old: "a: 1\ntoken: zebra-one\n", now: "a: 1\ntoken: zebra-two\n",
			want: []string{"@@ -1,2 +1,2 @@", " a: 1", "-token: ********", "+token: ******** (changed)"},
		},
		"the length of a key is not told": {
			path: "config/x.yaml", old: "key: |\n" + block + "a: 1\n", now: "key: |\n" + strings.Replace(block, "  zebraB", "  zebraC\n  zebraD", 1) + "a: 1\n",
			want: []string{"@@ -1,2 +1,2 @@", "-key: ********", "+key: ******** (changed)", " a: 1"},
		},
		"a key in quotes": {
			path: "config/x.yaml", old: "key: \"zebra\n  zebra\n  zebra\"\na: 1\n", now: "key: \"zebra\n  zebra\"\na: 2\n",
			want: []string{"@@ -1,2 +1,2 @@", "-key: ********", "-a: 1", "+key: ******** (changed)", "+a: 2"},
		},
		"a comment that is not ours is not shown": {
			path: "config/x.yaml", old: "# zebra\na: 1 # zebra\n", now: "# Rendered\na: 1\n", hand: Edited,
			want: []string{"@@ -1,2 +1,2 @@", "-# …", "-a: 1", "+# Rendered", "+a: 1 (changed)"},
		},
		"prose that is not ours":  {path: "RUNBOOK.md", old: "one\nthe password is zebra\n", now: "one\n", hand: Edited, want: []string{"@@ -1,2 +1,1 @@", " one", "-********"}},
		"broken":                  {path: "config/x.yaml", old: "a: [zebra\n", now: "a: 1\n", hand: Edited, note: "no valid YAML, so that secrets in it cannot be told from the rest"},
		"binary":                  {path: "RUNBOOK.md", old: "\x00zebra", now: "one\n", hand: Edited, note: "no text"},
		"a secret as a whole":     {path: "secrets/x", old: "zebra-one", now: "zebra-two", note: "secret"},
		"a key file":              {path: "config/matrix/x.signing.key", old: pemText, now: "zebra", note: "secret"},
		"only the config hashes":  {path: "docker-compose.yml", old: "services: {a: {labels: {\n stackgen.config-hash: x}}}\n", now: "services: {a: {labels: {\n stackgen.config-hash: y}}}\n", note: "only the config hashes of its services"},
		"what both have is shown": {path: "config/x.yaml", old: "# Rendered\na: 1\n", now: "# Rendered\na: 2\n", hand: Edited, want: []string{"@@ -1,2 +1,2 @@", " # Rendered", "-a: 1", "+a: 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := Input{Old: Tree{"docker-compose.yml": []byte("services: {}\n")}, New: Tree{"docker-compose.yml": []byte("services: {}\n")}, Hand: map[string]Hand{c.path: c.hand}}
			in.Old[c.path], in.New[c.path] = []byte(c.old), []byte(c.now)
			d := New(in)
			if len(d.Files) != 1 {
				t.Fatalf("%d files", len(d.Files))
			}
			if diff := cmp.Diff(append([]string{}, c.want...), d.Files[0].Lines); diff != "" || d.Files[0].Note != c.note {
				t.Error(diff, d.Files[0].Note)
			}
			noSecret(t, d)
		})
	}
}

const composeHead = "name: x\nnetworks: {one: {}, two: {name: outside}}\nservices:\n"

func TestServices(t *testing.T) {
	const signal = "  signal: {image: \"dock.mau.dev/mautrix/signal:v1\", networks: [two], volumes: [\"./config/signal:/data\"], labels: {stackgen.config-hash: h1, a: b}}\n"
	for name, c := range map[string]struct {
		old, now string
		want     string
	}{
		"the same":             {signal, signal, ""},
		"image":                {signal, strings.Replace(signal, ":v1", ":v2", 1), "recreated image v1 → v2"},
		"another registry":     {signal, strings.Replace(signal, "dock.mau.dev", "mirror", 1), "recreated image dock.mau.dev/mautrix/signal:v1 → mirror/mautrix/signal:v1"},
		"config":               {signal, strings.Replace(signal, "h1", "h2", 1), "recreated config files: config/signal/config.yaml"},
		"label":                {signal, strings.Replace(signal, "a: b", "a: c, d: e", 1), "recreated label a, d"},
		"what is not hashed":   {signal, strings.Replace(signal, "{image", "{depends_on: [x], pull_policy: always, scale: 2, image", 1), ""},
		"replicas":             {signal, strings.Replace(signal, "{image", "{deploy: {replicas: 2}, image", 1), ""},
		"resources":            {signal, strings.Replace(signal, "{image", "{deploy: {replicas: 2, resources: {}}, image", 1), "recreated deploy"},
		"a key":                {signal, strings.Replace(signal, "{image", "{user: \"1:1\", image", 1), "recreated user"},
		"environment":          {signal, strings.Replace(signal, "{image", "{environment: {A: b}, image", 1), "recreated environment A"},
		"environment as list":  {signal, strings.Replace(signal, "{image", "{environment: [A=b], image", 1), "recreated environments"},
		"gone":                 {signal, "  other: {image: x}\n", "removed"},
		"new":                  {"  other: {image: x}\n", signal, "created image dock.mau.dev/mautrix/signal:v1"},
		"behind a profile now": {signal, strings.Replace(signal, "{image", "{profiles: [x], image", 1), "removed"},
		"never started":        {strings.Replace(signal, "{image", "{profiles: [x], image", 1), strings.Replace(signal, "{image", "{profiles: [y], image", 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := EffectsOf(Input{
				Old: Tree{"docker-compose.yml": []byte(composeHead + c.old), "config/signal/config.yaml": []byte("a: 1\n")},
				New: Tree{"docker-compose.yml": []byte(composeHead + c.now), "config/signal/config.yaml": []byte("a: 2\n")},
			})
			got := ""
			for _, s := range e.Services {
				if s.Name == "signal" {
					got = strings.TrimSpace(string(s.Action) + " " + strings.Join(s.Why, "; "))
				}
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	old := Tree{"docker-compose.yml": []byte(composeHead + signal)}
	for what, replace := range map[string][2]string{"network two": {"name: outside", "name: other"}, "project x → y": {"name: x", "name: y"}} {
		now := Tree{"docker-compose.yml": []byte(strings.Replace(composeHead+signal, replace[0], replace[1], 1))}
		if e := EffectsOf(Input{Old: old, New: now}); len(e.Services) != 1 || strings.Join(e.Services[0].Why, "") != what {
			t.Errorf("%s: %+v", what, e.Services)
		}
	}
}

// TestMarkdownIsShort: a comment that GitHub would refuse helps nobody, and one that says nothing of what it
// lacks misleads.
func TestMarkdownIsShort(t *testing.T) {
	in := Input{Old: Tree{"docker-compose.yml": []byte("services: {}\n")}, New: Tree{}}
	var services strings.Builder
	services.WriteString("services:\n")
	for i := range 500 {
		fmt.Fprintf(&services, "  service-%d: {image: \"x:%d\"}\n", i, i)
		in.Old[fmt.Sprintf("config/f%d.yaml", i)] = []byte("a: old\n")
		in.New[fmt.Sprintf("config/f%d.yaml", i)] = []byte("a: new\nb: " + strings.Repeat("ü|`", 2*i) + "\n")
	}
	in.New["docker-compose.yml"] = []byte(services.String())
	var b bytes.Buffer
	if err := New(in).Write(&b, Options{Format: "markdown"}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if b.Len() >= output.MaxMarkdown {
		t.Errorf("%d bytes", b.Len())
	}
	if !strings.Contains(text, "**Left out**, to stay below 60000 characters: ") || !strings.Contains(text, " files") {
		t.Error(text[len(text)-400:])
	}
	if open, closed := strings.Count(text, "<details>"), strings.Count(text, "</details>"); open != closed {
		t.Errorf("%d details are opened and %d closed", open, closed)
	}
	if strings.Index(text, "| service |") > 300 {
		t.Error("the table does not come first")
	}
}

// The lines that sum up stay lines of their own at a terminal, however narrow it is.
func TestTextIsWrappedLineByLine(t *testing.T) {
	d := New(Input{
		Old: Tree{"docker-compose.yml": []byte("services: {a: {image: x}, b: {image: y}}\n"), "config/a.yaml": []byte("x: 1\nz: 1\n"), "config/b.yaml": []byte("x: 1\n")},
		New: Tree{"docker-compose.yml": []byte("services: {a: {image: y}, c: {image: y}}\n"), "config/a.yaml": []byte("x: 2\ny: 1\n"), "config/c.yaml": []byte("x: 1\n")},
	})
	for _, width := range []int{0, 30, 60, 100} {
		var b bytes.Buffer
		if err := d.Write(&b, Options{Format: "text", Summary: true, Width: width}); err != nil {
			t.Fatal(err)
		}
		for _, lead := range []string{"\n\n1 service recreated", "\nfiles: 1 added", "\nvalues: "} {
			if !strings.Contains(b.String(), lead) {
				t.Errorf("at %d columns no line begins with %q:\n%s", width, strings.TrimSpace(lead), &b)
			}
		}
		for line := range strings.Lines(b.String()) {
			if width > 0 && output.Width(strings.TrimRight(line, "\n")) > max(width, 36) {
				t.Errorf("at %d columns a line is longer: %q", width, line)
			}
		}
	}
}

// TestHostileContent: whatever stands in a file, it stays in its place.
func TestHostileContent(t *testing.T) {
	evil := "x: \"```\\n</details>\\n# heading @all\\r\\n::error::pwned\\n##[command] \\x1b[31m\"\n~~~~: \"````````\"\n::error::a: b\n"
	d := New(Input{
		Old: Tree{"docker-compose.yml": []byte("services: {\"a|b<script>\": {image: x}}\n"), "config/``` |</summary>.yaml": []byte("x: 1\n")},
		New: Tree{"docker-compose.yml": []byte("services: {\"a|b<script>\": {image: y}}\n"), "config/``` |</summary>.yaml": []byte(evil)},
	})
	d.Spec, d.From, d.To = "a\n::error::b|<b>.yaml", "x", "y"
	for _, format := range Formats {
		var b bytes.Buffer
		if err := d.Write(&b, Options{Format: format}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if strings.ContainsAny(text, "\x1b\r") || strings.Contains(text, "##[") {
			t.Errorf("%s lets a control sequence through:\n%s", format, text)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(strings.TrimSpace(line), "::error") {
				t.Errorf("%s lets a command through: %s", format, line)
			}
		}
		switch format {
		case "json":
			if err := json.Unmarshal(b.Bytes(), &Diff{}); err != nil {
				t.Error(err)
			}
		case "markdown":
			outside := fences.ReplaceAllString(text, "")
			if strings.Contains(outside, "<script>") || strings.Contains(outside, "# heading") || strings.Count(outside, "</details>") != strings.Count(outside, "<details>") {
				t.Errorf("content breaks out:\n%s", outside)
			}
		}
	}
}

func FuzzDiff(f *testing.F) {
	for _, seed := range [][2]string{
		{"a: 1\n", "a: 2\n"},
		{"l: [a, b]\ntoken: zebra-zebra\n", "l: [b, a]\n# zebra-zebra\nx: zebra-zebra\n"},
		{"key: |\n  " + strings.ReplaceAll(pemText, "\n", "\n  ") + "\n", "key: \"a\n\n b\"\nb: >-\n  x\n"},
		{composeHead + "  a: {image: x, labels: [a=b]}\n", composeHead + "  a: &x {image: y, labels: {a: c}}\n  b: *x\n"},
		{"uri: postgres://u:zebra-zebra@h/db\n", "? [a, b]\n: c\n1: x\n\"1\": y\n<<: {z: 1}\n"},
		{"- {id: 1, v: 1}\n- {id: 2}\n- 0x10\n", "- 16\n- {id: 2, v: .nan}\n- {id: 1}\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, old, now string) {
		in := Input{
			Old:  Tree{"docker-compose.yml": []byte(old), "config/a.yaml": []byte(old), "README.md": []byte(old)},
			New:  Tree{"docker-compose.yml": []byte(now), "config/a.yaml": []byte(now), "README.md": []byte(now)},
			Hand: map[string]Hand{"config/a.yaml": Edited, "README.md": Edited},
		}
		d := New(in)
		if (old == now) != d.Empty() {
			t.Errorf("%d files", len(d.Files))
		}
		for _, format := range Formats {
			if err := d.Write(new(bytes.Buffer), Options{Format: format, Color: true}); err != nil {
				t.Fatal(err)
			}
		}
		a, badA := finding.Parse("a.yaml", []byte(old))
		b, badB := finding.Parse("a.yaml", []byte(now))
		if len(badA)+len(badB) > 0 || !keyed(a) || !keyed(b) {
			return
		}
		if equal := a.Root().Equal(b.Root()); equal != (len(d.Values) == 0) {
			t.Errorf("equal: %v, but the values are %v", equal, valueTexts(d))
		}
		var shown strings.Builder
		for _, v := range d.Values {
			fmt.Fprintln(&shown, v.Key, v.Old, v.New)
		}
		for _, file := range d.Files {
			if file.Path != "README.md" { // prose has no places that are known to be secret
				fmt.Fprintln(&shown, strings.Join(file.Lines, "\n"))
			}
		}
		for _, s := range append(a.Secrets(), b.Secrets()...) {
			s = strings.TrimSpace(s)
			if len(s) >= 12 && !strings.ContainsAny(s, "\n*") && strings.Contains(shown.String(), s) {
				t.Errorf("the secret %q is shown:\n%s", s, &shown)
			}
		}
	})
}

func keyed(f *source.File) bool {
	kind := f.Root().Kind()
	return kind == source.Mapping || kind == source.Sequence
}
