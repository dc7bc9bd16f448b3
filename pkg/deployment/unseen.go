package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// unseen is a configuration that cannot be seen, why, and what is said of it alone.
type unseen struct {
	service *Service
	reason  string
	found   finding.Finding
}

// tellUnseen makes one finding of all configurations that cannot be seen for reasons of one kind, as those of ten bridges in ten
// volumes: the end of the report has each with its own.
func (d *Deployment) tellUnseen() {
	for len(d.unseen) > 0 {
		same := func(u unseen) bool { return reasonKind(u.reason) == reasonKind(d.unseen[0].reason) }
		var alike, others []unseen
		for _, u := range d.unseen {
			if same(u) {
				alike = append(alike, u)
			} else {
				others = append(others, u)
			}
		}
		d.unseen = others
		d.problem(unseenTogether(alike))
	}
}

// reasonKind is a reason without what it is said of: a path, or the name of a volume.
func reasonKind(reason string) string {
	const volume = "it is the named volume "
	if strings.HasPrefix(reason, volume) {
		return volume
	}
	if i := strings.Index(reason, " is "); i >= 0 {
		return reason[i:]
	}
	return reason
}

func unseenTogether(alike []unseen) finding.Finding {
	found := alike[0].found
	if len(alike) == 1 {
		return found
	}
	var names []string
	var sites []source.Site
	for _, u := range alike {
		names = append(names, u.service.Name)
		sites = append(sites, u.found.Sites[0])
	}
	why := " cannot be seen: "
	if slices.ContainsFunc(alike, func(u unseen) bool { return u.reason != alike[0].reason }) {
		why = " cannot be seen, each for a reason like this one: "
	}
	found = finding.Unchecked(found.Rule, "the configurations of "+finding.Sentence(AtMost(names, 3), "and")+why+alike[0].reason, sites...)
	found.Some = func(wanted func([]source.Site) bool) (finding.Finding, bool) {
		some := slices.DeleteFunc(slices.Clone(alike), func(u unseen) bool { return !wanted(u.found.Sites) })
		if len(some) == 0 {
			return finding.Finding{}, false
		}
		return unseenTogether(some), true
	}
	return found
}
