package report

import (
	"fmt"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
)

// blankLine says before all else that nothing of Matrix was read.
func blankLine(s Summary) string { return "nothing of Matrix was read: " + output.Clean(s.Blank) }

// partLines say of each part how far it was read, in columns.
func partLines(parts []finding.Part) []string {
	wide, seen := 0, 0
	for _, p := range parts {
		wide, seen = max(wide, len([]rune(output.Clean(p.Name)))), max(seen, len(p.Seen.String()))
	}
	var lines []string
	for _, p := range parts {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %-*s  %-*s  %s", wide, output.Clean(p.Name), seen, p.Seen, output.Clean(partText(p))), " "))
	}
	return lines
}

// maxFrom is how many files of a part the texts name.
const maxFrom = 3

// partText names the files that a part was read from, and says what was not read.
func partText(p finding.Part) string {
	from := p.From
	if len(from) > maxFrom {
		from = append(from[:maxFrom-1:maxFrom-1], fmt.Sprintf("%d more", len(from)-maxFrom+1))
	}
	switch text := strings.Join(from, ", "); {
	case text == "" || p.Why == "":
		return text + p.Why
	default:
		return text + "; " + p.Why
	}
}

// invocationOf says in SARIF's place for it what was not read.
func invocationOf(s Summary) *sarif.Invocation {
	run := sarif.NewInvocation().WithExecutionSuccessful(true)
	note := func(level, text string) {
		run.AddToolExecutionNotification(sarif.NewNotification().WithLevel(level).WithMessage(sarif.NewMessage().WithText(sarifText(text))))
	}
	if s.Blank != "" {
		note("warning", blankLine(s))
	}
	for _, p := range s.Parts {
		if p.Seen != finding.Whole {
			note("note", fmt.Sprintf("%s: %s: %s", p.Name, p.Seen, partText(p)))
		}
	}
	return run
}
