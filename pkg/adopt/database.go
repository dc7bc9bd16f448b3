package adopt

import (
	"cmp"
	"path"
	"strconv"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// database reads PostgreSQL: its container, its settings, and the password of each role.
func (r *reader) database() {
	db := &r.spec.Database
	db.Names = make(map[string]spec.DatabaseName)
	for _, c := range r.d.Connections() {
		p := r.programOf(c.Service)
		if p == component.Unknown {
			continue
		}
		db.Names[string(p)] = spec.DatabaseName{Name: cmp.Or(c.Db, c.User), User: c.User}
		if c.Password != "" {
			r.secrets["database."+string(p)+"_password"] = c.Password
		}
	}
	server, engine := r.server(), r.syn.Config.At("database", "name")
	if server == nil {
		if engine.Str() == "sqlite3" {
			r.note(engine.Site(""), "Synapse's database is SQLite, and the spec renders PostgreSQL: move it with synapse_port_db before the stack is started", "database")
		} else {
			r.note(r.syn.Config.At("database").Site(""), "the database server is not one of this stack; the spec renders one, and its data would have to move there", "database")
		}
		return
	}
	for _, c := range r.d.Connections() {
		if s := r.d.ServiceAt(c.Host); s != server && s != nil && r.programOf(c.Service) != component.Unknown {
			r.note(c.HostAt.Site(""), "the database of "+c.Service.Name+" is on another server, "+s.Name+", and the spec has one: it would have to move there", "database")
		}
	}
	db.Component = r.component(server, component.Postgres)
	at := component.PostgresData(server.Image)
	if m := covering(server, at); m != nil && path.Clean(m.Container) == at {
		db.Data = r.place(m)
	}
	superuser, _, password := r.d.Superuser(server)
	db.Superuser = superuser
	r.keep("database.postgres_password", password.Password)
	settings := &source.Node{Kind: source.Mapping}
	for _, s := range server.Settings() {
		settings.Set(s.Name, settingOf(s))
	}
	if len(settings.Names()) > 0 {
		r.extra["database.extra"] = settings
	}
}

// settingOf is the value of a setting as a person would write it: a number is none in quotes.
func settingOf(s deployment.Setting) *source.Node {
	if n, err := strconv.Atoi(s.Value); err == nil && strconv.Itoa(n) == s.Value {
		return source.Made("!!int", s.Value)
	}
	return source.Made("!!str", s.Value)
}

// server is the PostgreSQL that Synapse's database is in; nil where it is none of the stack.
func (r *reader) server() *deployment.Service {
	for _, c := range r.d.Connections() {
		if c.Service != r.syn.Service {
			continue
		}
		if s := r.d.ServiceAt(c.Host); s != nil && s.Program == component.Postgres {
			return s
		}
		for _, s := range r.d.PostgresServers() {
			if deployment.Loopback(c.Host) && r.syn.NetworkMode.Str() == "host" && s.NetworkMode.Str() == "host" {
				return s
			}
		}
	}
	return nil
}

// programOf is what a service is to the spec; Unknown for a bridge that is kept as it is.
func (r *reader) programOf(s *deployment.Service) component.Program {
	taken := r.taken()
	for _, b := range r.d.Bridges {
		if p := programOf(b); b.Service == s && taken[p] == b {
			return p
		} else if b.Service == s {
			return component.Unknown
		}
	}
	return s.Program
}
