package compare_test

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/source"
)

// change is one scalar of one file as another value, or without its line.
type change struct {
	file, key, what string
	line            int // 0 where the file is one value
	text            string
}

// in makes the change in a text, which may have others in other lines.
func (c change) in(data string) string {
	if c.line == 0 {
		return c.text
	}
	lines := strings.SplitAfter(data, "\n")
	lines[c.line-1] = c.text
	return strings.Join(lines, "")
}

// rounds is in how many parts the changes are tried.
const rounds = 40

// changes are all that one can make in a tree: a boolean is flipped, a number raised, a text gets a letter more.
func changes(tree fstest.MapFS) (all []change) {
	for _, name := range names(tree) {
		data := string(tree[name].Data)
		f := parsed(name, tree[name].Data)
		if f == nil {
			at := strings.LastIndexFunc(data, func(r rune) bool { return r > ' ' })
			if at < 0 || path.Ext(name) == ".md" || name == ".gitignore" {
				continue
			}
			with := "x"
			if data[at] == 'x' {
				with = "y"
			}
			all = append(all, change{name, "", "has another last letter", 0, data[:at] + with + data[at+1:]})
			continue
		}
		lines := strings.SplitAfter(data, "\n")
		var walk func(v source.Value)
		walk = func(v source.Value) {
			for _, item := range v.Items() {
				walk(item)
			}
			for _, val := range v.Entries() {
				walk(val)
			}
			if v.Kind() != source.Scalar {
				return
			}
			pos := v.Pos()
			line := lines[pos.Line-1]
			lead := string([]rune(line)[:pos.Col-1])
			rest := line[len(lead):]
			with, size := "", len(v.Str())
			if b, ok := v.Bool(); ok {
				with = strconv.FormatBool(!b)
			} else if n, ok := v.Int(); ok && v.Plain() {
				with = strconv.Itoa(n + 1)
			} else if v.Plain() {
				with = v.Str() + "x"
			} else {
				with, size = rest[:1]+"x", 1
			}
			all = append(all, change{name, v.Path(), "is another value", pos.Line, lead + with + rest[size:]})
		}
		walk(f.Root())
	}
	return all
}

func parsed(name string, data []byte) *source.File {
	if slices.Contains([]string{".yaml", ".yml", ".json", ".config"}, path.Ext(name)) {
		f, _ := source.Parse(name, data)
		return f
	}
	return nil
}

// Whatever is changed is in the list, with its place: each scalar of each document in turn, of a rendered stack and of those
// that people keep. Only the old side is another one: what import has not taken over.
func TestNothingIsMissed(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: a thousand comparisons take too long under the race detector; TestPlanted and TestForeign run the same code")
	}
	tree := rendered(t, "phil-app")
	t.Run("rendered", func(t *testing.T) { missed(t, tree, nil, open(tree), 700) })
	all, err := fixture.Read("../../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if !slices.Contains([]string{"reference", "mas-labels-list", "nginx"}, f.Name) {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			missed(t, f.Forms[0].Tree, f.Files, imported(t, open(f.Forms[0].Tree, f.Files...)), 30)
		})
	}
}

func missed(t *testing.T, tree fstest.MapFS, files []string, ours *deployment.Deployment, least int) {
	t.Helper()
	all := changes(tree)
	base := open(tree, files...)
	before := said(compare.Deployments(base, ours))
	var alone []change
	// Many at a time, few enough that seldom one hides another; those that are not told then are looked at alone.
	for round := range rounds {
		var now []change
		other := maps.Clone(tree)
		for i, c := range all {
			if i%rounds != round {
				continue
			}
			now = append(now, c)
			other[c.file] = &fstest.MapFile{Data: []byte(c.in(string(other[c.file].Data))), Mode: 0o600}
		}
		found := compare.Deployments(reopen(other, files, base), ours)
		for _, c := range now {
			if !slices.ContainsFunc(found.Differences, c.told) {
				alone = append(alone, c)
			}
		}
	}
	for _, c := range alone {
		other := maps.Clone(tree)
		other[c.file] = &fstest.MapFile{Data: []byte(c.in(string(tree[c.file].Data))), Mode: 0o600}
		if found := compare.Deployments(reopen(other, files, base), ours); said(found) == before && !slices.ContainsFunc(found.Differences, c.told) {
			t.Errorf("%s#%s %s, and nothing tells", c.file, c.key, c.what)
		}
	}
	if len(all) < least {
		t.Errorf("only %d changes were tried", len(all))
	}
	t.Logf("%d changes, %d of them looked at alone", len(all), len(alone))
}

// said is all that a comparison says.
func said(r *compare.Result) string {
	var b strings.Builder
	_ = r.Write(&b, compare.Options{Format: "json"})
	return b.String()
}

// reopen opens a tree of which most is parsed already.
func reopen(tree fstest.MapFS, files []string, known *deployment.Deployment) *deployment.Deployment {
	d, _ := compose.OpenWith(tree, compose.Options{Files: files, Name: "matrix"}, known)
	return d
}

// told reports whether a difference is about the change.
func (c change) told(d compare.Difference) bool {
	return d.OldAt.File == c.file && (d.OldAt.Line == c.line || c.key == "")
}
