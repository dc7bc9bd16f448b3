package render

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// Container is a service whose program is not known here: of an appservice that is no bridge, or a plain one.
type Container struct {
	Name, Host           string // Host on the stack's own network
	Section              []string
	Command, Entrypoint  []string
	Environment          []Variable
	Mounts               []string // as the compose file has them
	Healthcheck          []string
	Proxied              bool // the proxy leads to it
	Database, Registered bool // it has a database; Synapse knows it
	Redis                *Redis
	Data                 []Data
	Routes               []Route
	Registration         *Registration // that is rendered; nil for a plain service, and with a file of its owner's
	RegistrationFile     string        // the container's copy of it; empty where it is handed none
	Made                 []Copy        // files of one value
	// Words are the values of what its files may name in braces.
	Words map[string]string
}

// decrypting are what Synapse must have on to send an appservice the keys of encrypted rooms, if its registration asks for
// them (config/experimental.py).
var decrypting = []string{"msc2409_to_device_messages_enabled", "msc3202_transaction_extensions"}

// Variable is one of a container's environment.
type Variable struct{ Name, Value string }

// Redis is the Valkey of a container, or of the processes of Synapse.
type Redis struct {
	Name, Host, Password string
	Data                 Data // the zero value for one that keeps nothing
}

// Valkeys are all of them.
func (st *Stack) Valkeys() (list []Redis) {
	if st.Workers != nil {
		list = append(list, *st.Workers.Redis)
	}
	for _, c := range st.Containers {
		if c.Redis != nil {
			list = append(list, *c.Redis)
		}
	}
	return list
}

// resolveContainers settles the appservices that are no bridges, and the plain services.
func (st *Stack) resolveContainers(s *spec.Spec, secrets *secret.Set) {
	for _, n := range s.Containers() {
		c := Container{
			Name: n.Name, Host: st.internal(n.Name), Section: n.Section, Healthcheck: n.Healthcheck,
			Proxied: len(n.Routes) > 0, Database: n.Database, Registered: n.Appservice != nil,
		}
		if n.Redis {
			c.Redis = &Redis{Name: n.RedisName(), Host: st.internal(n.RedisName()), Password: secrets.Get(n.Secret("redis_password"))}
			c.Redis.Data = st.data(spec.Data{Path: "data/" + n.RedisName()})
		}
		c.Words = st.wordsOf(n, c, secrets)
		fill := func(texts []string) (filled []string) {
			for _, text := range texts {
				filled = append(filled, spec.Fill(text, c.word))
			}
			return filled
		}
		c.Command, c.Entrypoint, c.Healthcheck = fill(n.Command), fill(n.Entrypoint), fill(n.Healthcheck)
		for _, name := range slices.Sorted(maps.Keys(n.Environment)) {
			c.Environment = append(c.Environment, Variable{name, spec.Fill(string(n.Environment[name]), c.word)})
		}
		for _, inside := range slices.Sorted(maps.Keys(n.Files)) {
			c.Mounts = append(c.Mounts, "./"+n.FilePath(inside)+":"+inside+":ro")
			if word := n.Sole(inside); word != "" && word != "registration" {
				c.Made = append(c.Made, Copy{Path: n.FilePath(inside), Data: []byte(strings.TrimSuffix(c.word(word), "\n") + "\n")})
			}
		}
		if own := n.RegistrationPath(); own != "" && n.Sole(own) == "" {
			c.Mounts = append(c.Mounts, "./"+n.RegistrationFile()+":"+own+":ro")
		}
		for _, inside := range slices.Sorted(maps.Keys(n.Volumes)) {
			d := st.data(n.Place(inside))
			c.Data, c.Mounts = append(c.Data, d), append(c.Mounts, d.Source+":"+inside)
		}
		c.Routes = containerRoutes(s, n)
		if a := n.Appservice; a != nil {
			st.Synapse.Registrations = append(st.Synapse.Registrations, n.Name+".yaml")
			c.Registration = st.registrationOf(n, a, secrets)
			if n.RegistrationPath() != "" {
				c.RegistrationFile = n.RegistrationFile()
			}
			for _, feature := range decrypting {
				if a.Encryption && !slices.Contains(st.Synapse.Features, feature) {
					st.Synapse.Features = append(st.Synapse.Features, feature)
				}
			}
		}
		st.Containers = append(st.Containers, c)
	}
}

// registrationOf is the registration of an appservice; nil where its owner has a file of it.
func (st *Stack) registrationOf(n spec.Named, a *spec.Appservice, secrets *secret.Set) *Registration {
	if a.Registration != "" {
		return nil
	}
	claims := func(list []spec.Namespace) (all []Namespace) {
		for _, claim := range list {
			all = append(all, Namespace{Regex: claim.Full(st.ServerName), Exclusive: claim.Sole()})
		}
		return all
	}
	return &Registration{
		ID: cmp.Or(a.ID, n.Name), URL: fmt.Sprintf("http://%s:%d", st.internal(n.Name), n.Port), Sender: cmp.Or(a.Bot, n.Name),
		ASToken: secrets.Get(n.Secret("as_token")), HSToken: secrets.Get(n.Secret("hs_token")),
		Users: claims(a.Users), Aliases: claims(a.Aliases), Rooms: claims(a.Rooms),
		RateLimited: a.RateLimited, Ephemeral: a.Ephemeral || a.Encryption, MSC4190: a.Encryption, MSC3202: a.Encryption,
	}
}

