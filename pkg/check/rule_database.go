package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var databaseCredentialsMatch = Rule{
	ID: "database-credentials-match", Severity: finding.Error,
	Summary: "host, user, password and name of every database client are what PostgreSQL is given",
	Why:     "\"password authentication failed\", \"database does not exist\" or \"could not translate host name\": the service restarts for ever.",
	Fix:     "Write the same values on both sides.",
	Source:  "Synapse docs/postgres.md; MAS crates/config sections/database.rs; mautrix docs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Services {
			checkPassfile(r, d, s)
		}
		var absent []lack
		var elsewhere []deployment.Connection
		for _, c := range append(d.Connections(), d.OtherConnections()...) {
			if c.Host == "" && c.PasswordReason != "" {
				r.Fail(c.PasswordReason+"; the service does not start", "escape the password as in a URL", c.At.Site(""))
				continue
			}
			server, named := d.DatabaseServer(c)
			switch {
			case server == nil && d.NoSocket(c):
				r.Fail(fmt.Sprintf("%s looks for its database by a socket in %s, a directory that no PostgreSQL of this stack has; it does not start", c.Service.Name, c.Host), "the directory in which the database makes its socket, /var/run/postgresql of its container, in a volume that both have",
					append([]source.Site{c.HostAt.Site("")}, c.Service.VolumeSites()...)...)
				continue
			case server == nil && awaitedInVain(d, c.Host): // Compose starts nothing, and compose-valid says so
				continue
			case server == nil && strings.Contains(c.Host, ".") && d.Door(c.Host) == nil && !inItself(d, c), server == nil && strings.HasPrefix(c.Host, "/"):
				elsewhere = append(elsewhere, c)
				continue
			case server != nil && server.Program == component.Unknown:
				r.NotChecked(fmt.Sprintf("%s, the database of %s, runs an image that stackgen does not know", server.Name, c.Service.Name), c.At.Site(""))
				continue
			case server == nil && c.Other && !inItself(d, c):
				r.Warn(fmt.Sprintf("%s looks for its database at %q, a name that no service here has; unless a container of another stack has it, it does not start", c.Service.Name, c.Host),
					d.DatabaseFix(), append([]source.Site{c.HostAt.Site("")}, deployment.NameSites(d.PostgresServers()...)...)...)
				continue
			case server == nil && d.Door(c.Host) != nil && d.Door(c.Host).Elsewhere != "":
				elsewhere = append(elsewhere, c)
				continue
			case server == nil && d.Door(c.Host) != nil: // kubernetes-service-leads says so
				continue
			case server == nil && deployment.Loopback(c.Host) && c.Service.Paired:
				r.NotChecked("the database of "+c.Service.Name+" is beside it in its pod", c.HostAt.Site(""))
				continue
			case server == nil && d.Target == deployment.Kubernetes:
				r.Warn(fmt.Sprintf("%s looks for its database at %q, and no Service here is called so; it does not start, unless one of that name is made elsewhere", c.Service.Name, c.Host),
					d.DatabaseFix(), append([]source.Site{c.HostAt.Site("")}, deployment.NameSites(d.PostgresServers()...)...)...)
				continue
			case server == nil && d.DatabaseFix() == "" && d.External(c.Service):
				elsewhere = append(elsewhere, c)
				continue
			case server == nil && len(d.PostgresServers()) == 0 && len(c.Service.Networks) > 0 && !d.Alone && !d.Lacks && !deployment.Loopback(c.Host):
				network, _ := d.NetworkName(c.Service.Networks[0])
				r.Warn(fmt.Sprintf("%s looks for its database at %q, and there is no PostgreSQL in this stack; unless one of another stack joins the network %s by that name, %s does not start", c.Service.Name, c.Host, network, c.Service.Name),
					d.DatabaseFix(), c.HostAt.Site(""))
				continue
			case server == nil || server.Program != component.Postgres:
				r.Lack(fmt.Sprintf("%s looks for its database at %q, which is no PostgreSQL of this stack; it does not start", c.Service.Name, c.Host), d.DatabaseFix(), append([]source.Site{c.HostAt.Site("")}, deployment.NameSites(d.PostgresServers()...)...)...)
				continue
			}
			env, _ := c.Service.Env("PGPORT")
			if mine, port := d.Inner(c.Host, cmp.Or(c.Port, env, "5432")), server.PostgresPort(); port != "" && mine != port && named {
				r.Fail(fmt.Sprintf("%s looks for its database on port %s, but %s listens on %s; it does not start (connection refused)", c.Service.Name, mine, server.Name, port),
					"port: "+port, c.PortAt.Site(""), server.Site("the database"))
			}
			checkSSL(r, c, server)
			checkCredentials(r, d, c, server, &absent)
		}
		severally(r, elsewhere, func(c deployment.Connection) []source.Site { return []source.Site{c.At.Site("")} }, func(r *Reporter, all []deployment.Connection) {
			var names []string
			var sites []source.Site
			for _, c := range all {
				names, sites = append(names, c.Service.Name), append(sites, c.At.Site(""))
			}
			r.NotChecked("the database of "+finding.Sentence(names, "and")+" is outside of the stack", sites...)
		})
		reportLacks(r, "role", absent)
		for _, server := range d.PostgresServers() {
			checkPasswordFile(r, d, server)
		}
		for _, j := range d.Jobs() {
			checkConnection(r, d, j)
		}
	},
}

