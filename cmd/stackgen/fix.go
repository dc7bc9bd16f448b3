package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/report"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/store"
)

// mends are findings and the edits that are their fixes.
type mends struct {
	findings []finding.Finding
	edits    []source.Edit
}

// chosen takes the edits of the findings. Of two that meet, the first is made; the other finding is still there at the
// next run, and says then what is left to do.
func chosen(findings []finding.Finding) (m mends) {
	for _, f := range findings {
		var more []source.Edit
		meets := false
		for _, e := range f.Mends() {
			switch {
			case slices.ContainsFunc(m.edits, e.Same):
			case slices.ContainsFunc(m.edits, e.Meets):
				meets = true
			default:
				more = append(more, e)
			}
		}
		if len(f.Mends()) > 0 && !meets {
			m.findings, m.edits = append(m.findings, f), append(m.edits, more...)
		}
	}
	return m
}

// made gives the files below the directory that the edits change.
func (m mends) made(tree fs.FS, dir string) ([]store.Content, error) {
	of := make(map[string][]source.Edit)
	for _, e := range m.edits {
		name := strings.TrimPrefix(e.File, path.Clean(filepath.ToSlash(dir))+"/")
		of[name] = append(of[name], e)
	}
	var contents []store.Content
	for _, name := range slices.Sorted(maps.Keys(of)) {
		old, err := source.ReadFS(tree, name)
		if err != nil {
			return nil, err
		}
		now, err := source.Apply(old, of[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		contents = append(contents, store.Content{Path: name, Old: old, New: now})
	}
	return contents, nil
}

// fixing is a check whose findings are to be mended.
type fixing struct {
	tree   *stackTree
	before found
	shown  *shown
	look   func(fs.FS) found
}

// proven makes the edits in memory and looks again: what they are to mend has to be gone, and nothing may have come. faults says
// what is not so.
func (x fixing) proven(m mends) (after found, contents []store.Content, faults []string) {
	contents, err := m.made(x.tree, x.before.dir)
	if err != nil {
		return found{}, nil, []string{err.Error()}
	}
	after = x.look(edited{x.tree, contents})
	was, now, gone := x.before.counted(), after.counted(), counted(m.findings)
	for _, f := range m.findings {
		if key := f.Fact(); now[key] > was[key]-gone[key] {
			faults = append(faults, "it would not mend "+f.Message)
		}
	}
	for _, f := range slices.Concat(after.findings, after.suppressed) {
		if key := f.Fact(); now[key] > was[key] {
			faults = append(faults, fmt.Sprintf("%s [%s] would be new", f.Message, f.Rule))
		}
	}
	return after, contents, slices.Compact(faults)
}

func counted(findings []finding.Finding) map[finding.Fact]int {
	n := make(map[finding.Fact]int)
	for _, f := range findings {
		n[f.Fact()]++
	}
	return n
}

// counted counts what is suppressed as well: what is found no more may have been.
func (f found) counted() map[finding.Fact]int {
	return counted(slices.Concat(f.findings, f.suppressed))
}

// most is how many findings are tried one by one where all together do not mend.
const most = 40

// mends gives what mends, and what will be left. Where a fix does not do what it should, it is left out, and the reason said.
func (x fixing) mends(a *app) (m mends, after found, contents []store.Content) {
	wanted := x.before
	x.shown.narrow(&wanted)
	x.shown.dim(&wanted)
	if m = chosen(wanted.findings); len(m.edits) == 0 {
		return m, x.before, nil
	}
	after, contents, faults := x.proven(m)
	if len(faults) == 0 {
		return m, after, contents
	}
	var good []finding.Finding
	for _, f := range m.findings[:min(len(m.findings), most)] {
		if _, _, wrong := x.proven(chosen([]finding.Finding{f})); len(wrong) > 0 {
			say(a.stderr, "left out: the fix of %s: %s [%s]: %s", f.Pos(), f.Message, f.Rule, strings.Join(wrong, "; "))
			continue
		}
		good = append(good, f)
	}
	if len(good) == 0 {
		return mends{}, x.before, nil
	}
	m = chosen(good)
	if after, contents, faults = x.proven(m); len(faults) == 0 {
		return m, after, contents
	}
	say(a.stderr, "the fixes do not go together: %s", strings.Join(faults, "; "))
	return mends{}, x.before, nil
}

// fix prints what mends the findings, and writes it where that is asked for. It gives what is left of them then; differs says
// that the files are still as they were.
func (c *checkCmd) fix(a *app, x fixing) (after found, differs bool, err error) {
	if x.before.rendered {
		return after, false, fmt.Errorf("%s is rendered by stackgen: what is changed there is gone with the next render; change the spec instead", c.Dir)
	}
	m, after, contents := x.mends(a)
	if len(contents) == 0 {
		say(a.stderr, "no finding has a fix that is one certain edit")
		return after, false, nil
	}
	n := output.Plural(len(m.findings), "finding")
	if !c.Write {
		lines := append(report.Diff(a.style(a.stdout).Palette, m.edits), "", "")
		_, err := io.WriteString(a.stdout, strings.Join(lines, "\n"))
		say(a.stderr, "this mends %s; nothing is written yet: --write does it", n)
		return after, true, err
	}
	if err := ended(a.ctx, "nothing was written"); err != nil {
		return after, false, err
	}
	if err := store.Replace(a.ctx, c.Dir, contents); err != nil {
		return after, false, err
	}
	var names []string
	for _, content := range contents {
		names = append(names, path.Join(filepath.ToSlash(c.Dir), content.Path))
	}
	say(a.stderr, "%s mended in %s; restart what reads them", n, strings.Join(names, ", "))
	return after, false, nil
}

// completed does the rest of a fix that was killed, where this one writes; else it says that there is one.
func (c *checkCmd) completed(a *app) error {
	if !store.Begun(c.Dir) {
		return nil
	}
	if !c.Write {
		say(a.stderr, "a fix of %s was interrupted between two files: check --fix --write completes it", c.Dir)
		return nil
	}
	names, err := store.Complete(a.ctx, c.Dir)
	if len(names) > 0 {
		say(a.stderr, "an interrupted fix is completed in %s", strings.Join(names, ", "))
	}
	return err
}

// edited is a tree in which some files have another content.
type edited struct {
	*stackTree
	contents []store.Content
}

// Open opens a file of the tree. By whatever name it is asked for, its content is the other one.
func (t edited) Open(name string) (fs.File, error) {
	f, err := t.stackTree.Open(name)
	if err != nil {
		return nil, err
	}
	real := source.Real(t.stackTree, name)
	i := slices.IndexFunc(t.contents, func(c store.Content) bool { return c.Path == real })
	if i < 0 {
		return f, nil
	}
	return &editedFile{f, bytes.NewReader(t.contents[i].New)}, nil
}

type editedFile struct {
	fs.File
	content *bytes.Reader
}

// Read reads the other content.
func (f *editedFile) Read(p []byte) (int, error) { return f.content.Read(p) }
