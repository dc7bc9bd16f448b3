package diff

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"philipp.info/stackgen/pkg/output"
)

// Formats are the names of the formats, the default first.
var Formats = []string{"text", "markdown", "json", "github"}

// Options select what Write prints.
type Options struct {
	Format  string // one of Formats
	Summary bool   // text without values and files
	Color   bool   // of text
	Width   int    // columns to which text is wrapped; not at all when 0
}

// Write prints the difference in one of the formats. Whatever the trees hold, it cannot break out of its
// place in the output.
func (d *Diff) Write(w io.Writer, o Options) error {
	var out bytes.Buffer
	switch o.Format {
	case "text":
		d.writeText(&out, o)
	case "markdown":
		d.writeMarkdown(&out)
	case "json":
		text, err := output.JSON(d, "  ")
		if err != nil {
			return err
		}
		out.Write(text)
	case "github":
		d.writeGitHub(&out)
	default:
		return fmt.Errorf("unknown format %q; the formats are %s", o.Format, strings.Join(Formats, ", "))
	}
	text := out.String()
	if o.Format == "text" || o.Format == "markdown" {
		text = quiet(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

// quiet keeps a line that comes from a file from being a command to the runner in whose log it stands.
func quiet(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = output.NotCommand(l)
	}
	return strings.Join(lines, "\n")
}

// title says what is compared.
func (d *Diff) title() string { return fmt.Sprintf("%s: %s → %s", d.Spec, d.From, d.To) }

// headline sums the difference up.
func (d *Diff) headline() string {
	if d.Empty() {
		return "no difference"
	}
	var parts []string
	if n := len(d.Silenced); n > 0 {
		parts = append(parts, output.Plural(n, "finding")+" suppressed anew")
	}
	if d.same() {
		return strings.Join(append(parts, "no other difference"), ", ")
	}
	if n := len(d.Irreversible); n > 0 {
		parts = append(parts, output.Plural(n, "irreversible change"))
	}
	for _, action := range []Action{Recreated, Created, Removed} {
		n := 0
		for _, s := range d.Services {
			if s.Action == action {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", output.Plural(n, "service"), action))
		}
	}
	if len(d.Services) == 0 {
		parts = append(parts, "no service is recreated")
	}
	hand := 0
	for _, f := range d.Files {
		if f.Hand != "" {
			hand++
		}
	}
	parts = append(parts, output.Plural(len(d.Files), "file"))
	if hand > 0 {
		parts[len(parts)-1] += fmt.Sprintf(", %d of them not as stackgen left them", hand)
	}
	return strings.Join(parts, ", ")
}

// text is a loss without what it breaks.
func (l Loss) text() string {
	if l.Old == "" && l.New == "" {
		return l.Name + ": changed (secret)"
	}
	return l.Name + ": " + l.Old + " → " + l.New
}

// secretLines names the secrets, or counts those that are made by their part of the stack where nobody
// would read all the names.
func (d *Diff) secretLines() []string {
	var lines, made, parts []string
	counts := make(map[string]int)
	for _, s := range d.Secrets {
		if s.Where != "" {
			lines = append(lines, s.Name+": to be set; "+s.Where)
			continue
		}
		made = append(made, s.Name)
		part := s.Name[:max(strings.LastIndexByte(s.Name, '.'), 0)]
		if counts[part]++; counts[part] == 1 {
			parts = append(parts, part)
		}
	}
	if len(made) > maxNames {
		for i, part := range parts {
			parts[i] = fmt.Sprintf("%s (%d)", part, counts[part])
		}
		made = parts
	}
	if len(made) > 0 {
		lines = append(lines, "made by render: "+strings.Join(made, ", "))
	}
	return lines
}

// maxNames is how many secrets are named one by one.
const maxNames = 6

// text is a value without its service and files.
func (v Value) text() string {
	key := v.Key
	switch {
	case key == "" && v.Secret:
		return v.Files[0] + ": " + string(v.Action) + " (secret)"
	case key == "":
		return string(v.Action)
	case v.Secret:
		return key + ": " + string(v.Action) + " (secret)"
	case v.Action == Added:
		return key + ": " + v.New + " (added)"
	case v.Action == Removed:
		return key + ": " + v.Old + " (removed)"
	case v.Action == Reordered:
		return key + ": in another order"
	}
	return key + ": " + v.Old + " → " + v.New
}

// group is the name under which a value is listed.
func (v Value) group() string {
	if v.Service == "" {
		return "stack"
	}
	return v.Service
}

// notices says for about how long who notices that a service is away.
func (s Service) notices() string {
	switch {
	case s.Affects != "" && s.Downtime != "":
		return s.Affects + ", for " + s.Downtime
	case s.Affects != "":
		return s.Affects
	}
	return s.Downtime
}

var handText = map[Hand]string{
	Edited:  "edited by hand: render refuses without --force",
	Foreign: "not stackgen's: render refuses without --force",
}

// about is what is to be said about a file beside its lines.
func (f File) about() string {
	var parts []string
	switch {
	case f.Action == Kept:
		parts = append(parts, "no longer in the stack, but edited by hand: render leaves it")
	case f.Hand != "":
		parts = append(parts, handText[f.Hand])
	}
	if f.Note != "" {
		parts = append(parts, f.Note)
	}
	return strings.Join(parts, "; ")
}

// size counts the lines of a file.
func (f File) size() string {
	if f.Added+f.Removed == 0 {
		return ""
	}
	return fmt.Sprintf("+%d −%d", f.Added, f.Removed)
}
