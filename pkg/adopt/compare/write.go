package compare

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/muesli/termenv"

	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/source"
)

// Formats are the names of the formats, the default first; full is text that folds nothing.
var Formats = []string{"text", "full", "json"}

// Options select what Write prints.
type Options struct {
	Format string // one of Formats
	Color  bool   // of text
	Width  int    // columns to which text is wrapped; not at all when 0
	// Old and Ours are the directories that the places are in. Ours is "" where it lies in none: it was only rendered.
	Old, Ours string
	More      string // what lists that which text folds
}

// Write prints the comparison in one of the formats.
func (r *Result) Write(w io.Writer, o Options) error {
	if o.Format == "json" {
		text, err := output.JSON(r.document(), "  ")
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
	s := &screen{paint: output.PaletteFor(o.Color), options: o}
	s.kind(r, Decision)
	s.kind(r, Lost)
	if o.Format == "full" {
		s.reasons(r, Safer)
		s.reasons(r, Same)
	} else {
		s.folded(r)
	}
	if len(r.Unseen) > 0 {
		s.title(fmt.Sprintf("not compared (%d)", len(r.Unseen)), termenv.ANSIBrightWhite)
		for _, text := range r.Unseen {
			s.line("  %s", output.Clean(text))
		}
	}
	s.line("\n%s", r.Headline())
	_, err := w.Write(s.out.Bytes())
	return err
}

// Headline counts what was found.
func (r *Result) Headline() string {
	parts := []string{fmt.Sprintf("%d equal", r.Equal)}
	for _, k := range Kinds {
		if n := r.Count(k); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words[k]))
		}
	}
	if len(r.Unseen) > 0 {
		parts = append(parts, fmt.Sprintf("%d not compared", len(r.Unseen)))
	}
	return strings.Join(parts, ", ")
}

// words say a kind of several.
var words = map[Kind]string{Decision: "to decide", Lost: "that cannot be expressed", Safer: "safer", Same: "of the same effect"}

// screen is the text format under way.
type screen struct {
	out     bytes.Buffer
	paint   output.Palette
	options Options
}

// line writes a line, and what does not fit into the width below it.
func (s *screen) line(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		for _, part := range output.Hang(strings.TrimRight(line, " "), s.options.Width) {
			fmt.Fprintln(&s.out, output.NotCommand(part))
		}
	}
}

func (s *screen) title(text string, color termenv.ANSIColor) {
	if s.out.Len() > 0 {
		s.line("")
	}
	s.line("%s", s.paint.Bold(s.paint.Color(text, color)))
}

var colors = map[Kind]termenv.ANSIColor{Decision: termenv.ANSIYellow, Lost: termenv.ANSIRed, Safer: termenv.ANSIGreen, Same: termenv.ANSIBrightWhite}

// kind writes the differences of a kind one cause after the other: those of the whole stack first, then program by program.
func (s *screen) kind(r *Result, k Kind) {
	groups := grouped(r, k)
	if len(groups) == 0 {
		return
	}
	s.title(fmt.Sprintf("%s (%d)", k, len(groups)), colors[k])
	about := ""
	for _, g := range groups {
		if g.about != about {
			s.line("  %s", s.paint.Bold(output.Clean(g.about)))
		}
		about = g.about
		d := g.of[0]
		for _, line := range g.lines() {
			s.line("    %s", output.Clean(line))
		}
		s.line("      %s", output.Clean(d.Why))
		keep := d.Keep
		if len(g.of) > 1 {
			keep = d.all
		}
		if keep != "" {
			s.line("      to keep it: %s", output.Clean(keep))
		}
		if at := s.places(d); at != "" {
			s.line("      %s", s.paint.Dim(output.Clean(at)))
		}
	}
}

// reasons writes the differences of a kind by their reason.
func (s *screen) reasons(r *Result, k Kind) {
	groups := grouped(r, k)
	if len(groups) == 0 {
		return
	}
	s.title(fmt.Sprintf("%s (%d)", k, r.Count(k)), colors[k])
	for _, g := range groups {
		s.line("  %s", output.Clean(g.of[0].Why))
		s.line("    %s", output.Clean(named(g.of)))
	}
}

// folded writes in one line for each program how much of it needs no attention.
func (s *screen) folded(r *Result) {
	var abouts []string
	count := make(map[string]map[Kind]int)
	for _, d := range r.Differences {
		if d.Kind != Safer && d.Kind != Same {
			continue
		}
		if count[d.About] == nil {
			abouts = append(abouts, d.About)
			count[d.About] = make(map[Kind]int)
		}
		count[d.About][d.Kind]++
	}
	if len(abouts) == 0 {
		return
	}
	s.title(fmt.Sprintf("needs no attention (%d)", r.Count(Safer)+r.Count(Same)), colors[Safer])
	width := 0
	for _, about := range abouts {
		width = max(width, output.Width(about))
	}
	for _, about := range abouts {
		var parts []string
		for _, k := range []Kind{Safer, Same} {
			if n := count[about][k]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, words[k]))
			}
		}
		s.line("  %s  %s", output.Clean(about)+strings.Repeat(" ", width-output.Width(about)), strings.Join(parts, ", "))
	}
	if s.options.More != "" {
		s.line("  %s", s.paint.Dim("each with its reason: "+s.options.More))
	}
}

// group are differences that one answer settles, or that have one reason.
type group struct {
	about string // the stack, where they are of several programs
	of    []Difference
}

