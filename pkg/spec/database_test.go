package spec

import (
	"strings"
	"testing"
)

func TestBadDatabases(t *testing.T) {
	checkBad(t, []badCase{
		{"the same database", "\ndatabase: {names: {mas: synapse}}", []string{"4:20 synapse and mas have the same database synapse; each makes tables of its own"}},
		{"the same database by name", "\ndatabase: {names: {synapse: {name: mas}, mas: {user: mas_user, name: mas}}}", []string{"4:64 synapse and mas have the same database mas"}},
		{"a program without one", "\ndatabase: {names: {element: element, signal: s}}", []string{`4:20 "element" has no database in this stack`, `4:38 "signal" has no database in this stack`}},
		{"a template", "\ndatabase: {names: {synapse: template1, mas: {user: pg_monitor}}}", []string{"4:20 database.names.synapse is a template", "4:40 database.names.mas begins with pg_"}},
		{"no name", "\ndatabase: {names: {synapse: a b, mas: {name: \"x'y\"}}, superuser: -x}", []string{"4:20 database.names.synapse must be the name of a database", "4:40 database.names.mas.name must be the name of a database", "4:55 database.superuser must be the name of a role"}},
		{"too long", "\ndatabase: {names: {mas: {user: " + strings.Repeat("a", 64) + "}}}", []string{"4:20 database.names.mas is longer than 63 letters"}},
		{"a role of PostgreSQL", "\ndatabase: {superuser: pg_database_owner}", []string{"4:12 database.superuser is no name that a role can have"}},
		{"data in two places", "\ndatabase: {data: {path: /srv/pg, volume: pg}}", []string{"4:12 database.data must be a path or a volume"}},
		{"data nowhere", "\nsynapse: {data: {}}", []string{"4:11 synapse.data must be a path or a volume"}},
		{"an external path", "\nsynapse: {data: {path: /srv/m, external: true}}", []string{"4:32 synapse.data.external says that a volume exists already"}},
		{"the whole stack", "\nsynapse: {data: ./}\ndatabase: {data: config/postgres}", []string{"4:11 synapse.data is a whole directory", "5:12 database.data lies in config, which is rendered"}},
		{"one place for two", "\nsynapse: {data: data/postgres}", []string{"4:11 Synapse and PostgreSQL have their data in the same place"}},
		{"a home", "\nsynapse: {data: ~/matrix}", []string{"4:11 synapse.data must be a path"}},
		{"a middleware without its provider", "\ningress: {traefik: {middlewares: [hsts@file, gzip]}}", []string{"4:46 ingress.traefik.middlewares.1 is no middleware with its provider"}},
		{"a list", "\ndatabase: {names: [synapse]}", []string{"4:12 database.names must be a mapping"}},
	})
}
