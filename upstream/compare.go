package main

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// config is what one release reads.
type config struct {
	// keys are the paths that may stand in the configuration, with the default as it is written; empty where none is.
	// An item of a list is [], any key *.
	keys map[string]string
	// required are those that have to stand there.
	required []string
	// refusals are what it says before it stops, with the file that says it.
	refusals []string
	// advisories are the vulnerabilities that its change log names, with the heading that they stand below.
	advisories []string
}

// change is one thing that differs from our tables, or from the release that they were read from.
type change struct{ kind, text string }

// differences lists what a release has that the table does not know, and what it changed since the release before.
// An absent table knows what the release before has.
func differences(under string, before, now config, table source.Value) []change {
	var changes []change
	fresh := func(key string) bool {
		if table.Exists() {
			return !knows(table, strings.Split(key, "."))
		}
		_, had := before.keys[key]
		return !had
	}
	gone := func(key string) bool { _, has := now.keys[key]; return !has }
	changes = append(changes, tops("new", under, now.keys, fresh)...)
	changes = append(changes, tops("gone", under, before.keys, gone)...)
	for _, key := range slices.Sorted(maps.Keys(now.keys)) {
		if old, had := before.keys[key]; had && old != now.keys[key] {
			changes = append(changes, change{"default", under + key + ": " + written(old) + " → " + written(now.keys[key])})
		}
	}
	for _, key := range now.required {
		above := strings.TrimSuffix(key[:max(strings.LastIndexByte(key, '.'), 0)], "[]")
		if _, had := before.keys[above]; (had || above == "") && !slices.Contains(before.required, key) {
			changes = append(changes, change{"refuses", "a file without " + under + key})
		}
	}
	changes = append(changes, added("refuses", before.refusals, now.refusals)...)
	return append(changes, added("advisory", before.advisories, now.advisories)...)
}

// added lists the texts that were not there before.
func added(kind string, before, now []string) (changes []change) {
	for _, text := range now {
		if !slices.Contains(before, text) {
			changes = append(changes, change{kind, text})
		}
	}
	return changes
}

var vulnerability = regexp.MustCompile(`GHSA(?:-[0-9a-z]{4}){3}|CVE-[0-9]{4}-[0-9]+`)

// advised lists the vulnerabilities that a change log names.
func advised(changelog string) (texts []string) {
	heading := ""
	for line := range strings.Lines(changelog) {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			heading = strings.TrimSpace(title)
		} else if title, ok := strings.CutPrefix(line, "## ["); ok {
			heading, _, _ = strings.Cut(title, "]")
		}
		for _, id := range vulnerability.FindAllString(line, -1) {
			if text := id + ", in " + heading; !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// tops lists the keys that are meant, but for those below another that is: of them only the number.
func tops(kind, under string, keys map[string]string, meant func(string) bool) []change {
	var changes []change
	top, below := "", 0
	close := func() {
		if below > 0 {
			changes[len(changes)-1].text += ", with " + strconv.Itoa(below) + " below it"
		}
		below = 0
	}
	// A dot sorts before every letter, but not before - and [.
	order := slices.SortedFunc(maps.Keys(keys), func(a, b string) int { return slices.Compare(strings.Split(a, "."), strings.Split(b, ".")) })
	for _, key := range order {
		switch {
		case !meant(key):
		case top != "" && (strings.HasPrefix(key, top+".") || strings.HasPrefix(key, top+"[].")):
			below++
		default:
			close()
			top = key
			text := under + key
			if kind == "new" && keys[key] != "" {
				text += ": " + keys[key]
			}
			changes = append(changes, change{kind, text})
		}
	}
	close()
	return changes
}

func written(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// knows reports whether a table has the path, or anything may stand there.
func knows(table source.Value, path []string) bool {
	if slices.Contains(strings.Split(table.Str(), "|"), "any") {
		return true
	}
	if items := table.Items(); len(items) > 0 {
		return knows(items[0], path)
	}
	if len(path) == 0 {
		return true
	}
	next := table.At(strings.TrimSuffix(path[0], "[]"))
	if !next.Exists() {
		next = table.At("*")
	}
	return next.Exists() && knows(next, path[1:])
}
