package adopt

import (
	"strconv"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// database reads PostgreSQL: its container, its settings, and the password of each role.
func (r *reader) database() {
	for _, c := range r.d.Connections() {
		if p := r.programOf(c.Service); p != component.Unknown && c.Password != "" {
			r.secrets["database."+string(p)+"_password"] = c.Password
		}
	}
	server := r.server()
	if server == nil {
		r.note(r.syn.Config.At("database").Site(""), "the database server is not one of this stack; the spec renders one, and its data would have to move there", "database")
		return
	}
	db := &r.spec.Database
	db.Component = r.component(server, component.Postgres)
	db.ContainerName = server.ContainerName.Str()
	_, _, password := r.d.Superuser(server)
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
		if c.Service == r.syn.Service {
			if s := r.d.ServiceAt(c.Host); s != nil && s.Program == component.Postgres {
				return s
			}
		}
	}
	return nil
}

// programOf is what a service is to the spec.
func (r *reader) programOf(s *deployment.Service) component.Program {
	for _, b := range r.d.Bridges {
		if b.Service == s {
			return programOf(b)
		}
	}
	return s.Program
}
