package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// dumpPrograms are the programs that borgmatic's options for PostgreSQL stand for.
var dumpPrograms = []struct{ key, program string }{
	{"pg_dump_command", "pg_dump"}, {"pg_restore_command", "pg_restore"}, {"psql_command", "psql"},
}

// checkDumpCommands has an entry of postgresql_databases run what there is, as a role that there is.
func checkDumpCommands(r *Reporter, d *deployment.Deployment, item source.Value) {
	for _, o := range dumpPrograms {
		v := item.At(o.key)
		words := strings.Fields(v.Str())
		for _, want := range []string{"docker", "exec", o.program} {
			is := func(w string) bool { return path.Base(w) == want || want == "docker" && path.Base(w) == "podman" }
			i := slices.IndexFunc(words, func(w string) bool { return finding.Nearest(path.Base(w), []string{want}) != "" })
			// Alone it may be a script of one's own, and pg_dumpall begins like pg_dump.
			if len(words) < 3 || i < 0 || slices.ContainsFunc(words, is) || path.Base(words[i]) == "pg_dumpall" {
				continue
			}
			r.Fail(fmt.Sprintf("%s has %s where %s should stand; the database %s is not dumped, or not restored", o.key, words[i], want, item.At("name").Str()),
				strings.Replace(v.Str(), words[i], want, 1), v.Site(""))
			break
		}
	}
	user, g := item.At("username"), dumpedIn().FindStringSubmatch(item.At("pg_dump_command").Str()+" ")
	if !user.Set() || g == nil {
		return
	}
	server := d.ContainerNamed(g[1])
	if !slices.Contains(d.PostgresServers(), server) {
		return
	}
	made := d.Provisioned(server)
	if _, known := made.Roles[user.Str()]; !known && made.Opaque == "" && !made.Broken {
		r.Warn(fmt.Sprintf("the backup logs in to %s as %q, and nothing in these files creates that role; if nobody made it by hand the database %s is not dumped", server.Name, user.Str(), item.At("name").Str()),
			"username: one of "+deployment.KeysOf(made.Roles), user.Site(""), made.Site())
	}
}
