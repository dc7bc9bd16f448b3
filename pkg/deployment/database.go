package deployment

import (
	"cmp"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Connection is a program's connection to a database as its configuration says it.
type Connection struct {
	Service                        *Service
	Host, Port, User, Password, Db string
	At                             Leaf // the connection
	HostAt, PortAt, UserAt         Leaf
	PasswordAt                     Leaf
	PasswordReason                 string
	Other                          bool   // it is that of no program of the stack
	Sslmode                        string // as libpq has it, or the default of the program's library

	pool   component.Pool
	config *source.File // that has its key
}

// socketDir is where PostgreSQL's image makes its socket.
const socketDir = "/var/run/postgresql"

// DatabaseServer is the service at which a connection ends: by its name, by a directory for sockets that both have, or, from the network of
// the host, by a port that is published there. named is false for the latter two; nil where it is none of the stack.
func (d *Deployment) DatabaseServer(c Connection) (server *Service, named bool) {
	if s := d.ServiceAt(c.Host); s != nil {
		return s, true
	}
	for _, s := range d.PostgresServers() {
		if strings.HasPrefix(c.Host, "/") {
			at := c.Service.place(c.Host)
			moved := slices.ContainsFunc(s.Command(), func(w string) bool {
				return strings.Contains(w, "unix_socket_directories") || strings.HasPrefix(w, "config_file=")
			})
			if at != "" && at == s.place(socketDir) && !moved {
				return s, false
			}
			continue
		}
		list, _, _ := s.publishes()
		if c.Service.NetworkMode.Str() == "host" && Loopback(c.Host) && slices.ContainsFunc(list, func(p Published) bool {
			return p.Host == cmp.Or(c.Port, "5432") && p.Container == s.PostgresPort()
		}) {
			return s, false
		}
	}
	return nil, false
}

// NoSocket reports whether a connection goes by a socket that nobody can make: its directory is in the container alone, or in a volume
// that no other service of the stack has.
func (d *Deployment) NoSocket(c Connection) bool {
	if !strings.HasPrefix(c.Host, "/") || strings.ContainsAny(c.Host, "$ ") || d.Target != Compose || len(d.PostgresServers()) == 0 || !c.Service.OwnImage() {
		return false
	}
	m := c.Service.MountAt(c.Host)
	if m == nil {
		return c.Service.BakedAt(c.Host) == nil && !c.Service.Build.Set()
	}
	at := c.Service.place(c.Host)
	if m.External || m.Fleeting || at == "" || strings.HasPrefix(m.Source, "/") || m.Host != "" {
		return false // somebody else may make it
	}
	return !slices.ContainsFunc(d.Services, func(s *Service) bool {
		return s != c.Service && slices.ContainsFunc(s.Mounts, func(o Mount) bool {
			theirs := s.place(o.Container)
			return theirs != "" && (Under(at, theirs) || Under(theirs, at))
		})
	})
}

// Connections lists every connection to a PostgreSQL database of the stack.
func (d *Deployment) Connections() []Connection { return d.connections() }

func (d *Deployment) readClients() []Connection {
	var cs []Connection
	for _, s := range d.Synapses {
		args := s.Config.At("database", "args")
		if s.Config.At("database", "name").Str() != "psycopg2" || s.ArgsAstray().Set() {
			continue // synapse-required-keys says so
		}
		name := args.At("dbname")
		if !name.Set() {
			name = args.At("database")
		}
		c := inParts(s.Service, args, "user", name)
		c.Password, c.PasswordAt = args.At("password").Str(), LeafOf(args.At("password"))
		c.pool, c.config = s.Component().Pool, s.Config
		if file := args.At("passfile"); file.Set() && !c.PasswordAt.Set() {
			c.fromPassfile(d, file.Str(), LeafOf(file))
		}
		cs = append(cs, c)
	}
	for _, m := range d.MASs {
		db := m.Config.At("database")
		if m.DatabaseTwice().Exists() {
			continue // mas-database-own says so
		}
		if uri := db.At("uri"); uri.Set() {
			c := fromURI(m.Service, uri.Str(), LeafOf(uri))
			c.pool, c.config = m.Component().Pool, m.Config
			cs = append(cs, c)
			continue
		}
		c := inParts(m.Service, db, "username", db.At("database"))
		c.pool, c.config = m.Component().Pool, m.Config
		c.Password, c.PasswordAt, c.PasswordReason = d.SecretOf(m.Service, db, "password", "password_file")
		if db.Set() {
			cs = append(cs, c)
		}
	}
	for _, b := range d.Bridges {
		v := b.At(b.Keys().Database)
		if strings.HasPrefix(v.Str(), "postgres") {
			c := fromURI(b.Service, v.Str(), LeafOf(v))
			c.pool, c.config = b.Keys().Pool, b.Config
			if env, at := b.Env("PGSSLMODE"); c.Sslmode == "" && !b.Dialect.InPython() && b.EnvHidden("PGSSLMODE") == "" {
				if c.Sslmode = env; !at.Exists() {
					c.Sslmode = "require"
				}
			}
			cs = append(cs, c)
		}
	}
	return cs
}

// OneDatabase reports whether two connections end at the same database. A name that is left out is the user's.
func (d *Deployment) OneDatabase(a, b Connection) bool {
	name, server := cmp.Or(a.Db, a.User), d.ServiceAt(a.Host)
	return name != "" && name == cmp.Or(b.Db, b.User) && (a.Host == b.Host || server != nil && server == d.ServiceAt(b.Host))
}

// fromPassfile takes the password from a file with lines of host:port:database:user:password, as libpq does.
func (c *Connection) fromPassfile(d *Deployment, file string, at Leaf) {
	var text string
	text, _, c.PasswordReason = d.Text(c.Service, file)
	c.PasswordAt = at
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimRight(line, "\r\n"), ":", 5)
		matches := func(i int, val string) bool { return fields[i] == "*" || fields[i] == val }
		if len(fields) == 5 && matches(0, c.Host) && matches(1, cmp.Or(c.Port, "5432")) && matches(2, c.Db) && matches(3, c.User) {
			c.Password = strings.NewReplacer(`\:`, ":", `\\`, `\`).Replace(fields[4])
			return
		}
	}
}

// UserKey is what the program calls the role that it logs in as.
func (c Connection) UserKey() string {
	if c.Service.Program == component.MAS {
		return "username"
	}
	return "user"
}

// inParts takes a connection whose parts stand in settings of their own.
func inParts(s *Service, v source.Value, user string, name source.Value) Connection {
	c := Connection{Service: s, At: LeafOf(name), HostAt: LeafOf(v.At("host")), PortAt: LeafOf(v.At("port")), UserAt: LeafOf(v.At(user))}
	c.Host, c.Port, c.User, c.Db = c.HostAt.Str(), c.PortAt.Str(), c.UserAt.Str(), name.Str()
	return c
}

func fromURI(s *Service, text string, at Leaf) Connection {
	c := Connection{Service: s, At: at, HostAt: at, PortAt: at, UserAt: at, PasswordAt: at}
	u, err := url.Parse(text)
	// With a slash or # in the password it parses, as something else: parts of the password would be shown.
	if err != nil || u.User == nil && strings.Contains(text, "@") {
		c.PasswordReason = "the database URI cannot be parsed: a character of the password is not escaped"
		return c
	}
	c.Host, c.User, c.Db = u.Hostname(), u.User.Username(), strings.TrimPrefix(u.Path, "/")
	c.Password, _ = u.User.Password()
	q := u.Query()
	c.Host, c.User = cmp.Or(c.Host, q.Get("host")), cmp.Or(c.User, q.Get("user"))
	c.Password, c.Port = cmp.Or(c.Password, q.Get("password")), cmp.Or(u.Port(), q.Get("port"))
	c.Sslmode = q.Get("sslmode")
	return c
}

// PostgresPort is the port on which a PostgreSQL listens; "" where a file says so that is not read here.
func (s *Service) PostgresPort() string {
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
	return slices.Contains(server.Names(), host) || s.Shares(server)
}

// DatabaseFix is the line that leads to the PostgreSQL of the deployment; "" where it has none.
func (d *Deployment) DatabaseFix() string {
	for _, s := range d.operated {
		return "host: " + s.Host()
	}
	for _, s := range d.Services {
		if s.Program == component.Postgres && s.Volumes.Set() {
			return "host: " + s.Host()
		}
	}
	return ""
}

// Superuser follows the image's defaults.
func (d *Deployment) Superuser(server *Service) (user, db string, password role) {
	user, _ = server.Env("POSTGRES_USER")
	if user == "" {
		user = "postgres"
	}
	db, _ = server.Env("POSTGRES_DB")
	if db == "" {
		db = user
	}
	text, v := server.Env("POSTGRES_PASSWORD")
	password = role{Password: text, Site: v.Site("the server's"), Reason: server.EnvHidden("POSTGRES_PASSWORD")}
	if file, fv := server.Env("POSTGRES_PASSWORD_FILE"); file != "" {
		content, _, reason := d.Text(server, file)
		password = role{Password: strings.TrimRight(content, "\n"), Site: fv.Site("the server's"), Reason: reason, Reader: server}
	}
	return user, db, password
}

const initDir = "/docker-entrypoint-initdb.d"

// Provisioned collects what creates roles and databases on a server: the image's own variables, the scripts
// of its init directory, and one-shot services that run psql against it.
func (d *Deployment) Provisioned(server *Service) *provision {
	if p := d.provisions[server]; p != nil {
		return p()
	}
	return d.provision(server)
}

func (d *Deployment) provision(server *Service) *provision {
	p := &provision{Roles: map[string]role{}, Databases: map[string]Database{}, named: map[string]source.Site{}, server: server}
	user, db, password := d.Superuser(server)
	for _, name := range []string{"POSTGRES_USER", "POSTGRES_DB"} {
		if reason := server.EnvHidden(name); reason != "" {
			p.Opaque = reason
		}
	}
	p.Roles[user] = password
	p.Databases[db] = Database{Site: server.EnvAt.Site("created with the cluster")}
	for _, m := range server.Mounts {
		if path.Clean(m.Container) != initDir && path.Dir(path.Clean(m.Container)) != initDir {
			continue
		}
		if m.Host == "" {
			p.Opaque = "the init scripts of PostgreSQL cannot be seen: " + m.Reason
			continue
		}
		for _, name := range d.scripts(m.Host) {
			p.script(d, server, name, true)
		}
	}
	for _, j := range d.Jobs() {
		if s := j.Service; s != server && s.connects(server) {
			for _, host := range j.Scripts {
				p.script(d, s, host, false)
			}
			p.Broken = p.Broken || j.Fault != ""
			if j.opaque != "" {
				p.Opaque = j.opaque
			}
		}
	}
	return p
}

// Databases lists the databases that the stack's own servers are told to create.
func (d *Deployment) Databases() []string {
	names := make(map[string]bool)
	for _, s := range d.Services {
		if s.Program != component.Postgres || !s.Volumes.Set() {
			continue
		}
		_, own, _ := d.Superuser(s)
		for name := range d.Provisioned(s).Databases {
			names[name] = name != own
		}
	}
	maps.DeleteFunc(names, func(_ string, made bool) bool { return !made })
	return slices.Sorted(maps.Keys(names))
}

// PostgresServers are the services that run a PostgreSQL server: the image makes no cluster without one of these
// variables. Others run only psql or pg_dump of its image.
func (d *Deployment) PostgresServers() []*Service {
	servers := slices.Clone(d.operated)
	for _, s := range d.Services {
		for _, name := range []string{"POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_HOST_AUTH_METHOD"} {
			if val, v := s.Env(name); s.Program == component.Postgres && !d.oneShot(s) && s.servesPostgres() && (val != "" || v.Exists()) {
				servers = append(servers, s)
				break
			}
		}
	}
	return servers
}

// servesPostgres reports whether a service with an image of PostgreSQL may start the server: its start script hands on any
// other command as it stands, and psql makes databases and ends.
func (s *Service) servesPostgres() bool {
	words := wordsOf(s.Cmd)
	if s.Entrypoint.Set() {
		words = wordsOf(s.Entrypoint)
		if len(words) < 3 || words[1].Text != "-c" { // what it starts is not seen
			return true
		}
	}
	if len(words) == 0 || strings.HasPrefix(words[0].Text, "-") {
		return true
	}
	scripted := slices.Contains(shells, path.Base(words[0].Text))
	tool := strings.HasPrefix(path.Base(words[0].Text), "psql") || strings.HasPrefix(path.Base(words[0].Text), "pg_")
	serves := slices.ContainsFunc(words, func(w Word) bool {
		return strings.Contains(w.Text, "docker-entrypoint") || path.Base(w.Text) == "postgres" ||
			slices.ContainsFunc([]string{"exec postgres", `exec "$`, "exec $", "exec gosu", "exec su-exec"}, func(start string) bool { return strings.Contains(w.Text, start) })
	})
	return !scripted && !tool || serves
}
