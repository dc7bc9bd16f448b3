package check

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// client is a program's connection to a database as its configuration says it.
type client struct {
	service                        *Service
	host, port, user, password, db string
	at                             source.Value // the connection
	hostAt, portAt, userAt         source.Value
	passwordAt                     source.Value
	passwordReason                 string
	sslmode                        string // as libpq has it, or the default of the program's library
}

// clients lists every connection to a PostgreSQL database of the stack.
func (d *Deployment) clients() []client {
	if d.connections == nil {
		d.connections = d.readClients()
	}
	return d.connections
}

func (d *Deployment) readClients() []client {
	var cs []client
	for _, s := range d.Synapses {
		args := s.Config.At("database", "args")
		if s.Config.At("database", "name").Str() != "psycopg2" || s.argsAstray().Set() {
			continue // synapse-required-keys says so
		}
		name := args.At("dbname")
		if !name.Set() {
			name = args.At("database")
		}
		c := inParts(s.Service, args, "user", name)
		c.password, c.passwordAt = args.At("password").Str(), args.At("password")
		if file := args.At("passfile"); file.Set() && !c.passwordAt.Set() {
			c.fromPassfile(d, file.Str(), file)
		}
		cs = append(cs, c)
	}
	for _, m := range d.MASs {
		db := m.Config.At("database")
		if m.databaseTwice().Exists() {
			continue // mas-database-own says so
		}
		if uri := db.At("uri"); uri.Set() {
			cs = append(cs, fromURI(m.Service, uri))
			continue
		}
		c := inParts(m.Service, db, "username", db.At("database"))
		c.password, c.passwordAt, c.passwordReason = d.secretOf(m.Service, db, "password", "password_file")
		if db.Set() {
			cs = append(cs, c)
		}
	}
	for _, b := range d.Bridges {
		v := b.at(b.keys().database)
		if strings.HasPrefix(v.Str(), "postgres") {
			c := fromURI(b.Service, v)
			if env, at := b.Env("PGSSLMODE"); c.sslmode == "" && b.Dialect != image.Python && b.envHidden("PGSSLMODE") == "" {
				if c.sslmode = env; !at.Exists() {
					c.sslmode = "require"
				}
			}
			cs = append(cs, c)
		}
	}
	return cs
}

// oneDatabase reports whether two connections end at the same database. A name that is left out is the user's.
func (d *Deployment) oneDatabase(a, b client) bool {
	name, server := cmp.Or(a.db, a.user), d.serviceAt(a.host)
	return name != "" && name == cmp.Or(b.db, b.user) && (a.host == b.host || server != nil && server == d.serviceAt(b.host))
}

