package report

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"philipp.info/stackgen/pkg/finding"
)

func writeMarkdown(out *bytes.Buffer, findings []finding.Finding, s Summary, o Options) {
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
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", ruleLink(f.Rule, o), f.Severity, Code(Clean(f.Pos().String())), Escape(Clean(f.Message)))
	}
	for _, f := range found {
		writeDetails(out, f)
	}
}

func writeDetails(out *bytes.Buffer, f finding.Finding) {
	lines := append(siteLines(PaletteFor(false), f), fixLines(f)...)
	if len(lines) == 0 {
		return
	}
	// Within <summary> there is no Markdown, only HTML.
	fmt.Fprintf(out, "\n<details><summary>%s: <code>%s</code> %s</summary>\n\n%s\n\n%s\n\n</details>\n",
		f.Severity, HTML(f.Rule), HTML(f.Pos().String()), Escape(Clean(f.Message)), Fence("text", strings.Join(lines, "\n")))
}

// Fence is a code block that body cannot end.
func Fence(language, body string) string {
	fence := strings.Repeat("`", max(3, longestRun(body)+1))
	return fence + language + "\n" + body + "\n" + fence
}

func ruleLink(id string, o Options) string {
	if o.RuleURL != nil {
		if u := o.RuleURL(id); u != "" {
			return "[" + Escape(Clean(id)) + "](<" + linkTarget.Replace(Clean(u)) + ">)"
		}
	}
	return Code(Clean(id))
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

// Escape gives s so that Markdown and GitHub show it as it stands, in a table cell too.
func Escape(s string) string { return markdownEscape.Replace(s) }

// HTML is Escape for what stands within <summary>, where there is no Markdown.
func HTML(s string) string {
	return strings.NewReplacer("@", "&#64;&#8203;", "`", "&#96;").Replace(html.EscapeString(Clean(s)))
}

// Code is a code span; one with entities when s has what ends a code span or a table cell.
func Code(s string) string {
	switch {
	case s == "":
		return ""
	case strings.ContainsAny(s, "`|\\<>&"):
		return "<code>" + Escape(s) + "</code>"
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
