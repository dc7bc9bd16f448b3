package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

var backupCovers = Rule{
	ID: "backup-covers", Severity: finding.Warning,
	Summary: "every database, the media, the signing key and MAS's encryption secret are in the backup",
	Why:     "After a restore Synapse has no pictures, other servers no longer trust it, MAS cannot read its own database, or a bridge begins anew. Nothing says so before.",
	Fix:     "Name the directory of the stack below source_directories, and every database below postgresql_databases.",
	Source:  "borgmatic docs/how-to/backup-your-databases.md; MAS docs/reference/configuration.md (secrets.encryption); Synapse docs/usage/administration/backups.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		backups := d.Backups()
		if len(backups) == 0 {
			for _, s := range d.Services {
				if s.Borgmatic() {
					r.NotChecked("the configuration of "+s.Name+" cannot be seen", s.Site(""))
				}
			}
			return
		}
		var strays []source.Value
		lost := make(map[string][]dump)
		for _, b := range backups {
			for _, item := range b.Option("postgresql_databases").Items() {
				server, nobody := checkContainer(r, d, b, item)
				for name, one := range nobody {
					lost[name] = append(lost[name], one)
				}
				if name := item.At("name"); server != nil && server.Program == component.Postgres && strayDump(d, server, name.Str()) {
					strays = append(strays, name)
				}
			}
		}
		for _, container := range slices.Sorted(maps.Keys(lost)) {
			severally(r, lost[container], func(o dump) []source.Site { return []source.Site{o.at, o.name.Site("")} }, func(r *Reporter, all []dump) {
				var names []string
				var sites []source.Site
				for _, o := range all {
					names, sites = append(names, o.name.Str()), append(sites, o.at)
				}
				if len(all) == 1 {
					sites = append(sites, all[0].name.Site("the database"))
				}
				dumped := "the database " + names[0] + " is"
				if len(names) > 1 {
					dumped = "the databases " + finding.Sentence(names, "and") + " are"
				}
				r.Lack(fmt.Sprintf("no container of this stack is called %q; %s not dumped, or not restored", container, dumped),
					containerFix(d), append(sites, containerSites(d)...)...)
			})
		}
		checkDumps(r, d, backups, strays)
		checkKept(r, d, backups)
	},
}

// dump is an entry of postgresql_databases, and where it names a container that nobody is.
type dump struct {
	name source.Value
	at   source.Site
}

// checkDumps has every database in use below postgresql_databases of some backup. Strays are entries of
// databases that nothing creates: most likely the missing one, mistyped.
func checkDumps(r *Reporter, d *deployment.Deployment, backups []*deployment.Backup, strays []source.Value) {
	dumped, unknown := make(map[string]bool), ""
	list := backups[0].Option("postgresql_databases")
	for _, b := range backups {
		for _, item := range b.Option("postgresql_databases").Items() {
			dumped[item.At("name").Str()] = true
		}
		switch src := string(b.Config.Src); {
		case b.Partial():
			unknown = b.Config.Path + " includes another file"
		case !b.Option("postgresql_databases").Set() && strings.Contains(src, "pg_dump"):
			unknown = "a command of the backup dumps databases"
		}
	}
	if other := otherBackup(d, backups); other != nil {
		unknown = other.Name + " may back up databases, and how it does was not read"
	}
	var missing []deployment.Connection
	seen := make(map[string]bool)
	for _, c := range d.Connections() {
		server := d.ServiceAt(c.Host)
		if server == nil || server.Program != component.Postgres || dumped["all"] || dumped[c.Db] || seen[c.Db] {
			continue
		}
		made := d.Provisioned(server)
		if _, ok := made.Databases[c.Db]; !ok && made.Opaque == "" {
			continue // database-created says so
		}
		seen[c.Db] = true
		if unknown != "" {
			r.NotChecked(unknown, list.Site(""))
			return
		}
		if len(strays) == 0 {
			missing = append(missing, c)
			continue
		}
		var sites []source.Site
		for _, v := range strays {
			sites = append(sites, v.Site("nothing creates a database of this name"))
		}
		r.Fail(fmt.Sprintf("no backup here dumps the database %q of %s; after a restore it is empty, unless another one does", c.Db, c.Service.Name),
			"name: "+c.Db, append(sites, c.At.Site(c.Service.Name+" uses it"))...)
		strays = nil // named now
	}
	severally(r, missing, func(c deployment.Connection) []source.Site { return []source.Site{c.At.Site("")} }, func(r *Reporter, missing []deployment.Connection) {
		var names []string
		sites := []source.Site{list.Site("")}
		for _, c := range missing {
			names, sites = append(names, fmt.Sprintf("%q of %s", c.Db, c.Service.Name)), append(sites, c.At.Site(c.Service.Name+" uses it"))
		}
		what, is := "the database ", "it is"
		if len(names) > 1 {
			what, is = "the databases ", "they are"
		}
		r.Fail("no backup here dumps "+what+finding.Sentence(names, "and")+"; after a restore "+is+" empty, unless another one does", "- {name: "+missing[0].Db+", …} below postgresql_databases", sites...)
	})
	for _, v := range strays {
		r.Warn(fmt.Sprintf("nothing in these files creates the database %q; if nobody made it by hand its dump fails, and with it the backup", v.Str()), "remove the entry", v.Site(""))
	}
}

