// Package nginx fills the table of package route from nginx.conf and what it includes: servers by name, locations by
// nginx's own rules, rewrites, and what a backend is asked for. What it does not know is said to be unknown.
package nginx

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Options is what lies outside of the files. Glob finds the files of an include, as the file from sees them, and says why there
// may be more. Upstream tells which container, and which port of it, an address means; a UNIX socket is a host of "unix:" and
// its path, and no container where nobody is known to listen there. Public leads from published ports to those on which nginx
// may listen; nil where they cannot be seen. Files reads a file that nginx serves.
type Options struct {
	Glob     func(pattern, from string) (files []*source.File, hidden string)
	Upstream func(host, port string) (container, inner string)
	Public   map[string]string
	Files    route.Files
}

// Unread is a file, or a part of one, that is not read: nginx does not start with it, or it may hold more.
const Unread route.ProblemKind = "unread"

// config is all servers.
type config struct {
	servers   []*server
	upstreams map[string]*directive
	resolved  map[string]bool // addresses that it looks up at its start
	maps      map[string]*mapping
	unclear   map[string]string // variables, and why they cannot be told
	ends      map[*directive]*route.Router
	inside    map[*directive]content // of an if
	found     route.Parts
	upstream  func(host, port string) (string, string)
	notes     []note
	read      route.Files
}

// New reads the main file. Where that is nil, it is the one of nginx's image, which includes the given files into http.
func New(f *source.File, servers []*source.File, o Options) *route.Table {
	c := &config{upstreams: make(map[string]*directive), resolved: make(map[string]bool), maps: make(map[string]*mapping), unclear: make(map[string]string), ends: make(map[*directive]*route.Router), inside: make(map[*directive]content), upstream: o.Upstream, read: o.Files}
	p := &parser{glob: o.Glob}
	var http []*directive
	var err error
	if f != nil {
		var all []*directive
		if all, err = p.file(f, 0); err == nil {
			for _, d := range all {
				switch d.name {
				case "http":
					http = append(http, d.block...)
				case "stream":
					p.notes = append(p.notes, note{d.site, "stream may take connections before any server does"})
				case "include":
					http = append(http, d)
				}
			}
		}
	}
	for _, s := range servers {
		var more []*directive
		if err == nil {
			if more, err = p.file(s, 0); err == nil {
				http = append(http, more...)
			}
		}
	}
	c.notes = p.notes
	if err == nil {
		err = c.http(http)
	}
	unread := ""
	if fail, ok := errors.AsType[*fault](err); ok {
		unread = fmt.Sprintf("%s:%d is not read: %s", fail.site.File, fail.site.Line, fail.text)
		c.servers = nil
		c.found = route.Parts{Problems: []route.Problem{{Kind: Unread, Message: unread, Sites: []source.Site{fail.site}}}}
	}
	for _, n := range c.notes {
		c.found.Problems = append(c.found.Problems, route.Problem{Kind: Unread, Message: n.text, Sites: []source.Site{n.site}})
	}
	c.found.Entries = c.entries(o.Public)
	return route.NewProgram(c.found, unread, c.run)
}

// ports are those on which servers listen, and whether with TLS.
func (c *config) ports() map[string]bool {
	ports := make(map[string]bool)
	for _, s := range c.servers {
		for _, l := range s.listens {
			ports[l.port] = ports[l.port] || l.ssl
		}
	}
	return ports
}

func (c *config) entries(public map[string]string) (es route.Entries) {
	ports := c.ports()
	for port, ssl := range ports {
		es.All = append(es.All, route.Entry{Name: ":" + port, TLS: ssl, Default: true})
	}
	slices.SortFunc(es.All, func(a, b route.Entry) int { return cmp.Compare(a.Name, b.Name) })
	if public != nil && len(c.notes) == 0 && len(ports) > 0 {
		es.Public = make(map[string]string)
		for host, inner := range public {
			es.Public[host] = ""
			if _, ok := ports[inner]; ok {
				es.Public[host] = ":" + inner
			}
		}
	}
	return es
}

