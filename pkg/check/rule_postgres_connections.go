package check

import (
	"fmt"
	"slices"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var databaseConnections = Rule{
	ID: "database-connections", Severity: finding.Warning,
	Summary: "PostgreSQL takes as many connections as the pools of all programs open together",
	Why:     "Who comes last is refused: \"FATAL: sorry, too many clients already\", or \"remaining connection slots are reserved\". Synapse then answers with 500, and a bridge that starts just then stops. It shows under load alone.",
	Fix:     "Raise max_connections to the sum of the pools and some for psql and the backup, or make a pool smaller: cp_max of Synapse, max_connections of MAS, max_open_conns of a bridge.",
	Source:  "PostgreSQL docs, max_connections, superuser_reserved_connections; Synapse docs/postgres.md (cp_max is for each process); MAS docs/reference/configuration.md; mautrix-go example-config.yaml",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, server := range d.PostgresServers() {
			if server.Absent.Why == "" {
				checkConnections(r, d, server)
			}
		}
	},
}

func checkConnections(r *Reporter, d *deployment.Deployment, server *deployment.Service) {
	pools := d.Pools(server)
	sum := 0
	for _, p := range pools {
		sum += p.Size
	}
	takes, at, reason := server.MaxConnections()
	free := takes - component.ReservedConnections
	switch {
	case reason != "" && sum > component.MaxConnections-component.ReservedConnections:
		r.NotChecked(fmt.Sprintf("%s; the programs open %d connections to it together", reason, sum), server.Site(""))
	case reason == "" && sum > free:
		site := at.Site("")
		if !at.Exists() {
			site = server.Site(fmt.Sprintf("without max_connections it takes %d", takes))
		}
		r.Warn(fmt.Sprintf("%s open up to %d connections together, and %s takes %d beside %d for superusers; once they are used, whoever comes last is refused", finding.Sentence(poolWords(pools), "and"), sum, server.Name, free, component.ReservedConnections),
			fmt.Sprintf("max_connections=%d", component.ConnectionsFor(sum)), append([]source.Site{site}, poolSites(pools)...)...)
	}
}

// poolWords name who opens how many, several processes of one pool together.
func poolWords(pools []deployment.Pool) (words []string) {
	for i := 0; i < len(pools); {
		same := i
		for same < len(pools) && pools[same].Service == pools[i].Service {
			same++
		}
		word := fmt.Sprintf("%s (%d)", pools[i].Name, pools[i].Size)
		if same-i > 1 {
			word = fmt.Sprintf("%s (%d × %d)", pools[i].Name, same-i, pools[i].Size)
		}
		words, i = append(words, word), same
	}
	return words
}

func poolSites(pools []deployment.Pool) (sites []source.Site) {
	for _, p := range pools {
		site := p.At.Site(p.Name)
		if p.At.Exists() && !slices.ContainsFunc(sites, func(s source.Site) bool { return s.Pos == site.Pos }) {
			sites = append(sites, site)
		}
	}
	return sites
}
