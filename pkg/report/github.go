package report

import (
	"bytes"
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/source"
)

// maxAnnotations is how many annotations of each severity GitHub takes from one step.
const maxAnnotations = 10

var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func writeGitHub(out *bytes.Buffer, findings []finding.Finding, s Summary, o Options) {
	found, unchecked := split(findings)
	if o.Verbose {
		found = append(found, unchecked...)
	}
	total := count(found)
	var left [3]int
	for sev, n := range total {
		left[sev] = max(n-maxAnnotations, 0)
	}
	// The line about what is left out is a notice too.
	if left != [3]int{} && total[finding.Info] >= maxAnnotations {
		left[finding.Info] = total[finding.Info] - (maxAnnotations - 1)
	}
	for sev := finding.Error; sev >= finding.Info; sev-- {
		show := total[sev] - left[sev]
		for _, f := range found {
			if f.Severity == sev && show > 0 {
				fmt.Fprintln(out, annotation(f))
				show--
			}
		}
	}
	if left != [3]int{} {
		fmt.Fprintf(out, "::notice::… %s more, see the SARIF/JSON output\n", counts(left))
	}
	if s.Blank != "" {
		fmt.Fprintln(out, Annotation(finding.Warning, source.Pos{}, "stackgen", blankLine(s)))
	}
	fmt.Fprintln(out, headline(findings, s, o))
	for _, line := range append(notShown(s), partLines(s.Parts)...) {
		fmt.Fprintln(out, line)
	}
}

func annotation(f finding.Finding) string {
	return Annotation(f.Severity, f.Pos(), f.Rule, annotationText(f))
}

// Annotation is the command by which GitHub shows a text beside a place. The text may have several lines,
// each of them clean.
func Annotation(sev finding.Severity, pos source.Pos, title, text string) string {
	level := sev.String()
	if sev == finding.Info {
		level = "notice"
	}
	var props []string
	if pos.File != "" {
		props = append(props, "file="+githubProperty.Replace(output.Clean(pos.File)))
		if pos.Line > 0 {
			props = append(props, fmt.Sprintf("line=%d", pos.Line))
			if pos.Col > 0 {
				props = append(props, fmt.Sprintf("col=%d", pos.Col))
			}
		}
	}
	props = append(props, "title="+githubProperty.Replace(output.Clean(title)))
	return fmt.Sprintf("::%s %s::%s", level, strings.Join(props, ","), githubData.Replace(text))
}

func annotationText(f finding.Finding) string {
	lines := []string{output.Clean(f.Message)}
	for i, s := range f.Sites {
		switch note := output.Clean(s.Note); {
		case i > 0 && note != "":
			lines = append(lines, "see "+output.Clean(s.String())+": "+note)
		case i > 0:
			lines = append(lines, "see "+output.Clean(s.String()))
		case note != "":
			lines = append(lines, "here: "+note)
		}
	}
	return strings.Join(append(lines, fixLines(f, 0)...), "\n")
}
