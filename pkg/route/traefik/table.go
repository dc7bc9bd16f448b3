package traefik

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// New reads the labels of all containers and builds what Traefik would route by them.
func New(containers []Container, o Options) *route.Table {
	if o.Major != 2 {
		o.Major = 3
	}
	t := &table{opts: o, middlewares: map[string]*middleware{}, services: map[string]*service{}, unsure: map[string]bool{}}
	routers := definitions[*router]{kind: "router"}
	middlewares := definitions[*middleware]{kind: "middleware"}
	services := definitions[*serviceDef]{kind: "service"}
	for i := range containers {
		c := &containers[i]
		t.fillGaps(c)
		d, ok := t.decode(c)
		if !ok || d.tcp && len(d.http.Routers)+len(d.http.Services)+len(d.http.Middlewares) == 0 {
			continue
		}
		if !t.addServices(&d, &services) {
			t.lostRouters(c, fmt.Sprintf("a service of container %q is wrong, so Traefik skips the container", c.Name))
			continue
		}
		t.checkNetwork(&d)
		for _, name := range slices.Sorted(maps.Keys(d.http.Middlewares)) {
			middlewares.add(name, &middleware{
				Middleware: &route.Middleware{Name: name, Container: c.Name, Site: c.site("traefik", "http", "middlewares", name), Allows: d.http.Middlewares[name].allows(), Answers: d.http.Middlewares[name].answers()},
				conf:       d.http.Middlewares[name],
			})
		}
		t.addRouters(&d, &routers)
	}
	t.mergeServices(services)
	t.mergeMiddlewares(middlewares)
	files := t.readFiles()
	t.setAside(routers)
	t.mergeRouters(routers)
	for _, r := range files {
		t.resolve(r)
		t.keep(r)
	}
	t.found.Seen = routingPath
	t.found.Entries = route.Entries{All: t.entries(), Public: o.Public}
	return route.New(t.found)
}

// table is what is gathered until all containers are read.
type table struct {
	found route.Parts

	opts        Options
	middlewares map[string]*middleware
	services    map[string]*service
	gaps        []string // the variables that are set elsewhere, as ${NAME}
	aside       func(*router) bool
	unsure      map[string]bool // whose labels hold such variables: http.KIND.NAME in lower case
}

// router, middleware and service are what the labels of one container make of theirs.
type (
	router struct {
		*route.Router
		from *Container
		conf *routerLabels
		file *node // where a file defines it
	}
	middleware struct {
		*route.Middleware
		conf *middlewareLabels
		step route.Step
		err  string
		// unsure says that what it does stands behind a variable that is set elsewhere.
		unsure bool
	}
	service struct {
		*route.Service
		conf      *serviceLabels
		unchecked string // why it cannot be told which server is asked
	}
)

func (t *table) problem(kind route.ProblemKind, c *Container, router, msg string, sites ...source.Site) {
	t.found.Problems = append(t.found.Problems, route.Problem{Kind: kind, Message: msg, Sites: sites, Container: c.Name, Router: router})
}

// serviceDef is a service as one container defines it.
type serviceDef struct {
	*decoded
	conf    *serviceLabels
	backend route.Backend
	site    source.Site
}

// addServices is false when a service is wrong in a way that loses the whole container.
func (t *table) addServices(d *decoded, defs *definitions[*serviceDef]) bool {
	if len(d.http.Services) == 0 {
		lb := &loadBalancer{}
		lb.SetDefaults()
		d.http.Services = map[string]*serviceLabels{d.serviceName(): {LoadBalancer: lb}}
	}
	for _, name := range slices.Sorted(maps.Keys(d.http.Services)) {
		conf := d.http.Services[name]
		s := server{}
		if conf.LoadBalancer != nil && len(conf.LoadBalancer.Servers) > 0 {
			s = conf.LoadBalancer.Servers[0]
		}
		site := d.site("traefik", "http", "services", name)
		switch {
		case conf.LoadBalancer == nil:
			t.problem(BadLabel, d.Container, "", fmt.Sprintf("service %q has no loadbalancer; Traefik skips the whole container %q", name, d.Name), site)
			return false
		case s.URL != "" && (s.Port != "" || s.Scheme != ""):
			t.problem(BadLabel, d.Container, "", fmt.Sprintf("service %q has a url besides port or scheme; Traefik skips the whole container %q", name, d.Name), site)
			return false
		}
		b := route.Backend{
			Service: name, Container: d.Name, Port: s.Port, Scheme: cmp.Or(s.Scheme, "http"),
			Site: d.site("traefik", "http", "services", name, "loadbalancer", "server", "port"),
		}
		if s.URL != "" {
			b.Site = d.site("traefik", "http", "services", name, "loadbalancer", "server", "url")
			if u, err := url.Parse(s.URL); err == nil {
				b.Port, b.Scheme, b.Address = cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]), u.Scheme, u.Host
				if t.opts.Upstream != nil && u.Hostname() != "" && !t.gapped(s.URL) {
					b.Container, b.Port = t.opts.Upstream(u.Hostname(), b.Port)
				}
			}
		} else if n, err := strconv.ParseUint(s.Port, 10, 16); t.gapped(s.Port) {
			b.Port = ""
		} else if s.Port == "" && t.opts.Swarm {
			if !d.Has("traefik.http") {
				return false // nothing is lost with it
			}
			t.problem(BadLabel, d.Container, "", fmt.Sprintf("service %q has no port label, which a service of a Swarm needs; Traefik skips the whole container %q", name, d.Name), site)
			return false
		} else if s.Port == "" {
			t.problem(NoPort, d.Container, "", fmt.Sprintf("service %q has no port label; Traefik takes the lowest port that the image of %q exposes", name, d.Name), site)
		} else if err != nil || n == 0 {
			t.problem(NoPort, d.Container, "", fmt.Sprintf("the port %q of service %q is not a port number", s.Port, name), b.Site)
		}
		defs.add(name, &serviceDef{decoded: d, conf: conf, backend: b, site: site})
	}
	return true
}

