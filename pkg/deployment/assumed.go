package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Assumed are the values that are what they are by the default of a variable, ${X:-…}, where a file that is not here may set it.
type Assumed struct {
	// File is the one that may; "" where none is known of.
	File string
	// Names are the variables, by the place of the value; by its line alone, with column 0, within a text of several.
	Names map[source.Pos][]string
}

// names are the variables that a place goes by.
func (a Assumed) names(sites ...source.Site) (names []string) {
	for _, s := range sites {
		for _, at := range []source.Pos{s.Pos, {File: s.File, Line: s.Line}} {
			for _, name := range a.Names[at] {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// Unless gives the findings with the condition that what follows from the default of a variable has: it is no error where a file
// that is not here may set that.
func (d *Deployment) Unless(findings []finding.Finding) []finding.Finding {
	if len(d.Assumed.Names) == 0 {
		return findings
	}
	var all []finding.Finding
	for _, f := range findings {
		sites := f.Sites
		if f.Severity < finding.Error {
			sites = sites[:min(len(sites), 1)]
		}
		if f.Status != finding.Found || f.Severity == finding.Info || strings.Contains(f.Message, " unless ") && f.Severity < finding.Error || len(d.Assumed.names(sites...)) == 0 {
			all = append(all, f)
			continue
		}
		if f.Some != nil {
			if sure, any := only(f, func(places []source.Site) bool { return len(d.Assumed.names(places...)) == 0 }); any {
				all = append(all, sure)
				if f, any = only(f, func(places []source.Site) bool { return len(d.Assumed.names(places...)) > 0 }); !any {
					continue
				}
			}
		}
		all = append(all, d.unless(f))
	}
	return all
}

// only is the finding of those of its things for which that holds.
func only(f finding.Finding, holds func(places []source.Site) bool) (finding.Finding, bool) {
	some, things := f.Some, 0
	part, any := some(func(places []source.Site) bool {
		if !holds(places) {
			return false
		}
		things++
		return true
	})
	if part.Some = nil; things < 2 {
		return part, any
	}
	part.Some = func(wanted func([]source.Site) bool) (finding.Finding, bool) {
		return some(func(places []source.Site) bool { return holds(places) && wanted(places) })
	}
	return part, any
}

// unless is the finding as a warning with its condition.
func (d *Deployment) unless(f finding.Finding) finding.Finding {
	names := d.Assumed.names(f.Sites...)
	f.Severity = finding.Warning
	f.Message += ", unless " + d.Assumed.File + ", which is not here, sets " + enumerated(names)
	if some := f.Some; some != nil {
		f.Some = func(wanted func([]source.Site) bool) (finding.Finding, bool) {
			part, any := some(wanted)
			if !any {
				return finding.Finding{}, false
			}
			return d.unless(part), true
		}
	}
	return f
}

// enumerated joins up to three words as a sentence does.
func enumerated(words []string) string {
	if len(words) <= 3 {
		return finding.Sentence(words, "and")
	}
	return strings.Join(words[:2], ", ") + " and others"
}