// stray reports whether nothing creates or uses a database of that name on the server.
func strayDump(d *deployment.Deployment, server *deployment.Service, name string) bool {
	made := d.Provisioned(server)
	_, ok := made.Databases[name]
	used := slices.ContainsFunc(d.Connections(), func(c deployment.Connection) bool { return c.Db == name })
	return name != "all" && made.Opaque == "" && !ok && !used
}

// precious is what cannot be made anew.
type precious struct {
	what, without string
	at            string // as whereabouts says it
	value         source.Value
}

func preciousParts(d *deployment.Deployment) []precious {
	var ps []precious
	for _, s := range d.Synapses {
		media := s.Config.At("media_store_path")
		if media.Set() && !deployment.IsFalse(s.Config.At("enable_media_repo")) {
			ps = append(ps, precious{"Synapse's media", "every picture and file is gone", s.Whereabouts(s.Inside(media.Str())), media})
		}
		if file, v := s.SigningKey(); file != "" {
			ps = append(ps, precious{"Synapse's signing key", "other servers no longer trust this one", s.Whereabouts(file), v})
		} else if v.Set() {
			ps = append(ps, precious{"Synapse's signing key", "other servers no longer trust this one", s.Config.Path, v})
		}
		if file := s.Config.At("database", "args", "database"); s.Config.At("database", "name").Str() == "sqlite3" && file.Set() {
			ps = append(ps, precious{"Synapse's database", "every account and room is gone", s.Whereabouts(s.Inside(file.Str())), file})
		}
	}
	for _, m := range d.MASs {
		p := precious{"MAS's encryption secret", "MAS cannot read its own database", m.Config.Path, m.Config.At("secrets", "encryption")}
		if file := m.Config.At("secrets", "encryption_file"); file.Set() {
			p.at, p.value = m.Whereabouts(m.Inside(file.Str())), file
		}
		if p.value.Set() {
			ps = append(ps, p)
		}
	}
	return ps
}

// checkKept has what is precious below source_directories of some backup.
func checkKept(r *Reporter, d *deployment.Deployment, backups []*deployment.Backup) {
	var all []deployment.Contents
	for _, b := range backups {
		c := b.Contents()
		if b.Service == nil {
			c.Root = d.TreeRoot(c)
		}
		all = append(all, c)
	}
	dirs := backups[0].Option("source_directories")
	told := false
	var lost []precious
	other := otherBackup(d, backups)
	for _, p := range preciousParts(d) {
		var by source.Value
		unknown, found := "", false
		for _, c := range all {
			yes, left, why := c.Keeps(p.at)
			found = found || yes
			if left.Set() {
				by = left
			}
			if why != "" {
				unknown = why
			}
		}
		switch {
		case found, p.at == "": // other rules report what does not outlive its container
		case by.Set():
			r.Fail(fmt.Sprintf("the backup leaves %s out; after a restore %s, unless another one keeps it", p.what, p.without), "remove the entry", by.Site(""), p.value.Site("named here"))
		case unknown != "" && told:
		case unknown != "":
			told = true
			r.NotChecked(unknown, dirs.Site(""))
		case other != nil && told:
		case other != nil:
			told = true
			r.NotChecked(other.Name+" may keep what the backup does not, and how it does was not read", dirs.Site(""), other.Site(""))
		default:
			lost = append(lost, p)
		}
	}
	severally(r, lost, func(p precious) []source.Site { return []source.Site{p.value.Site("")} }, func(r *Reporter, lost []precious) {
		fix, what := "- the directory of the stack, below source_directories", lost[0].what+", which is at "+lost[0].at
		if s := backups[0].Service; s != nil {
			fix = d.Lines.Mount("it", "into "+s.Name+" below one of source_directories")
		}
		sites := []source.Site{dirs.Site("")}
		var parts, without []string
		for _, p := range lost {
			parts, without, sites = append(parts, p.what+" ("+p.at+")"), append(without, p.without), append(sites, p.value.Site("named here"))
		}
		if len(lost) > 1 {
			what = finding.Sentence(parts, "and")
		}
		r.Fail(fmt.Sprintf("no backup here keeps %s; after a restore %s, unless another one does", what, finding.Sentence(without, "and")), fix, sites...)
	})
}

// backupWords are those by which images and services for backups are called that are no borgmatic.
var backupWords = []string{"backup", "restic", "kopia", "duplic", "pgbackrest", "wal-g", "barman", "rclone", "velero", "syncoid"}

