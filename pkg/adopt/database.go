package adopt

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/shell"
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
			r.external()
		}
		return
	}
	for _, c := range r.d.Connections() {
		if s := r.d.ServiceAt(c.Host); s != server && s != nil && r.programOf(c.Service) != component.Unknown {
			r.note(c.HostAt.Site(""), r.moves(c, s), "database")
		}
	}
	db.Component = r.component(server, component.Postgres)
	image := server.Image
	if major := r.major(server); major != "" {
		db.Version, image.Tag = major, major
	}
	at := component.PostgresData(image)
	if m := covering(server, at); m != nil && path.Clean(m.Container) == at {
		db.Data = r.place(m)
	}
	superuser, _, password := r.d.Superuser(server)
	db.Superuser = superuser
	r.keep("database.postgres_password", password.Password)
	for _, c := range r.d.Connections() { // the environment counted when the cluster was made; this one is let in
		if c.User == superuser && c.Service == r.syn.Service && !variableAlone().MatchString(c.Password) {
			r.keep("database.postgres_password", c.Password)
		}
	}
	db.Memory = memoryOf(server)
	settings := &source.Node{Kind: source.Mapping}
	for _, s := range server.Settings() {
		settings.Set(s.Name, settingOf(s))
	}
	if len(settings.Names()) > 0 {
		r.extra["database.extra"] = settings
	}
}

// firstOfMajors is the release from which on PostgreSQL keeps each major in a directory of its own.
const firstOfMajors = "18"

// major is the release of a server whose tag names none, as far as the place of its data tells; "" where that says nothing. What
// the tag says, and the rendered release cannot start on, is noted.
func (r *reader) major(server *deployment.Service) string {
	of := component.Of(component.Postgres)
	if release, known := server.Image.Version(); known {
		if release.Less(of.Oldest) {
			r.note(server.ImageAt.Site(""), fmt.Sprintf("PostgreSQL %s does not start on the data of %d: dump all of it, bring the old stack to %d or later in an empty place, restore it there, and import again", of.Tested.Major(), release[0], of.Oldest[0]), "database")
		}
		return ""
	}
	later := server.Image
	later.Tag = firstOfMajors
	if m := covering(server, component.PostgresData(component.Ref{})); m == nil || path.Clean(m.Container) != component.PostgresData(later) {
		return ""
	}
	if strings.Contains(server.Image.Tag, "alpine") {
		later.Tag += "-alpine"
	}
	r.note(server.ImageAt.Site(""), "the tag of PostgreSQL names no release, and its volume lies where "+firstOfMajors+" and later have their data: see which one runs (postgres --version)", "database", "version")
	return later.Tag
}

// memoryOf is the memory that all settings are made for; empty where they are of somebody's own. Those of the spec stand in extra
// besides, of which is left what does not follow from it.
func memoryOf(server *deployment.Service) string {
	set := make(map[string]string)
	for _, s := range server.Settings() {
		set[s.Name] = s.Value
	}
	buffers, unit := set["shared_buffers"], 1
	if giga, ok := strings.CutSuffix(buffers, "GB"); ok {
		buffers, unit = giga, 1024
	}
	n, err := strconv.Atoi(strings.TrimSuffix(buffers, "MB"))
	connections, _, reason := server.MaxConnections()
	if err != nil || reason != "" || connections < 1 {
		return ""
	}
	memory := n * unit * 4
	own := []string{"work_mem", "maintenance_work_mem"} // which somebody may have set otherwise
	if slices.ContainsFunc(render.ForMemory(memory, connections), func(s render.Setting) bool {
		return set[s.Name] == "" || set[s.Name] != s.Value && !slices.Contains(own, s.Name)
	}) {
		return ""
	}
	return render.Memory(memory)
}

