package deployment

import "philipp.info/stackgen/pkg/source"

// Role is a role of a PostgreSQL that an operator makes, with its password or why that cannot be seen.
type Role struct {
	Name, Password, Reason string
	Site                   source.Site
}

// Operated are the servers that an operator runs.
func (d *Deployment) Operated() []*Service { return d.operated }

// Operate adds a PostgreSQL that an operator runs: no manifest has its container, and objects of the operator's own kinds say what roles and
// databases it makes. opaque says why there may be more of them.
func (d *Deployment) Operate(server *Service, roles []Role, databases map[string]Database, opaque string) {
	server.d = d
	d.operated = append(d.operated, server)
	p := &provision{Roles: make(map[string]role), Databases: databases, named: make(map[string]source.Site), server: server, Opaque: opaque}
	for _, r := range roles {
		p.Roles[r.Name], p.named[r.Name] = role{Password: r.Password, Reason: r.Reason, Site: r.Site, Reader: server}, r.Site
	}
	for name, db := range databases {
		p.named[name] = db.Site
	}
	d.provisions[server] = func() *provision { return p }
}
