package adopt

import (
	"path"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// borgmatic is the configuration of the one that runs on the host, as the rendered one does; nil where there is none.
func (r *reader) borgmatic() *deployment.Backup {
	for _, b := range r.d.Backups() {
		if b.Service == nil && b.Option("repositories").Len() > 0 {
			return b
		}
	}
	return nil
}

// backup reads it.
func (r *reader) backup() {
	b := r.borgmatic()
	if b == nil {
		return
	}
	borg := &r.spec.Backup.Borgmatic
	for _, repo := range b.Option("repositories").Items() {
		rep := spec.Repository{Path: repo.At("path").Str(), Label: repo.At("label").Str()}
		if repo.Kind() == source.Scalar {
			rep.Path = repo.Str()
		}
		borg.Repositories = append(borg.Repositories, rep)
	}
	borg.Keep.Hourly, _ = b.Option("keep_hourly").Int()
	borg.Keep.Daily, _ = b.Option("keep_daily").Int()
	borg.Keep.Weekly, _ = b.Option("keep_weekly").Int()
	borg.Keep.Monthly, _ = b.Option("keep_monthly").Int()
	sources := deployment.ItemTexts(b.Option("source_directories"))
	root := r.d.TreeRoot(b.Contents())
	if root == "" && len(sources) > 0 {
		root = sources[0]
	}
	borg.Directory = root
	for _, s := range sources {
		if s != root && path.IsAbs(s) {
			borg.Sources = append(borg.Sources, s)
		}
	}
	if url := b.Option("uptime_kuma").At("push_url").Str(); url != "" {
		borg.Heartbeat = "uptime-kuma"
		r.secrets["backup.heartbeat_url"] = url
	}
	r.passphrase(b, root)
}

// passphrase reads that of the repositories: inline, or in a file of the stack that is printed.
func (r *reader) passphrase(b *deployment.Backup, root string) {
	r.keep("backup.passphrase", b.Option("encryption_passphrase").Str())
	file, cat := strings.CutPrefix(b.Option("encryption_passcommand").Str(), "cat ")
	if !cat {
		return
	}
	file = strings.Trim(file, `"'`)
	for _, dir := range []string{root, r.o.Dir} {
		if below, ok := strings.CutPrefix(file, strings.TrimSuffix(dir, "/")+"/"); ok && dir != "" {
			if text, err := source.ReadFS(r.d.FS, below); err == nil {
				r.secrets["backup.passphrase"] = strings.TrimRight(string(text), "\n")
				return
			}
		}
	}
}
