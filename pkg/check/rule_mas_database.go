package check

import (
	"fmt"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// exclusive are settings of the database of which MAS takes one.
var exclusive = [][2]string{
	{"password", "password_file"},
	{"ssl_ca", "ssl_ca_file"},
	{"ssl_certificate", "ssl_certificate_file"},
	{"ssl_key", "ssl_key_file"},
}

var masDatabaseOwn = Rule{
	ID: "mas-database-own", Severity: finding.Error,
	Summary: "MAS has a database that nothing else uses, given as one URI or in parts",
	Why:     "MAS does not start: \"uri must not be specified if host, port, socket, username, password, password_file, or database are specified\"; or it makes its tables among Synapse's, and neither can be restored without the other.",
	Fix:     "Give MAS a database and a role of its own, and name them either by uri or by host, username, password and database.",
	Source:  "MAS crates/config/src/sections/database.rs, docs/setup/database.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			db := m.Config.At("database")
			if v := m.DatabaseTwice(); v.Exists() {
				r.Fail("database has both a uri and "+v.Name()+"; MAS does not start", "keep one of the two ways", v.Site(""), db.At("uri").Site("the uri"))
			}
			checkDatabaseKeys(r, db)
			if host, _ := m.Env("PGHOST"); !db.Set() && host == "" && m.EnvHidden("PGHOST") == "" && !m.ReadsMore() {
				r.Fail("MAS is given no database; it looks for one in its own container and does not start", "database: {host: …, username: mas, password_file: …, database: mas}", db.Site(""))
			}
		}
		clients := d.Connections()
		for i, a := range clients {
			for _, b := range clients[i+1:] {
				if (a.Service.Program == component.MAS || b.Service.Program == component.MAS) && d.OneDatabase(a, b) {
					mine, theirs := a, b
					if b.Service.Program == component.MAS {
						mine, theirs = b, a
					}
					r.Fail(fmt.Sprintf("%s and %s use the same database %q; the tables of one get in the way of the other's", mine.Service.Name, theirs.Service.Name, mine.Db),
						"a database of its own for "+mine.Service.Name, mine.At.Site(""), theirs.At.Site(theirs.Service.Name+"'s"))
				}
			}
		}
	},
}

func checkDatabaseKeys(r *Reporter, db source.Value) {
	for _, pair := range exclusive {
		if a, b := db.At(pair[0]), db.At(pair[1]); a.Set() && b.Set() {
			r.Fail("database has both "+pair[0]+" and "+pair[1]+"; MAS does not start", "keep one of them", a.Site(""), b.Site("the other"))
		}
	}
	certificate, key := db.At("ssl_certificate"), db.At("ssl_key")
	if (certificate.Set() || db.At("ssl_certificate_file").Set()) != (key.Set() || db.At("ssl_key_file").Set()) {
		r.Fail("database has only one of a client certificate and its key; MAS does not start", "ssl_certificate_file and ssl_key_file", db.Site(""))
	}
}
