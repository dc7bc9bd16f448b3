package component

// Postgres is PostgreSQL.
const Postgres Program = "postgres"

var postgres = Component{
	Program: Postgres, Title: "PostgreSQL",
	Images: []string{"postgres", "postgresql"},
	Tag:    TagForm{"", `[0-9]+(\.[0-9]+)?(-[a-z][a-z0-9.]*)?`},
	Tested: Ref{Repository: "docker.io/library/postgres", Tag: "17"},
	Oldest: Version{14, 0, 0}, OldestWhy: "Synapse requires PostgreSQL 14 or above",
	Container: &Container{
		User: "999:999", AlpineUser: "70:70", // Debian's and Alpine's postgres
		// The socket and its lock, in a directory of its own (run in e2e: runc goes by the mode of the
		// image, and makes root its owner); the start script makes a passwd file in /tmp for a user that the image does not know.
		// Parallel queries share memory through /dev/shm. A checkpoint may take long: without it the next start recovers.
		Sandbox: Sandbox{Tmpfs: []string{"/var/run/postgresql:" + asUser, "/tmp"}, ShmSize: "256m", StopGrace: "2m"},
		Affects: "all users and bridges",
	},
	Jobs: []Job{{Name: "db-init"}},
	Entry: &Entry{
		Words: []string{"docker-entrypoint.sh", "postgres", "postmaster"}, Options: true,
		Images: []string{"postgres", "docker.io/postgres", "docker.io/library/postgres"},
	},
	Once: []string{"psql", "pg_dump", "pg_dumpall", "pg_restore", "pg_isready", "createdb", "createuser", "pg_basebackup", "docker-ensure-initdb.sh"},
	Port: 5432,
	Keys: "postgres",
	Secrets: []Secret{
		{
			Name:   "database.postgres_password",
			Breaks: "a running cluster keeps the old superuser password, and db-init can no longer log in: set it there by hand (RUNBOOK.md, Rotate) before the next render",
		},
		{Name: "database.{role}_password"},
	},
}

// PostgresData is where the image of a release keeps its data: from 18 on it refuses a volume at .../data, and
// keeps each major in a directory of its own.
func PostgresData(r Ref) string {
	if v, ok := r.Version(); ok && v[0] >= 18 {
		return "/var/lib/postgresql"
	}
	return "/var/lib/postgresql/data"
}