// inItself reports whether a service looks for its database in its own container, and nothing else is there.
func inItself(d *deployment.Deployment, c deployment.Connection) bool {
	return deployment.Loopback(c.Host) && d.Target == deployment.Compose && !c.Service.NetworkMode.Set() && !d.Inhabits(c.Service)
}

func checkCredentials(r *Reporter, d *deployment.Deployment, c deployment.Connection, server *deployment.Service, absent *[]lack) {
	made := d.Provisioned(server)
	role, known := made.Roles[c.User]
	_, created := made.Databases[c.Db]
	switch {
	case !known && made.Opaque != "":
		r.NotChecked(made.Opaque, c.At.Site(""))
		return
	case !known && made.Broken:
		return // database-created says so
	case !known && !created: // database-created says both
		return
	case !known:
		if c.User == "" {
			checkNameless(r, c, deployment.KeysOf(made.Roles), server)
			return
		}
		*absent = append(*absent, lack{
			server: server, user: c.Service.Name, name: fmt.Sprintf("%q of %s", c.User, c.Service.Name), fix: c.UserKey() + ": one of " + deployment.KeysOf(made.Roles),
			sites: append([]source.Site{c.UserAt.Site("")}, made.Meant(c.User)...),
		})
		return
	case strings.HasPrefix(c.PasswordReason, deployment.NothingMounted):
		r.Fail(fmt.Sprintf("%s reads its database password from a file, but %s in its container; it does not start", c.Service.Name, c.PasswordReason), "correct the path, or "+d.Lines.Mount("the secret", "there"), append([]source.Site{c.PasswordAt.Site("")}, c.Service.HandedSites()...)...)
	case c.PasswordReason != "":
		r.NotChecked(c.PasswordReason, c.PasswordAt.Site(""))
	case strings.HasPrefix(role.Reason, deployment.NothingMounted):
		if role.Reader != server { // checkPasswordFile says so
			r.Fail(fmt.Sprintf("the password of the role %s is read from a file, but %s in %s; the role is left without one and %s does not start (password authentication failed)", c.User, role.Reason, role.Reader.Name, c.Service.Name),
				d.Lines.Mount("the secret", "there"), append([]source.Site{role.Site}, role.Reader.HandedSites()...)...)
		}
	case role.Reason != "":
		r.NotChecked(role.Reason, role.Site)
	case unfilled(c.Password): // another rule says so
	case role.Password != c.Password:
		r.Fail(fmt.Sprintf("the database password of %s differs from the one its role is given; it does not start (password authentication failed)", c.Service.Name),
			"write the same password in both places", c.PasswordAt.Site(c.Service.Name+"'s"), role.Site)
	}
	if db, ok := made.Databases[c.Db]; ok && db.Owner != "" && db.Owner != c.User && (c.Other || d.SameDatabase(c) == nil) {
		r.Fail(fmt.Sprintf("the database %s belongs to %s, but %s logs in as %s; it cannot create its tables", c.Db, db.Owner, c.Service.Name, c.User), c.UserKey()+": "+db.Owner, c.UserAt.Site(""), db.Site)
	}
}

