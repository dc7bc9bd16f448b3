package compare

import (
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// serviceOf is the service of a side by the name that both sides have for it; nil where it has none.
func (s *side) serviceOf(about string) *deployment.Service {
	for svc, called := range s.of {
		if called == about {
			return svc
		}
	}
	return nil
}

// release judges another release of a program: what the spec has no more cannot be kept, and PostgreSQL starts on the data of
// its own major alone. ok is false where one release is as good as the other.
func (c *comparison) release(about string) (v verdict, ok bool) {
	old, ours := c.old.serviceOf(about), c.ours.serviceOf(about)
	if old == nil || ours == nil || old.Program != ours.Program {
		return verdict{}, false
	}
	program := old.Component()
	release, known := old.Image.Version()
	gone := known && release.Less(program.Oldest)
	if from, to := old.Image.Major(), ours.Image.Major(); program.Program == component.Postgres && from != "" && from != to {
		starts := "PostgreSQL " + to + " does not start on the data of " + from
		if gone {
			return verdict{kind: Lost, why: starts + ", and the spec has none before " + strconv.Itoa(program.Oldest[0]) +
				": dump all of it, bring the old stack to a later one in an empty place, restore it there, and import again"}, true
		}
		return verdict{kind: Decision, why: starts, keep: "database: {version: {old}}"}, true
	}
	switch {
	case !gone:
		return verdict{}, false
	case program.Program == component.Element: // which keeps nothing
		return verdict{kind: Safer, why: program.OldestWhy}, true
	}
	return verdict{kind: Lost, why: "the spec has no " + program.Title + " before " + program.Oldest.String() + " (" + program.OldestWhy +
		"): {new} runs from then on, and what it does to its data only a backup undoes"}, true
}

// respell has a bridge whose configuration is of two dialects be compared by what it means where each has it in a place, or in
// a word, of its own: its bot, the names of its users, and who may do what.
func (c *comparison) respell() {
	for _, old := range c.old.Bridges {
		for _, ours := range c.ours.Bridges {
			if about := c.old.whom(old.Service); about == c.ours.whom(ours.Service) && old.Dialect != ours.Dialect {
				c.old.respell(old, about, ours.Keys())
				c.ours.respell(ours, about, ours.Keys())
			}
		}
	}
}

// respell puts what a bridge says under the keys of a dialect, in its words.
func (s *side) respell(b *deployment.Bridge, about string, as *component.Shape) {
	is := b.Keys()
	for from, to := range map[string]string{is.Bot: as.Bot, is.Ghosts: as.Ghosts} {
		k := id{about, "config", from}
		f, had := s.facts[k]
		if !had {
			continue
		}
		if from == is.Ghosts {
			f.text = strings.ReplaceAll(strings.ReplaceAll(f.text, "{{ . }}", "{{.}}"), is.Placeholder, as.Placeholder)
		}
		f.why = "each release says it in a place of its own"
		delete(s.facts, k)
		s.facts[id{about, "config", to}] = f
	}
	for k, f := range s.facts {
		if k.about != about || k.doc != "config" || !strings.HasPrefix(k.key, "bridge.permissions.") {
			continue
		}
		for _, word := range as.Meant {
			if f.text == strconv.Quote(word[0]) {
				f.text, f.why = strconv.Quote(word[1]), "it is what the one release calls "+word[0]+", and the other "+word[1]
				s.facts[k] = f
			}
		}
	}
}
