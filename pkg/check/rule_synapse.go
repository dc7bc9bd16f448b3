package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// listedAppservices is the release from which Synapse stops at app_service_config_files that is no list (pull request 15425).
var listedAppservices = component.Version{1, 82, 0}

var synapseRequiredKeys = Rule{
	ID: "synapse-required-keys", Severity: finding.Error,
	Summary: "Synapse has what it does not start without, and its listeners and media store are what it can use",
	Why:     "Synapse does not start: \"Missing mandatory `server_name` config option.\", \"Please opt in or out of reporting homeserver usage statistics\", \"No database config provided\", \"Unknown listener resource\", \"Error accessing file\". Or every picture is gone after an update, because it was kept inside the container.",
	Fix:     "Write the key that the message names; keep the media below a directory that is mounted.",
	Source:  "Synapse 1.157 config/_base.py, server.py, database.py, repository.py, tls.py (each refusal was run); docker/start.py (it runs as 991, or UID)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		if len(d.Services) > 0 && !slices.ContainsFunc(d.Services, func(s *deployment.Service) bool { return s.Program == component.Synapse }) {
			r.NotChecked("no service runs an image that is known as Synapse's; what has to fit a homeserver was not looked at", d.ServicesAt.Site(""))
		}
		for _, s := range d.Services {
			if word := d.OnlyTool(s); word != "" && s.Program == component.Synapse {
				r.NotChecked(fmt.Sprintf("%s only runs %s, and nothing here runs the program itself", s.Name, word), s.Site(""))
			}
		}
		for _, s := range d.Synapses {
			checkMandatory(r, s)
			lost := checkEngine(r, s)
			if list := s.Config.At("app_service_config_files"); list.Exists() && list.Kind() != source.Sequence {
				say, stops := r.Fail, "Synapse does not start"
				if v, ok := s.Image.Version(); ok && v.Less(listedAppservices) {
					say, stops = r.Warn, "Synapse has no appservice, and does not start from "+listedAppservices.String()+" on"
				}
				say("app_service_config_files is no list; "+stops, "app_service_config_files: [], or one path below it for each registration", list.Site(""))
			}
			for i, l := range s.Config.At("listeners").Items() {
				checkListener(r, s, l, fmt.Sprintf("listener %d", i+1))
			}
			checkSecretPaths(r, d, s)
			v := s.Config.At("media_store_path")
			switch {
			case deployment.IsFalse(s.Config.At("enable_media_repo")), deployment.IsFalse(s.Config.At("enable_local_media_storage")):
			case s.Partial() && !v.Set():
				r.NotChecked("media_store_path may stand in another of Synapse's configuration files", v.Site(""))
			default:
				name, key := v.Str(), "media_store_path"
				if !v.Set() {
					name, key = "media_store", "media_store_path, which is missing," // Synapse's default
				}
				lost = append(lost, checkLasts(r, s, v, name, key)...)
			}
			tellLost(r, (*Reporter).Fail, s, lost, lossOf(s, lost))
		}
	},
}

// checkMandatory has the keys without which Synapse stops, unless another configuration file may have them.
func checkMandatory(r *Reporter, s *deployment.Synapse) {
	var gone []mandatory
	for _, key := range []struct {
		keys []string
		fix  string
	}{
		{[]string{"server_name"}, "server_name: what follows the colon in a user id"},
		{[]string{"report_stats"}, "report_stats: false"},
		{[]string{"database", "databases", "database_path"}, "database: {name: psycopg2, args: {…}}"},
	} {
		v := s.Config.At(key.keys[0])
		if slices.ContainsFunc(key.keys, func(k string) bool { return s.Config.At(k).Set() }) {
			continue
		}
		if s.Partial() {
			r.NotChecked(key.keys[0]+" may stand in another of Synapse's configuration files", v.Site(""))
			continue
		}
		gone = append(gone, mandatory{key.keys[0], key.fix, v.Site("")})
	}
	severally(r, gone, func(m mandatory) []source.Site { return []source.Site{m.site} }, tellMandatory)
}

// mandatory is a key without which Synapse does not start, and that is not there.
type mandatory struct {
	name, fix string
	site      source.Site
}

