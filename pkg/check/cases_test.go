package check_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/report"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// A file testdata/rules/ID.txtar holds the cases of one rule, each as the edits that make it of a whole
// stack without findings. A section is called "bad: NAME", followed by "want: NAME" with what is printed,
// or "good: NAME", which is silent. Its lines are:
//
//	tree hand-kept           the stack to begin with, testdata/hand-kept.txtar; those that stacks renders, too, and without this line it is phil-app
//	config/mas/config.yaml   the file that the following hunks change
//	 context                 lines as in a diff: old ones begin with a blank or -, new ones with a blank or +
//	-old                     and the old ones stand exactly once in the file. A blank line ends a hunk.
//	+new                     A file that does not exist is made of the new lines.
//	delete PATH              removes the file
//	mode 0644 PATH           changes the mode of a file
//	owner 1000:1000 PATH     gives the file to a user and group
type ruleCase struct {
	rule, kind, name, edits, want string
}

// planted or plantedHex is part of every secret in the tree kept by hand.
const (
	planted    = "zebra"
	plantedHex = "decafbad"
)

// placeholder is part of most secrets in the rendered tree.
const placeholder = "PLACEHOLDER"

func readCases(t testing.TB) []ruleCase {
	t.Helper()
	files, err := filepath.Glob("testdata/rules/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var cases []ruleCase
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rule := strings.TrimSuffix(filepath.Base(file), ".txtar")
		for i, f := range ar.Files {
			kind, name, ok := strings.Cut(f.Name, ": ")
			switch {
			case kind == "want" && i > 0 && ar.Files[i-1].Name == "bad: "+name:
				cases[len(cases)-1].want = string(f.Data)
			case ok && (kind == "bad" || kind == "good"):
				cases = append(cases, ruleCase{rule: rule, kind: kind, name: name, edits: string(f.Data)})
			default:
				t.Fatalf("%s: %q is neither bad, good, nor the want of the bad one before", file, f.Name)
			}
		}
	}
	return cases
}

// stack is a whole tree to begin with, and what is found in it already.
type stack struct {
	tree  fstest.MapFS
	known map[string]bool
	read  *deployment.Deployment
}

var stacks = map[string]func() stack{
	"rendered":     sync.OnceValue(func() stack { return newStack(renderedTree("../../examples/phil-app/stack.yaml")) }),
	"calls":        sync.OnceValue(func() stack { return newStack(renderedTree("../render/testdata/specs/calls/stack.yaml")) }),
	"caddy":        sync.OnceValue(func() stack { return newStack(renderedWith(mutated[3].spec, mutated[3].old, mutated[3].new)) }),
	"nginx":        sync.OnceValue(func() stack { return newStack(renderedWith(mutated[5].spec, mutated[5].old, mutated[5].new)) }),
	"caddy-labels": sync.OnceValue(func() stack { return newStack(renderedWith(mutated[4].spec, mutated[4].old, mutated[4].new)) }),
	"bots":         sync.OnceValue(func() stack { return newStack(renderedWith(mutated[2].spec, mutated[2].old, mutated[2].new)) }),
	"full":         sync.OnceValue(func() stack { return newStack(renderedTree("../../examples/full/stack.yaml")) }),
	"family":       sync.OnceValue(func() stack { return newStack(renderedWith(mutated[1].spec, mutated[1].old, mutated[1].new)) }),
	"own-login":    sync.OnceValue(func() stack { return newStack(renderedTree("../render/testdata/specs/own-login/stack.yaml")) }),
	"hand-kept":    sync.OnceValue(func() stack { return newStack(treeOf("hand-kept")) }),
	"workers":      sync.OnceValue(func() stack { return newStack(treeOf("workers")) }),
	"kubernetes":   sync.OnceValue(func() stack { return newStack(treeOf("kubernetes")) }),
	"club":         sync.OnceValue(func() stack { return newStack(renderedTree("../../examples/club/stack.yaml")) }),
	"appservices":  sync.OnceValue(func() stack { return newStack(treeOf("appservices")) }),
}

// opened reads what a tree holds: a project of Compose, or manifests.
func opened(tree fs.FS) (*deployment.Deployment, []finding.Finding) {
	if d, findings := compose.Open(tree); d.File != "" || !kubernetes.Has(tree) {
		return d, findings
	}
	return kubernetes.Open(tree)
}

func newStack(tree fstest.MapFS) stack {
	s := stack{tree: tree, known: make(map[string]bool)}
	s.read, _ = opened(tree)
	findings, _ := check.Run(s.read, composego.Judge)
	for _, f := range findings {
		s.known[f.Rule+f.Message] = true
	}
	return s
}