// provider is what Traefik calls the one that reads the labels: in Traefik 2 Docker's reads those of a Swarm, too.
func (t *table) provider() string {
	if t.opts.Swarm && t.opts.Major > 2 {
		return "swarm"
	}
	return "docker"
}

// networkLabel is the key of the label that names the network of a container.
func (t *table) networkLabel(c *Container) string {
	if c.Has("traefik.docker.network") {
		return "traefik.docker.network"
	}
	return "traefik." + t.provider() + ".network"
}

func (t *table) checkNetwork(d *decoded) {
	several := len(d.Networks) > 1
	switch {
	case d.network != nil && *d.network != "":
		if len(d.Networks) > 0 && !t.gapped(*d.network) && !slices.Contains(d.Networks, *d.network) {
			t.problem(UnknownNetwork, d.Container, "", fmt.Sprintf("container %q is not in the network %q of its label; Traefik takes any of %s", d.Name, *d.network, strings.Join(d.Networks, ", ")), d.site(strings.Split(t.networkLabel(d.Container), ".")...))
		}
	case !several:
	case d.network != nil || t.opts.DefaultNetwork == "":
		t.problem(MissingNetwork, d.Container, "", fmt.Sprintf("container %q has no %s; Traefik takes any of %s", d.Name, t.networkLabel(d.Container), strings.Join(d.Networks, ", ")), d.Site)
	case !slices.Contains(d.Networks, t.opts.DefaultNetwork):
		t.problem(UnknownNetwork, d.Container, "", fmt.Sprintf("container %q is not in Traefik's default network %q; Traefik takes any of %s", d.Name, t.opts.DefaultNetwork, strings.Join(d.Networks, ", ")), d.Site)
	}
}

func (t *table) addRouters(d *decoded, defs *definitions[*router]) {
	services := slices.Sorted(maps.Keys(d.http.Services))
	if len(d.http.Routers) == 0 && len(services) == 1 {
		d.http.Routers = map[string]*routerLabels{d.serviceName(): {}}
	}
	for _, name := range slices.Sorted(maps.Keys(d.http.Routers)) {
		conf := d.http.Routers[name]
		r := &router{from: d.Container, conf: conf, Router: &route.Router{
			Name: name, Container: d.Name, ContainerSite: d.Site,
			Site: d.site("traefik", "http", "routers", name, "rule"),
		}}
		if conf.Rule == "" && t.opts.DefaultRule != "" {
			r.Site = d.site("traefik", "http", "routers", name)
			conf.Rule = defaultRule(t.opts.DefaultRule)
		} else if conf.Rule == "" {
			r.Site = d.site("traefik", "http", "routers", name)
			conf.Rule, conf.DefaultRule = "Host(`"+d.serviceName()+"`)", true
			r.Assumed, r.Default = r.Site.Pos != d.Site.Pos, true
			t.problem(DefaultRule, d.Container, name, fmt.Sprintf("router %q has no rule; Traefik takes %s", name, conf.Rule), r.Site)
		}
		if conf.Service == "" && len(services) == 1 {
			conf.Service = services[0]
		}
		r.Rule, r.Priority, r.Explicit = conf.Rule, cmp.Or(conf.Priority, len(shownGaps.Replace(conf.Rule))), conf.Priority != 0 || t.unsureOf("routers", name)
		r.EntryPoints, r.Middlewares, r.Service = conf.EntryPoints, conf.Middlewares, conf.Service
		if slices.ContainsFunc(r.EntryPoints, t.gapped) {
			r.EntryPoints = nil // any of them
		}
		if conf.TLS != nil {
			r.TLS = true
			if !t.gapped(conf.TLS.CertResolver) {
				r.CertResolver = conf.TLS.CertResolver
			}
		}
		if conf.Service == "" {
			r.Dropped = fmt.Sprintf("it names no service and container %q has several", d.Name)
			t.problem(MissingService, d.Container, name, fmt.Sprintf("router %q names no service and container %q has %s; Traefik drops the router", name, d.Name, strings.Join(services, ", ")), r.Site)
			_ = r.parse(t.opts.Major)
			t.keep(r)
			continue
		}
		defs.add(name, r)
	}
}

