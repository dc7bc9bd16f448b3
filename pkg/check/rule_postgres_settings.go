package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func postgresKeys() source.Value { return knownKeys(component.Of(component.Postgres).Keys) }

var postgresSettings = Rule{
	ID: "postgres-settings", Severity: finding.Error,
	Summary: "PostgreSQL knows every setting on its command line, and the value is of its type",
	Why:     "PostgreSQL does not start: 'unrecognized configuration parameter \"max_conections\"', 'parameter \"fsync\" requires a Boolean value', 'invalid value for parameter \"max_connections\"'; nor does anything that waits for it.",
	Fix:     "Write the setting as this release knows it.",
	Source:  "pg_settings and --describe-config of PostgreSQL 14 to 18",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.PostgresServers() {
			for _, given := range s.Settings() {
				checkSetting(r, s, given)
			}
			for _, w := range s.Astray() {
				fix := "-c " + w.Str()
				if !strings.Contains(w.Str(), "=") {
					fix = w.Str() + "=…"
				}
				r.Fail(fmt.Sprintf("%q stands on the command line of PostgreSQL without what makes a setting of it; it does not start", w.Str()), fix, w.Site(""))
			}
		}
	},
}

// isPostgresBool takes what PostgreSQL does: on, off, 1, 0, and what true, false, yes and no begin with.
func isPostgresBool(v string) bool {
	v = strings.ToLower(v)
	for _, word := range []string{"true", "false", "yes", "no"} {
		if v != "" && strings.HasPrefix(word, v) {
			return true
		}
	}
	return slices.Contains([]string{"on", "of", "off", "1", "0"}, v)
}

func isPostgresNumber(v string) bool {
	v = strings.TrimLeft(v, " +-.")
	return v != "" && v[0] >= '0' && v[0] <= '9'
}

// units are those behind a number, as they are written (guc.c, memory_unit_conversion_table and time_unit_conversion_table).
var units = []string{"", "B", "kB", "MB", "GB", "TB", "us", "ms", "s", "min", "h", "d"}

func isPostgresUnit(v string) bool {
	return slices.Contains(units, strings.TrimSpace(strings.TrimLeft(v, " +-.0123456789xXeE")))
}

// asUnit writes the unit that is meant.
func asUnit(v string) string {
	number := v[:len(v)-len(strings.TrimLeft(v, " +-.0123456789"))]
	unit := strings.TrimSpace(v[len(number):])
	for _, known := range units[1:] {
		if strings.EqualFold(known, unit) || strings.EqualFold(known, unit+"B") {
			return strings.TrimSpace(number) + known
		}
	}
	return strings.TrimSpace(number) + "MB"
}

func checkSetting(r *Reporter, s *deployment.Service, given deployment.Setting) {
	if strings.Contains(given.Name, ".") {
		return // an extension's
	}
	var known source.Value
	for key, v := range postgresKeys().Entries() {
		if strings.EqualFold(key.Str(), given.Name) {
			known = v
		}
	}
	v, tagged := s.Image.Version()
	fix := "remove it"
	if near := finding.Nearest(given.Name, keyNames(postgresKeys())); near != "" {
		fix = near + "=" + given.Value
	}
	const newest = 18
	if !known.Exists() {
		message := fmt.Sprintf("PostgreSQL knows no setting %s; it does not start", given.Name)
		if tagged && v[0] <= newest {
			r.Fail(message, fix, given.At.Site(""))
			return
		}
		r.Warn(fmt.Sprintf("%s, unless %s is newer than %d", message, s.Image, newest), fix, given.At.Site(""))
		return
	}
	kind, _, _ := strings.Cut(known.Str(), "@")
	first, gone := releases(known.Str())
	switch {
	case tagged && v.Less(first):
		r.Fail(fmt.Sprintf("%s begins with PostgreSQL %d, and this is %d; it does not start", given.Name, first[0], v[0]), "remove it", given.At.Site(""), s.ImageAt.Site("the image"))
	case tagged && gone != component.Version{} && !v.Less(gone):
		r.Fail(fmt.Sprintf("%s is gone since PostgreSQL %d, and this is %d; it does not start", given.Name, gone[0], v[0]), "remove it", given.At.Site(""), s.ImageAt.Site("the image"))
	case kind == "bool" && !isPostgresBool(given.Value):
		r.Fail(fmt.Sprintf("%s must be on or off; PostgreSQL does not start", given.Name), given.Name+"=on", given.At.Site(""))
	case (kind == "int" || kind == "num") && !isPostgresNumber(given.Value):
		r.Fail(fmt.Sprintf("%s must be a number, which may have a unit; PostgreSQL does not start", given.Name), given.Name+"=a number", given.At.Site(""))
	case (kind == "int" || kind == "num") && !isPostgresUnit(given.Value):
		r.Fail(fmt.Sprintf("%s has a unit that PostgreSQL does not know; it does not start (it takes kB, MB, GB and TB, ms, s, min, h and d)", given.Name), given.Name+"="+asUnit(given.Value), given.At.Site(""))
	}
}