// otherBackup is a service that most likely backs up, too; nil where there is none.
func otherBackup(d *deployment.Deployment, backups []*deployment.Backup) *deployment.Service {
	for _, s := range d.Services {
		names := strings.ToLower(s.Name + " " + s.Image.Repository)
		known := s.Borgmatic() || s.Absent.Why != "" || slices.ContainsFunc(backups, func(b *deployment.Backup) bool { return b.Service == s })
		if !known && slices.ContainsFunc(backupWords, func(word string) bool { return strings.Contains(names, word) }) {
			return s
		}
	}
	return nil
}

// checkContainer holds the container that an entry of postgresql_databases is dumped from against the stack, and
// gives the server, nil when it cannot be told, and the containers that nobody is.
func checkContainer(r *Reporter, d *deployment.Deployment, b *deployment.Backup, item source.Value) (server *deployment.Service, nobody map[string]dump) {
	name := item.At("name")
	nobody = make(map[string]dump)
	checkDumpCommands(r, d, item)
	uses := slices.ContainsFunc(d.Connections(), func(c deployment.Connection) bool { return c.Db == name.Str() })
	for _, key := range []string{"container", "pg_dump_command", "pg_restore_command", "psql_command"} {
		v := item.At(key)
		container := v.Str()
		if key != "container" {
			g := dumpedIn().FindStringSubmatch(container + " ")
			if g == nil {
				continue
			}
			container = g[1]
		}
		if container == "" {
			continue
		}
		s := d.ContainerNamed(container)
		if _, told := nobody[container]; s == nil && uses && !told {
			nobody[container] = dump{name, v.Site("")}
		}
		server = s
	}
	if host := item.At("hostname"); server == nil && b.Service != nil && host.Set() {
		server = d.ServiceAt(host.Str())
	}
	if b.Service != nil && server != nil {
		checkDumpAge(r, b, item, server)
	}
	return server, nobody
}

// dumpMajors are the newest PostgreSQL that the pg_dump in borgmatic's image of a release reads, by its Alpine: up to
// that release. Images before 1.5.21 are of the Alpine of their day, none later than 3.15.
var dumpMajors = []struct {
	last  component.Version
	major int
}{
	{component.Version{1, 7, 5}, 14},
	{component.Version{1, 8, 9}, 15},
	{component.Version{1, 9, 4}, 16},
	{component.Version{2, 1, 6}, 17},
}

// checkDumpAge has a pg_dump that reads the server: an older one refuses a newer server. That is an error, for it is certain: both
// are of the images alone.
func checkDumpAge(r *Reporter, b *deployment.Backup, item source.Value, server *deployment.Service) {
	v, ok := b.Image.Version()
	have, known := server.Image.Version()
	if !ok || !known || strings.Count(b.Image.Tag, ".") < 2 || item.At("pg_dump_command").Set() || b.Option("postgresql_databases").Kind() != source.Sequence {
		return
	}
	for _, m := range dumpMajors {
		if m.last.Less(v) {
			continue
		}
		if have[0] > m.major {
			most := ""
			if v.Less(component.Version{1, 5, 21}) {
				most = " at most"
			}
			message := fmt.Sprintf("the pg_dump of borgmatic %s is of PostgreSQL %d%s, and %s runs %d; the dump fails (\"server version mismatch\"), and with it the backup", b.Image.Tag, m.major, most, server.Name, have[0])
			fix, sites := "pg_dump_command: "+server.Lines().Run("", "pg_dump")+", or a newer borgmatic", []source.Site{item.Site(""), b.ImageAt.Site("borgmatic"), server.ImageAt.Site("the server")}
			if b.Build.Set() || b.Entrypoint.Set() || b.Cmd.Set() || !strings.HasSuffix(b.Image.Repository, "/borgmatic") {
				r.Warn(message+", unless a newer one is put into that image", fix, sites...)
			} else {
				r.report(finding.Error, message, mend{text: fix}, sites)
			}
		}
		return
	}
}

// containerSites are the names that the containers of the database servers have.
func containerSites(d *deployment.Deployment) []source.Site {
	var sites []source.Site
	for _, s := range d.PostgresServers() {
		if name := s.ContainerName; name.Set() {
			sites = append(sites, name.Site("the container of "+s.Name))
		}
	}
	return sites
}

func containerFix(d *deployment.Deployment) string {
	for _, s := range d.PostgresServers() {
		if name := s.ContainerName; name.Set() {
			return d.Lines.Run(name.Str(), "…")
		}
	}
	return d.Lines.ContainerName + ", and the same name here"
}

// dumpedIn is the container that a command of the hook runs in.
var dumpedIn = regex.Of(`\b(?:docker|podman)\s+exec\s+(?:-\S+\s+|--?u(?:ser)?[ =]\S+\s+)*([A-Za-z0-9_.-]+)\s`)
