package diff

import (
	"bytes"
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/output"
)

// maxValues leaves room for the files.
const maxValues = output.MaxMarkdown / 4

func (d *Diff) writeMarkdown(out *bytes.Buffer) {
	p := &output.Page{}
	p.Add("title", "### stackgen: %s\n\n**%s**\n", prose(d.title()), prose(d.headline()))
	for _, n := range d.Notes {
		p.Add("note", "\n%s\n", prose(n))
	}
	if len(d.Irreversible) > 0 {
		p.Add("heading", "\n> [!CAUTION]\n> Irreversible:\n>\n")
		for _, l := range d.Irreversible {
			p.Add("irreversible change", "> - **%s**: %s\n", prose(l.text()), prose(l.Breaks))
		}
	}
	if len(d.Silenced) > 0 {
		p.Add("heading", "\n> [!WARNING]\n> This change suppresses:\n>\n")
		for _, l := range d.Silenced {
			p.Add("suppressed finding", "> - %s\n", prose(l))
		}
	}
	if len(d.Services) > 0 {
		p.Add("heading", "\n| service | %s | because of | who notices |\n| --- | --- | --- | --- |\n", output.Code(d.Command))
		for _, s := range d.Services {
			var why []string
			for _, w := range s.Why {
				why = append(why, prose(w))
			}
			p.Add("service", "| %s | %s | %s | %s |\n", output.Code(output.Clean(s.Name)), s.Action, strings.Join(why, "<br>"), prose(s.notices()))
		}
	}
	d.writeLists(p)
	d.writeValues(p)
	for _, f := range d.Files {
		writeFile(p, f)
	}
	p.Close("stackgen diff")
	out.Write(p.Bytes())
}

func (d *Diff) writeLists(p *output.Page) {
	for _, list := range []struct {
		title, kind string
		lines       []string
	}{{"Databases to be created", "database", d.Databases}, {"Secrets", "secret", d.secretLines()}, {"Next, after the render", "step", d.next()}} {
		if len(list.lines) == 0 {
			continue
		}
		p.Add("heading", "\n%s:\n\n", list.title)
		for i, l := range list.lines {
			mark := "-"
			if list.kind == "step" {
				mark = fmt.Sprintf("%d.", i+1)
			}
			p.Add(list.kind, "%s %s\n", mark, prose(l))
		}
	}
}

func (d *Diff) writeValues(p *output.Page) {
	if len(d.Values) == 0 {
		return
	}
	var lines []string
	size := 0
	for i, v := range d.Values {
		if size += len(v.text()); size > maxValues {
			p.Leave("value", len(d.Values)-i)
			break
		}
		if i == 0 || v.group() != d.Values[i-1].group() {
			lines = append(lines, v.group())
		}
		lines = append(lines, "  "+v.text())
	}
	p.Fold("list of values", "Values: "+output.Plural(len(d.Values), "change"), "text", lines)
}

func writeFile(p *output.Page, f File) {
	var head []string
	for _, part := range []string{string(f.Action), f.size(), f.about()} {
		if part != "" {
			head = append(head, output.HTML(part))
		}
	}
	summary := "<code>" + output.HTML(f.Path) + "</code> " + strings.Join(head, ", ")
	if len(f.Lines) == 0 {
		p.Add("file", "\n- %s\n", summary)
		return
	}
	p.Fold("file", summary, "diff", f.Lines)
}

// prose makes a text fit for Markdown.
func prose(s string) string { return output.Escape(output.Clean(s)) }
