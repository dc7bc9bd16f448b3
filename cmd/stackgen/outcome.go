package main

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/store"
)

// text tells what was written and what to do next.
func (o *outcome) text(st style) string {
	if o.code != exitClean {
		return o.conflict(st)
	}
	if o.unchanged() {
		return output.Clean(o.dir) + ": unchanged\n"
	}
	var b strings.Builder
	section := func(title string, lines ...string) { st.section(&b, title, lines...) }
	fmt.Fprintf(&b, "%s %s %s\n", st.Bold(output.Clean(o.spec)), "→", st.Bold(output.Clean(o.dir)))
	if len(o.made) > 0 {
		section("secrets", fmt.Sprintf("%d made: %s", len(o.made), strings.Join(o.madeNames(), ", ")))
		if from := o.set.PlainBeside(); from != "" {
			st.section(&b, "", "in plain text in "+o.set.Target()+", beside what `"+from+"` gives: name the command that takes them as `secrets: {store: [...]}`, or move them there")
		}
	}
	section("files", o.fileLines(st)...)
	e := diff.EffectsOf(o.input(o.plan, o.dir))
	if e.First {
		names := named(e.Services, diff.Created)
		section("start", output.Plural(len(names), "service")+": "+strings.Join(names, ", "))
	} else {
		section("restart", restarts(e.Services)...)
	}
	next := slices.Clone(e.Next)
	if i := slices.Index(next, e.Command); i >= 0 && e.Command != "" {
		next[i] = "cd " + shell.Path(o.dir) + " && " + e.Command
	}
	section("next", clean(diff.Numbered(next))...)
	return b.String()
}

// madeNames names the new secrets, or counts them by component where nobody would read all the names.
func (o *outcome) madeNames() []string {
	if len(o.made) <= 6 {
		return o.made
	}
	var names []string
	counts := map[string]int{}
	for _, name := range o.made {
		component := name[:strings.LastIndex(name, ".")]
		if counts[component]++; counts[component] == 1 {
			names = append(names, component)
		}
	}
	for i, component := range names {
		names[i] = fmt.Sprintf("%s"+output.NoBreak+"%d", component, counts[component])
	}
	return names
}

func (o *outcome) unchanged() bool { return len(o.plan.Changes) == 0 && len(o.made) == 0 }

// conflict says which files are in the way, and the two ways out.
func (o *outcome) conflict(st style) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: nothing was written, because files there are not as stackgen left them\n", output.Clean(o.dir))
	said := map[store.Action]string{store.Edited: "edited by hand", store.Foreign: "not stackgen's"}
	edited := false
	for _, c := range o.plan.Conflicts() {
		edited = edited || c.Action == store.Edited
		fmt.Fprintf(&b, "  %s  %s\n", st.red(said[c.Action]), output.Clean(path.Join(filepath.ToSlash(o.dir), c.Path)))
	}
	if edited {
		b.WriteString("put the change into an `extra:` block of the spec, or overwrite the files with --force, which keeps a copy\n")
	} else {
		b.WriteString("render into another directory with -o, move the files away, or overwrite them with --force, which keeps a copy\n")
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n"), "\n") {
		lines = append(lines, output.Hang(line, st.width)...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// first reports whether the directory held no stack before.
func first(plan *store.Plan) bool {
	return slices.ContainsFunc(plan.Changes, func(c store.Change) bool {
		return (c.Path == "docker-compose.yml" || c.Path == "kustomization.yaml") && c.Old() == nil
	})
}

// fileLines lists the changed files: by directory on the first render, one by one later.
func (o *outcome) fileLines(st style) []string {
	var lines []string
	if first(o.plan) {
		counts := map[string]int{}
		for _, c := range o.plan.Changes {
			counts[path.Dir(c.Path)]++
			if c.Copy != "" {
				lines = append(lines, forced(st, c))
			}
		}
		var parts []string
		for _, dir := range slices.Sorted(maps.Keys(counts)) {
			name := dir
			if dir == "." {
				name = "top"
			}
			parts = append(parts, fmt.Sprintf("%s"+output.NoBreak+"%d", name, counts[dir]))
		}
		created := fmt.Sprintf("%d created: %s", len(o.plan.Changes), strings.Join(parts, ", "))
		return append([]string{created}, lines...)
	}
	said := map[store.Action]string{
		store.Create: st.green("created"), store.Update: st.yellow("updated"), store.Delete: st.red("deleted"),
		store.Kept:   st.yellow("kept   "),
		store.Edited: st.yellow("forced "), store.Foreign: st.yellow("forced "),
	}
	for _, c := range o.plan.Changes {
		line := said[c.Action] + "  " + output.Clean(c.Path)
		if c.Copy != "" {
			line = forced(st, c)
		}
		if c.Action == store.Kept {
			line += "  (no longer in the spec, but edited by hand: delete it yourself)"
		}
		lines = append(lines, line)
	}
	return lines
}

// forced says where the copy of an overwritten file is.
func forced(st style, c store.Change) string {
	return st.yellow("forced ") + "  " + output.Clean(c.Path) + "  (as it was: " + output.Clean(c.Copy) + ")"
}

// restarts lists the services by what `docker compose up -d` does to them.
func restarts(services []diff.Service) []string {
	var lines []string
	for _, g := range []struct {
		word   string
		action diff.Action
	}{{"changed", diff.Recreated}, {"new    ", diff.Created}, {"removed", diff.Removed}} {
		if names := named(services, g.action); len(names) > 0 {
			lines = append(lines, g.word+"  "+strings.Join(names, ", "))
		}
	}
	return lines
}

func named(services []diff.Service, action diff.Action) []string {
	var names []string
	for _, s := range services {
		if s.Action == action {
			names = append(names, s.Name)
		}
	}
	return names
}

// chowns are the commands that give the files to the services' users, which only root can do.
func (p *proof) chowns(plan *store.Plan, dir string) []string {
	if os.Geteuid() <= 0 || !p.Bundle.Stack.NeedsRoot {
		return nil
	}
	changed := map[string]bool{}
	for _, c := range plan.Changes {
		changed[c.Path] = c.Action != store.Delete && c.Action != store.Kept
	}
	paths := map[string][]string{}
	for _, f := range p.Bundle.Files {
		if f.UID < 0 || f.Data == nil && !first(plan) || f.Data != nil && !changed[f.Path] {
			continue
		}
		name := f.Path
		if strings.HasPrefix(name, "config/") {
			name = path.Dir(name)
		}
		owner := fmt.Sprintf("%d:%d", f.UID, f.GID)
		if name = shell.Path(path.Join(filepath.ToSlash(dir), name)); !slices.Contains(paths[owner], name) {
			paths[owner] = append(paths[owner], name)
		}
	}
	var steps []string
	for _, owner := range slices.Sorted(maps.Keys(paths)) {
		steps = append(steps, "sudo chown -R "+owner+" "+strings.Join(paths[owner], " "))
	}
	return steps
}
