package check

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

var postgresKeys = sync.OnceValue(func() source.Value { return knownKeys("postgres") })

var postgresSettings = Rule{
	ID: "postgres-settings", Severity: finding.Error,
	Summary: "PostgreSQL knows every setting on its command line, and the value is of its type",
	Why:     "PostgreSQL does not start: 'unrecognized configuration parameter \"max_conections\"', 'parameter \"fsync\" requires a Boolean value', 'invalid value for parameter \"max_connections\"'; nor does anything that waits for it.",
	Fix:     "Write the setting as this release knows it.",
	Source:  "pg_settings and --describe-config of PostgreSQL 14 to 18",
	Check: func(d *Deployment, r *Reporter) {
		for _, s := range d.servers() {
			for _, given := range s.settings() {
				s.checkSetting(r, given)
			}
		}
	},
}

// setting is what a command line sets, with the word that does.
type setting struct {
	name, value string
	at          source.Value
}

// settings are those of `postgres -c NAME=VALUE`, and of --NAME=VALUE, in which a dash stands for an underscore.
func (s *Service) settings() (all []setting) {
	words := s.Value.At("command").Items()
	if len(words) == 0 || path.Base(words[0].Str()) != "postgres" && !strings.HasPrefix(words[0].Str(), "-") {
		return nil
	}
	for i, w := range words {
		text, seen := s.d.expand(w)
		long, isLong := strings.CutPrefix(text, "--")
		short, isShort := strings.CutPrefix(text, "-c")
		switch {
		case i > 0 && words[i-1].Str() == "-c":
			short = text
		case isLong:
			short = long
		case !isShort:
			continue
		}
		if name, value, ok := strings.Cut(short, "="); ok && seen && name != "" {
			all = append(all, setting{strings.ReplaceAll(name, "-", "_"), value, w})
		}
	}
	return all
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

func (s *Service) checkSetting(r *Reporter, given setting) {
	if strings.Contains(given.name, ".") {
		return // an extension's
	}
	var known source.Value
	for key, v := range postgresKeys().Entries() {
		if strings.EqualFold(key.Str(), given.name) {
			known = v
		}
	}
	v, tagged := s.Image.Version()
	fix := "remove it"
	if near := nearest(given.name, keyNames(postgresKeys())); near != "" {
		fix = near + "=" + given.value
	}
	const newest = 18
	if !known.Exists() {
		message := fmt.Sprintf("PostgreSQL knows no setting %s; it does not start", given.name)
		if tagged && v[0] <= newest {
			r.Fail(message, fix, given.at.Site(""))
			return
		}
		r.Warn(fmt.Sprintf("%s, unless %s is newer than %d", message, s.Image, newest), fix, given.at.Site(""))
		return
	}
	kind, _, _ := strings.Cut(known.Str(), "@")
	first, gone := releases(known.Str())
	switch {
	case tagged && v.Less(first):
		r.Fail(fmt.Sprintf("%s begins with PostgreSQL %d, and this is %d; it does not start", given.name, first[0], v[0]), "remove it", given.at.Site(""), s.Value.At("image").Site("the image"))
	case tagged && gone != image.Version{} && !v.Less(gone):
		r.Fail(fmt.Sprintf("%s is gone since PostgreSQL %d, and this is %d; it does not start", given.name, gone[0], v[0]), "remove it", given.at.Site(""), s.Value.At("image").Site("the image"))
	case kind == "bool" && !isPostgresBool(given.value):
		r.Fail(fmt.Sprintf("%s must be on or off; PostgreSQL does not start", given.name), given.name+"=on", given.at.Site(""))
	case (kind == "int" || kind == "num") && !isPostgresNumber(given.value):
		r.Fail(fmt.Sprintf("%s must be a number, which may have a unit; PostgreSQL does not start", given.name), given.name+"=a number", given.at.Site(""))
	}
}
