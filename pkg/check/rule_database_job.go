package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// checkPasswordFile looks for the file that the image reads the superuser's password from at every start.
func checkPasswordFile(r *Reporter, d *deployment.Deployment, server *deployment.Service) {
	file, v := server.Env("POSTGRES_PASSWORD_FILE")
	if _, _, password := d.Superuser(server); file != "" && strings.HasPrefix(password.Reason, deployment.NothingMounted) {
		r.Fail(fmt.Sprintf("%s reads the superuser's password from a file, but %s in its container; PostgreSQL does not start (No such file or directory)", server.Name, password.Reason),
			"correct the path, or "+d.Lines.Mount("the secret", "there"), append([]source.Site{v.Site("")}, server.HandedSites()...)...)
	}
}

// checkConnection holds what a job connects with against the server that it means.
func checkConnection(r *Reporter, d *deployment.Deployment, j deployment.Job) {
	name, server := j.Service.Name, d.ServiceAt(j.Host)
	const consequence = "; it fails, and with it whoever waits for it"
	switch {
	case j.Host == "" && !j.HostAt.Exists() && j.Psql && j.Fault == "" && d.Target == deployment.Kubernetes && j.Service.EnvUnread == "" && !j.Service.Paired && !strings.ContainsAny(j.Db, "=:/"):
		r.Lack(name+" is told no host, and psql looks for PostgreSQL in its own container"+consequence, d.Lines.Variable("PGHOST", "…"), j.Service.EnvAt.Site(""))
		return
	case j.Fault != "", !j.Psql, j.Host == "", strings.ContainsAny(j.Host, "./"), strings.ContainsAny(j.Db, "=:"):
		return // database-created says so, or it cannot be told
	case server == nil && d.DatabaseFix() == "":
		return
	case server == nil, server.Program == component.Unknown && len(d.PostgresServers()) > 0, server.Program != component.Postgres && server.Program != component.Unknown:
		fix := d.DatabaseFix()
		if servers := d.PostgresServers(); len(servers) > 0 {
			fix = d.Lines.Variable("PGHOST", servers[0].Host())
		}
		r.Lack(fmt.Sprintf("%s connects to %q, which is no PostgreSQL of this stack%s", name, j.Host, consequence), fix, append([]source.Site{j.HostAt.Site("")}, deployment.NameSites(d.PostgresServers()...)...)...)
		return
	case !slices.Contains(d.PostgresServers(), server):
		return
	}
	if port, own := server.PostgresPort(), d.Inner(j.Host, cmp.Or(j.Port, "5432")); port != "" && port != own {
		r.Fail(fmt.Sprintf("%s connects to port %s, but %s listens on %s%s", name, own, server.Name, port, consequence), d.Lines.Variable("PGPORT", port), j.PortAt.Site(""), server.Site("the database"))
		return
	}
	checkSuperuser(r, d, j, server)
}

// checkSuperuser has a job log in as one who may create roles and databases, to a database that is there before.
func checkSuperuser(r *Reporter, d *deployment.Deployment, j deployment.Job, server *deployment.Service) {
	name, made := j.Service.Name, d.Provisioned(server)
	user, db, password := d.Superuser(server)
	role, known := made.Roles[j.User]
	mine := func(s source.Site) bool { return slices.Contains(j.Scripts, s.File) }
	there := []string{db, "postgres", "template1"}
	at := append([]source.Site{j.PasswordAt.Site(name + "'s")}, j.File(d)...)
	switch {
	case j.User == "", made.Opaque != "" && !known:
		return
	case j.User != user && (!known || role.Reader == j.Service || mine(role.Site)):
		r.Fail(fmt.Sprintf("%s logs in as %q, a role that is not there yet or may create nothing; it fails, and with it whoever waits for it", name, j.User), d.Lines.Variable("PGUSER", user), j.UserAt.Site(""), made.Site())
		return
	case j.User != user:
	case strings.HasPrefix(j.PasswordReason, deployment.NothingMounted):
		r.Fail(fmt.Sprintf("%s reads the superuser's password from a file, but %s in its container; it cannot log in, and whoever waits for it does not start", name, j.PasswordReason),
			"correct the path, or "+d.Lines.Mount("the secret", "there"), append([]source.Site{j.PasswordAt.Site("")}, j.Service.HandedSites()...)...)
	case j.PasswordReason != "":
		r.NotChecked(j.PasswordReason, j.PasswordAt.Site(""))
	case !j.PasswordAt.Exists() && password.Reason == "" && password.Password != "" && d.Target == deployment.Kubernetes && j.Service.EnvUnread == "":
		if trust, _ := server.Env("POSTGRES_HOST_AUTH_METHOD"); trust == "" {
			r.Warn(fmt.Sprintf("%s is given no password for %s at %s; unless its image brings one, it cannot log in (no password supplied), and whoever waits for it does not start", name, j.User, j.Host),
				d.Lines.Variable("PGPASSWORD", "…"), j.Service.EnvAt.Site(""), password.Site)
		}
	case !j.PasswordAt.Exists(), password.Reason != "", password.Password == "":
	case j.Password == "":
		r.Fail(fmt.Sprintf("no line of the password file of %s is for %s at %s; it cannot log in (no password supplied), and whoever waits for it does not start", name, j.User, j.Host),
			fmt.Sprintf("%s:5432:*:%s:… in that file", j.Host, j.User), append(at, password.Site)...)
	case j.Password != password.Password:
		at = append(at, password.Site)
		if _, v := server.Env("POSTGRES_PASSWORD_FILE"); d.FileBehind(server, v) != "" {
			at = append(at, source.Site{Pos: source.Pos{File: d.FileBehind(server, v)}, Note: "the password that PostgreSQL is given"})
		}
		r.Fail(fmt.Sprintf("%s has another password for %s than PostgreSQL is given; it cannot log in (password authentication failed), and whoever waits for it does not start", name, j.User),
			"write the same password in both places", at...)
	}
	if made, ok := made.Databases[j.Db]; !slices.Contains(there, j.Db) && (!ok || !made.FirstStartOnly) {
		r.Fail(fmt.Sprintf("%s connects to the database %q, which does not exist before it has run; it fails, and with it whoever waits for it", name, j.Db), d.Lines.Variable("PGDATABASE", db), j.At.Site(""), server.Site("the database server"))
	}
}

// checkRuns has a job do its work, and say so when that fails.
func checkRuns(r *Reporter, d *deployment.Deployment, j deployment.Job) {
	at := j.Service.Cmd
	if !at.Exists() {
		at = j.Service.Entrypoint
	}
	if j.Fault != "" {
		r.Fail(fmt.Sprintf("%s %s; nothing creates the roles and databases", j.Service.Name, j.Fault), d.Lines.Command("psql", "-X", "-v", "ON_ERROR_STOP=1", "-f", "FILE"), at.Site(""))
		return
	}
	stops := slices.ContainsFunc(j.Line.Values['v'], func(v string) bool {
		name, val, _ := strings.Cut(v, "=")
		on, _ := deployment.PsqlBool(val)
		return name == deployment.ErrorStop && on
	})
	if j.Psql && !stops && !j.Stops() && d.Awaited(j.Service) {
		r.Warn(fmt.Sprintf("psql goes on after an error in the script of %s and ends as if all were well; whoever waits for it starts without its role or database", j.Service.Name),
			`"-v", "ON_ERROR_STOP=1"`, at.Site(""))
	}
}
