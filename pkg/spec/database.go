package spec

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Database is PostgreSQL.
type Database struct {
	Component `yaml:",inline"`
	// Data is where the cluster is. Default: ./data/postgres.
	Data Data `yaml:"data,omitempty"`
	// Superuser is the role that the cluster was made with (POSTGRES_USER). It cannot change. Default: postgres.
	Superuser string `yaml:"superuser,omitempty" jsonschema:"pattern=^[A-Za-z0-9_][A-Za-z0-9_.-]*$" form:"the name of a role, such as postgres"`
	// Names of the databases by synapse, mas or a bridge: one name for the database and the role that it logs in as, or
	// {name, user}. Default: its own name.
	Names map[string]DatabaseName `yaml:"names,omitempty"`
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

// Databases are the programs of the stack that have a database, in the order of component.All.
func (s *Spec) Databases() []component.Program {
	var programs []component.Program
	for _, c := range component.All {
		if _, on := s.Component(c.Program); on && c.Database {
			programs = append(programs, c.Program)
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
			d.fail(key, fmt.Sprintf("%s has no database in this stack; the name would be used for nothing", quote(key.Str())), "write "+orList(words)+", or remove the line")
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
	if su := s.Database.Superuser; strings.HasPrefix(su, "pg_") || len(su) > maxIdentifier {
		d.fail(s.At("database", "superuser"), "database.superuser is no name that a role can have; PostgreSQL refuses to make its cluster", "superuser: "+DefaultSuperuser)
	}
}
