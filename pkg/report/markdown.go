package report

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
)

func writeMarkdown(out *bytes.Buffer, findings []finding.Finding, s Summary, o Options) {
	p := &output.Page{}
	p.Add("headline", "**stackgen: %s**\n", headline(findings, s, o))
	for _, line := range notShown(s) {
		p.Add("headline", "\n%s\n", output.Escape(line))
	}
	if s.Blank != "" {
		p.Add("headline", "\n%s\n", output.Escape(blankLine(s)))
	}
	found, unchecked := split(findings)
	if o.Verbose {
		found = append(found, unchecked...)
	}
	rows := make([]string, len(found))
	size := 0
	for i, f := range found {
		rows[i] = fmt.Sprintf("| %s | %s | %s | %s |\n", ruleLink(f.Rule, o), f.Severity, output.Code(output.Clean(f.Pos().String())), output.Escape(f.Message))
		size += len(rows[i])
	}
	if size > output.MaxMarkdown/2 { // not all will have their place: the gravest first
		order := make([]int, len(found))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(found[b].Severity, found[a].Severity) })
		found, rows = pick(found, order), pick(rows, order)
	}
	if len(found) > 0 {
		p.Add("heading", "\n| rule | severity | place | message |\n| --- | --- | --- | --- |\n")
	}
	shown := 0
	for shown < len(rows) && p.Add("finding", "%s", rows[shown]) {
		shown++
	}
	p.Leave("finding", max(len(rows)-shown-1, 0))
	for _, f := range found[:shown] {
		writeDetails(p, f)
	}
	if len(s.Parts) > 0 {
		p.Add("heading", "\n| part | | |\n| --- | --- | --- |\n")
	}
	for _, part := range s.Parts {
		p.Add("part", "| %s | %s | %s |\n", output.Escape(part.Name), part.Seen, output.Escape(partText(part)))
	}
	p.Close(cmp.Or(o.Command, "stackgen check"))
	out.Write(p.Bytes())
}

func pick[T any](list []T, order []int) []T {
	picked := make([]T, len(order))
	for i, at := range order {
		picked[i] = list[at]
	}
	return picked
}

func writeDetails(p *output.Page, f finding.Finding) {
	lines := append(siteLines(output.PaletteFor(false), f, 0), fixLines(f, 0)...)
	if len(lines) == 0 {
		return
	}
	body := output.Fence("text", strings.Join(lines, "\n"))
	if diff := Diff(output.PaletteFor(false), f.Mends()); len(diff) > 0 {
		body += "\n\n" + output.Fence("diff", strings.Join(diff, "\n"))
	}
	// Within <summary> there is no Markdown, only HTML.
	p.Add("detail", "\n<details><summary>%s: <code>%s</code> %s</summary>\n\n%s\n\n%s\n\n</details>\n",
		f.Severity, output.HTML(f.Rule), output.HTML(f.Pos().String()), output.Escape(f.Message), body)
}

func ruleLink(id string, o Options) string {
	if o.RuleURL != nil {
		if u := o.RuleURL(id); u != "" {
			return "[" + output.Escape(id) + "](<" + linkTarget.Replace(output.Clean(u)) + ">)"
		}
	}
	return output.Code(output.Clean(id))
}

var linkTarget = strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", `\`, "%5C", " ", "%20")
