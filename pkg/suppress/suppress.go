// Package suppress takes from the findings those that somebody answered with a reason: in a comment at the place, or in
// .stackgen.yaml. An answer that answers nothing is a finding itself.
package suppress

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Rule is the name under which findings about comments and entries are reported. Nothing suppresses those.
const Rule = "suppression"

// Input is what was found, and where answers may stand.
type Input struct {
	Findings []finding.Finding
	// Deployment is what the findings are about. Comments are looked for in the files that were read, and in those that a finding names.
	Deployment *deployment.Deployment
	// Spec is what the deployment was rendered from; nil where somebody wrote it.
	Spec *source.File
	// Config is what .stackgen.yaml says, as Parse gives it; nil where there is none.
	Config *Config
	// Known are the names of all rules.
	Known []string
	// Today is the day as yyyy-mm-dd.
	Today string
	// Unsure reports whether a rule may find more elsewhere than it could here: what it has no finding for may still be needed.
	Unsure func(rule string) bool
}

// Apply parts what was answered from what was not. To the latter it adds what is wrong with the answers: a comment without a
// reason, a rule that is not known, an entry that is out of date, one that answers nothing. A finding is answered by any of
// its places: each takes part in what is wrong, and the one to edit first may lie in a file that knows no comment. Where nothing
// of the deployment was read, nothing is answered: a report about nothing would look like a good one.
func Apply(in Input) (rest, suppressed []finding.Finding) {
	if in.Deployment.File == "" {
		return in.Findings, nil
	}
	all := in.comments()
	var entries []*entry
	if in.Config != nil {
		entries = in.Config.entries
	}
	for _, f := range in.Findings {
		for _, part := range parted(f, func(part finding.Finding) bool { return answer(part, all, entries, in) != nil }) {
			if part.Suppression = answer(part, all, entries, in); part.Suppression == nil {
				rest = append(rest, part)
			} else {
				suppressed = append(suppressed, part)
			}
		}
	}
	var about []finding.Finding
	for _, name := range slices.Sorted(maps.Keys(all)) {
		about = append(about, all[name].problems(in)...)
	}
	if in.Config != nil {
		about = append(about, in.Config.problems(in)...)
	}
	if len(about)+len(suppressed) == 0 {
		return rest, nil
	}
	mask := in.Deployment.Mask()
	hideReasons(mask, suppressed)
	return append(rest, mask.Findings(about)...), mask.Findings(suppressed)
}

// parted gives of a finding about several things one about those that are answered and one about the others; the finding as it
// is where there are not both.
func parted(f finding.Finding, answered func(finding.Finding) bool) []finding.Finding {
	if f.Some == nil {
		return []finding.Finding{f}
	}
	is := func(places []source.Site) bool { return answered(finding.Finding{Rule: f.Rule, Sites: places}) }
	gone, some := f.Some(is)
	left, others := f.Some(func(places []source.Site) bool { return !is(places) })
	if !some || !others {
		return []finding.Finding{f}
	}
	parts := []finding.Finding{gone, left}
	for i := range parts { // what both have in common, such as the line of the spec
		for _, site := range f.Sites {
			if !slices.ContainsFunc(slices.Concat(gone.Sites, left.Sites), func(s source.Site) bool { return s.Pos == site.Pos }) {
				parts[i].Sites = append(parts[i].Sites, site)
			}
		}
	}
	return parts
}

// answer is the first that holds for the finding; nil where none does. All that do are marked as needed.
func answer(f finding.Finding, all map[string]*commented, entries []*entry, in Input) *finding.Suppression {
	if f.Rule == Rule {
		return nil
	}
	var said *finding.Suppression
	first := func(s finding.Suppression) {
		if said == nil {
			said = &s
		}
	}
	for _, site := range f.Sites {
		if c := all[site.File]; c != nil {
			for _, n := range c.at(f.Rule, site.Line) {
				n.used[f.Rule] = true
				first(finding.Suppression{By: finding.Comment, Reason: n.reason, At: n.pos})
			}
		}
	}
	for _, e := range entries {
		if e.rule == f.Rule && !e.expired(in.Today) && e.holds(f, in) {
			e.used = true
			first(finding.Suppression{By: finding.Entry, Reason: e.reason, At: e.at.Pos()})
		}
	}
	return said
}

// comments reads those of every file that may have some.
func (in Input) comments() map[string]*commented {
	all := make(map[string]*commented)
	add := func(name string, src []byte) {
		if c := read(name, src); c != nil {
			all[name] = c
		}
	}
	texts := in.Deployment.Texts()
	for name, src := range texts {
		add(name, src)
	}
	if in.Spec != nil {
		texts[in.Spec.Path] = in.Spec.Src
		add(in.Spec.Path, in.Spec.Src)
	}
	looked := func(name string) {
		if _, ok := texts[name]; ok || name == "" {
			return
		}
		src, err := source.ReadFS(in.Deployment.FS, name)
		if err != nil || len(src) > source.MaxSize {
			src = nil // the finding is there, and no comment answers it
		}
		texts[name] = src
		add(name, src)
	}
	for _, f := range in.Deployment.Env.Files {
		texts[f.Path] = f.Text
		add(f.Path, f.Text)
	}
	for _, f := range in.Findings {
		for _, site := range f.Sites {
			looked(site.File)
		}
	}
	return all
}

// hideReasons adds what looks like a secret in the reasons to what is hidden.
func hideReasons(mask *finding.Mask, suppressed []finding.Finding) {
	for _, f := range suppressed {
		for _, h := range source.HiddenIn("", f.Suppression.Reason) {
			mask.HideBehind(h.Lead, h.Value)
			mask.Hide(h.Value)
		}
	}
}

// noRule says that a rule does not exist.
func noRule(name string, known []string) (message, fix string) {
	fix = "`stackgen rules` lists them"
	if near := finding.Nearest(name, known); near != "" {
		fix = "did you mean " + near + "? " + fix
	}
	return fmt.Sprintf("there is no rule %q; nothing is suppressed by it", short(name)), fix
}

// short cuts a text that would fill the screen.
func short(text string) string {
	const most = 300
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// relative is the name of a file as it is seen from .stackgen.yaml: of what is rendered, the path in the output directory.
func (in Input) relative(file string) string {
	dir := in.Config.dir
	switch {
	case in.Spec != nil && file == in.Spec.Path:
		return path.Base(file)
	case in.Spec != nil || dir == ".":
		return file
	}
	if below, ok := strings.CutPrefix(file, dir+"/"); ok {
		return below
	}
	return strings.Repeat("../", strings.Count(dir, "/")+1) + file
}
