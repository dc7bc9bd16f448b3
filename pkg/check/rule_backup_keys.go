package check

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func borgmaticKeys() source.Value { return knownKeys(component.Of(component.Borgmatic).Keys) }

var backupKeysKnown = Rule{
	ID: "backup-keys-known", Severity: finding.Warning,
	Summary: "borgmatic knows every option, and is told how long to keep what it makes",
	Why:     "borgmatic makes no backup at all: \"Additional properties are not allowed\". Or the repository grows until the disk is full.",
	Fix:     "Write the option as borgmatic knows it, at the top level, and how many archives to keep.",
	Source:  "borgmatic config/schema.yaml of 1.8 to 2.1, config/normalize.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Backups() {
			borgmatic := reading{
				d: d, program: "borgmatic",
				unknown: "it refuses the file and makes no backup",
				wrong:   "borgmatic refuses the file and makes no backup",
				report:  r.FailMend,
			}
			borgmatic.check(place{value: b.Config.Root(), known: borgmaticKeys()})
			for _, section := range deployment.BorgmaticSections {
				if v := b.Config.At(section); v.Set() {
					r.Fail("the section "+section+" is that of borgmatic before 1.8; it is still read, but soon no more", "move what stands below it to the top level", v.Site(""))
					borgmatic.check(place{value: v, known: borgmaticKeys()})
				}
			}
			if !b.Option("repositories").Set() && !b.Partial() {
				r.Fail("the backup has no repositories; borgmatic refuses the file and makes no backup", "repositories: [{path: …}]", b.Config.At("repositories").Site(""))
			}
			if v := b.Option("uptime_kuma").At("push_url"); strings.Contains(v.Str(), "?") {
				r.Fail("the push URL has a query, and borgmatic puts its own behind it; Uptime Kuma does not understand it and calls the backup dead", "the URL up to the question mark", v.Site(""))
			}
			if keeps := slices.ContainsFunc(optionNames(b), func(n string) bool { return strings.HasPrefix(n, "keep_") && n != "keep_exclude_tags" }); !keeps && !b.Partial() {
				r.Fail("nothing says how long backups are kept; borgmatic cannot prune, and the repository grows until its disk is full", "keep_daily: 7", b.Config.At("keep_daily").Site(""))
			}
		}
	},
}

// optionNames lists the options that are set, whatever section they stand in.
func optionNames(b *deployment.Backup) []string {
	var names []string
	for _, section := range append([]string{""}, deployment.BorgmaticSections...) {
		for _, v := range deployment.Each(b.Config.Root(), section) {
			for k := range v.Entries() {
				names = append(names, k.Str())
			}
		}
	}
	return names
}
