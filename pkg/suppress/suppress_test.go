package suppress

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// stack is a deployment of some files; all but those called unread were read.
func stack(files map[string]string) *deployment.Deployment {
	var all []memfs.File
	for name, text := range files {
		all = append(all, memfs.File{Path: name, Data: []byte(text)})
	}
	d := deployment.New(memfs.New(all), false)
	for name, text := range files {
		if !strings.Contains(name, "unread") {
			f, _ := finding.Parse(name, []byte(text))
			d.Add(name, f)
		}
	}
	d.File = "compose.yaml"
	return d
}

func at(rule string, places ...string) finding.Finding {
	f := finding.Finding{Rule: rule, Severity: finding.Error, Message: "it is so"}
	for _, p := range places {
		name, line, _ := strings.Cut(p, ":")
		site := source.Site{Pos: source.Pos{File: name}}
		_, _ = fmt.Sscan(line, &site.Line)
		f.Sites = append(f.Sites, site)
	}
	return f
}

func TestApply(t *testing.T) {
	const today = "2026-11-26"
	for _, tt := range []struct {
		name     string
		files    map[string]string
		config   string
		findings []finding.Finding
		unsure   bool
		want     string // what is suppressed and how, then what is said about comments and entries, a line each
	}{
		{
			"the line itself",
			map[string]string{"compose.yaml": "a: b # stackgen:ignore yaml it is so\n"},
			"",
			[]finding.Finding{at("yaml", "compose.yaml:1")},
			false, "comment: it is so",
		},
		{
			"another line and another rule",
			map[string]string{"compose.yaml": "a: b # stackgen:ignore yaml x\nc: d\n"},
			"",
			[]finding.Finding{at("yaml", "compose.yaml:2"), at("bridge-msc4190", "compose.yaml:1")},
			false,
			"compose.yaml:1:6: the comment suppresses nothing: yaml has no finding here",
		},
		{
			"any place of the finding",
			map[string]string{"compose.yaml": "a: b\n", "x.yaml": "# stackgen:ignore yaml x\na: b\n"},
			"",
			[]finding.Finding{at("yaml", "compose.yaml:1", "x.yaml:2")},
			false, "comment: x",
		},
		{
			"a file that was not read as one of the deployment",
			map[string]string{"compose.yaml": "a: b\n", "unread.sql": "-- stackgen:ignore yaml x\nSELECT;\n"},
			"",
			[]finding.Finding{at("yaml", "unread.sql:2")},
			false, "comment: x",
		},
		{
			"a file that is gone", map[string]string{"compose.yaml": "a: b\n"}, "", []finding.Finding{at("yaml", "gone.yaml:2"), at("yaml")}, false, "",
		},
		{
			"no reason",
			map[string]string{"compose.yaml": "a: b # stackgen:ignore yaml\n"},
			"",
			[]finding.Finding{at("yaml", "compose.yaml:1")},
			false, "comment: \ncompose.yaml:1:6: the comment gives no reason",
		},
		{
			"one rule of two",
			map[string]string{"compose.yaml": "a: b # stackgen:ignore yaml,bridge-msc4190,servr-name-agrees x\n"},
			"",
			[]finding.Finding{at("yaml", "compose.yaml:1")},
			false,
			"comment: x\ncompose.yaml:1:6: there is no rule \"servr-name-agrees\"\ncompose.yaml:1:6: the comment suppresses nothing: bridge-msc4190 has no finding here",
		},
		{
			"no rule", map[string]string{"compose.yaml": "a: b # stackgen:ignore\n"}, "", nil, false, "compose.yaml:1:6: the comment names no rule",
		},
		{
			"a rule that may find more", map[string]string{"compose.yaml": "a: b # stackgen:ignore yaml x\n"}, "ignore: [{rule: yaml, reason: x}]", nil, true, "",
		},
		{
			"an entry for all files",
			map[string]string{"compose.yaml": ""},
			"ignore: [{rule: yaml, reason: it is so}]",
			[]finding.Finding{at("yaml", "compose.yaml:1"), at("yaml"), at("bridge-msc4190")},
			false, ".stackgen.yaml: it is so\n.stackgen.yaml: it is so",
		},
		{
			"an entry for one",
			map[string]string{"compose.yaml": ""},
			"ignore: [{rule: yaml, path: config/*, reason: x}]",
			[]finding.Finding{at("yaml", "compose.yaml:1"), at("yaml"), at("yaml", "compose.yaml:1", "config/a:3")},
			false, ".stackgen.yaml: x",
		},
		{
			"the last day", map[string]string{"compose.yaml": ""}, "ignore: [{rule: yaml, until: " + today + ", reason: x}]", []finding.Finding{at("yaml", "a:1")}, false, ".stackgen.yaml: x",
		},
		{
			"the day after",
			map[string]string{"compose.yaml": ""},
			"ignore: [{rule: yaml, until: 2026-11-25, reason: x}]",
			[]finding.Finding{at("yaml", "a:1")},
			false,
			".stackgen.yaml:1:23: the entry on yaml ended on 2026-11-25",
		},
		{
			"an entry for nothing",
			map[string]string{"compose.yaml": ""},
			"ignore: [{rule: yaml, path: b, reason: x}]",
			[]finding.Finding{at("yaml", "a:1")},
			false,
			".stackgen.yaml:1:10: the entry suppresses nothing: yaml has no finding in a file that path names",
		},
		{
			"both", map[string]string{"compose.yaml": "a: b # stackgen:ignore yaml x\n"}, "ignore: [{rule: yaml, reason: y}]", []finding.Finding{at("yaml", "compose.yaml:1")}, false, "comment: x",
		},
		{
			"a secret in the reason",
			map[string]string{"compose.yaml": "password: hunter2hunter2\nb: c # stackgen:ignore yaml hunter2hunter2 and token=abcdefabcdef\n"},
			"",
			[]finding.Finding{at("yaml", "compose.yaml:2")},
			false, "comment: " + source.Masked + " and token=" + source.Masked,
		},
		{
			"itself", map[string]string{"compose.yaml": "a: b\n"}, "", []finding.Finding{at(Rule, "compose.yaml:1")}, false, "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Findings: tt.findings, Deployment: stack(tt.files), Known: known, Today: today, Unsure: func(string) bool { return tt.unsure }}
			if tt.config != "" {
				var problems []finding.Finding
				if in.Config, problems = Parse(Name, []byte(tt.config), known); len(problems) > 0 {
					t.Fatal(problems)
				}
			}
			rest, suppressed := Apply(in)
			var got []string
			for _, f := range suppressed {
				got = append(got, f.Suppression.By.String()+": "+f.Suppression.Reason)
			}
			left := len(tt.findings) - len(suppressed)
			for _, f := range rest[left:] {
				message, _, _ := strings.Cut(f.Message, ";")
				got = append(got, f.Pos().String()+": "+message)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Error("(-want +got)\n" + diff)
			}
			for _, f := range rest {
				if f.Suppression != nil {
					t.Errorf("%s is left and suppressed", f.Rule)
				}
			}
		})
	}
}