// checkNameless has a connection that names no role: the library takes the name of the user that the program runs as.
func checkNameless(r *Reporter, c deployment.Connection, roles string, server *deployment.Service) {
	if user, _ := c.Service.Env("PGUSER"); user != "" || c.Service.EnvHidden("PGUSER") != "" {
		return
	}
	fix := c.UserKey() + ": …"
	if roles != "" {
		fix = c.UserKey() + ": one of " + roles
	}
	r.Warn(fmt.Sprintf("%s names no role to %s, and is taken for the user that it runs as; if that one is no role there, it does not start", c.Service.Name, server.Name),
		fix, c.UserAt.Site(""), server.Site("the database server"))
}

var databaseCreated = Rule{
	ID: "database-created", Severity: finding.Error,
	Summary: "every database in use is created, by something that runs",
	Why:     "\"database does not exist\". The init directory of the PostgreSQL image runs only when the cluster is made, so a bridge that is added later never gets its database from there.",
	Fix:     "Create databases in a one-shot service that every `up` runs; on a running cluster by hand this once.",
	Source:  "docker-library/postgres docker-entrypoint.sh",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, j := range d.Jobs() {
			checkRuns(r, d, j)
		}
		var absent []lack
		for _, c := range append(d.Connections(), d.OtherConnections()...) {
			server := d.ServiceAt(c.Host)
			if server == nil || server.Program != component.Postgres {
				continue // database-credentials-match says so
			}
			made := d.Provisioned(server)
			_, ok := made.Databases[c.Db]
			switch {
			case !ok && made.Opaque != "":
				r.NotChecked(made.Opaque, c.At.Site(""))
			case !ok && made.Broken: // checkRuns says so
			case !ok:
				name, fix := fmt.Sprintf("%q of %s", c.Db, c.Service.Name), fmt.Sprintf("CREATE DATABASE %s OWNER %s;", c.Db, c.User)
				if _, ok := made.Roles[c.User]; !ok && c.User == "" {
					fix = fmt.Sprintf("%s: the role that it logs in as; CREATE DATABASE %s OWNER that role;", c.UserKey(), c.Db)
				} else if !ok {
					name, fix = fmt.Sprintf("%s (with its role %q)", name, c.User), fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '…'; %s", c.User, fix)
				}
				absent = append(absent, lack{server: server, user: c.Service.Name, name: name, fix: fix, sites: append([]source.Site{c.At.Site("")}, made.Meant(c.Db)...)})
			}
		}
		reportLacks(r, "database", absent)
	},
}

// lack is a role or a database that a service uses and nothing in the files creates. Somebody may have made it by hand.
type lack struct {
	server    *deployment.Service
	user, fix string
	name      string // with whose it is
	sites     []source.Site
}

// reportLacks reports those of each server as one thing to look at.
func reportLacks(r *Reporter, what string, lacks []lack) {
	for len(lacks) > 0 {
		server := lacks[0].server
		of := slices.DeleteFunc(slices.Clone(lacks), func(l lack) bool { return l.server != server })
		lacks = slices.DeleteFunc(slices.Clone(lacks), func(l lack) bool { return l.server == server })
		severally(r, of, func(l lack) []source.Site { return l.sites }, func(r *Reporter, of []lack) {
			var names, fixes []string
			var sites []source.Site
			for _, l := range of {
				names, fixes, sites = append(names, l.name), append(fixes, l.fix), append(sites, l.sites...)
			}
			kind, does := what, "does not have it already, "+of[0].user+" does not start"
			if len(of) > 1 {
				kind, does = what+"s", "does not have them already, these services do not start"
			}
			slices.Sort(fixes)
			r.Warn(fmt.Sprintf("nothing in these files creates the %s %s; if %s %s", kind, finding.Sentence(names, "and"), server.Name, does),
				strings.Join(slices.Compact(fixes), "\n"), append(sites, server.Site("the database server"))...)
		})
	}
}

// awaitedInVain reports whether a service waits for one of that name, and there is none.
func awaitedInVain(d *deployment.Deployment, name string) bool {
	return d.Service(name) == nil && slices.ContainsFunc(d.Services, func(s *deployment.Service) bool {
		return slices.ContainsFunc(s.DependsOn, func(w deployment.Wait) bool { return w.Service == name && !w.Optional })
	})
}
