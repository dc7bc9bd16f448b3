package render

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

func (st *Stack) resolveBackup(s *spec.Spec, secrets *secret.Set, sources []string) {
	borg := s.Backup.Borgmatic
	if len(borg.Repositories) == 0 {
		return
	}
	k := borg.Keep
	if k == (spec.Keep{}) {
		k = spec.Keep{Daily: 7, Weekly: 4, Monthly: 6}
	}
	b := &Backup{
		Hourly: k.Hourly, Daily: k.Daily, Weekly: k.Weekly, Monthly: k.Monthly,
		Passphrase: secrets.Get("backup.passphrase"), PassphraseFile: "secrets/borg_passphrase",
	}
	if borg.Heartbeat != "" {
		b.PushURL = secrets.Get("backup.heartbeat_url")
	}
	for _, r := range borg.Repositories {
		b.Repositories = append(b.Repositories, struct{ Path, Label string }{r.Path, r.Label})
	}
	if borg.Directory != "" && path.Clean(borg.Directory) != st.Dir {
		st.Dir, sources = path.Clean(borg.Directory), nil // what lies here is not there
	}
	if len(borg.Sources) > 0 {
		sources = borg.Sources
	}
	media := st.Synapse.Data.host(st.Dir)
	for _, source := range sources {
		if source = path.Clean(source); !within(source, st.Dir) && source != media && !slices.Contains(slices.Concat(b.Sources, st.written()), source) {
			b.Sources = append(b.Sources, source)
		}
	}
	if !within(media, st.Dir) && !slices.ContainsFunc(b.Sources, func(s string) bool { return within(media, s) }) {
		b.Media = media
	}
	for _, p := range st.written() {
		if !slices.ContainsFunc(slices.Concat(b.Sources, b.Written, []string{st.Dir, b.Media}), func(s string) bool { return s != "" && within(p, s) }) {
			b.Written = append(b.Written, p)
		}
	}
	st.Backup = b
	if st.Postgres.External {
		return
	}
	// What is in the directory, not the directory: it comes back empty, with its owner.
	cluster := st.Postgres.Data.host(st.Dir)
	if slices.ContainsFunc(append([]string{st.Dir, b.Media}, b.Sources...), func(s string) bool { return s != "" && within(cluster, s) }) {
		b.Excluded = patternEscape.Replace(cluster) + "/*"
	}
}

// patternEscape has borg's patterns, which are those of Python's fnmatch, take a path as it is.
var patternEscape = strings.NewReplacer("[", "[[]", "?", "[?]", "*", "[*]")
