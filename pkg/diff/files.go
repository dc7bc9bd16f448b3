package diff

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// File is one file that differs.
type File struct {
	Path   string `json:"path"`
	Action Action `json:"action"`
	// Hand is set for a file that render refuses to overwrite.
	Hand Hand `json:"hand,omitempty"`
	// Note says why lines are not shown.
	Note string `json:"note,omitempty"`
	// Added and Removed count the lines below.
	Added   int `json:"added"`
	Removed int `json:"removed"`
	// Lines is the unified diff without its header. A value over several lines counts as one.
	Lines []string `json:"lines"`
}

func (c *comparison) files() []File {
	files := []File{}
	for _, p := range c.changed {
		if strings.HasPrefix(p, "Secret/") && !inSecret(p) && c.Hand[p] == "" {
			continue // what it holds is told by itself
		}
		f := File{Path: c.Secrets.Mask(p), Action: Changed, Hand: c.Hand[p], Lines: []string{}}
		_, was := c.Old[p]
		_, is := c.New[p]
		switch {
		case !was:
			f.Action = Added
		case !is:
			f.Action = Removed
		}
		switch {
		case f.Action == Removed && f.Hand == Edited:
			f.Action = Kept
		case opaque(p):
			f.Note = "secret"
		case c.first:
			// A whole stack says no more than its spec.
		default:
			c.fill(&f, p)
		}
		files = append(files, f)
	}
	slices.SortStableFunc(files, func(a, b File) int { return cmp.Compare(rank(a.Path), rank(b.Path)) })
	return files
}

// rank puts what people look for first at the front: where there is no room for all, the rest is left out.
func rank(p string) int {
	switch {
	case slices.Contains(compose.Names, p):
		return 0
	case isYAML(p):
		return 1
	case path.Ext(p) == ".md":
		return 3
	}
	return 2
}

// configHash is left out: the services say which files it stands for.
var configHash = regex.Of(`\bstackgen\.config-hash\b`)

func (c *comparison) fill(f *File, p string) {
	old, why := c.old.lines(p, c.Hand[p] == "")
	now, whyNow := c.new.lines(p, true)
	if f.Note = why + whyNow; f.Note != "" {
		return
	}
	for _, lines := range [][]source.Line{old, now} {
		for i := range lines {
			if configHash().MatchString(lines[i].Raw) {
				lines[i].Raw = ""
			}
		}
	}
	f.Lines = unified(old, now)
	for i, l := range f.Lines {
		f.Lines[i] = c.Secrets.Mask(l)
		switch l[0] {
		case '+':
			f.Added++
		case '-':
			f.Removed++
		}
	}
	if len(f.Lines) == 0 {
		f.Note = "only the config hashes of its services"
	}
}

// lines gives a file as it may be shown, or why it may not. ours: stackgen wrote it, so that its comments
// and its prose are known to hold no secret.
func (s side) lines(p string, ours bool) ([]source.Line, string) {
	data, ok := s.tree[p]
	f := s.file(p)
	switch {
	case !ok:
		return nil, ""
	case f != nil:
		return f.Lines(ours), ""
	case isYAML(p) && len(bytes.TrimSpace(data)) > 0:
		return nil, "no valid YAML, so that secrets in it cannot be told from the rest"
	case bytes.IndexByte(data, 0) >= 0 || len(data) > source.MaxSize:
		return nil, "no text"
	}
	var lines []source.Line
	for raw := range strings.Lines(string(data)) {
		raw = strings.TrimRight(raw, "\r\n")
		l := source.Line{Text: raw, Raw: raw}
		if !ours {
			l.Text = source.MaskLine(raw)
		}
		lines = append(lines, l)
	}
	return lines, ""
}

// unified compares what stands in the lines, and shows what may be shown of them.
func unified(old, now []source.Line) []string {
	ids := make(map[string]int)
	number := func(lines []source.Line) []byte {
		var b bytes.Buffer
		for _, l := range lines {
			if _, ok := ids[l.Raw]; !ok {
				ids[l.Raw] = len(ids)
			}
			b.WriteString(strconv.Itoa(ids[l.Raw]) + "\n")
		}
		return b.Bytes()
	}
	out := []string{}
	var i, j int
	var gone []string // texts of the removed lines right before
	for line := range strings.Lines(string(diff.Diff("old", number(old), "new", number(now)))) {
		switch {
		case strings.HasPrefix(line, "@@"):
			i, j = hunk(line)
			out, gone = append(out, strings.TrimSpace(line)), nil
		case len(out) == 0: // the header
		case line[0] == ' ':
			// What both have is shown as stackgen's side has it: of the other less may be known.
			out, gone = append(out, " "+now[j].Text), nil
			i++
			j++
		case line[0] == '-':
			out, gone = append(out, "-"+old[i].Text), append(gone, old[i].Text)
			i++
		default:
			text := now[j].Text
			if slices.Contains(gone, text) {
				text += " (changed)"
			}
			out = append(out, "+"+text)
			j++
		}
	}
	return out
}

var hunkHead = regex.Of(`^@@ -(\d+),(\d+) \+(\d+),(\d+) @@`)

// hunk gives the indexes of the first lines of a hunk.
func hunk(line string) (old, now int) {
	var n [5]int
	for i, text := range hunkHead().FindStringSubmatch(line) {
		n[i], _ = strconv.Atoi(text)
	}
	// An empty range is before the line that it names.
	return n[1] - min(n[2], 1), n[3] - min(n[4], 1)
}
