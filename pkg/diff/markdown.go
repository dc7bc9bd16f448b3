package diff

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/report"
)

// maxMarkdown is the length in bytes of what is written: GitHub takes no comment of more than 65,536
// characters, and what calls us may add to it.
const maxMarkdown = 60_000

// maxValues leaves room for the files.
const maxValues = maxMarkdown / 4

// page is Markdown within the limit. What does not fit is counted.
type page struct {
	bytes.Buffer
	limit int
	left  []string // the kinds of what was left out, once for each
}

// add writes a block, unless it is too long by now: then one of that kind is left out.
func (p *page) add(kind, format string, args ...any) {
	block := fmt.Sprintf(format, args...)
	if p.Len()+len(block) > p.limit {
		p.left = append(p.left, kind)
		return
	}
	p.WriteString(block)
}

// fold writes lines that are shown when somebody asks for them. They come whole or not at all.
func (p *page) fold(kind, summary, language string, lines []string) {
	for i, l := range lines {
		lines[i] = report.Clean(l)
	}
	p.add(kind, "\n<details><summary>%s</summary>\n\n%s\n\n</details>\n", summary, report.Fence(language, strings.Join(lines, "\n")))
}

// leftOut says what does not fit.
func (p *page) leftOut() string {
	var parts []string
	counts := make(map[string]int)
	for _, kind := range p.left {
		counts[kind]++
	}
	for i, kind := range p.left {
		if n := counts[kind]; n > 0 {
			parts = append(parts, report.Plural(n, p.left[i]))
			counts[kind] = 0
		}
	}
	return strings.Join(parts, ", ")
}

func (d *Diff) writeMarkdown(out *bytes.Buffer) {
	p := &page{limit: maxMarkdown - 500}
	p.add("title", "### stackgen: %s\n\n**%s**\n", prose(d.title()), prose(d.headline()))
	for _, n := range d.Notes {
		p.add("note", "\n%s\n", prose(n))
	}
	if len(d.Irreversible) > 0 {
		p.add("heading", "\n> [!CAUTION]\n> Irreversible:\n>\n")
		for _, l := range d.Irreversible {
			p.add("irreversible change", "> - **%s**: %s\n", prose(l.text()), prose(l.Breaks))
		}
	}
	if len(d.Services) > 0 {
		p.add("heading", "\n| service | %s | because of | who notices |\n| --- | --- | --- | --- |\n", report.Code(d.Command))
		for _, s := range d.Services {
			var why []string
			for _, w := range s.Why {
				why = append(why, prose(w))
			}
			p.add("service", "| %s | %s | %s | %s |\n", report.Code(report.Clean(s.Name)), s.Action, strings.Join(why, "<br>"), prose(s.notices()))
		}
	}
	d.writeLists(p)
	d.writeValues(p)
	for _, f := range d.Files {
		p.file(f)
	}
	if left := p.leftOut(); left != "" {
		// The rest of the limit is for this line.
		fmt.Fprintf(p, "\n**Left out**, to stay below %d characters: %s. `stackgen diff` without `--format markdown` shows all.\n", maxMarkdown, left)
	}
	out.Write(p.Bytes())
}

func (d *Diff) writeLists(p *page) {
	for _, list := range []struct {
		title, kind string
		lines       []string
	}{{"Databases to be created", "database", d.Databases}, {"Secrets", "secret", d.secretLines()}, {"By hand", "step", d.Steps}} {
		if len(list.lines) == 0 {
			continue
		}
		p.add("heading", "\n%s:\n\n", list.title)
		for _, l := range list.lines {
			p.add(list.kind, "- %s\n", prose(l))
		}
	}
}

func (d *Diff) writeValues(p *page) {
	if len(d.Values) == 0 {
		return
	}
	var lines []string
	size := 0
	for i, v := range d.Values {
		if size += len(v.text()); size > maxValues {
			p.left = append(p.left, slices.Repeat([]string{"value"}, len(d.Values)-i)...)
			break
		}
		if i == 0 || v.group() != d.Values[i-1].group() {
			lines = append(lines, v.group())
		}
		lines = append(lines, "  "+v.text())
	}
	p.fold("list of values", "Values: "+report.Plural(len(d.Values), "change"), "text", lines)
}

func (p *page) file(f File) {
	var head []string
	for _, part := range []string{string(f.Action), f.size(), f.about()} {
		if part != "" {
			head = append(head, report.HTML(part))
		}
	}
	summary := "<code>" + report.HTML(f.Path) + "</code> " + strings.Join(head, ", ")
	if len(f.Lines) == 0 {
		p.add("file", "\n- %s\n", summary)
		return
	}
	p.fold("file", summary, "diff", slices.Clone(f.Lines))
}

// prose makes a text fit for Markdown.
func prose(s string) string { return report.Escape(report.Clean(s)) }