// grouped are the differences of a kind with those of one cause together; where nobody has to look those of one reason.
func grouped(r *Result, k Kind) (groups []group) {
	at := make(map[string]int)
	for _, d := range r.Differences {
		if d.Kind != k {
			continue
		}
		key := d.cause
		if k == Safer || k == Same {
			key = d.Why
		}
		i, had := at[key]
		if !had {
			i = len(groups)
			at[key] = i
			groups = append(groups, group{about: d.About})
		}
		if groups[i].of = append(groups[i].of, d); groups[i].about != d.About {
			groups[i].about = theStack
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(stackLast(a), stackLast(b)) })
	return groups
}

// stackLast has what is of the whole stack before the programs.
func stackLast(g group) int {
	if g.about == theStack {
		return 0
	}
	return 1
}

// maxNamed is how many keys of a group are named before they are counted, maxShown how much of a value is shown.
const (
	maxNamed = 4
	maxShown = 100
)

// lines say what differs, one line for each of a few.
func (g group) lines() (lines []string) {
	for _, d := range g.of[:min(len(g.of), maxNamed)] {
		name := d.name() + d.also()
		if d.About != g.about {
			name = d.About + ", " + name
		}
		lines = append(lines, name+": "+d.change())
	}
	if more := g.of[len(lines):]; len(more) > 0 {
		var names []string
		for _, d := range more[:min(len(more), maxNamed)] {
			names = append(names, d.name())
		}
		text := fmt.Sprintf("and %d more: %s", len(more), strings.Join(names, ", "))
		if len(more) > maxNamed {
			text += ", …"
		}
		lines = append(lines, text)
	}
	return lines
}

// also names the others for which the same is true.
func (d Difference) also() string {
	if len(d.Also) == 0 {
		return ""
	}
	text := ", " + strings.Join(d.Also[:min(len(d.Also), maxNamed)], ", ")
	if n := len(d.Also) - maxNamed; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// name is the key with what says it.
func (d Difference) name() string {
	switch {
	case d.Key == "":
		return d.Doc
	case d.Doc == "config" || d.Doc == "service" || d.Doc == "settings" || d.Doc == "requests" || d.Doc == "compose":
		return d.Key
	}
	return d.Doc + " " + d.Key
}

func (d Difference) change() string {
	switch {
	case d.Secret && d.OldAt.File != "" && d.NewAt.File != "":
		return "another secret, or file"
	case d.Secret && d.NewAt.File == "":
		return "a secret or file that ours has not"
	case d.Secret:
		return "a secret or file that only ours has"
	case d.Old == "" && d.New == "":
		return "in another order"
	case d.Old == "":
		return "only ours has " + cut(d.New)
	case d.New == "":
		return cut(d.Old) + ", and ours has nothing"
	}
	return cut(d.Old) + " → " + cut(d.New)
}

func cut(text string) string {
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return text
}

// named lists the keys of a group by program.
func named(g []Difference) string {
	var abouts []string
	keys := make(map[string][]string)
	for _, d := range g {
		name := d.name() + d.also()
		if keys[d.About] == nil {
			abouts = append(abouts, d.About)
		}
		if !slices.Contains(keys[d.About], name) {
			keys[d.About] = append(keys[d.About], name)
		}
	}
	var parts []string
	for _, about := range abouts {
		list := keys[about]
		more := ""
		if n := len(list) - maxNamed; n > 0 {
			list, more = list[:maxNamed], fmt.Sprintf(" and %d more", n)
		}
		parts = append(parts, about+": "+strings.Join(list, ", ")+more)
	}
	return strings.Join(parts, "; ")
}

// places are where both sides say it.
func (s *screen) places(d Difference) string {
	at := func(dir, lead string, p source.Pos) string {
		if p.File == "" {
			return ""
		}
		if dir != "" {
			p.File = strings.TrimSuffix(dir, "/") + "/" + p.File
		}
		return lead + p.String()
	}
	lead := ""
	if s.options.Ours == "" {
		lead = "rendered "
	}
	parts := slices.DeleteFunc([]string{at(s.options.Old, "", d.OldAt), at(s.options.Ours, lead, d.NewAt)}, func(p string) bool { return p == "" })
	return strings.Join(parts, " → ")
}

// jsonPlace is a position as the JSON of findings has it.
type jsonPlace struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

type jsonDifference struct {
	Kind   Kind       `json:"kind"`
	About  string     `json:"about"`
	In     string     `json:"in"`
	Key    string     `json:"key"`
	Old    string     `json:"old,omitempty"`
	New    string     `json:"new,omitempty"`
	Secret bool       `json:"secret,omitempty"`
	Also   []string   `json:"also,omitempty"`
	Why    string     `json:"why"`
	Keep   string     `json:"keep,omitempty"`
	OldAt  *jsonPlace `json:"old_at,omitempty"`
	NewAt  *jsonPlace `json:"new_at,omitempty"`
}

// document is what the JSON format has.
func (r *Result) document() any {
	doc := struct {
		Differences []jsonDifference `json:"differences"`
		Unseen      []string         `json:"not_compared"`
		Summary     map[string]int   `json:"summary"`
	}{[]jsonDifference{}, append([]string{}, r.Unseen...), map[string]int{"equal": r.Equal}}
	at := func(p source.Pos) *jsonPlace {
		if p.File == "" {
			return nil
		}
		return &jsonPlace{p.File, p.Line, p.Col}
	}
	for _, k := range Kinds {
		doc.Summary[string(k)] = r.Count(k)
	}
	for _, d := range r.Differences {
		doc.Differences = append(doc.Differences, jsonDifference{d.Kind, d.About, d.Doc, d.Key, d.Old, d.New, d.Secret, d.Also, d.Why, d.Keep, at(d.OldAt), at(d.NewAt)})
	}
	return doc
}
