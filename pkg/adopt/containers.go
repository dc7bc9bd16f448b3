package adopt

import (
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// containers reads the appservices that are no bridges and the plain services of a stack that stackgen rendered: those by
// the name that they have on its network, and by nobody else's.
func (r *reader) containers() {
	if !r.d.Chosen.Managed {
		r.foreign()
		return
	}
	for _, s := range r.d.Services {
		raw := r.raw(s)
		alias := raw.At("networks", "stack", "aliases", "0").Str()
		if program, _ := component.OfService(s.Name); program.Program != component.Unknown || r.workerKind(s) != "" || !strings.HasSuffix(alias, "-stack-"+s.Name) {
			continue
		}
		c := r.container(s, raw)
		reg := r.registrationOf(s)
		if reg == nil {
			c.files(s, nil)
			if r.spec.Services == nil {
				r.spec.Services = make(map[string]spec.Container)
			}
			r.spec.Services[s.Name] = c.Container
			continue
		}
		a := r.appservice(c, s, reg)
		if r.spec.Appservices == nil {
			r.spec.Appservices = make(map[string]spec.Appservice)
		}
		r.spec.Appservices[s.Name] = a
	}
}

// registrationOf is the registration of a service, as Synapse has it; nil where none leads to it.
func (r *reader) registrationOf(s *deployment.Service) *deployment.Registration {
	for _, a := range r.d.Appservices {
		if a.Service == s && path.Base(a.Registration.Path) == s.Name+".yaml" {
			return a.Registration
		}
	}
	return nil
}

// understood reports whether a registration is that of an appservice which the spec has.
func (r *reader) understood(reg *deployment.Registration) bool {
	for _, said := range r.said {
		if said == reg {
			return true
		}
	}
	return slices.ContainsFunc(r.d.Appservices, func(a *deployment.Appservice) bool {
		_, ours := r.spec.Appservices[a.Name]
		return a.Registration == reg && ours && r.registrationOf(a.Service) == reg
	})
}

// taking is a container in the making.
type taking struct {
	*reader
	spec.Container
	secret string            // what the names of its secrets begin with
	words  map[string]string // values that its files may name
}

func (r *reader) container(s *deployment.Service, raw source.Value) *taking {
	c := &taking{reader: r, secret: "services." + s.Name + ".", words: make(map[string]string)}
	if r.registrationOf(s) != nil {
		c.secret = "appservices." + s.Name + "."
	}
	c.Image, c.Version = s.Image.Repository, s.Image.Tag
	if s.Image.Digest != "" {
		c.Version += "@" + s.Image.Digest
	}
	c.User, c.Writable = s.UserAt.Str(), !raw.At("read_only").True()
	c.Limits = r.limits(raw)
	c.Command, c.Entrypoint, c.Healthcheck = texts(raw.At("command")), texts(raw.At("entrypoint")), texts(raw.At("healthcheck", "test"))
	for key, v := range raw.At("environment").Entries() {
		if c.Environment == nil {
			c.Environment = make(map[string]spec.Text)
		}
		c.Environment[key.Str()] = spec.Text(v.Str())
	}
	for key := range raw.At("networks").Entries() {
		if name := key.Str(); name == s.Name+"-redis" {
			c.Redis = true
			c.redis(name)
			if redis := r.d.Service(name); redis != nil && redis.Program == component.Valkey {
				r.spec.Valkey = pinned(redis, component.Valkey)
			}
		}
	}
	for i, m := range s.Mounts {
		if place := r.place(&s.Mounts[i]); !m.ReadOnly && !m.Fleeting && place != (spec.Data{}) {
			if c.Volumes == nil {
				c.Volumes = make(map[string]spec.Data)
			}
			c.Volumes[m.Container] = place
		}
	}
	c.routes(s)
	c.Networks = r.networks(s, len(c.Routes) > 0)
	c.database(s)
	return c
}

var postgresAt = regex.Of(`postgres(ql)?://[^\s"'@/:]+:[^\s"'@/]+@[^\s"'/?]+`)

// texts are what the service is told: its environment and the files that are mounted into it.
func (c *taking) texts(s *deployment.Service) (all []string) {
	for _, text := range c.Environment {
		all = append(all, string(text))
	}
	for _, m := range s.Mounts {
		if data, err := source.ReadFS(c.d.FS, m.Host); m.ReadOnly && m.Host != "" && err == nil {
			all = append(all, string(data))
		}
	}
	return all
}

// database finds the database that db-init makes for the service.
func (c *taking) database(s *deployment.Service) {
	src, err := source.ReadFS(c.d.FS, "secrets/postgres_"+s.Name)
	password := strings.TrimSuffix(string(src), "\n")
	if host := c.spec.Database.External.Host; err != nil && host != "" { // of a server elsewhere its address tells, and the backup
		if b := c.borgmatic(); b != nil {
			for _, db := range b.Option("postgresql_databases").Items() {
				if db.At("username").Str() == s.Name && db.At("name").Str() == s.Name && (db.At("hostname").Str() == host || host == spec.HostGateway) {
					password = db.At("password").Str()
				}
			}
		}
		for _, text := range c.texts(s) {
			for _, address := range postgresAt().FindAllString(text, -1) {
				if u, err := url.Parse(address); err == nil && u.User.Username() == s.Name && u.Hostname() == host {
					password, _ = u.User.Password()
				}
			}
		}
	}
	if password == "" && c.spec.Database.External.Host != "" && c.listed(s.Name) { // nothing names it
		c.note(s.Site(""), s.Name+" has a database on "+c.spec.Database.External.Host+", and its password stands nowhere here: stackgen secrets set database."+s.Name+"_password", c.section()...)
		c.Database = true
	}
	if password == "" {
		return
	}
	c.Database = true
	c.secrets["database."+s.Name+"_password"] = password
	c.words["database_password"] = password
}

// listed reports whether RUNBOOK.md has a role of that name among those to be made on a server elsewhere.
func (c *taking) listed(role string) bool {
	src, _ := source.ReadFS(c.d.FS, "RUNBOOK.md")
	return slices.Contains(strings.Split(string(src), "\n"), `\password "`+role+`"`)
}

// section is where the spec has the container.
func (c *taking) section() []string {
	return strings.Split(strings.TrimSuffix(c.secret, "."), ".")
}

func (r *reader) appservice(c *taking, s *deployment.Service, reg *deployment.Registration) spec.Appservice {
	for _, token := range []string{"as_token", "hs_token"} {
		r.secrets[c.secret+token] = reg.At(token).Str()
		c.words[token] = reg.At(token).Str()
	}
	a := spec.Appservice{}
	if u, port, ok := deployment.Endpoint(reg.At("url").Str()); ok && u != nil {
		c.Port, _ = strconv.Atoi(port)
	}
	if !strings.HasPrefix(string(reg.Src), "# Rendered by stackgen") {
		a.Registration = c.copied(reg.Path, reg.Src)
	} else {
		a.ID, a.Bot = reg.At("id").Str(), reg.At("sender_localpart").Str()
		a.Users, a.Aliases, a.Rooms = r.claims(reg, "users"), r.claims(reg, "aliases"), r.claims(reg, "rooms")
		a.RateLimited, a.Encryption = reg.At("rate_limited").True(), reg.At("org.matrix.msc3202").True()
		a.Ephemeral = reg.At("receive_ephemeral").True()
	}
	c.files(s, reg)
	a.Container = c.Container
	return a
}

// claims are what a registration claims of one kind.
func (r *reader) claims(reg *deployment.Registration, kind string) (list []spec.Namespace) {
	for _, item := range reg.At("namespaces", kind).Items() {
		n := spec.Namespace{Regex: item.At("regex").Str()}
		if exclusive := item.At("exclusive").True(); !exclusive {
			n.Exclusive = &exclusive
		}
		if short, ok := strings.CutSuffix(n.Regex, ":"+strings.ReplaceAll(r.spec.ServerName, ".", `\.`)+"$"); ok && !strings.Contains(short, ":") {
			n.Regex = short
		}
		list = append(list, n)
	}
	return list
}

// files reads what is mounted into the service: its registration, keys and configurations.
func (c *taking) files(s *deployment.Service, reg *deployment.Registration) {
	c.worded()
	for _, m := range s.Mounts {
		if !m.ReadOnly || m.Host == "" {
			continue
		}
		data, err := source.ReadFS(c.d.FS, m.Host)
		if err != nil {
			continue
		}
		from := ""
		if reg != nil && string(data) == string(reg.Src) {
			if from = "{registration}"; c.named(m.Container) {
				continue
			}
		} else if from = c.made(m.Container, string(data)); from == "" {
			from = c.copied(m.Host, data)
		}
		if c.Files == nil {
			c.Files = make(map[string]string)
		}
		c.Files[m.Container] = from
	}
}

// named has the command name the place of the registration, and reports whether it does.
func (c *taking) named(inside string) bool {
	found := false
	for i, word := range c.Command {
		if inside == "/registration.yaml" && word == inside {
			c.Command[i], found = "{registration}", true
		}
	}
	return found
}

var tokenForm = regex.Of(`^[A-Za-z0-9]{43}\n$`)

// made is the word of a file that is one secret; "" for any other file.
func (c *taking) made(inside, text string) string {
	name := strings.Trim(noName().ReplaceAllString(strings.ToLower(strings.TrimSuffix(path.Base(inside), path.Ext(inside))), "_"), "_")
	kind := spec.SecretOrigin("")
	if block, rest := pem.Decode([]byte(text)); block != nil && len(rest) == 0 {
		if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			kind = "rsa"
		}
	} else if tokenForm().MatchString(text) {
		kind = "token"
	}
	if kind == "" || name == "" || c.Secrets[name] != "" {
		return ""
	}
	if c.Secrets == nil {
		c.Secrets = make(map[string]spec.SecretOrigin)
	}
	c.Secrets[name] = kind
	c.keeps(name, strings.TrimSuffix(text, "\n"))
	return "{" + name + "}"
}