func treeOf(name string) fstest.MapFS {
	tree := filesOf(txtar.Parse(mustRead("testdata/" + name + ".txtar")))
	delete(tree, "want")
	return tree
}

// renderedTree is what comes of a spec, with placeholder secrets.
func renderedTree(path string) fstest.MapFS { return renderedWith(path, "", "") }

// renderedWith is the same for a spec in which something else stands.
func renderedWith(path, old, replacement string) fstest.MapFS {
	text := string(mustRead(path))
	if !strings.Contains(text, old) {
		panic(fmt.Sprintf("%s does not hold %q", path, old))
	}
	s, findings := spec.Parse("stack.yaml", []byte(strings.Replace(text, old, replacement, 1)))
	if s == nil {
		panic(fmt.Sprint(findings))
	}
	set := secret.Placeholders(render.Needs(s))
	st := render.Resolve(s, set, "/srv/matrix")
	st.Files, _ = prove.Copies(s, ".", func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(path), name)) })
	b, err := render.Render(s, st, set.Get)
	if err != nil {
		panic(err)
	}
	tree := make(fstest.MapFS)
	for _, f := range b.Files {
		if f.Data == nil {
			tree[f.Path] = &fstest.MapFile{Mode: fs.ModeDir | 0o700}
		} else {
			tree[f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o600, Sys: memfs.Owner{UID: f.UID, GID: f.GID}}
		}
		if f.UID < 0 {
			tree[f.Path].Sys = nil
		}
	}
	return tree
}

func mustRead(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return data
}

// build makes the tree of a case, and gives the stack that it began with.
func (c ruleCase) build(t testing.TB) (fstest.MapFS, stack) {
	t.Helper()
	base := stacks["rendered"]()
	edits := c.edits
	if rest, named := strings.CutPrefix(edits, "tree "); named {
		name, rest, _ := strings.Cut(rest, "\n")
		base, edits = stacks[name](), rest
	}
	tree := maps.Clone(base.tree)
	var file string
	var before, after []string
	flush := func() {
		if len(before)+len(after) > 0 {
			change(t, tree, file, strings.Join(before, ""), strings.Join(after, ""))
		}
		before, after = nil, nil
	}
	for line := range strings.Lines(edits) {
		switch {
		case line == "\n":
			flush()
		case line[0] == ' ' || line[0] == '-' || line[0] == '+':
			if line[0] != '+' {
				before = append(before, line[1:])
			}
			if line[0] != '-' {
				after = append(after, line[1:])
			}
		default:
			flush()
			file = directive(t, tree, strings.Fields(line))
		}
	}
	flush()
	if c.rule != "compose-config-hash" {
		rehash(tree)
	}
	return tree, base
}

// rehash makes the labels those of the edited files, as rendering would.
func rehash(tree fstest.MapFS) {
	const name = "docker-compose.yml"
	f := tree[name]
	if f == nil || !bytes.Contains(f.Data, []byte(confighash.Label)) {
		return
	}
	compose, _ := source.Parse(name, f.Data)
	data := f.Data
	for service, v := range compose.At("services").Entries() {
		if old := v.At("labels", confighash.Label).Str(); old != "" {
			if sum, err := confighash.Of(tree, confighash.Reads(compose, service.Str()), nil); err == nil {
				data = bytes.ReplaceAll(data, []byte(old), []byte(sum))
			}
		}
	}
	tree[name] = &fstest.MapFile{Data: data, Mode: f.Mode, Sys: f.Sys}
}

func change(t testing.TB, tree fstest.MapFS, file, before, after string) {
	t.Helper()
	f := tree[file]
	if f == nil {
		f = &fstest.MapFile{Mode: 0o600}
	}
	data := string(f.Data)
	whole := data == "" || strings.HasSuffix(data, "\n") // a secret has no line break at its end
	if !whole {
		data += "\n"
	}
	if before != "" {
		if n := strings.Count("\n"+data, "\n"+before); n != 1 {
			t.Fatalf("these lines stand %d times in %s:\n%s", n, file, before)
		}
		after = strings.TrimPrefix(strings.Replace("\n"+data, "\n"+before, "\n"+after, 1), "\n")
	} else if data != "" {
		t.Fatalf("a hunk of %s has no old lines:\n%s", file, after)
	}
	if !whole {
		after = strings.TrimSuffix(after, "\n")
	}
	tree[file] = &fstest.MapFile{Data: []byte(after), Mode: f.Mode, Sys: f.Sys}
}

