package traefik

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route"
)

// In a rule a variable that is set elsewhere stands between two runes that mean nothing to anybody, so that the rule
// parses; everywhere else as people write it.
const gapBegins, gapEnds = "\uE000", "\uE001"

var shownGaps = strings.NewReplacer(gapBegins, "${", gapEnds, "}")

// bracket puts the one and the other around each name between two \x00.
func bracket(gapped, left, right string) string {
	var b strings.Builder
	for i, part := range strings.Split(gapped, "\x00") {
		if i%2 == 1 {
			part = left + part + right
		}
		b.WriteString(part)
	}
	return b.String()
}

// defaultRule is what a template makes of a rule: all that is put into it is a gap.
func defaultRule(template string) string {
	return actions().ReplaceAllStringFunc(template, func(action string) string {
		return gapBegins + strings.TrimSpace(strings.Trim(action, "{}")) + gapEnds
	})
}

var actions = regex.Of(`(?s)\{\{.*?\}\}`)

// fillGaps gives the labels of a container that lack what a variable holds the text of that variable, and leaves out those
// that then have the wrong type.
func (t *table) fillGaps(c *Container) {
	if !slices.ContainsFunc(c.Labels, func(l Label) bool { return l.Gapped != "" }) {
		return
	}
	var labels []Label
	for _, l := range c.Labels {
		if l.Gapped == "" {
			labels = append(labels, l)
			continue
		}
		for i, name := range strings.Split(l.Gapped, "\x00") {
			if i%2 == 1 {
				t.gaps = append(t.gaps, "${"+name+"}")
			}
		}
		key, val, _ := strings.Cut(l.Gapped, "=")
		l.Key, l.Value = bracket(key, "${", "}"), bracket(val, "${", "}")
		words := strings.Split(strings.ToLower(l.Key), ".")
		below := func(kind string) bool { return len(words) > 4 && words[1] == "http" && words[2] == kind }
		switch {
		case len(words) == 2 && words[1] == "enable", below("routers") && words[4] == "tls" && len(words) == 5:
			l.Value = "true"
		case below("routers") && words[4] == "rule":
			l.Value = bracket(val, gapBegins, gapEnds)
		case below("middlewares"):
			t.unsure[strings.Join(words[1:4], ".")] = true
		}
		if decodeLabels(map[string]string{l.Key: l.Value}, &dynamicLabels{HTTP: &httpLabels{}}, dynamicFilters) != nil {
			t.unsure[strings.Join(words[1:min(4, len(words))], ".")] = true
			continue
		}
		labels = append(labels, l)
	}
	c.Labels, c.sites = labels, nil
}

// gapped tells whether a text holds a variable that is set elsewhere.
func (t *table) gapped(text string) bool {
	return slices.ContainsFunc(t.gaps, func(gap string) bool { return strings.Contains(text, gap) })
}

// unsureOf tells whether the labels of a router or middleware do not say all of it.
func (t *table) unsureOf(kind, name string) bool {
	return t.unsure[strings.ToLower("http."+kind+"."+name)]
}

func hasGap(text string) bool { return strings.Contains(text, gapBegins) }

// open makes a matcher of one whose values hold variables: only of another that holds the same it can be told.
func (m *matcher) open() {
	m.Text, m.Open = shownGaps.Replace(m.Text), true
	m.describe()
	m.Eval = func(r *route.Request) route.Truth {
		asked := map[route.Kind]string{route.Host: r.Host, route.Path: r.Path, route.Method: r.Method}[m.Kind]
		if !hasGap(asked) {
			return route.Maybe
		}
		return route.TruthOf(slices.ContainsFunc(m.args, func(a string) bool { return strings.EqualFold(a, asked) }))
	}
}

// setAside finds the routers whose rules hold variables, but none of those that the rules of the own containers hold, where
// these have rules without.
func (t *table) setAside(all definitions[*router]) {
	known := false
	var own []string
	for _, name := range all.names {
		for _, r := range all.of[name] {
			if t.opts.Own == nil || !t.opts.Own(r.Container) {
				continue
			}
			if names := gapsOf(r.conf.Rule); len(names) > 0 {
				own = append(own, names...)
			} else {
				known = true
			}
		}
	}
	t.aside = func(r *router) bool {
		return known && r.conf != nil && !t.opts.Own(r.Container) &&
			!slices.ContainsFunc(gapsOf(r.conf.Rule), func(name string) bool { return slices.Contains(own, name) })
	}
}

// gapsOf are the names between the two runes.
func gapsOf(rule string) (names []string) {
	for _, part := range strings.Split(rule, gapBegins)[1:] {
		name, _, _ := strings.Cut(part, gapEnds)
		names = append(names, name)
	}
	return names
}