// Of a finding about several things, what is answered for one leaves the others.
func TestApplyInPart(t *testing.T) {
	var several func(lines ...int) finding.Finding
	several = func(lines ...int) finding.Finding {
		f := at("yaml")
		f.Message = fmt.Sprint(lines)
		for _, line := range lines {
			f.Sites = append(f.Sites, source.Site{Pos: source.Pos{File: "compose.yaml", Line: line}})
		}
		f.Some = func(wanted func([]source.Site) bool) (finding.Finding, bool) {
			var some []int
			for i, line := range lines {
				if wanted(f.Sites[i : i+1]) {
					some = append(some, line)
				}
			}
			if len(some) == 0 {
				return finding.Finding{}, false
			}
			return several(some...), true
		}
		return f
	}
	for _, tt := range []struct{ name, compose, config, suppressed, rest string }{
		{"one of three", "a: b\nc: d # stackgen:ignore yaml x\ne: f\n", "", "[2]", "[1 3] stack.yaml"},
		{"all", "a: b # stackgen:ignore yaml x\nc: d # stackgen:ignore yaml y\ne: f # stackgen:ignore yaml z\n", "", "[1 2 3]", ""},
		{"none", "a: b\nc: d\ne: f\n", "", "", "[1 2 3] stack.yaml"},
		{"an entry for the file", "a: b\nc: d\ne: f\n", "ignore: [{rule: yaml, path: compose.yaml, reason: x}]", "[1 2 3]", ""},
		{"an entry for another", "a: b\nc: d\ne: f\n", "ignore: [{rule: yaml, path: stack.yaml, reason: x}]", "[1 2 3]", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := several(1, 2, 3)
			f.Sites = append(f.Sites, source.Site{Pos: source.Pos{File: "stack.yaml", Line: 7}})
			in := Input{Findings: []finding.Finding{f}, Deployment: stack(map[string]string{"compose.yaml": tt.compose}), Known: known, Unsure: func(string) bool { return false }}
			if tt.config != "" {
				in.Config, _ = Parse(Name, []byte(tt.config), known)
			}
			rest, suppressed := Apply(in)
			say := func(fs []finding.Finding) string {
				var said []string
				for _, f := range fs {
					said = append(said, f.Message)
					if n := len(f.Sites); f.Sites[n-1].File == "stack.yaml" && f.Suppression == nil {
						said = append(said, "stack.yaml")
					}
				}
				return strings.Join(said, " ")
			}
			if got := say(suppressed); got != tt.suppressed {
				t.Errorf("suppressed is %q, want %q", got, tt.suppressed)
			}
			if got := say(rest); got != tt.rest {
				t.Errorf("left is %q, want %q", got, tt.rest)
			}
		})
	}
}