func tellMandatory(r *Reporter, gone []mandatory) {
	var names, fixes []string
	var sites []source.Site
	for _, m := range gone {
		names, fixes = append(names, m.name), append(fixes, m.fix)
		if !slices.ContainsFunc(sites, func(s source.Site) bool { return s.Pos == m.site.Pos }) {
			sites = append(sites, m.site)
		}
	}
	are := " is"
	if len(gone) > 1 {
		are = " are"
	}
	r.Fail(finding.Sentence(names, "and")+are+" missing; Synapse does not start", strings.Join(fixes, "\n"), sites...)
}

// sqliteArgs are those of sqlite3.connect in Python 3.13.
var sqliteArgs = []string{"database", "timeout", "detect_types", "isolation_level", "check_same_thread", "factory", "cached_statements", "uri", "autocommit"}

// checkEngine has the database's engine, which is SQLite when none is named. It gives its file where that does not last.
func checkEngine(r *Reporter, s *deployment.Synapse) (lost []lostPath) {
	db := s.Config.At("database")
	name, args := db.At("name"), db.At("args")
	switch name.Str() {
	case "psycopg2":
		if v := s.ArgsAstray(); v.Set() {
			checkAstray(r, v, name)
		}
	case "sqlite3", "":
		if host := args.At("host"); !name.Set() && host.Set() {
			r.FailMend("database has no name, so that Synapse takes SQLite, which knows no host; Synapse does not start", set(name, "psycopg2"), db.Site(""), host.Site("meant for PostgreSQL"))
			return nil
		}
		// Synapse adds two of its own; what begins with cp_ is for the pool of connections.
		for key, val := range args.Entries() {
			if !slices.Contains(sqliteArgs, key.Str()) && !strings.HasPrefix(key.Str(), "cp_") {
				r.Fail(fmt.Sprintf("%s is no setting of SQLite; Synapse does not start (TypeError)", val.Path()),
					"name: psycopg2 for PostgreSQL, or for SQLite args: {database: FILE} alone", name.Site("the engine"), val.Site(""))
				return nil
			}
		}
		file := args.At("database")
		if name.Set() && !file.Set() && !s.Partial() {
			sites := []source.Site{name.Site("the engine")}
			if v := s.ArgsAstray(); v.Set() {
				sites = append(sites, v.Site("at the wrong level"))
			}
			r.Fail("database.args.database names no file for SQLite; Synapse does not start (TypeError)", "database: {name: sqlite3, args: {database: FILE}}", sites...)
		}
		if file.Set() && file.Str() != ":memory:" {
			lost = checkLasts(r, s, file, file.Str(), "database.args.database")
		}
	default:
		r.FailMend(fmt.Sprintf("Synapse knows no database engine %q; it does not start", name.Str()), unless(!args.At("host").Set(), set(name, "psycopg2")), name.Site(""))
	}
	return lost
}

// checkAstray has arguments of PostgreSQL that stand a level too high or too low.
func checkAstray(r *Reporter, v, name source.Value) {
	consequence, fix := "Synapse looks for PostgreSQL in its own container and does not start", "database: {name: psycopg2, args: {…}}"
	switch {
	case v.Path() == "database.args.args":
		r.Fail("database.args.args stands a level too low; PostgreSQL knows no option args, and Synapse does not start", fix, v.Site(""), name.Site("the database"))
		return
	case v.Name() == "user":
		r.Warn(v.Path()+" does not stand below database.args; Synapse names no role to PostgreSQL and does not start, unless the user that it runs as is one", "move it to database.args.user", v.Site(""), name.Site("the database"))
		return
	case v.Name() == "password":
		r.Warn(v.Path()+" does not stand below database.args; Synapse gives PostgreSQL no password and does not start (no password supplied), unless the server asks for none", "move it to database.args.password", v.Site(""), name.Site("the database"))
		return
	}
	if v.Name() != "args" {
		fix = "move it to database.args." + v.Name()
	}
	r.Fail(v.Path()+" does not stand below database.args; "+consequence, fix, v.Site(""), name.Site("the database"))
}

// lostPath is a path of the container whose content does not outlive it.
type lostPath struct {
	key, file, fix string
	at             source.Value
}

// goneLater is what comes of such a path where it can be written.
const goneLater = "; what Synapse keeps there is gone with the next update"

