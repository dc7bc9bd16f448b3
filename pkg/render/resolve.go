package render

import (
	"cmp"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/spec"
)

// Resolve makes the Stack of a valid spec. Every secret that Needs names has a value in secrets. dir is the
// absolute directory that the stack is deployed to; sources are absolute paths of what it comes from on the same
// host, for the backup.
func Resolve(s *spec.Spec, secrets *secret.Set, dir string, sources ...string) *Stack {
	st := &Stack{
		SpecName: output.Clean(path.Base(filepath.ToSlash(s.File().Path))), Name: cmp.Or(s.Name, "matrix"), ServerName: s.ServerName, MatrixHost: s.MatrixHost(),
		Dir: dir, NeedsRoot: s.Owner == "", Small: s.Small(), Migration: s.Auth.Migration,
		Traefik: Traefik{
			Entrypoint:   cmp.Or(s.Ingress.Traefik.Entrypoint, "websecure"),
			CertResolver: s.Ingress.Traefik.CertResolver,
			Middlewares:  s.Ingress.Traefik.Middlewares,
			Email:        s.Ingress.Traefik.Email,
			Federation:   s.Ingress.Traefik.FederationEntrypoint,
			V2:           s.Ingress.Traefik.RuleSyntax == "v2",
		},
		Services: make(map[string]Service),
	}
	st.Apex = st.ServerName != st.MatrixHost && (s.Ingress.Apex.Matrix == nil || *s.Ingress.Apex.Matrix)
	st.WellKnown = cmp.Or(s.Ingress.Apex.WellKnown, "synapse") == "synapse"
	if s.ESS() {
		st.ESS = &ESS{ElementHost: s.ElementHost(), RTCHost: s.RTCHost()}
	}
	st.resolveIngress(s)
	st.resolveDatabases(s, secrets)
	st.resolveSynapse(s, secrets)
	st.resolveWorkers(s, secrets)
	st.resolveLogin(s, secrets)
	if s.MAS() {
		st.resolveMAS(s, secrets)
	} else {
		st.resolveOwnLogin(secrets)
	}
	st.resolveEmail(s, secrets)
	st.DoublePuppet = Registration{
		ID: "doublepuppet", ASToken: secrets.Get("doublepuppet.as_token"), HSToken: secrets.Get("doublepuppet.hs_token"),
		Sender: sender(secrets.Get("doublepuppet.sender")),
		Users:  []Namespace{{Regex: "@.*:" + regexp.QuoteMeta(st.ServerName)}},
	}
	for c := range component.Bridges() {
		if b, ok := s.Bridges[string(c.Program)]; ok {
			st.addBridge(s, c, b, secrets)
			st.Synapse.Registrations = append(st.Synapse.Registrations, string(c.Program)+".yaml")
		}
	}
	if len(st.Bridges) > 0 {
		st.Synapse.Registrations = append(st.Synapse.Registrations, "doublepuppet.yaml")
	}
	for _, file := range s.Synapse.Registrations {
		st.Synapse.Registrations = append(st.Synapse.Registrations, path.Base(file))
	}
	if st.ESS == nil {
		st.resolveCalls(s, secrets)
	}
	st.resolveTurn(s, secrets)
	if host := s.ElementHost(); host != "" && st.ESS == nil {
		st.Element = &Element{Host: host, Port: component.Of(component.Element).Port}
	}
	st.resolveContainers(s, secrets)
	if s.Metrics {
		st.Metrics = MetricsPort
	}
	if host := s.AdminHost(); host != "" {
		st.Admin = &Admin{Host: host, Port: component.Of(component.Ketesa).Port, Allow: s.Admin.AllowFrom}
	}
	st.resolveBackup(s, secrets, sources)
	st.resolveServices(s, secrets)
	return st
}

// sender turns a token into a localpart that no person and no bot has. A sender that is also the bot makes
// Synapse answer /sync with 500 (handlers/sync.py).
func sender(token string) string {
	return strings.ToLower(token[:min(len(token), 32)])
}

// internal is the name of a service on the stack's own network. Compose gives each service its plain name on
// every network it is in, and on that of the proxy another stack may have a mas, too: Docker would answer with
// either. A container_name may well be matrix-synapse. Twisted takes no underscore and no double dash (idna).
func (st *Stack) internal(service string) string {
	if k, ok := component.OfESS(component.Program(service)); ok && st.ESS != nil {
		return k.Service
	}
	words := strings.FieldsFunc(st.Name, func(r rune) bool { return r == '-' || r == '_' })
	return strings.Join(append(words, "stack", service), "-")
}