// Of a stack that could not be read nothing is suppressed: there would be nothing left to see.
func TestApplyToNothing(t *testing.T) {
	d := stack(map[string]string{"compose.yaml": "a: b # stackgen:ignore yaml x\n"})
	d.File = ""
	rest, suppressed := Apply(Input{Findings: []finding.Finding{at("yaml", "compose.yaml:1")}, Deployment: d, Known: known})
	if len(rest) != 1 || len(suppressed) != 0 {
		t.Errorf("left %v, suppressed %v", rest, suppressed)
	}
}

// Where .stackgen.yaml lies elsewhere than the files, its patterns begin there.
func TestRelative(t *testing.T) {
	for _, tt := range []struct{ config, file, want string }{
		{".stackgen.yaml", "a/b.yaml", "a/b.yaml"},
		{"deploy/.stackgen.yaml", "deploy/a/b.yaml", "a/b.yaml"},
		{"deploy/.stackgen.yaml", "b.yaml", "../b.yaml"},
		{"x/deploy/.stackgen.yaml", "../b.yaml", "../../../b.yaml"},
	} {
		c, _ := Parse(tt.config, nil, known)
		if got := (Input{Config: c}).relative(tt.file); got != tt.want {
			t.Errorf("%s seen from %s is %q, want %q", tt.file, tt.config, got, tt.want)
		}
	}
	c, _ := Parse("family/.stackgen.yaml", nil, known)
	in := Input{Config: c, Spec: &source.File{Path: "family/stack.yaml"}}
	if in.relative("family/stack.yaml") != "stack.yaml" || in.relative("config/a.yaml") != "config/a.yaml" {
		t.Error("a spec and what is rendered from it are not seen from the directory of each")
	}
}

func TestBaseline(t *testing.T) {
	const report = `{"dir": "deploy", "findings": [
		{"rule": "yaml", "message": "it is so", "sites": [{"file": "deploy/a.yaml", "line": 3}]},
		{"rule": "yaml", "message": "it is so", "sites": [{"file": "deploy/a.yaml", "line": 9}]},
		{"rule": "yaml", "message": "it is so", "sites": []},
		{"rule": "yaml", "message": "it is so", "sites": [{"file": "x.yaml"}]}
	], "suppressed": [{"rule": "bridge-msc4190", "message": "it is so", "sites": [{"file": "deploy/a.yaml"}]}]}`
	b, err := ParseBaseline("old.json", []byte(report))
	if err != nil {
		t.Fatal(err)
	}
	rest, had := b.Apply([]finding.Finding{
		at("yaml", "/srv/a.yaml:17"), at("yaml", "/srv/a.yaml:18"), at("yaml", "/srv/a.yaml:19"), at("yaml"), at("yaml"), at("yaml", "/x.yaml:1"),
		at("bridge-msc4190", "/srv/a.yaml:1"), at("yaml", "/srv/b.yaml:1"),
	}, "/srv")
	if len(rest) != 4 || len(had) != 4 || rest[0].Pos().Line != 19 {
		t.Errorf("new are %v, old are %v", rest, had)
	}
	if s := had[0].Suppression; s.By != finding.Baseline || s.At.File != "old.json" || s.Reason == "" {
		t.Errorf("the suppression is %+v", s)
	}
	for _, src := range []string{"", "{}", "[]", "null", `{"findings": null}`, `{"findings": {}}`, "x", `{"findings": [{"rule": 1}]}`, strings.Repeat(" ", source.MaxSize) + `{"findings": []}`} {
		if _, err := ParseBaseline("x", []byte(src)); err == nil {
			t.Errorf("%.20q is a baseline", src)
		}
	}
}