// lossOf is what comes of such paths. Synapse makes the directory of media, and the file of SQLite, at its start; in its image all but
// the directories for what is fleeting belong to root, which it is not after start.py.
func lossOf(s *deployment.Synapse, lost []lostPath) string {
	uid, _, _, known := s.User()
	kind, _, _ := s.Launch()
	if !known || uid <= 0 || kind != deployment.Itself || !s.OwnImage() || s.Build.Set() || s.EnvHidden("UID") != "" {
		return goneLater
	}
	for _, l := range lost {
		within := func(open string) bool { return deployment.Under(l.file, open) }
		there := func(m deployment.Mount) bool { return within(m.Container) || deployment.Under(m.Container, l.file) }
		if slices.ContainsFunc([]string{"/data", "/tmp", "/var/tmp", "/dev/shm", "/run/lock"}, within) || slices.ContainsFunc(s.Mounts, there) {
			return goneLater
		}
	}
	return fmt.Sprintf(", where the user %d may make nothing; Synapse does not start", uid)
}

// tellLost has one finding for all paths of a Synapse that are inside its container only: one mount is missing.
func tellLost(r *Reporter, report func(*Reporter, string, string, ...source.Site), s *deployment.Synapse, lost []lostPath, loss string) {
	severally(r, lost, func(l lostPath) []source.Site { return []source.Site{l.at.Site("")} }, func(r *Reporter, lost []lostPath) {
		var keys, files, fixes []string
		var sites []source.Site
		for _, l := range lost {
			keys, files, fixes, sites = append(keys, l.key), append(files, l.file), append(fixes, l.fix), append(sites, l.at.Site(""))
		}
		leads := " leads to %s, which is inside"
		if len(lost) > 1 {
			leads = " lead to %s, which are inside"
		}
		report(r, finding.Sentence(keys, "and")+fmt.Sprintf(leads, finding.Sentence(files, "and"))+" the container only"+loss,
			strings.Join(fixes, "\n"), append(sites, s.VolumeSites()...)...)
	})
}

// checkLasts reports a path that cannot be written, and gives one whose content does not outlive the container.
func checkLasts(r *Reporter, s *deployment.Synapse, v source.Value, name, key string) []lostPath {
	file := s.Inside(name)
	m := s.MountAt(file)
	fix := v.Name() + ": a path below a directory that is mounted"
	lasting := func(o deployment.Mount) bool { return !o.ReadOnly && !o.Fleeting && o.Container != s.ConfigPath }
	if i := slices.IndexFunc(s.Mounts, func(o deployment.Mount) bool { return lasting(o) && path.Base(o.Container) == path.Base(name) }); i >= 0 {
		fix = v.Name() + ": " + s.Mounts[i].Container // made for it
	} else if i := slices.IndexFunc(s.Mounts, lasting); i >= 0 {
		fix = v.Name() + ": " + path.Join(s.Mounts[i].Container, path.Base(name))
	}
	switch {
	case m == nil || m.Fleeting:
		return []lostPath{{key, file, fix, v}}
	case m.ReadOnly:
		r.Fail(fmt.Sprintf("%s leads to %s, which is mounted read-only; Synapse cannot keep anything there", key, file), fix, v.Site(""), m.At.Site("read-only"))
	}
	return nil
}

// checkSecretPaths has the secrets that stand in files: one form of each, and a file that is there.
func checkSecretPaths(r *Reporter, d *deployment.Deployment, s *deployment.Synapse) {
	for _, key := range component.Of(component.Synapse).Held {
		for _, parent := range deployment.Each(s.Config.Root(), key.Below) {
			inline, v := parent.At(key.Inline), parent.At(key.File)
			if key.File == "" || !v.Set() {
				continue
			}
			if inline.Set() && inline.Str() != "" {
				r.Fail(fmt.Sprintf("%s and %s are both set; Synapse does not start", inline.Path(), v.Path()), "remove one of the two", inline.Site(""), v.Site(""))
				continue
			}
			_, _, reason := d.Text(s.Service, s.Inside(v.Str()))
			missing := deployment.LeadsNowhere(reason)
			// Synapse makes up the first of these with --generate-keys, where it may write; for the other mas-secret-matches looks
			// at both sides.
			m := s.MountAt(s.Inside(v.Str()))
			if made := key.Inline == "registration_shared_secret" && m != nil && !m.ReadOnly && !strings.HasPrefix(m.Container, "/run/secrets"); missing && !made && key.Below != "matrix_authentication_service" {
				if m != nil && strings.HasPrefix(m.Container, "/run/secrets/") {
					continue // compose-mount-exists says so
				}
				r.Fail(fmt.Sprintf("%s leads to no file: %s; Synapse does not start", v.Path(), reason), "write the path that Synapse's container sees", append([]source.Site{v.Site("")}, s.MountSites(v.Str())...)...)
			}
		}
	}
}