func (st *Stack) resolveDatabases(s *spec.Spec, secrets *secret.Set) {
	passwords := make(map[string]string)
	if e := s.Database.External; s.ExternalDatabase() {
		st.Postgres = Postgres{Host: e.Host, Port: cmp.Or(e.Port, component.Of(component.Postgres).Port), External: true, SSLMode: cmp.Or(e.SSLMode, "require"), Gateway: e.Host == spec.HostGateway}
	} else {
		st.ownPostgres(s, secrets)
		passwords[st.Postgres.Superuser] = secrets.Get("database.postgres_password")
	}
	roles := roles(s)
	for _, p := range s.Databases() {
		n := s.DatabaseOf(p)
		db := Database{Program: p, Name: n.Name, User: n.User, Pool: pool(s, p)}
		if slices.Contains(roles, p) {
			passwords[n.User] = secrets.Get("database." + string(p) + "_password")
			if !st.Postgres.External {
				db.Secret = "postgres_" + string(p)
				st.addSecret("db-init", db.Secret, passwords[n.User])
			}
		}
		db.Password = passwords[n.User]
		u := url.URL{Scheme: "postgres", User: url.UserPassword(db.User, db.Password), Host: st.Postgres.address(), Path: "/" + db.Name}
		db.URI = u.String()
		st.Databases = append(st.Databases, db)
	}
	if !st.Postgres.External {
		st.tunePostgres(s)
	}
}

// address is the host of a URI, with the port where it is none that everybody knows.
func (p Postgres) address() string {
	host := p.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p.Port == component.Of(component.Postgres).Port {
		return host
	}
	return fmt.Sprintf("%s:%d", host, p.Port)
}

// FromHost is the name by which programs on the host call the server.
func (p Postgres) FromHost() string {
	if p.Gateway {
		return "127.0.0.1"
	}
	return p.Host
}

// Client is how a client of PostgreSQL is called for a database: as the superuser in the container of the server or, where it
// runs elsewhere, on this host as the role of the database.
func (st *Stack) Client(tool string, db Database) string {
	if p := st.Postgres; p.External {
		return shell.Words(tool, "-h", p.FromHost(), "-p", fmt.Sprint(p.Port), "-U", db.User)
	}
	return "docker compose exec -T " + st.Called("postgres") + " " + shell.Words(tool, "-U", st.Postgres.Superuser)
}

// ownPostgres is the server that is rendered.
func (st *Stack) ownPostgres(s *spec.Spec, secrets *secret.Set) {
	st.Postgres.Host, st.Postgres.Port, st.Postgres.Superuser = st.internal("postgres"), component.Of(component.Postgres).Port, superuser(s)
	if s.OnKubernetes() && s.KubernetesDatabase() == "cnpg" {
		st.Postgres.Host += "-rw" // the Service of a Cluster that leads to its primary
	}
	own := secrets.Get("database.postgres_password")
	st.addSecret("postgres", "postgres_password", own)
	st.addSecret("db-init", "postgres_pgpass", st.Postgres.Host+":5432:*:"+pgpassEscape.Replace(st.Postgres.Superuser)+":"+pgpassEscape.Replace(own)+"\n")
	st.Postgres.ContainerName = cmp.Or(s.Database.ContainerName, st.Name+"-"+s.ServiceOf(component.Postgres)+"-1")
	st.Postgres.Data = st.data(s.DataOf(component.Postgres))
	st.Postgres.DataPath = component.PostgresData(s.Database.Ref(component.Postgres))
}

// InImage are the services of one image.
type InImage struct {
	Image    string
	Services []string
}