// wordsOf are the values of the words that a container may name in braces.
func (st *Stack) wordsOf(n spec.Named, c Container, secrets *secret.Set) map[string]string {
	words := map[string]string{
		"server_name": st.ServerName, "homeserver": st.Synapse.Address, "public_homeserver": "https://" + st.MatrixHost,
	}
	if n.Appservice != nil {
		words["as_token"], words["hs_token"] = secrets.Get(n.Secret("as_token")), secrets.Get(n.Secret("hs_token"))
		if own := n.RegistrationPath(); own != "" {
			words["registration"] = own
		}
	}
	if n.Database {
		db := st.database(component.Program(n.Name))
		words["database_host"], words["database_name"], words["database_user"] = st.Postgres.Host, db.Name, db.User
		words["database_port"] = fmt.Sprint(st.Postgres.Port)
		words["database_password"], words["database_url"] = db.Password, db.URI+"?sslmode="+cmp.Or(st.Postgres.SSLMode, "disable")
	}
	if c.Redis != nil {
		words["redis_host"], words["redis_password"] = c.Redis.Host, c.Redis.Password
		u := url.URL{Scheme: "redis", User: url.UserPassword("", c.Redis.Password), Host: fmt.Sprintf("%s:%d", c.Redis.Host, component.Of(component.Valkey).Port)}
		words["redis_url"] = u.String()
	}
	for name := range n.Secrets {
		words[name] = secrets.Get(n.Secret(name))
	}
	return words
}

func (c Container) word(name string) string { return c.Words[name] }

// containerRoutes are the routes of one container, in whatever order they are written: of two paths the longer one counts.
func containerRoutes(s *spec.Spec, n spec.Named) (routes []Route) {
	ordered := slices.SortedFunc(slices.Values(n.Routes), func(a, b spec.Route) int {
		return cmp.Or(cmp.Compare(s.RouteHost(a), s.RouteHost(b)), cmp.Compare(len(b.Path), len(a.Path)), cmp.Compare(a.Path, b.Path))
	})
	for i, r := range ordered {
		p := strings.TrimRight(r.Path, "/")
		route := Route{
			Name: n.Name, Hosts: []string{s.RouteHost(r)}, Service: n.Name, Port: cmp.Or(r.Port, n.Port),
			// Above what MAS and Synapse answer on their hosts, and below what has to come first there.
			priority: 201 + min(len(p), 90),
		}
		if i > 0 {
			route.Name = fmt.Sprintf("%s-%d", n.Name, i+1)
		}
		if p != "" {
			route.Paths, route.Prefixes = []string{p}, []string{p + "/"}
		}
		if r.Strip {
			route.Strip, route.To = p, "https://"+route.Hosts[0]+p+"/"
		}
		routes = append(routes, route)
	}
	return routes
}

// containerRoutes are those of all containers, the longest paths first.
func (st *Stack) containerRoutes() (routes []Route) {
	for _, c := range st.Containers {
		routes = append(routes, c.Routes...)
	}
	slices.SortStableFunc(routes, func(a, b Route) int { return cmp.Compare(b.priority, a.priority) })
	return routes
}

// written are the places outside of the stack's directory that the containers write to.
func (st *Stack) written() (paths []string) {
	for _, c := range st.Containers {
		for _, d := range c.Data {
			paths = append(paths, d.host(st.Dir))
		}
	}
	return paths
}

// containerServices say which image each container runs, and as whom.
func (st *Stack) containerServices(s *spec.Spec) {
	for i, n := range s.Containers() {
		c := st.Containers[i]
		svc := Service{Name: n.Name, Image: n.Ref(), User: n.UserIn(s.Owner), ConfigHash: hashMark(n.Name), Writable: n.Writable, Memory: n.Limits.Memory, CPUs: n.Limits.CPUs, Networks: st.joined(n.Networks)}
		if !slices.ContainsFunc(c.Mounts, func(m string) bool { return strings.HasSuffix(strings.TrimSuffix(m, ":ro"), ":/tmp") }) {
			svc.Tmpfs = []string{"/tmp"}
		}
		st.Services[n.Name] = svc
		if c.Redis != nil {
			st.valkeyService(s, c.Redis.Name)
		}
	}
}

func (st *Stack) valkeyService(s *spec.Spec, name string) {
	program, image := component.Of(component.Valkey), s.Valkey.Ref(component.Valkey)
	user := cmp.Or(s.Owner, program.UserOf(image))
	st.Services[name] = Service{Name: name, Image: image, User: user, ConfigHash: hashMark(name), Sandbox: program.Sandbox.For(user)}
}

// ContainerHosts are the hosts of the routes to containers that nothing else of the stack is on.
func (st *Stack) ContainerHosts() (hosts []string) {
	others := []string{st.MatrixHost, st.ServerName}
	for _, r := range st.Routes() {
		own := slices.ContainsFunc(st.Containers, func(c Container) bool { return c.Name == r.Service })
		for _, host := range r.Hosts {
			if !own {
				others = append(others, host)
			} else if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	return slices.DeleteFunc(hosts, func(host string) bool { return slices.Contains(others, host) })
}

// ContainerData are the places that containers write to, each once.
func (st *Stack) ContainerData() (all []Data) {
	for _, k := range st.kept() {
		if k.service != "synapse" && k.service != "postgres" {
			all = append(all, k.Data)
		}
	}
	return all
}

// Appservices are the containers that Synapse knows.
func (st *Stack) Appservices() []Container {
	return slices.DeleteFunc(slices.Clone(st.Containers), func(c Container) bool { return !c.Registered })
}
