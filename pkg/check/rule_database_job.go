package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// checkPasswordFile looks for the file that the image reads the superuser's password from at every start.
func (d *Deployment) checkPasswordFile(r *Reporter, server *Service) {
	file, v := server.Env("POSTGRES_PASSWORD_FILE")
	if _, _, password := d.superuser(server); file != "" && strings.HasPrefix(password.reason, nothingMounted) {
		r.Fail(fmt.Sprintf("%s reads the superuser's password from a file, but %s in its container; PostgreSQL does not start (No such file or directory)", server.Name, password.reason),
			"correct the path, or mount the secret there", append([]source.Site{v.Site("")}, server.handedSites()...)...)
	}
}

// checkConnection holds what a job connects with against the server that it means.
func (d *Deployment) checkConnection(r *Reporter, j job) {
	name, server := j.service.Name, d.serviceAt(j.host)
	const consequence = "; it fails, and with it whoever waits for it"
	switch {
	case j.fault != "", !j.psql, j.host == "", strings.ContainsAny(j.host, "./"), strings.ContainsAny(j.db, "=:"):
		return // database-created says so, or it cannot be told
	case server == nil && d.databaseFix() == "":
		return
	case server == nil, server.Program == image.Unknown && len(d.servers()) > 0, server.Program != image.Postgres && server.Program != image.Unknown:
		fix := d.databaseFix()
		if servers := d.servers(); len(servers) > 0 {
			fix = "PGHOST: " + servers[0].host()
		}
		r.Fail(fmt.Sprintf("%s connects to %q, which is no PostgreSQL of this stack%s", name, j.host, consequence), fix, append([]source.Site{j.hostAt.Site("")}, nameSites(d.servers()...)...)...)
		return
	case !slices.Contains(d.servers(), server):
		return
	}
	if port, own := server.postgresPort(), cmp.Or(j.port, "5432"); port != "" && port != own {
		r.Fail(fmt.Sprintf("%s connects to port %s, but %s listens on %s%s", name, own, server.Name, port, consequence), "PGPORT: "+port, j.portAt.Site(""), server.Value.Site("the database"))
		return
	}
	d.checkSuperuser(r, j, server)
}

// checkSuperuser has a job log in as one who may create roles and databases, to a database that is there before.
func (d *Deployment) checkSuperuser(r *Reporter, j job, server *Service) {
	name, made := j.service.Name, d.provisioned(server)
	user, db, password := d.superuser(server)
	role, known := made.roles[j.user]
	mine := func(s source.Site) bool { return slices.Contains(j.scripts, s.File) }
	there := []string{db, "postgres", "template1"}
	at := append([]source.Site{j.passwordAt.Site(name + "'s")}, j.file(d)...)
	switch {
	case j.user == "", made.opaque != "" && !known:
		return
	case j.user != user && (!known || role.reader == j.service || mine(role.site)):
		r.Fail(fmt.Sprintf("%s logs in as %q, a role that is not there yet or may create nothing; it fails, and with it whoever waits for it", name, j.user), "PGUSER: "+user, j.userAt.Site(""), made.site())
		return
	case j.user != user:
	case strings.HasPrefix(j.passwordReason, nothingMounted):
		r.Fail(fmt.Sprintf("%s reads the superuser's password from a file, but %s in its container; it cannot log in, and whoever waits for it does not start", name, j.passwordReason),
			"correct the path, or mount the secret there", append([]source.Site{j.passwordAt.Site("")}, j.service.handedSites()...)...)
	case j.passwordReason != "":
		r.NotChecked(j.passwordReason, j.passwordAt.Site(""))
	case !j.passwordAt.Exists(), password.reason != "", password.password == "":
	case j.password == "":
		r.Fail(fmt.Sprintf("no line of the password file of %s is for %s at %s; it cannot log in (no password supplied), and whoever waits for it does not start", name, j.user, j.host),
			fmt.Sprintf("%s:5432:*:%s:… in that file", j.host, j.user), append(at, password.site)...)
	case j.password != password.password:
		at = append(at, password.site)
		if _, v := server.Env("POSTGRES_PASSWORD_FILE"); d.fileBehind(server, v) != "" {
			at = append(at, source.Site{Pos: source.Pos{File: d.fileBehind(server, v)}, Note: "the password that PostgreSQL is given"})
		}
		r.Fail(fmt.Sprintf("%s has another password for %s than PostgreSQL is given; it cannot log in (password authentication failed), and whoever waits for it does not start", name, j.user),
			"write the same password in both places", at...)
	}
	if made, ok := made.databases[j.db]; !slices.Contains(there, j.db) && (!ok || !made.firstStartOnly) {
		r.Fail(fmt.Sprintf("%s connects to the database %q, which does not exist before it has run; it fails, and with it whoever waits for it", name, j.db), "PGDATABASE: "+db, j.at.Site(""), server.Value.Site("the database server"))
	}
}

// file is the password file of a job, for a finding.
func (j job) file(d *Deployment) []source.Site {
	if host := d.fileBehind(j.service, j.passwordAt); host != "" {
		return []source.Site{{Pos: source.Pos{File: host}, Note: "its password file"}}
	}
	return nil
}

// checkRuns has a job do its work, and say so when that fails.
func (d *Deployment) checkRuns(r *Reporter, j job) {
	at := j.service.Value.At("command")
	if !at.Exists() {
		at = j.service.Value.At("entrypoint")
	}
	if j.fault != "" {
		r.Fail(fmt.Sprintf("%s %s; nothing creates the roles and databases", j.service.Name, j.fault), `command: ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-f", "FILE"]`, at.Site(""))
		return
	}
	stops := slices.ContainsFunc(j.line.values['v'], func(v string) bool {
		name, val, _ := strings.Cut(v, "=")
		on, _ := psqlBool(val)
		return name == errorStop && on
	})
	for _, host := range j.scripts {
		if f := d.files[host]; f == nil || strings.Contains(string(f.Src), errorStop) {
			stops = true
		}
	}
	if j.psql && !stops && d.awaited(j.service) {
		r.Warn(fmt.Sprintf("psql goes on after an error in the script of %s and ends as if all were well; whoever waits for it starts without its role or database", j.service.Name),
			`"-v", "ON_ERROR_STOP=1"`, at.Site(""))
	}
}
