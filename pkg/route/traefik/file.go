package traefik

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// File is a file of Traefik's file provider, YAML unless its name ends in .toml.
type File struct{ *source.File }

// readFiles reads the files as the provider does: of two definitions of one name the first counts, and a file that
// does not decode takes all others with it (pkg/provider/file/file.go).
func (t *table) readFiles() (routers []*router) {
	var roots []*node
	for _, f := range t.opts.Files {
		root, err := f.read()
		at, meant := source.Site{}, ""
		whole := source.Site{Pos: source.Pos{File: f.Path}}
		switch {
		case strings.Contains(string(f.Src), "{{"):
			t.opts.FilesSeen = false
			t.problem(NotChecked, &Container{}, "", f.Path+" is a Go template, which Traefik fills in", whole)
			continue
		case err == nil:
			at, meant, err = known(root)
		}
		if err != nil {
			if at.File == "" {
				at = whole
			}
			guess := ""
			if meant != "" {
				guess = ", most likely " + meant
			}
			message := fmt.Sprintf("%s: %v%s; Traefik takes none of the file provider's routers, services and middlewares", f.Path, err, guess)
			t.found.Problems = append(t.found.Problems, route.Problem{Kind: BadFile, Message: message, Sites: []source.Site{at}, Meant: meant})
			return nil
		}
		roots = append(roots, root)
	}
	seen := make(map[string]bool)
	first := func(kind, name string) bool {
		defer func() { seen[kind+name] = true }()
		return !seen[kind+name]
	}
	for _, root := range roots {
		services := root.at("http", "services")
		for _, name := range services.names() {
			if first("service ", name) {
				t.fileService(name, services.at(name))
			}
		}
		for _, name := range root.at("http", "middlewares").names() {
			if first("middleware ", name) {
				t.fileMiddleware(name, root.at("http", "middlewares", name))
			}
		}
	}
	for _, root := range roots {
		for _, name := range root.at("http", "routers").names() {
			if first("router ", name) {
				routers = append(routers, t.fileRouter(name, root.at("http", "routers", name)))
			}
		}
	}
	return routers
}

func (f File) read() (*node, error) {
	if strings.HasSuffix(strings.ToLower(f.Path), ".toml") {
		return fromTOML(f.File)
	}
	return fromYAML(f.Root()), nil
}

func (n *node) names() []string {
	if n == nil {
		return nil
	}
	return n.keys
}

// fileKeys are those of the sections of a file, by their path; * stands for a name that people choose, or for each of a list.
// Where open is set, other releases may have more, and only what is like one of these is refused.
var fileKeys = []struct {
	path string
	keys []string
	open bool
}{
	{"", []string{"http", "tcp", "udp", "tls"}, false},
	{"http", []string{"routers", "services", "middlewares", "models", "serversTransports"}, false},
	{"http.routers.*", []string{"entryPoints", "middlewares", "service", "rule", "ruleSyntax", "priority", "tls", "observability", "parentRefs"}, false},
	{"http.services.*", []string{"middlewares", "loadBalancer", "highestRandomWeight", "weighted", "mirroring", "failover"}, true},
	{"http.services.*.loadBalancer", []string{"sticky", "servers", "strategy", "healthCheck", "passiveHealthCheck", "passHostHeader", "responseForwarding", "serversTransport"}, true},
	{"http.services.*.loadBalancer.servers.*", []string{"url", "weight", "preservePath"}, true},
	{"http.middlewares.*", []string{
		"addPrefix", "stripPrefix", "stripPrefixRegex", "replacePath", "replacePathRegex", "chain", "ipWhiteList", "ipAllowList", "headers", "encodedCharacters", "errors", "rateLimit",
		"redirectRegex", "redirectScheme", "basicAuth", "digestAuth", "forwardAuth", "inFlightReq", "buffering", "circuitBreaker", "compress", "passTLSClientCert", "retry", "contentType", "grpcWeb", "plugin",
	}, true},
}

// known refuses the keys that Traefik refuses, and gives the place of the first, with the one that was most likely meant.
func known(root *node) (at source.Site, meant string, err error) {
	for _, section := range fileKeys {
		for _, n := range root.all(section.path) {
			for _, key := range n.names() {
				if slices.ContainsFunc(section.keys, func(k string) bool { return strings.EqualFold(k, key) }) {
					continue
				}
				i := slices.IndexFunc(section.keys, func(k string) bool { return alike(k, key) })
				if i < 0 && section.open {
					continue
				}
				if i >= 0 {
					meant = section.keys[i]
				}
				return n.at(key).site, meant, fmt.Errorf("field not found, node: %s", key)
			}
		}
	}
	routers := root.at("http", "routers")
	for _, name := range routers.names() {
		if n := routers.at(name, "priority"); n.str() != "" {
			if _, err := strconv.Atoi(n.str()); err != nil {
				return n.site, "", fmt.Errorf("the priority %q of router %q is no number", n.str(), name)
			}
		}
	}
	return source.Site{}, "", nil
}

// alike reports whether one key was most likely to be the other: a letter or two differ.
func alike(a, b string) bool {
	most := 1
	if len(a) > 5 {
		most = 2
	}
	return levenshtein.Distance(strings.ToLower(a), strings.ToLower(b), nil) <= most
}

// all are the nodes at a path in which * stands for any name, or each of a list.
func (n *node) all(path string) []*node {
	if n == nil {
		return nil
	}
	if path == "" {
		return []*node{n}
	}
	name, rest := first(path)
	if name != "*" {
		return n.at(name).all(rest)
	}
	var some []*node
	for _, item := range n.items {
		some = append(some, item.all(rest)...)
	}
	for _, key := range n.names() {
		some = append(some, n.at(key).all(rest)...)
	}
	return some
}