var (
	listenerTypes     = []string{"http", "metrics", "manhole"}
	listenerResources = []string{"client", "consent", "federation", "health", "keys", "media", "metrics", "openid", "replication", "static"}
)

// checkListener follows parse_listener_def.
func checkListener(r *Reporter, s *deployment.Synapse, l source.Value, what string) {
	stops := func(fact, fix string, v source.Value) { r.Fail(fact+"; Synapse does not start", fix, v.Site("")) }
	port, socket, kind := l.At("port"), l.At("path"), l.At("type")
	switch {
	case !kind.Set():
		stops(what+" has no type", "type: http", kind)
	case kind.Str() == "replication": // synapse-version-supports says so
	case !slices.Contains(listenerTypes, kind.Str()):
		stops(fmt.Sprintf("%s has the type %q, which is none of %s", what, kind.Str(), strings.Join(listenerTypes, ", ")), "type: http", kind)
	}
	_, whole := port.Int()
	switch {
	case port.Set() && socket.Set():
		stops(what+" has a port and a path; it may have one of them", "remove one of the two", socket)
	case !port.Set() && !socket.Set():
		stops(what+" has neither a port nor a path", "port: 8008", port)
	case port.Set() && !whole:
		stops(what+" has a port that is no number", "port: "+port.Str()+", without quotes", port)
	}
	if v := l.At("bind_addresses"); v.Set() && v.Kind() != source.Sequence {
		stops("bind_addresses of "+what+" is no list", `bind_addresses: ["`+v.Str()+`"]`, v)
	}
	for _, addr := range deployment.Listed(l.At("bind_addresses")) {
		if s.Lacks(addr.Str()) {
			r.Warn(fmt.Sprintf("%s is on %s, which %s does not give the container; Synapse does not start unless %s happens to", what, addr.Str(), s.Lines().File, s.Lines().Engine), `bind_addresses: ["0.0.0.0"]`, addr.Site(""))
		}
	}
	if v := l.At("resources"); v.Exists() && v.Kind() != source.Sequence && kind.Str() == "http" {
		stops("resources of "+what+" is no list", "resources: [{names: [client, federation]}]", v)
	}
	for _, res := range l.At("resources").Items() {
		checkResource(s, stops, res, what)
	}
	for _, key := range []string{"tls_certificate_path", "tls_private_key_path"} {
		if v := s.Config.At(key); l.At("tls").True() && !v.Set() {
			r.Fail(fmt.Sprintf("%s speaks TLS, but %s is missing; Synapse does not start", what, key), "tls: false, when a proxy stands in front", l.At("tls").Site(""))
			return
		}
	}
}

func checkResource(s *deployment.Synapse, stops func(fact, fix string, v source.Value), res source.Value, what string) {
	names := res.At("names")
	if names.Set() && names.Kind() != source.Sequence {
		stops("names in the resources of "+what+" is no list", "names: ["+names.Str()+"]", names)
	}
	for _, n := range names.Items() {
		if !slices.Contains(listenerResources, n.Str()) && (n.Str() != "webclient" || !olderThan(s, 53)) {
			stops(fmt.Sprintf("%s has the resource %q, which is none of %s", what, n.Str(), strings.Join(listenerResources, ", ")), "- client, or - federation", n)
		}
	}
	if v := res.At("compress"); v.Set() {
		if _, ok := v.Bool(); !ok {
			stops("compress of "+what+" is neither true nor false", "compress: false", v)
		}
	}
	for k := range res.Entries() {
		if k.Str() != "names" && k.Str() != "compress" {
			stops(fmt.Sprintf("a resource of %s has the key %q; it may have names and compress", what, k.Str()), "remove the line", k)
		}
	}
}