var pathIn = regex.Of(`(/[A-Za-z0-9._~-]+)+`)

// pathsOf are the paths that the rule of a router names, or the matchers of its rule.
func pathsOf(r *route.Router) []string {
	asked := []string{r.Rule}
	for _, m := range r.Matchers {
		if strings.HasPrefix(m, "path") {
			asked = append(asked, m)
		}
	}
	return pathIn().FindAllString(strings.ReplaceAll(strings.Join(asked, " "), `\`, ""), -1)
}

// routes are those by which the proxy leads to the service, by asking it.
func (c *taking) routes(s *deployment.Service) {
	table := c.d.Routes()
	for _, router := range table.Routers {
		hosts := append(router.Hosts(), c.d.SiteHosts()...)
		for _, at := range append(pathsOf(router), "") {
			for _, host := range hosts {
				c.route(s, host, at)
			}
		}
	}
	if len(c.Routes) > 0 && c.Port == 0 {
		c.Port = c.Routes[0].Port
	}
}

func (c *taking) route(s *deployment.Service, host, at string) {
	res := c.d.Routes().Match("GET", host, at+"/x")
	if res.Backend == nil || res.Backend.Container != s.Name || at == "" && c.d.Routes().Match("GET", host, "/another").Backend == nil {
		return
	}
	if at != "" && !slices.Contains(pathsOf(res.Router), at) {
		return // another router names the path, as that of the proxy for the certificate authority does
	}
	port, _ := strconv.Atoi(res.Backend.Port)
	led := spec.Route{Host: host, Path: at, Port: port, Strip: res.Path != at+"/x"}
	if !slices.ContainsFunc(c.Routes, func(q spec.Route) bool { return q.Host == host && q.Path == at }) {
		c.Routes = append(c.Routes, led)
	}
}
