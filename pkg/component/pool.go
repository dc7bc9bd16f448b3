package component

import "strings"

// Pool bounds how many connections to its database each process of a program opens.
type Pool struct {
	// Key is the dotted path in its configuration that says so, Size what holds without it.
	Key  string
	Size int
}

// Path leads to the key.
func (p Pool) Path() []string { return strings.Split(p.Key, ".") }

// UnknownPool is how many connections are counted of a program that is not known: what most libraries open by themselves
// (sqlx, asyncpg, node-postgres).
const UnknownPool = 10

// ReservedConnections are those of PostgreSQL's max_connections that it keeps for superusers, MaxConnections what that is
// unless it is told otherwise (PostgreSQL 14 to 18, superuser_reserved_connections and max_connections).
const (
	MaxConnections      = 100
	ReservedConnections = 3
)

// spareConnections are for psql, a backup and health checks.
const spareConnections = 10

// ConnectionsFor is max_connections of a PostgreSQL whose clients open so many: what it is by itself, or more, in tens.
func ConnectionsFor(pools int) int {
	need := pools + spareConnections + ReservedConnections
	return max(MaxConnections, (need+9)/10*10)
}

// PoolOf is the pool of a release of the program; that of a bridge goes by its dialect.
func (c *Component) PoolOf(r Ref) Pool {
	if c.Bridge != nil {
		d, _ := r.Dialect()
		return d.Shape().Pool
	}
	return c.Pool
}