// moves says of a database on a second server of the stack how it comes into the first one, which the spec has: out of the one
// that still runs, into the database that db-init has made.
func (r *reader) moves(c deployment.Connection, from *deployment.Service) string {
	to, p := r.server(), r.programOf(c.Service)
	name := r.spec.Database.Names[string(p)]
	superuser, _, _ := r.d.Superuser(to)
	dump := shell.Words("pg_dump", "--no-owner", "-U", c.User, cmp.Or(c.Db, c.User))
	if older, newer := to.Image.Major(), from.Image.Major(); older != "" && newer > older {
		dump += " | sed '/^SET transaction_timeout/d'" // which the older one does not know
	}
	restore := shell.Words("psql", "-q", "-v", "ON_ERROR_STOP=1", "-U", cmp.Or(superuser, "postgres"), "-c", "SET ROLE \""+name.User+"\"", "-f", "-", name.Name)
	return "the database of " + c.Service.Name + " is on another server, " + from.Name + ", and the spec has one. Until it is moved, " + c.Service.Name + " would begin anew. Before the rendered stack is started:\n" +
		"  docker compose stop " + shell.Word(c.Service.Name) + "\n" +
		"  docker compose exec -T " + shell.Word(from.Name) + " " + dump + " > " + string(p) + ".sql\n" +
		"and with " + shell.Word(to.Name) + " and db-init of the rendered stack alone (docker compose up -d db-init):\n" +
		"  docker compose exec -T " + shell.Word(to.Name) + " " + restore + " < " + string(p) + ".sql"
}

// external reads a PostgreSQL that is none of the stack: that of Synapse's database.
func (r *reader) external() {
	ex := &r.spec.Database.External
	var main deployment.Connection
	modes := make(map[string]string)
	for _, c := range r.d.Connections() {
		p := r.programOf(c.Service)
		if c.Service == r.syn.Service {
			main = c
			c.Sslmode = r.syn.Config.At("database", "args", "sslmode").Str()
		}
		if p == component.MAS && r.mas != nil {
			c.Sslmode = r.mas.Config.At("database", "ssl_mode").Str()
		}
		if p != component.Unknown {
			modes[string(p)] = c.Sslmode
		}
	}
	if main.Host == "" {
		r.note(r.syn.Config.At("database").Site(""), "the database server cannot be seen; the spec renders one, and its data would have to move there", "database")
		return
	}
	ex.Host = main.Host
	ex.Port, _ = strconv.Atoi(main.Port)
	if deployment.Loopback(main.Host) && r.syn.NetworkMode.Str() == "host" {
		ex.Host = spec.HostGateway
		r.note(main.HostAt.Site(""), "PostgreSQL runs on the host, where the rendered containers are not: it has to listen for them, too (listen_addresses, pg_hba.conf)", "database", "external")
	}
	// What Synapse is not told it prefers; a bridge in Go is always told, or else wants TLS.
	ex.SSLMode = modes["synapse"]
	for _, name := range spec.BridgeNames() {
		if mode, on := modes[name]; on && mode != "" && !slices.Contains([]string{"disable", "require", "verify-ca", "verify-full"}, ex.SSLMode) {
			ex.SSLMode = mode
		}
	}
	if ex.SSLMode = cmp.Or(ex.SSLMode, modes["mas"], "prefer"); ex.SSLMode == "allow" {
		ex.SSLMode = "prefer"
	}
	for _, c := range r.d.Connections() {
		p := r.programOf(c.Service)
		switch mode := modes[string(p)]; {
		case p == component.Unknown:
		case c.Host != main.Host || cmp.Or(c.Port, "5432") != cmp.Or(main.Port, "5432"):
			r.note(c.HostAt.Site(""), "the database of "+c.Service.Name+" is on another server, "+c.Host+", and the spec has one for all: dump it there with pg_dump, and restore it on "+main.Host+" as RUNBOOK.md says under Databases, before the rendered stack is started", "database", "external")
		case mode != "" && mode != ex.SSLMode:
			r.note(c.At.Site(""), c.Service.Name+" has connected with sslmode "+mode+", and the spec has one for all", "database", "external")
		}
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
