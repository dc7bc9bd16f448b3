package spec

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Database is PostgreSQL.
type Database struct {
	Component `yaml:",inline"`
	// Data is where the cluster is. Default: ./data/postgres.
	Data Data `yaml:"data,omitempty"`
	// Memory is how much of the host's memory is PostgreSQL's, the kernel's cache of its files included, such as 8G: its settings follow
	// from it. Default: those of PostgreSQL, which fit a machine with 1G.
	Memory string `yaml:"memory,omitempty" jsonschema:"pattern=^[1-9][0-9]*[MG]$" form:"a number with M or G, such as 8G"`
	// Superuser is the role that the cluster was made with (POSTGRES_USER). It cannot change. Default: postgres.
	Superuser string `yaml:"superuser,omitempty" jsonschema:"pattern=^[A-Za-z0-9_][A-Za-z0-9_.-]*$" form:"the name of a role, such as postgres"`
	// External is a PostgreSQL that runs elsewhere: the stack then has none of its own.
	External External `yaml:"external,omitempty"`
	// Names of the databases by synapse, mas, a bridge, an appservice or a service: one name for the database and the role that it logs in
	// as, or
	// {name, user}. Default: its own name.
	Names map[string]DatabaseName `yaml:"names,omitempty"`
}

// External is a PostgreSQL that somebody else keeps, with the databases and roles of Database.Names.
type External struct {
	// Host of the server, as containers of the stack find it.
	Host string `yaml:"host" jsonschema:"required,pattern=^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$" form:"the name or address of a server without a port, such as db.example.org" example:"db.example.org"`
	// Port of the server. Default: 5432.
	Port int `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// SSLMode as libpq has it: require (default) wants the connection encrypted, verify-ca and verify-full also look at the
	// server's certificate, prefer takes what it gets, disable asks for nothing.
	SSLMode string `yaml:"sslmode,omitempty" jsonschema:"enum=disable,enum=prefer,enum=require,enum=verify-ca,enum=verify-full"`
}

// HostGateway is the name by which a container calls its host.
const HostGateway = "host.docker.internal"

// ExternalDatabase reports whether PostgreSQL runs elsewhere.
func (s *Spec) ExternalDatabase() bool { return s.At("database", "external").Set() }

// checkExternal refuses what is about a PostgreSQL of the stack where there is none, and addresses that lead nowhere.
func (s *Spec) checkExternal(d *decoder) {
	at := s.At("database")
	host, mode := at.At("external", "host"), at.At("external", "sslmode")
	if !s.ExternalDatabase() {
		return
	}
	for _, key := range []string{"image", "version", "service", "container_name", "user", "networks", "limits", "extra", "data", "memory", "superuser"} {
		if v := at.At(key); v.Exists() {
			d.fail(v, v.Path()+" is about a PostgreSQL of the stack, and with database.external there is none; it would do nothing", "remove the line", at.At("external").Site("it runs elsewhere"))
		}
	}
	if ip := net.ParseIP(host.Str()); strings.EqualFold(host.Str(), "localhost") || ip != nil && ip.IsLoopback() {
		d.fail(host, "database.external.host is the loopback address, which inside a container is the container itself", "host: "+HostGateway+", for a server on this host that listens for containers, too")
	}
	if s.Database.External.SSLMode == "prefer" {
		for _, name := range BridgeNames() {
			b, on := s.Bridges[name]
			if dialect, known := b.Ref(component.Program(name)).Dialect(); on && known && dialect != component.Python {
				d.fail(mode, "database.external.sslmode is prefer, which a bridge in Go does not know; "+name+" would not start", "sslmode: require, or disable where the server has no certificate")
				return
			}
		}
	}
}

// DatabaseName is a database and the role that its program logs in as. In a spec it may be one text for both.
type DatabaseName struct {
	// Name of the database. Default: user.
	Name string `yaml:"name,omitempty" jsonschema:"pattern=^[A-Za-z0-9_][A-Za-z0-9_.-]*$" form:"the name of a database, such as synapse"`
	// User is the role that the program logs in as, and the owner of a database that is made. Default: name.
	User string `yaml:"user,omitempty" jsonschema:"pattern=^[A-Za-z0-9_][A-Za-z0-9_.-]*$" form:"the name of a role, such as synapse"`
}

// DefaultSuperuser is the role that PostgreSQL's image makes a cluster with.
const DefaultSuperuser = "postgres"

// Databases are the programs of the stack that have a database, in the order of component.All, and then the containers by name.
func (s *Spec) Databases() []component.Program {
	var programs []component.Program
	for _, c := range component.All {
		if _, on := s.Component(c.Program); on && c.Database {
			programs = append(programs, c.Program)
		}
	}
	for _, n := range s.Containers() {
		if n.Database {
			programs = append(programs, component.Program(n.Name))
		}
	}
	return programs
}

// DatabaseOf is the database and the role of a program, with the defaults.
func (s *Spec) DatabaseOf(p component.Program) DatabaseName {
	n := s.Database.Names[string(p)]
	switch {
	case n == DatabaseName{}:
		return DatabaseName{Name: string(p), User: string(p)}
	case n.Name == "":
		n.Name = n.User
	case n.User == "":
		n.User = n.Name
	}
	return n
}

// maxIdentifier is what PostgreSQL keeps of a name (NAMEDATALEN - 1).
const maxIdentifier = 63

func (s *Spec) checkDatabases(d *decoder) {
	at, programs := s.At("database", "names"), s.Databases()
	for key := range at.Entries() {
		if !slices.Contains(programs, component.Program(key.Str())) {
			words := make([]string, len(programs))
			for i, p := range programs {
				words[i] = string(p)
			}
			d.fail(key, fmt.Sprintf("%s has no database in this stack; the name would be used for nothing", quote(key.Str())), "write "+finding.Sentence(words, "or")+", or remove the line")
		}
	}
	taken := make(map[string]component.Program)
	for _, p := range programs {
		n, v := s.DatabaseOf(p), at.At(string(p))
		if other, ok := taken[n.Name]; ok {
			if v.Kind() == source.Mapping {
				v = v.At("name")
			}
			d.fail(v, fmt.Sprintf("%s and %s have the same database %s; each makes tables of its own, and the second does not start", other, p, n.Name), fmt.Sprintf("names: {%s: %s}", p, p))
		}
		taken[n.Name] = p
		for what, name := range map[string]string{"database": n.Name, "role": n.User} {
			switch {
			case len(name) > maxIdentifier:
				d.fail(v, fmt.Sprintf("%s is longer than %d letters; PostgreSQL cuts it off, and %s would not find it", v.Path(), maxIdentifier, p), "write the name as PostgreSQL has it: the first 63 letters")
			case what == "database" && slices.Contains([]string{"template0", "template1"}, name):
				d.fail(v, fmt.Sprintf("%s is a template of PostgreSQL; every new database would be a copy of it", v.Path()), fmt.Sprintf("names: {%s: %s}", p, p))
			case what == "role" && strings.HasPrefix(name, "pg_"):
				d.fail(v, fmt.Sprintf("%s begins with pg_, which PostgreSQL keeps for its own roles", v.Path()), fmt.Sprintf("names: {%s: %s}", p, p))
			}
		}
	}
	s.checkExternal(d)
	s.checkMemory(d)
	if su := s.Database.Superuser; strings.HasPrefix(su, "pg_") || len(su) > maxIdentifier {
		d.fail(s.At("database", "superuser"), "database.superuser is no name that a role can have; PostgreSQL refuses to make its cluster", "superuser: "+DefaultSuperuser)
	}
}

// Sizes in megabytes of what PostgreSQL may be given: with less it has no room for its own connections, and more is in no machine.
const (
	minPostgres = 128
	maxPostgres = 64 << 20
)

// Megabytes is the number of a size such as 512M or 8G; 0 for none, and for what no machine has.
func Megabytes(size string) int {
	if size == "" || exceeds(size, maxPostgres<<20) {
		return 0
	}
	n, _ := strconv.Atoi(size[:len(size)-1])
	if strings.HasSuffix(size, "G") {
		n <<= 10
	}
	return n
}

func (s *Spec) checkMemory(d *decoder) {
	at, limit := s.At("database", "memory"), s.At("database", "limits", "memory")
	n := Megabytes(s.Database.Memory)
	switch {
	case !at.Set():
	case n == 0:
		d.fail(at, "database.memory is more than any machine has; PostgreSQL could not start", "memory: 8G")
	case n < minPostgres:
		d.fail(at, fmt.Sprintf("database.memory is less than %dM, with which PostgreSQL has no room for its connections", minPostgres), fmt.Sprintf("memory: %dM", minPostgres))
	case limit.Set() && Megabytes(s.Database.Limits.Memory) < n:
		d.fail(limit, "database.limits.memory is less than database.memory; PostgreSQL would be ended for taking what it is told that it has", "limits: {memory: "+s.Database.Memory+"}", at.Site("what it is told"))
	}
}
