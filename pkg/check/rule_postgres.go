package check

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var databaseCollation = Rule{
	ID: "database-collation", Severity: finding.Error,
	Summary: "Synapse's database is created with UTF8 and the locale C",
	Why:     "Synapse does not start: \"Database has incorrect collation of 'en_US.utf8'. Should be 'C'\", or \"Database has incorrect encoding: 'SQL_ASCII' instead of 'UTF8'\".",
	Fix:     "Create the database with ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0; one that exists already must be dumped, created anew and restored.",
	Source:  "Synapse storage/engines/postgres.py, docs/postgres.md; docker-library/postgres Dockerfile (LANG en_US.utf8); initdb and CREATE DATABASE of PostgreSQL",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, c := range d.Connections() {
			server, _ := d.DatabaseServer(c)
			if c.Service.Program != component.Synapse || server == nil || server.Program != component.Postgres {
				continue
			}
			made := d.Provisioned(server)
			db, ok := made.Databases[c.Db]
			switch {
			case !ok:
				if made.Opaque != "" {
					r.NotChecked(made.Opaque, c.At.Site(""))
				}
				continue // database-created says so
			case server.EnvHidden("POSTGRES_INITDB_ARGS") != "":
				r.NotChecked(server.EnvHidden("POSTGRES_INITDB_ARGS"), server.Site(""))
				continue
			}
			checkCollation(r, d, c, server, db)
		}
	},
}

func checkCollation(r *Reporter, d *deployment.Deployment, c deployment.Connection, server *deployment.Service, db deployment.Database) {
	base, args := deployment.ClusterLocale(server)
	l := deployment.LocaleOf(db.Statement)
	site, fix := db.Site, "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
	if db.Statement == "" {
		site, fix = args.Site("the cluster is made with these"), d.Lines.Variable("POSTGRES_INITDB_ARGS", `"--encoding=UTF8 --lc-collate=C --lc-ctype=C"`)
	}
	used := c.At.Site(c.Service.Name + " uses it")
	got := deployment.Locale{Encoding: cmp.Or(l.Encoding, base.Encoding), Collate: cmp.Or(l.Collate, base.Collate), Ctype: cmp.Or(l.Ctype, base.Ctype)}
	unsafe := slices.ContainsFunc(d.Synapses, func(s *deployment.Synapse) bool {
		return s.Service == c.Service && s.Config.At("database", "allow_unsafe_locale").True()
	})
	switch {
	case !l.Template0 && db.Statement != "" && got != base:
		r.Fail(fmt.Sprintf("the database %q of %s differs from the locale or encoding of its template; PostgreSQL refuses to create it", c.Db, c.Service.Name), fix, site, used)
	case got.Encoding != "UTF8":
		r.FailMend(fmt.Sprintf("the database %q of %s is created with the encoding %s; Synapse accepts only UTF8 and does not start", c.Db, c.Service.Name, got.Encoding), unless(l.Encoding == "", swap(d, site, l.Encoding, "UTF8", fix)), site, used)
	case (got.Collate != "C" || got.Ctype != "C") && !unsafe:
		which := got.Collate
		if which == "C" {
			which = got.Ctype
		}
		one := l.Collate == which && got.Ctype == "C" || l.Ctype == which && got.Collate == "C"
		r.FailMend(fmt.Sprintf("the database %q of %s is created with the locale %s; Synapse accepts only C and does not start", c.Db, c.Service.Name, which), unless(!one, swap(d, site, which, "C", fix)), site, used)
	}
}

var postgresVersion = Rule{
	ID: "postgres-version", Severity: finding.Error,
	Summary: "PostgreSQL is new enough, and its volume is mounted where that version keeps its data",
	Why:     "\"Synapse requires PostgreSQL 14 or above.\"; from 18 on \"in 18+, these Docker images are configured to store database data in a format which is compatible with pg_ctlcluster\" and the container stops; or every database is gone after `docker compose down`.",
	Fix:     "Take a newer image after a dump (a newer major does not read the older one's files). Up to 17 mount the volume at /var/lib/postgresql/data, from 18 on at /var/lib/postgresql.",
	Source:  "Synapse storage/engines/postgres.py; MAS docs/setup/database.md; docker-library/postgres Dockerfile, docker-entrypoint.sh",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, server := range d.PostgresServers() {
			checkPostgresAge(r, d, server)
			switch {
			case server.OwnImage(), server.Mirrored():
				checkPostgresData(r, server)
			case strings.HasSuffix(server.Image.Repository, "postgres"):
				r.NotChecked("where "+server.Image.Repository+" keeps its data is not known: it is none of PostgreSQL's own images", server.ImageAt.Site(""))
			}
		}
	},
}