// definitions collects what several containers may define under one name.
type definitions[T any] struct {
	kind  string
	names []string
	of    map[string][]T
}

func (d *definitions[T]) add(name string, v T) {
	if d.of == nil {
		d.of = map[string][]T{}
	}
	if len(d.of[name]) == 0 {
		d.names = append(d.names, name)
	}
	d.of[name] = append(d.of[name], v)
}

// conflict reports a name whose definitions differ, and gives the reason why all of them are gone.
func (d *definitions[T]) conflict(t *table, name string, conf func(T) any, at func(T) (string, source.Site)) string {
	all := d.of[name]
	if !slices.ContainsFunc(all, func(v T) bool { return !reflect.DeepEqual(conf(v), conf(all[0])) }) {
		return ""
	}
	var sites []source.Site
	var names []string
	for _, v := range all {
		container, site := at(v)
		names, sites = append(names, strconv.Quote(container)), append(sites, site)
	}
	in := strings.Join(names, " and ")
	first, _ := at(all[0])
	p := route.Problem{Kind: Duplicate, Sites: sites, Container: first, Message: fmt.Sprintf("%s %q is defined differently in containers %s; Traefik deletes all of them", d.kind, name, in)}
	if d.kind == "router" {
		p.Router = name
	}
	t.found.Problems = append(t.found.Problems, p)
	return "defined differently in containers " + in
}

func (t *table) mergeServices(defs definitions[*serviceDef]) {
	for _, name := range defs.names {
		s := &service{Service: &route.Service{Name: name}, conf: defs.of[name][0].conf}
		s.Dropped = defs.conflict(t, name, func(d *serviceDef) any {
			lb := *d.conf.LoadBalancer
			lb.Servers = nil
			return lb
		}, func(d *serviceDef) (string, source.Site) { return d.Name, d.site })
		for _, d := range defs.of[name] {
			s.Backends = append(s.Backends, d.backend)
			if lb := d.conf.LoadBalancer; lb != nil && len(lb.Servers) > 0 && t.gapped(lb.Servers[0].Port+lb.Servers[0].URL+lb.Servers[0].Scheme) {
				s.unchecked = fmt.Sprintf("the server of service %q stands behind a variable that is set elsewhere", name)
			}
		}
		t.found.Services = append(t.found.Services, s.Service)
		t.services[name] = s
	}
}

func (t *table) mergeMiddlewares(defs definitions[*middleware]) {
	for _, name := range defs.names {
		gone := defs.conflict(t, name, func(m *middleware) any { return m.conf }, func(m *middleware) (string, source.Site) { return m.Container, m.Site })
		for i, m := range defs.of[name] {
			m.Dropped = gone
			var err error
			if m.Type, err = middlewareType(m.conf); err == nil {
				m.step, err = newStep(m.conf)
			}
			if m.unsure = t.unsureOf("middlewares", name) && (m.step != nil || err != nil); m.unsure {
				m.step, err = nil, nil
			}
			if err != nil {
				m.err = err.Error()
			}
			if i == 0 {
				t.found.Middlewares = append(t.found.Middlewares, m.Middleware)
				t.middlewares[name] = m
			}
			if i == 0 && err != nil {
				t.found.Problems = append(t.found.Problems, route.Problem{
					Kind: BadMiddleware, Container: m.Container, Sites: []source.Site{m.Site},
					Message: fmt.Sprintf("middleware %q: %s; Traefik drops the routers that use it", name, m.err),
				})
			}
		}
	}
}

func (t *table) mergeRouters(defs definitions[*router]) {
	for _, name := range defs.names {
		gone := defs.conflict(t, name, func(r *router) any { return r.conf }, func(r *router) (string, source.Site) { return r.Container, r.Site })
		for i, r := range defs.of[name] {
			if i > 0 && gone == "" {
				break
			}
			r.Dropped = gone
			t.resolve(r)
			t.keep(r)
		}
	}
}

func (t *table) keep(r *router) {
	r.PrioritySite = r.at("priority")
	t.found.Routers = append(t.found.Routers, r.Router)
}

// normalize joins the runs of letters and digits with dashes, as Traefik does for default names.
func normalize(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }), "-")
}
