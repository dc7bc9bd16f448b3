package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
)

// checkSSL holds what a client asks for against a server that has SSL off, as PostgreSQL's image has. lib/pq,
// the library of the Go bridges, asks for it unless it is told otherwise; libpq, sqlx and asyncpg go without.
func checkSSL(r *Reporter, c deployment.Connection, server *deployment.Service) {
	mayHave := slices.ContainsFunc(server.Command(), func(w string) bool { return strings.Contains(w, "ssl") || strings.Contains(w, "config_file") })
	const fix = "sslmode=disable at the end of the URI"
	switch {
	case mayHave, slices.Contains([]string{"", "disable", "allow", "prefer"}, c.Sslmode):
	case slices.Contains([]string{"require", "verify-ca", "verify-full"}, c.Sslmode):
		r.Fail(fmt.Sprintf("%s asks its database for SSL, which %s does not have; it does not start (\"SSL is not enabled on the server\")", c.Service.Name, server.Name), fix, c.At.Site(""), server.Site("the database"))
	case !strings.HasPrefix(c.Sslmode, "pqgo-"):
		r.Fail(fmt.Sprintf("the sslmode of %s's database is none that there is; it does not start", c.Service.Name), fix, c.At.Site(""))
	}
}