// fromPassfile takes the password from a file with lines of host:port:database:user:password, as libpq does.
func (c *client) fromPassfile(d *Deployment, file string, at source.Value) {
	var text string
	text, _, c.passwordReason = d.Text(c.service, file)
	c.passwordAt = at
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimRight(line, "\r\n"), ":", 5)
		matches := func(i int, val string) bool { return fields[i] == "*" || fields[i] == val }
		if len(fields) == 5 && matches(0, c.host) && matches(1, cmp.Or(c.port, "5432")) && matches(2, c.db) && matches(3, c.user) {
			c.password = strings.NewReplacer(`\:`, ":", `\\`, `\`).Replace(fields[4])
			return
		}
	}
}

// userKey is what the program calls the role that it logs in as.
func (c client) userKey() string {
	if c.service.Program == image.MAS {
		return "username"
	}
	return "user"
}

// inParts takes a connection whose parts stand in settings of their own.
func inParts(s *Service, v source.Value, user string, name source.Value) client {
	c := client{service: s, at: name, hostAt: v.At("host"), portAt: v.At("port"), userAt: v.At(user)}
	c.host, c.port, c.user, c.db = c.hostAt.Str(), c.portAt.Str(), c.userAt.Str(), name.Str()
	return c
}

func fromURI(s *Service, v source.Value) client {
	c := client{service: s, at: v, hostAt: v, portAt: v, userAt: v, passwordAt: v}
	u, err := url.Parse(v.Str())
	// With a slash or # in the password it parses, as something else: parts of the password would be shown.
	if err != nil || u.User == nil && strings.Contains(v.Str(), "@") {
		c.passwordReason = "the database URI cannot be parsed: a character of the password is not escaped"
		return c
	}
	c.host, c.user, c.db = u.Hostname(), u.User.Username(), strings.TrimPrefix(u.Path, "/")
	c.password, _ = u.User.Password()
	q := u.Query()
	c.host, c.user = cmp.Or(c.host, q.Get("host")), cmp.Or(c.user, q.Get("user"))
	c.password, c.port = cmp.Or(c.password, q.Get("password")), cmp.Or(u.Port(), q.Get("port"))
	c.sslmode = q.Get("sslmode")
	return c
}

var databaseCredentialsMatch = Rule{
	ID: "database-credentials-match", Severity: finding.Error,
	Summary: "host, user, password and name of every database client are what PostgreSQL is given",
	Why:     "\"password authentication failed\", \"database does not exist\" or \"could not translate host name\": the service restarts for ever.",
	Fix:     "Write the same values on both sides.",
	Source:  "Synapse docs/postgres.md; MAS crates/config sections/database.rs; mautrix docs",
	Check: func(d *Deployment, r *Reporter) {
		for _, c := range d.clients() {
			if c.host == "" && c.passwordReason != "" {
				r.Fail(c.passwordReason+"; the service does not start", "escape the password as in a URL", c.at.Site(""))
				continue
			}
			server := d.serviceAt(c.host)
			switch {
			case server == nil && strings.Contains(c.host, "."), strings.HasPrefix(c.host, "/"):
				r.NotChecked("the database of "+c.service.Name+" is outside of the stack", c.at.Site(""))
				continue
			case server != nil && server.Program == image.Unknown:
				r.NotChecked(fmt.Sprintf("%s, the database of %s, runs an image that stackgen does not know", server.Name, c.service.Name), c.at.Site(""))
				continue
			case server == nil && d.databaseFix() == "" && d.external(c.service):
				r.NotChecked("the database of "+c.service.Name+" is outside of the stack", c.at.Site(""))
				continue
			case server == nil || server.Program != image.Postgres:
				r.Fail(fmt.Sprintf("%s looks for its database at %q, which is no PostgreSQL of this stack; it does not start", c.service.Name, c.host), d.databaseFix(), append([]source.Site{c.hostAt.Site("")}, nameSites(d.servers()...)...)...)
				continue
			}
			env, _ := c.service.Env("PGPORT")
			if mine, port := cmp.Or(c.port, env, "5432"), server.postgresPort(); port != "" && mine != port {
				r.Fail(fmt.Sprintf("%s looks for its database on port %s, but %s listens on %s; it does not start (connection refused)", c.service.Name, mine, server.Name, port),
					"port: "+port, c.portAt.Site(""), server.Value.Site("the database"))
			}
			checkSSL(r, c, server)
			d.checkCredentials(r, c, server)
		}
		for _, server := range d.servers() {
			d.checkPasswordFile(r, server)
		}
		for _, j := range d.jobs() {
			d.checkConnection(r, j)
		}
	},
}

// postgresPort is the port on which a PostgreSQL listens; "" where a file says so that is not read here.
func (s *Service) postgresPort() string {
	port, _ := s.Env("PGPORT")
	words := s.Command()
	for i, w := range words {
		if val, ok := strings.CutPrefix(strings.TrimPrefix(w, "--"), "port="); ok {
			port = val
		}
		if w == "-p" && i+1 < len(words) {
			port = words[i+1]
		}
		if strings.HasPrefix(w, "config_file=") {
			return ""
		}
	}
	return cmp.Or(port, "5432")
}

// connects reports whether a client of PostgreSQL means that server: by name, or because it shares a network.
func (s *Service) connects(server *Service) bool {
	host, _ := s.Env("PGHOST")
	return slices.Contains(server.names(), host) || s.shares(server)
}

// external reports whether the service is on a network that other stacks may be on, too.
func (d *Deployment) external(s *Service) bool {
	return slices.ContainsFunc(s.Networks, func(n string) bool { return d.Compose.At("networks", n, "external").Set() })
}

func (d *Deployment) databaseFix() string {
	for _, s := range d.Services {
		if s.Program == image.Postgres && s.Value.At("volumes").Set() {
			return "host: " + s.host()
		}
	}
	return ""
}

func (d *Deployment) checkCredentials(r *Reporter, c client, server *Service) {
	made := d.provisioned(server)
	role, known := made.roles[c.user]
	switch {
	case !known && made.opaque != "":
		r.NotChecked(made.opaque, c.at.Site(""))
		return
	case !known && made.broken:
		return // database-created says so
	case !known:
		r.Fail(fmt.Sprintf("%s logs in to its database as %q, but nothing creates that role; it does not start", c.service.Name, c.user), c.userKey()+": one of "+keysOf(made.roles), append([]source.Site{c.userAt.Site(""), made.site()}, made.meant(c.user)...)...)
		return
	case strings.HasPrefix(c.passwordReason, nothingMounted):
		r.Fail(fmt.Sprintf("%s reads its database password from a file, but %s in its container; it does not start", c.service.Name, c.passwordReason), "correct the path, or mount the secret there", append([]source.Site{c.passwordAt.Site("")}, c.service.handedSites()...)...)
	case c.passwordReason != "":
		r.NotChecked(c.passwordReason, c.passwordAt.Site(""))
	case strings.HasPrefix(role.reason, nothingMounted):
		if role.reader != server { // checkPasswordFile says so
			r.Fail(fmt.Sprintf("the password of the role %s is read from a file, but %s in %s; the role is left without one and %s does not start (password authentication failed)", c.user, role.reason, role.reader.Name, c.service.Name),
				"mount the secret there", append([]source.Site{role.site}, role.reader.handedSites()...)...)
		}
	case role.reason != "":
		r.NotChecked(role.reason, role.site)
	case role.password != c.password:
		r.Fail(fmt.Sprintf("the database password of %s differs from the one its role is given; it does not start (password authentication failed)", c.service.Name),
			"write the same password in both places", c.passwordAt.Site(c.service.Name+"'s"), role.site)
	}
	if db, ok := made.databases[c.db]; ok && db.owner != "" && db.owner != c.user && d.sameDatabase(c) == nil {
		r.Fail(fmt.Sprintf("the database %s belongs to %s, but %s logs in as %s; it cannot create its tables", c.db, db.owner, c.service.Name, c.user), c.userKey()+": "+db.owner, c.userAt.Site(""), db.site)
	}
}

var databaseCreated = Rule{
	ID: "database-created", Severity: finding.Error,
	Summary: "every database in use is created by something that also runs on an existing cluster",
	Why:     "\"database does not exist\": the init directory of the PostgreSQL image runs only when the cluster is made, so a bridge that is added later never gets its database.",
	Fix:     "Create databases in a one-shot service that every `up` runs; on a running cluster by hand this once.",
	Source:  "docker-library/postgres docker-entrypoint.sh",
	Check: func(d *Deployment, r *Reporter) {
		for _, j := range d.jobs() {
			d.checkRuns(r, j)
		}
		for _, c := range d.clients() {
			server := d.serviceAt(c.host)
			if server == nil || server.Program != image.Postgres {
				continue // database-credentials-match says so
			}
			made := d.provisioned(server)
			db, ok := made.databases[c.db]
			switch {
			case !ok && made.opaque != "":
				r.NotChecked(made.opaque, c.at.Site(""))
			case !ok && made.broken: // checkRuns says so
			case !ok:
				r.Fail(fmt.Sprintf("nothing creates the database %q of %s; it does not start", c.db, c.service.Name), "create it: "+exampleSQL(c), c.at.Site(""), made.site())
			case db.firstStartOnly:
				r.Warn(fmt.Sprintf("the database %q of %s is created only when the cluster is; on a cluster that exists already %s does not start", c.db, c.service.Name, c.service.Name),
					"on a running cluster: "+exampleSQL(c)+"; better a one-shot service that every `up` runs", db.site, c.at.Site(c.service.Name+" uses it"))
			}
		}
	},
}

func exampleSQL(c client) string {
	return fmt.Sprintf("CREATE DATABASE %s OWNER %s", c.db, c.user)
}

// superuser follows the image's defaults.
func (d *Deployment) superuser(server *Service) (user, db string, password role) {
	user, _ = server.Env("POSTGRES_USER")
	if user == "" {
		user = "postgres"
	}
	db, _ = server.Env("POSTGRES_DB")
	if db == "" {
		db = user
	}
	text, v := server.Env("POSTGRES_PASSWORD")
	password = role{password: text, site: v.Site("the server's"), reason: server.envHidden("POSTGRES_PASSWORD")}
	if file, fv := server.Env("POSTGRES_PASSWORD_FILE"); file != "" {
		content, _, reason := d.Text(server, file)
		password = role{password: strings.TrimRight(content, "\n"), site: fv.Site("the server's"), reason: reason, reader: server}
	}
	return user, db, password
}

const initDir = "/docker-entrypoint-initdb.d"

// provisioned collects what creates roles and databases on a server: the image's own variables, the scripts
// of its init directory, and one-shot services that run psql against it.
func (d *Deployment) provisioned(server *Service) *provision {
	if p := d.provisions[server]; p != nil {
		return p
	}
	p := &provision{roles: map[string]role{}, databases: map[string]database{}, named: map[string]source.Site{}, server: server}
	d.provisions[server] = p
	user, db, password := d.superuser(server)
	for _, name := range []string{"POSTGRES_USER", "POSTGRES_DB"} {
		if reason := server.envHidden(name); reason != "" {
			p.opaque = reason
		}
	}
	p.roles[user] = password
	p.databases[db] = database{site: server.Value.At("environment").Site("created with the cluster")}
	for _, m := range server.Mounts {
		if path.Clean(m.Container) != initDir && path.Dir(path.Clean(m.Container)) != initDir {
			continue
		}
		if m.Host == "" {
			p.opaque = "the init scripts of PostgreSQL cannot be seen: " + m.Reason
			continue
		}
		for _, name := range d.scripts(m.Host) {
			p.script(d, server, name, true)
		}
	}
	for _, j := range d.jobs() {
		if s := j.service; s != server && s.connects(server) {
			for _, host := range j.scripts {
				p.script(d, s, host, false)
			}
			p.broken = p.broken || j.fault != ""
			if j.opaque != "" {
				p.opaque = j.opaque
			}
		}
	}
	return p
}

// Databases lists the databases that the stack's own servers are told to create.
func (d *Deployment) Databases() []string {
	names := make(map[string]bool)
	for _, s := range d.Services {
		if s.Program != image.Postgres || !s.Value.At("volumes").Set() {
			continue
		}
		_, own, _ := d.superuser(s)
		for name := range d.provisioned(s).databases {
			names[name] = name != own
		}
	}
	maps.DeleteFunc(names, func(_ string, made bool) bool { return !made })
	return slices.Sorted(maps.Keys(names))
}
