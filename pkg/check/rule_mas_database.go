package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// databaseParts are the settings that MAS refuses next to a uri.
var databaseParts = []string{"host", "port", "socket", "username", "password", "password_file", "database"}

// exclusive are settings of the database of which MAS takes one.
var exclusive = [][2]string{
	{"password", "password_file"},
	{"ssl_ca", "ssl_ca_file"},
	{"ssl_certificate", "ssl_certificate_file"},
	{"ssl_key", "ssl_key_file"},
}

var masDatabaseOwn = Rule{
	ID: "mas-database-own", Severity: source.Error,
	Summary: "MAS has a database that nothing else uses, given as one URI or in parts",
	Why:     "MAS does not start: \"uri must not be specified if host, port, socket, username, password, password_file, or database are specified\"; or it makes its tables among Synapse's, and neither can be restored without the other.",
	Fix:     "Give MAS a database and a role of its own, and name them either by uri or by host, username, password and database.",
	Source:  "MAS crates/config/src/sections/database.rs, docs/setup/database.md",
	Check: func(d *Deployment, r *Reporter) {
		for _, m := range d.MASs {
			db := m.Config.At("database")
			if v := m.databaseTwice(); v.Exists() {
				r.Fail("database has both a uri and "+v.Name()+"; MAS does not start", "keep one of the two ways", v.Site(""), db.At("uri").Site("the uri"))
			}
			checkDatabaseKeys(r, db)
			if host, _ := m.Env("PGHOST"); !db.Set() && host == "" && m.envHidden("PGHOST") == "" && !m.more() {
				r.Fail("MAS is given no database; it looks for one in its own container and does not start", "database: {host: …, username: mas, password_file: …, database: mas}", db.Site(""))
			}
		}
		clients := d.clients()
		for i, a := range clients {
			for _, b := range clients[i+1:] {
				if (a.service.Program == image.MAS || b.service.Program == image.MAS) && d.oneDatabase(a, b) {
					mine, theirs := a, b
					if b.service.Program == image.MAS {
						mine, theirs = b, a
					}
					r.Fail(fmt.Sprintf("%s and %s use the same database %q; the tables of one get in the way of the other's", mine.service.Name, theirs.service.Name, mine.db),
						"a database of its own for "+mine.service.Name, mine.at.Site(""), theirs.at.Site(theirs.service.Name+"'s"))
				}
			}
		}
	},
}

// databaseTwice is the first part of the connection that stands beside a uri; absent when none does.
func (m *MAS) databaseTwice() source.Value {
	db := m.Config.At("database")
	for _, key := range databaseParts {
		if v := db.At(key); v.Set() && db.At("uri").Set() {
			return v
		}
	}
	return source.Value{}
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

var masMigrationMount = Rule{
	ID: "mas-migration-mount", Severity: source.Error,
	Summary: "the migration from Synapse sees MAS's configuration, homeserver.yaml, and a password for Synapse's database",
	Why:     "syn2mas stops: it cannot read homeserver.yaml, or \"password authentication failed\" for Synapse's database, because it does not know passfile.",
	Fix:     "Mount Synapse's directory into the service that runs syn2mas, and name homeserver.yaml as that service sees it.",
	Source:  "MAS crates/cli/src/commands/syn2mas.rs, crates/syn2mas/src/synapse_reader/config",
	Check: func(d *Deployment, r *Reporter) {
		for _, s := range d.Services {
			if s.Program == image.MAS && slices.Contains(s.Command(), "syn2mas") {
				d.checkMigration(r, s)
			}
		}
	},
}

func (d *Deployment) checkMigration(r *Reporter, s *Service) {
	command := s.Value.At("command")
	if f, reason, hidden := d.follow(s, path.Join("/", s.masConfigPath())); f == nil && !hidden {
		r.Fail(fmt.Sprintf("%s does not see MAS's configuration: %s; syn2mas stops", s.Name, reason), "mount what the service of MAS mounts", s.Value.At("volumes").Site(""), command.Site("runs syn2mas"))
		return
	}
	arg := s.flag("", "--synapse-config")
	if arg == "" {
		r.Fail("syn2mas is not told where homeserver.yaml is; it stops", "--synapse-config and the path of homeserver.yaml", command.Site(""))
		return
	}
	f, reason, hidden := d.follow(s, path.Join("/", arg))
	switch {
	case hidden:
		r.NotChecked(fmt.Sprintf("%s, which syn2mas reads, cannot be seen: %s", arg, reason), command.Site(""))
	case f == nil:
		r.Fail(fmt.Sprintf("syn2mas reads %s, but %s; it stops", arg, reason), "mount Synapse's directory into "+s.Name, command.Site(""), s.Value.At("volumes").Site("what it sees"))
	case len(d.Synapses) > 0 && !slices.ContainsFunc(d.Synapses, func(syn *Synapse) bool { return syn.Config == f }):
		r.Fail(fmt.Sprintf("syn2mas reads %s, which is %s and not Synapse's configuration; it migrates something else or stops", arg, f.Path), "mount "+path.Dir(d.Synapses[0].Config.Path)+" into "+s.Name,
			command.Site(""), source.Site{Pos: source.Pos{File: d.Synapses[0].Config.Path}, Note: "Synapse's"})
	default:
		d.checkMigrationPassword(r, s, f)
	}
}

func (d *Deployment) checkMigrationPassword(r *Reporter, s *Service, homeserver *source.File) {
	args := homeserver.At("database", "args")
	password, _ := s.Env("PGPASSWORD")
	given := slices.ContainsFunc(s.Command(), func(w string) bool { return strings.HasPrefix(w, "--synapse-database-uri") })
	if args.At("passfile").Set() && !args.At("password").Set() && password == "" && s.envHidden("PGPASSWORD") == "" && !given {
		r.Fail("Synapse's database password stands in a passfile, which syn2mas does not read; it cannot log in to Synapse's database", "--synapse-database-uri postgresql://user:password@host/database",
			s.Value.At("command").Site(""), args.At("passfile").Site("syn2mas does not know it"))
	}
}