// directive carries out a line that is no part of a hunk, and gives the file that it names.
func directive(t testing.TB, tree fstest.MapFS, words []string) string {
	t.Helper()
	file := words[len(words)-1]
	f := tree[file]
	if info, err := tree.Stat(file); f == nil && err == nil && info.IsDir() {
		f = &fstest.MapFile{Mode: os.ModeDir | 0o755}
	}
	if f == nil && len(words) > 1 {
		t.Fatalf("there is no %s", file)
	}
	switch {
	case len(words) == 1:
	case words[0] == "delete" && len(words) == 2:
		delete(tree, file)
	case words[0] == "mode" && len(words) == 3:
		mode, err := strconv.ParseUint(words[1], 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		tree[file] = &fstest.MapFile{Data: f.Data, Mode: f.Mode&^0o777 | os.FileMode(mode), Sys: f.Sys}
	case words[0] == "owner" && len(words) == 3:
		var uid, gid int
		if _, err := fmt.Sscanf(words[1], "%d:%d", &uid, &gid); err != nil {
			t.Fatal(err)
		}
		tree[file] = &fstest.MapFile{Data: f.Data, Mode: f.Mode, Sys: owned(uid, gid)}
	default:
		t.Fatalf("unknown line %q", strings.Join(words, " "))
	}
	return file
}

// caused are the findings that the stack does not have: those that the edits of a case bring about.
func (s stack) caused(findings []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(findings, func(f finding.Finding) bool { return s.known[f.Rule+f.Message] })
}

// printed is what the command prints of the findings, without the last line, which counts them.
func printed(t testing.TB, findings []finding.Finding) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, findings, report.Summary{}, report.Options{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimRight(b.String(), "\n")
	return text[:strings.LastIndexByte(text, '\n')+1]
}

// Every bad case trips its rule and no other, and prints what stands below it; every good case, which is the
// same thing where it is allowed, is silent. Every rule has both. A finding with edits is gone once they are made.
func TestRuleCases(t *testing.T) {
	tried, wants := make(map[string]bool), make(map[string]string) // by kind and rule, by rule and name
	var mends mendCensus
	for _, c := range readCases(t) {
		if _, ok := check.Find(c.rule); !ok {
			t.Errorf("testdata/rules/%s.txtar: there is no such rule", c.rule)
		}
		again := tried[c.kind+" "+c.rule]
		tried[c.kind+" "+c.rule] = true
		if c.kind == "bad" {
			mends.cases++
		}
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			if fixture.Race && again {
				t.Skip("skipped: the race detector sees one good and one bad case of each rule; make test runs all")
			}
			tree, base := c.build(t)
			all := run(t, tree)
			if c.kind == "bad" {
				mends.hold(t, c.rule, tree, all)
			}
			for _, f := range all {
				holdSome(t, f)
			}
			findings := base.caused(all)
			// An older Synapse is that to every rule.
			findings = slices.DeleteFunc(findings, func(f finding.Finding) bool {
				return f.Rule == "synapse-known-vulnerabilities" && f.Rule != c.rule
			})
			for _, f := range findings {
				if c.kind == "good" || f.Rule != c.rule {
					t.Errorf("found: %s %s: %s [%s]", f.Severity, f.Pos(), f.Message, f.Rule)
				}
			}
			if c.kind == "bad" && len(findings) == 0 {
				t.Error("nothing was found")
			}
			got := printed(t, findings)
			if wants[c.rule+c.name] = got; !*update && c.kind == "bad" {
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("printed (-want +got); make generate writes it anew:\n%s", diff)
				}
			}
		})
	}
	for _, r := range check.Rules {
		for _, kind := range []string{"bad", "good"} {
			if !tried[kind+" "+r.ID] {
				t.Errorf("%s has no %s case; write testdata/rules/%s.txtar", r.ID, kind, r.ID)
			}
		}
	}
	mends.report(t)
	if *update && !t.Failed() {
		writeWants(t, wants)
	}
}

func writeWants(t *testing.T, wants map[string]string) {
	t.Helper()
	files, _ := filepath.Glob("testdata/rules/*.txtar")
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rule := strings.TrimSuffix(filepath.Base(file), ".txtar")
		var out []txtar.File
		for _, f := range ar.Files {
			kind, name, _ := strings.Cut(f.Name, ": ")
			want, ran := wants[rule+name]
			if kind == "want" && ran {
				continue
			}
			out = append(out, f)
			if kind == "bad" && ran {
				out = append(out, txtar.File{Name: "want: " + name, Data: []byte(want)})
			}
		}
		ar.Files = out
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
