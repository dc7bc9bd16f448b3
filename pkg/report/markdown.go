package report

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

func writeMarkdown(out *bytes.Buffer, findings []source.Finding, s Summary, o Options) {
	fmt.Fprintf(out, "**stackgen: %s**\n", headline(findings, s, o))
	found, unchecked := split(findings)
	if o.Verbose {
		found = append(found, unchecked...)
	}
	if len(found) == 0 {
		return
	}
	fmt.Fprint(out, "\n| rule | severity | place | message |\n| --- | --- | --- | --- |\n")
	for _, f := range found {
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", ruleLink(f.Rule, o), f.Severity, code(clean(f.Pos().String())), markdown(clean(f.Message)))
	}
	for _, f := range found {
		writeDetails(out, f)
	}
}

func writeDetails(out *bytes.Buffer, f source.Finding) {
	lines := append(siteLines(paletteFor(false), f), fixLines(f)...)
	if len(lines) == 0 {
		return
	}
	body := strings.Join(lines, "\n")
	fence := strings.Repeat("`", max(3, longestRun(body)+1))
	// Within <summary> there is no Markdown, only HTML.
	fmt.Fprintf(out, "\n<details><summary>%s: <code>%s</code> %s</summary>\n\n%s\n\n%stext\n%s\n%s\n\n</details>\n",
		f.Severity, htmlText(f.Rule), htmlText(f.Pos().String()), markdown(clean(f.Message)), fence, body, fence)
}

func ruleLink(id string, o Options) string {
	if o.RuleURL != nil {
		if u := o.RuleURL(id); u != "" {
			return "[" + markdown(clean(id)) + "](<" + linkTarget.Replace(clean(u)) + ">)"
		}
	}
	return code(clean(id))
}

var linkTarget = strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", `\`, "%5C", " ", "%20")

// What Markdown or HTML would act on, as entities: unlike backslashes they also hold in a table cell. The
// zero-width space is for GitHub, which looks for mentions and references after it decoded the entities.
var markdownEscape = func() *strings.Replacer {
	pairs := []string{"@", "&#64;&#8203;", "#", "&#35;&#8203;"}
	for _, c := range "&<>|\\`*_[]~$!" {
		pairs = append(pairs, string(c), fmt.Sprintf("&#%d;", c))
	}
	return strings.NewReplacer(pairs...)
}()

func markdown(s string) string { return markdownEscape.Replace(s) }

func htmlText(s string) string {
	return strings.NewReplacer("@", "&#64;&#8203;", "`", "&#96;").Replace(html.EscapeString(clean(s)))
}

// code is a code span; one with entities when s has what ends a code span or a table cell.
func code(s string) string {
	switch {
	case s == "":
		return ""
	case strings.ContainsAny(s, "`|\\<>&"):
		return "<code>" + markdown(s) + "</code>"
	}
	return "`" + s + "`"
}

func longestRun(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
		} else {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