func (t *table) fileRouter(name string, n *node) *router {
	conf := &routerLabels{
		EntryPoints: n.at("entryPoints").strs(), Middlewares: n.at("middlewares").strs(), Service: n.at("service").str(),
		Rule: n.at("rule").str(), RuleSyntax: n.at("ruleSyntax").str(),
	}
	conf.Priority, _ = strconv.Atoi(n.at("priority").str())
	r := &router{conf: conf, file: n, from: &Container{Site: n.site}, Router: &route.Router{
		Name: name + "@file", Rule: conf.Rule, Priority: cmp.Or(conf.Priority, len(conf.Rule)), Explicit: conf.Priority != 0,
		EntryPoints: conf.EntryPoints, Middlewares: conf.Middlewares, Service: conf.Service, ContainerSite: n.site, Site: n.site,
	}}
	if rule := n.at("rule"); rule != nil {
		r.Site = rule.site
	}
	if tls := n.at("tls"); tls != nil {
		r.TLS, r.CertResolver = true, tls.at("certResolver").str()
	}
	if s, _ := t.service(conf.Service, "file"); s != nil && len(s.Backends) > 0 {
		r.Container = s.Backends[0].Container
	}
	return r
}

func (t *table) fileService(name string, n *node) {
	s := &service{Service: &route.Service{Name: qualified(name, "file")}, conf: &serviceLabels{Middlewares: n.at("middlewares").strs()}}
	weighted := n.at("weighted", "services")
	switch {
	case n.at("loadBalancer") != nil:
		servers := n.at("loadBalancer", "servers")
		if servers == nil {
			servers = &node{}
		}
		for _, server := range servers.items {
			if b, ok := t.fileBackend(s.Name, server.at("url")); ok {
				s.Backends = append(s.Backends, b)
			}
		}
	case weighted != nil && len(weighted.items) == 1:
		if of, _ := t.service(weighted.items[0].at("name").str(), "file"); of != nil {
			s.Backends = of.Backends
			break
		}
		fallthrough
	default:
		s.unchecked = fmt.Sprintf("the service %q divides requests between others", name)
	}
	if len(s.Backends) == 0 && s.unchecked == "" {
		s.unchecked = fmt.Sprintf("the service %q names no server", name)
	}
	t.services[s.Name] = s
	t.found.Services = append(t.found.Services, s.Service)
}

func (t *table) fileBackend(service string, n *node) (b route.Backend, ok bool) {
	u, err := url.Parse(n.str())
	if err != nil || u.Hostname() == "" {
		return b, false
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	b = route.Backend{Service: service, Container: u.Hostname(), Port: port, Scheme: u.Scheme, Address: u.Host, Site: n.site}
	if t.opts.Upstream != nil {
		b.Container, b.Port = t.opts.Upstream(u.Hostname(), port)
	}
	return b, true
}

func (t *table) fileMiddleware(name string, n *node) {
	m := &middleware{Middleware: &route.Middleware{Name: qualified(name, "file"), Site: n.site}}
	var err error
	if m.conf, err = fileMiddlewareConf(n); err == nil {
		m.Allows = m.conf.allows()
		if m.Type, err = middlewareType(m.conf); err == nil {
			m.step, err = newStep(m.conf)
		}
	}
	if err != nil {
		m.err = err.Error()
		t.problem(BadMiddleware, &Container{}, "", fmt.Sprintf("middleware %q: %s; Traefik drops the routers that use it", m.Name, m.err), n.site)
	}
	t.middlewares[m.Name] = m
	t.found.Middlewares = append(t.found.Middlewares, m.Middleware)
}

func fileMiddlewareConf(n *node) (*middlewareLabels, error) {
	conf := &middlewareLabels{}
	for _, key := range n.names() {
		v := n.at(key)
		switch strings.ToLower(key) {
		case "addprefix":
			conf.AddPrefix = &struct{ Prefix string }{v.at("prefix").str()}
		case "stripprefix":
			conf.StripPrefix = &stripPrefix{Prefixes: v.at("prefixes").strs()}
			if force := v.at("forceSlash"); force != nil {
				conf.StripPrefix.ForceSlash = new(force.truth())
			}
		case "stripprefixregex":
			conf.StripPrefixRegex = &struct{ Regex []string }{v.at("regex").strs()}
		case "replacepath":
			conf.ReplacePath = &struct{ Path string }{v.at("path").str()}
		case "replacepathregex":
			conf.ReplacePathRegex = &struct{ Regex, Replacement string }{v.at("regex").str(), v.at("replacement").str()}
		case "redirectregex":
			conf.RedirectRegex = &redirectRegex{Regex: v.at("regex").str(), Replacement: v.at("replacement").str(), Permanent: v.at("permanent").truth()}
		case "redirectscheme":
			conf.RedirectScheme = &redirectScheme{Scheme: v.at("scheme").str(), Port: v.at("port").str(), Permanent: v.at("permanent").truth()}
		case "ipallowlist", "ipwhitelist":
			list := &allowList{SourceRange: v.at("sourceRange").strs()}
			if v.at("ipStrategy") != nil {
				list.IPStrategy = opaque{}
			}
			conf.IPAllowList = list
			if strings.EqualFold(key, "ipWhiteList") {
				conf.IPAllowList, conf.IPWhiteList = nil, list
			}
		case "chain":
			conf.Chain = &struct{ Middlewares []string }{v.at("middlewares").strs()}
		default:
			f := reflect.ValueOf(conf).Elem().FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, key) })
			if !f.IsValid() {
				return conf, errors.New("unknown type " + key)
			}
			f.Set(reflect.ValueOf(opaque{}))
		}
	}
	return conf, nil
}