// Images are all images of the stack with their services, in the order of the services' names.
func (st *Stack) Images() (list []InImage) {
	at := map[string]int{}
	services := slices.SortedFunc(maps.Values(st.Services), func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range services {
		image := s.Image.String()
		i, ok := at[image]
		if !ok {
			i = len(list)
			at[image] = i
			list = append(list, InImage{Image: image})
		}
		list[i].Services = append(list[i].Services, s.Name)
	}
	return list
}

// Called is what the compose file calls the service that does something, by the name of its program or job.
func (st *Stack) Called(role string) string { return st.Services[role].Name }

// Role is what a service of the compose file does; "" for one that is not rendered.
func (st *Stack) Role(service string) string {
	for role, s := range st.Services {
		if s.Name == service {
			return role
		}
	}
	return ""
}

// pgpassEscape is libpq's escaping of a field in a password file.
var pgpassEscape = strings.NewReplacer(`\`, `\\`, ":", `\:`)

func (st *Stack) database(p component.Program) Database {
	i := slices.IndexFunc(st.Databases, func(d Database) bool { return d.Program == p })
	return st.Databases[i]
}

func (st *Stack) resolveSynapse(s *spec.Spec, secrets *secret.Set) {
	sy := s.Synapse
	st.Synapse = Synapse{
		Host: st.internal("synapse"), Port: component.Of(component.Synapse).Port, MaxUploadSize: cmp.Or(sy.MaxUploadSize, "50M"),
		MaxLifetime: sy.Retention.MaxLifetime, URLPreview: sy.URLPreview, TURN: sy.TURN.URIs, DB: st.database(component.Synapse),
	}
	st.Synapse.Data = st.data(s.DataOf(component.Synapse))
	st.Synapse.OldKeys, _ = secret.ParseOldKeys(secrets.Get("synapse.old_signing_keys")) // Need.Check has read it
	st.Synapse.Address = fmt.Sprintf("http://%s:%d", st.Synapse.Host, st.Synapse.Port)
	if v, known := release(component.Synapse, sy.Component).Version(); known && v.Less(component.BotDevices) && len(s.Bridges) > 0 {
		// A bridge's bot could not upload keys as a device of its own without this.
		st.Synapse.Features = append(st.Synapse.Features, "msc3202_device_masquerading")
	}
	st.Synapse.Media.Local, st.Synapse.Media.Remote = sy.MediaRetention.Local, sy.MediaRetention.Remote
	for key, v := range s.At("synapse", "well_known_extra").Entries() {
		st.Synapse.WellKnown = append(st.Synapse.WellKnown, Entry{key.Str(), v.Flow()})
	}
	if s.MAS() {
		st.addSecret("synapse", "synapse_mas_secret", secrets.Get("auth.matrix_secret"))
	}
	st.addSecret("synapse", "synapse_macaroon_secret_key", secrets.Get("synapse.macaroon_secret_key"))
	st.addSecret("synapse", "synapse_form_secret", secrets.Get("synapse.form_secret"))
	switch {
	case s.At("turn").Exists():
		st.addSecret("synapse", "synapse_turn_shared_secret", secrets.Get("turn.shared_secret"))
	case len(st.Synapse.TURN) > 0:
		st.addSecret("synapse", "synapse_turn_shared_secret", secrets.Get("synapse.turn_shared_secret"))
	}
}

// smtpPorts are what each mode means by convention, and MAS by default (crates/config/src/sections/email.rs).
var smtpPorts = map[string]int{"starttls": 587, "tls": 465, "plain": 25}

func (st *Stack) resolveEmail(s *spec.Spec, secrets *secret.Set) {
	e := s.Email
	if e.Host == "" {
		return
	}
	mode := cmp.Or(e.Mode, "starttls")
	if e.Mode == "" && e.Port == smtpPorts["tls"] {
		mode = "tls"
	}
	st.Email = &Email{Host: e.Host, Port: cmp.Or(e.Port, smtpPorts[mode]), Mode: mode, User: e.User, From: e.From, Password: secrets.Get("email.password")}
	// MAS (lettre) encodes a name itself and knows no comments; Synapse puts what it is given into the header.
	if from, err := mail.ParseAddress(e.From); err == nil {
		st.Email.From, st.Email.HeaderFrom = from.Address, from.String()
		if from.Name != "" {
			st.Email.From = `"` + quotedPair.Replace(from.Name) + `" <` + from.Address + ">"
		}
	}
	if e.User != "" && st.MAS != nil && st.MAS.PasswordFile {
		st.addSecret("mas", "mas_email_password", st.Email.Password)
	}
}

var quotedPair = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (st *Stack) addSecret(service, name, content string) {
	st.Secrets = append(st.Secrets, SecretFile{Name: name, Service: service, Content: content})
}

func (st *Stack) addBridge(s *spec.Spec, c *component.Component, b spec.Bridge, secrets *secret.Set) {
	name, names := string(c.Program), b.Names(c.Bridge.Names)
	get := func(key string) string { return secrets.Get("bridges." + name + "." + key) }
	br := Bridge{
		Name: name, Title: c.Title, Note: c.Bridge.Note, Program: c.Program, Dialect: dialect(c, b),
		HomeserverAddress: st.Synapse.Address, Port: names.Port, Bot: names.Bot,
		DisplayName: c.Bridge.DisplayName, Avatar: c.Bridge.Avatar, CommandPrefix: c.Bridge.CommandPrefix,
		PickleKey: get("pickle_key"), Provisioning: get("provisioning_secret"),
		PublicMediaKey: get("public_media_key"), DirectMediaKey: get("direct_media_key"), AvatarProxyKey: get("avatar_proxy_key"),
		APIID: get("api_id"), APIHash: get("api_hash"), BotToken: get("bot_token"), DB: st.database(c.Program),
	}
	br.Before, br.After = b.Ghosts(c.Bridge.Names)
	shape := br.Dialect.Shape()
	br.Command = c.Bridge.Start(br.Dialect)
	br.Host = st.internal(name)
	br.Address = fmt.Sprintf("http://%s:%d", br.Host, br.Port)
	if br.DB.URI += shape.SSLMode; st.Postgres.External {
		br.DB.URI = strings.TrimSuffix(br.DB.URI, shape.SSLMode) + "?sslmode=" + st.Postgres.SSLMode
	}
	br.Encryption.Allow = b.Encryption != "off"
	br.Encryption.Require = b.Encryption == "required"
	domain := regexp.QuoteMeta(st.ServerName)
	br.Registration = Registration{
		ID: names.ID, URL: br.Address, ASToken: get("as_token"), HSToken: get("hs_token"), Sender: sender(get("sender")),
		Ephemeral: true, MSC4190: br.Encryption.Allow,
		Users: []Namespace{
			{Regex: "^@" + regexp.QuoteMeta(br.Bot) + ":" + domain + "$", Exclusive: true},
			{Regex: "^@" + regexp.QuoteMeta(br.Before) + ".*" + regexp.QuoteMeta(br.After) + ":" + domain + "$", Exclusive: true},
		},
	}
	perms := permissions(s, b)
	br.Relay = relays(s, b)
	for _, who := range slices.Sorted(maps.Keys(perms)) {
		for _, level := range shape.Given {
			if level[0] == string(perms[who]) {
				br.Permissions = append(br.Permissions, Permission{Who: who, Level: level[1]})
			}
		}
	}
	if shape.Aliases != "" {
		br.Registration.Aliases = []Namespace{{Regex: "^#" + regexp.QuoteMeta(br.Before) + ".*" + regexp.QuoteMeta(br.After) + ":" + domain + "$", Exclusive: true}}
	}
	if shape.AsksLogin && br.Encryption.Allow && st.MAS != nil {
		br.HomeserverAddress = "https://" + st.MatrixHost
	}
	st.Bridges = append(st.Bridges, br)
}

func permissions(s *spec.Spec, b spec.Bridge) map[string]spec.Permission {
	if b.Permissions != nil {
		return b.Permissions
	}
	return s.Permissions
}

func relays(s *spec.Spec, b spec.Bridge) bool {
	return slices.Contains(slices.Collect(maps.Values(permissions(s, b))), "relay")
}

// resolveServices says which image each service runs, as whom, and with which secrets.
func (st *Stack) resolveServices(s *spec.Spec, secrets *secret.Set) {
	add := func(role, name string, c spec.Component, limits spec.Limits) {
		program, sandbox := component.OfService(role)
		ref := c.Ref(program.Program)
		user := cmp.Or(c.User, s.Owner, program.Rendered, program.UserOf(ref))
		svc := Service{Name: name, Image: ref, User: user, ConfigHash: hashMark(role), Sandbox: sandbox.For(user), Memory: limits.Memory, CPUs: limits.CPUs}
		if role == string(program.Program) {
			svc.Container, svc.Networks = c.ContainerName, st.joined(c.Networks)
		}
		if role == string(component.Postgres) {
			svc.ShmSize = cmp.Or(st.Postgres.ShmSize, svc.ShmSize)
		}
		for _, sec := range st.Secrets {
			if sec.Service == role {
				svc.Secrets = append(svc.Secrets, sec.Name)
			}
		}
		st.Services[role] = svc
	}
	for _, program := range component.All {
		c, on := s.Component(program.Program)
		name := s.ServiceOf(program.Program)
		if k, kept := component.OfESS(program.Program); kept && st.ESS != nil {
			name, on = k.Workload, on && k.Workload != ""
		}
		if !on {
			continue
		}
		add(string(program.Program), name, c, c.Limits)
		for _, job := range program.Jobs {
			if !job.Migration || st.Migration {
				add(job.Name, job.Name, c, spec.Limits{})
			}
		}
	}
	st.containerServices(s)
	st.workerServices(s)
	for _, svc := range st.Services {
		st.NeedsRoot = st.NeedsRoot || svc.User != s.Owner
	}
	st.resolveKubernetes(s, secrets)
	if svc, on := st.Services["syn2mas"]; on && !st.NeedsRoot {
		svc.Caps = nil // all files are its own
		st.Services["syn2mas"] = svc
	}
}
