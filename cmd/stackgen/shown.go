package main

import (
	"fmt"
	"slices"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/suppress"
)

// shownFlags say which of the findings somebody wants to see.
type shownFlags struct {
	Baseline string   `help:"Show only what is new since FILE, which an earlier run with --format json printed. What was there is counted as suppressed." placeholder:"FILE"`
	Only     []string `help:"Show only the findings of these rules; the others do not count. What kept the rules from being run is shown all the same." placeholder:"RULE" predictor:"rule"`
	Severity string   `help:"Show only findings of this severity and above: ${enum}. What is not shown is counted." enum:"error,warning,info" default:"info" placeholder:"SEVERITY"`
}

// found is what a command says about one deployment, or about several.
type found struct {
	findings, suppressed []finding.Finding
	files                int
	dir                  string // as report.Summary has it
	blind                bool   // what was found kept the rules from being run
	rendered             bool   // the files are stackgen's
	parts                []finding.Part
	blank                string // as report.Summary has both
	hidden               [3]int
	hiddenBy             []string
}

// shown is shownFlags, ready for use.
type shown struct {
	shownFlags
	baseline *suppress.Baseline
}

// ready reads what the flags name, before anything else is done.
func (s shownFlags) ready() (*shown, error) {
	for _, id := range s.Only {
		if _, ok := check.Find(id); !ok && !slices.Contains(findingNames(), id) && id != suppress.Rule {
			return nil, noRule(id)
		}
	}
	if s.Baseline == "" {
		return &shown{shownFlags: s}, nil
	}
	src, err := source.ReadFile(s.Baseline)
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w", err)
	}
	b, err := suppress.ParseBaseline(s.Baseline, src)
	if err != nil {
		return nil, fmt.Errorf("--baseline %s: %w; make one with `stackgen check --format json > %s`", s.Baseline, err, s.Baseline)
	}
	return &shown{s, b}, nil
}

// narrow leaves of the findings what counts. What kept the rules from being run always does.
func (s *shown) narrow(f *found) {
	if f.blind {
		return
	}
	if s.baseline != nil {
		rest, had := s.baseline.Apply(f.findings, f.dir)
		f.findings, f.suppressed = rest, append(f.suppressed, had...)
	}
	if len(s.Only) > 0 {
		f.keep("--only", func(is finding.Finding) bool {
			_, rule := check.Find(is.Rule)
			return slices.Contains(s.Only, is.Rule) || !rule && is.Severity == finding.Error
		})
	}
}

// dim leaves of the findings what is grave enough to be printed.
func (s *shown) dim(f *found) {
	least := finding.Severity(slices.Index([]string{"info", "warning", "error"}, s.Severity))
	f.keep("--severity", func(is finding.Finding) bool { return is.Severity >= least })
}

// keep counts what is left out.
func (f *found) keep(by string, wanted func(finding.Finding) bool) {
	var rest []finding.Finding
	for _, is := range f.findings {
		if wanted(is) {
			rest = append(rest, is)
			continue
		}
		f.hidden[is.Severity]++
		if !slices.Contains(f.hiddenBy, by) {
			f.hiddenBy = append(f.hiddenBy, by)
		}
	}
	f.findings = rest
}

// add joins what is said about another one.
func (f *found) add(more found) {
	f.findings, f.suppressed, f.files = append(f.findings, more.findings...), append(f.suppressed, more.suppressed...), f.files+more.files
	for sev, n := range more.hidden {
		f.hidden[sev] += n
	}
	for _, by := range more.hiddenBy {
		if !slices.Contains(f.hiddenBy, by) {
			f.hiddenBy = append(f.hiddenBy, by)
		}
	}
}

// silent reports whether there is nothing to say, not even about what is left out.
func (f *found) silent() bool { return len(f.findings)+len(f.suppressed)+len(f.hiddenBy) == 0 }