// asked is the port at which a request comes in: the entry's, the one that was written, that of HTTPS or HTTP, or the only one.
func (c *config) asked(a route.Ask) (string, bool) {
	ports := c.ports()
	if a.Entry != nil {
		return strings.TrimPrefix(a.Entry.Name, ":"), true
	}
	for _, port := range []string{a.Port, "443", "80"} {
		if _, ok := ports[port]; ok {
			return port, true
		}
	}
	for port := range ports {
		return port, len(ports) == 1
	}
	return "", false
}

// pick finds the server for a host on a port: the exact name, the longest name with a star in front, the longest with
// one behind, the first expression, the standard one.
func (c *config) pick(port, host string) (found *server, unclear string) {
	var standard *server
	best, rank := 0, 0
	for _, s := range c.servers {
		i := slices.IndexFunc(s.listens, func(l listen) bool { return l.port == port })
		if i < 0 {
			continue
		}
		if standard == nil || s.listens[i].standard && !listensStandard(standard, port) {
			standard = s
		}
		if s.unclear != "" {
			unclear = s.unclear
		}
		for _, name := range s.names {
			r, n := fits(name, host)
			if r > rank || r == rank && r > 0 && n > best {
				found, rank, best = s, r, n
			}
		}
		for _, re := range s.regexes {
			if rank == 0 && re.MatchString(host) {
				found, rank = s, 1
			}
		}
	}
	if found != nil && rank == 4 {
		return found, ""
	}
	if found == nil {
		found = standard
	}
	return found, unclear
}

func listensStandard(s *server, port string) bool {
	return slices.ContainsFunc(s.listens, func(l listen) bool { return l.port == port && l.standard })
}

// fits ranks a name against a host: 4 the same, 3 a star in front, 2 a star behind, 0 not; and the length of it.
func fits(name, host string) (rank, length int) {
	switch tail, front := strings.CutPrefix(name, "*"); {
	case name == host:
		return 4, len(name)
	case front && len(host) > len(tail) && strings.HasSuffix(host, tail):
		return 3, len(name)
	}
	if head, behind := strings.CutSuffix(name, "*"); behind && len(host) > len(head) && strings.HasPrefix(host, head) {
		return 2, len(name)
	}
	return 0, 0
}

// service reads what stands behind proxy_pass: a server, or an upstream block.
func (c *config) service(pass string, d *directive) (s *route.Service, unclear string) {
	s = &route.Service{Name: pass}
	scheme, rest, _ := authority(pass)
	type server struct {
		address string
		at      *directive
	}
	var servers []server
	if up := c.upstreams[rest]; up != nil {
		for _, l := range up.block {
			if l.name == "server" && !slices.Contains(l.args, "down") && !slices.Contains(l.args, "backup") {
				servers = append(servers, server{l.arg(0), l})
			}
		}
	} else {
		servers = []server{{rest, d}}
	}
	for _, one := range servers {
		address := one.address
		of := scheme
		if c.upstreams[rest] != nil {
			of = "http" // whose port a server of an upstream has without a word
		}
		host, port := hostPort(of, address)
		b := route.Backend{Service: pass, Container: host, Port: port, Scheme: scheme, Address: address, Site: one.at.site}
		if b.Container, b.Port = c.upstream(host, port); b.Container == "" {
			return s, "who listens on the socket " + strings.TrimPrefix(address, "unix:") + " cannot be told"
		}
		s.Backends = append(s.Backends, b)
	}
	if len(s.Backends) == 0 {
		return s, "the upstream " + rest + " has no server"
	}
	return s, ""
}

// whole is a URL with its host, for a redirect that names none: nginx adds the host that was asked for, and the port on
// which it listens unless that is the usual one or port_in_redirect is off.
func whole(to string, w *walk) string {
	at, err := url.Parse(to)
	if err != nil {
		return to
	}
	host := w.host
	if usual := map[bool]string{true: "443", false: "80"}[w.ssl]; w.port != usual && !w.server.portless {
		host += ":" + w.port
	}
	if w.server.relative {
		host = w.hostport
	}
	base := &url.URL{Scheme: "https", Host: host, Path: w.uri}
	return base.ResolveReference(at).String()
}