func checkPostgresAge(r *Reporter, d *deployment.Deployment, server *deployment.Service) {
	have, known := server.Image.Version()
	for _, c := range d.Connections() {
		if to, _ := d.DatabaseServer(c); !known || to != server {
			continue
		}
		v, tagged := c.Service.Image.Version()
		for _, need := range c.Service.Component().Postgres {
			if tagged && v.Less(need.From) {
				continue
			}
			if have[0] < need.Major {
				r.Fail(fmt.Sprintf("%s requires PostgreSQL %d or above, and this is %d; %s does not start", c.Service.Component().Title, need.Major, have[0], c.Service.Name),
					server.ImageLine(component.Of(component.Postgres).Tested), server.ImageAt.Site(""), c.Service.ImageAt.Site(c.Service.Name))
				return
			}
			break
		}
	}
}

// checkPostgresData holds the mounts against PGDATA. Where the image declares a volume, an anonymous one lies
// over every mount above it.
func checkPostgresData(r *Reporter, server *deployment.Service) {
	declared, data := "/var/lib/postgresql/data", "/var/lib/postgresql/data"
	v, known := server.Image.Version()
	if v[0] >= 18 {
		declared, data = "/var/lib/postgresql", fmt.Sprintf("/var/lib/postgresql/%d/docker", v[0])
	}
	set, at := server.Env("PGDATA")
	if reason := server.EnvHidden("PGDATA"); reason != "" {
		r.NotChecked(reason, at.Site(""))
		return
	}
	data = path.Clean(cmp.Or(set, data))
	m := server.MountAt(data)
	hidden := m != nil && deployment.Under(data, declared) && !deployment.Under(path.Clean(m.Container), declared)
	switch {
	case !known && set == "":
		if m := server.MountAt("/var/lib/postgresql/data"); m != nil && !m.Fleeting {
			r.NotChecked("the tag of PostgreSQL's image says no version; from 18 on a volume belongs at /var/lib/postgresql, before that at /var/lib/postgresql/data", m.At.Site(""))
		}
	case !known && hidden && !m.Fleeting:
		r.NotChecked("the tag of PostgreSQL's image says no version; up to 17 an anonymous volume lies over "+declared+", where PGDATA is, from 18 on what is mounted at "+path.Clean(m.Container)+" lasts", m.At.Site(""))
	case m == nil || m.Fleeting || hidden:
		d := dataSites(server, m)
		if v[0] >= 18 && set == "" && m == nil && server.MountAt("/var/lib/postgresql/data") != nil {
			r.Fail(fmt.Sprintf("PostgreSQL %d keeps its data below /var/lib/postgresql, but the volume is mounted at /var/lib/postgresql/data; PostgreSQL does not start", v[0]),
				server.Lines().Mount("it", "at /var/lib/postgresql"), d...)
			return
		}
		if usual := server.MountAt(declared); set != "" && usual != nil && !usual.Fleeting && !hidden {
			r.Fail(fmt.Sprintf("PGDATA has PostgreSQL keep its data in %s, and the volume is mounted at %s; every database is gone %s", data, path.Clean(usual.Container), server.Lines().Gone),
				"no PGDATA, or one below "+path.Clean(usual.Container), at.Site(""), usual.At.Site("the volume"))
			return
		}
		place := cmp.Or(set, declared)
		if hidden {
			place = declared
		}
		r.Fail(fmt.Sprintf("PostgreSQL keeps its data in %s, where no volume lasts; every database is gone %s", data, server.Lines().Gone), server.Lines().Mount("it", "at "+place), d...)
	}
}

// dataSites are the mount that is nearest to the data, and the image, whose version says where that is.
func dataSites(server *deployment.Service, m *deployment.Mount) []source.Site {
	v := server.Volumes.Leaf
	if m != nil {
		v = m.At
	}
	for _, o := range server.Mounts {
		if m == nil && deployment.Under(path.Clean(o.Container), "/var/lib/postgresql") {
			v = o.At
		}
	}
	return []source.Site{v.Site(""), server.ImageAt.Site("the version says where the data is")}
}
