// Package caddy fills the table of package route from a Caddyfile, or from the labels of caddy-docker-proxy: it
// sorts, nests and merges directives as Caddy 2 does. What it does not know is said to be unknown, with its place.
package caddy

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"sort"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Options is what lies outside of the Caddyfile. Env gives a variable of the program's environment, and says why it may be
// another one. Glob finds the files of an import, as the file from sees them, and says why there may be more. Upstream tells
// which container, and which port of it, an upstream means; a UNIX socket is a host of "unix:" and its path, and no container
// where nobody is known to listen there. Public leads from published ports to those on which Caddy may listen; nil where they
// cannot be seen. Files reads a file that Caddy serves.
type Options struct {
	Env      func(name string) (val string, set bool, hidden string)
	Glob     func(pattern, from string) (files []*source.File, hidden string)
	Upstream func(host, port string) (container, inner string)
	Public   map[string]string
	Files    route.Files
}

// Unread is a Caddyfile, or a part of it, that is not read: Caddy does not start with it, or it may hold more.
const Unread route.ProblemKind = "unread"

// config is all sites of the Caddyfile.
type config struct {
	parser   *parser
	upstream func(host, port string) (string, string)
	files    route.Files
	order    []string
	routes   map[string][]*line // by name, such as &(name)
	invoked  int
	found    route.Parts
	ports    map[string]*server
	http     string
	https    string
}

// server is the sites on one port, in the order in which they are tried.
type server struct {
	sites []*site
	plain bool
}

// New reads a Caddyfile, and the labels that caddy-docker-proxy adds to it. The file is nil where there is none.
func New(f *source.File, labelled []Container, o Options) *route.Table {
	c := &config{order: slices.Clone(defaultOrder), upstream: o.Upstream, files: o.Files, routes: make(map[string][]*line), ports: make(map[string]*server), http: "80", https: "443"}
	c.parser = &parser{env: o.Env, glob: o.Glob, snippets: make(map[string][]word)}
	var err error
	if f == nil {
		f = new(source.File)
	} else {
		err = c.parser.file(f)
	}
	c.parser.labelled(labelled)
	if err == nil {
		err = c.sites(c.parser.blocks)
	}
	unread := ""
	if fail, ok := errors.AsType[*fault](err); ok {
		if fail.site.File == "" {
			fail.site = source.Site{Pos: source.Pos{File: f.Path}}
		}
		unread = fail.site.File + " is not read: " + fail.text
		if fail.site.Line > 0 {
			unread = fmt.Sprintf("%s:%d is not read: %s", fail.site.File, fail.site.Line, fail.text)
		}
		c.ports = nil
		c.found = route.Parts{Problems: []route.Problem{{Kind: Unread, Message: unread, Sites: []source.Site{fail.site}}}}
	}
	for _, why := range c.parser.notes {
		c.found.Problems = append(c.found.Problems, route.Problem{Kind: Unread, Message: why, Sites: []source.Site{{Pos: source.Pos{File: f.Path}}}})
	}
	c.found.Entries = c.entries(o.Public)
	return route.NewProgram(c.found, unread, c.run)
}

// sites compiles the blocks: the global options first, then the named routes, then the sites of each port.
func (c *config) sites(blocks []block) error {
	if len(blocks) > 0 && len(blocks[0].keys) == 0 {
		c.options(blocks[0].lines)
		blocks = blocks[1:]
	}
	for _, b := range blocks {
		if len(b.keys) == 1 && strings.HasPrefix(b.keys[0].text, "&(") {
			c.routes[b.keys[0].text] = b.lines
		}
	}
	for _, b := range blocks {
		if len(b.keys) == 0 {
			return &fault{source.Site{}, "a block has no address"}
		}
		if strings.HasPrefix(b.keys[0].text, "&(") {
			continue
		}
		if err := c.site(b); err != nil {
			return err
		}
	}
	for _, s := range c.ports {
		sort.SliceStable(s.sites, func(i, j int) bool { return s.sites[i].before(s.sites[j]) })
	}
	return nil
}

func (c *config) site(b block) error {
	byPort := make(map[string][]address)
	var ports, names []string
	for _, k := range b.keys {
		a, err := parseAddress(k.text)
		if err != nil {
			return &fault{k.site, err.Error()}
		}
		if a.port == "" {
			if a.port = c.https; a.scheme == "http" {
				a.port = c.http
			}
		}
		if byPort[a.port] == nil {
			ports = append(ports, a.port)
		}
		byPort[a.port], names = append(byPort[a.port], a), append(names, k.text)
	}
	all := &site{config: c, label: strings.Join(names, ", ")}
	for _, port := range ports {
		all.keys = append(all.keys, byPort[port]...)
	}
	entries, err := all.compile(b.lines, true, "")
	if err != nil {
		return err
	}
	for _, port := range ports {
		if c.ports[port] == nil {
			c.ports[port] = &server{plain: true}
		}
		srv := c.ports[port]
		srv.sites = append(srv.sites, &site{config: c, keys: byPort[port], label: all.label, entries: entries})
		srv.plain = srv.plain && !slices.ContainsFunc(byPort[port], func(a address) bool { return a.scheme != "http" && port != c.http })
	}
	return nil
}

// options reads what the global options say of ports and of the order of directives.
func (c *config) options(lines []*line) {
	for _, l := range lines {
		args := l.args()
		switch {
		case l.name() == "http_port" && len(args) == 1:
			c.http = args[0]
		case l.name() == "https_port" && len(args) == 1:
			c.https = args[0]
		case l.name() == "order" && len(args) > 1:
			c.reorder(args)
		case l.name() == "layer4":
			c.parser.note("layer4 may take connections before any site does")
		}
	}
}

func (c *config) reorder(args []string) {
	c.order = slices.DeleteFunc(c.order, func(name string) bool { return name == args[0] })
	switch {
	case args[1] == "first":
		c.order = slices.Insert(c.order, 0, args[0])
	case args[1] == "last":
		c.order = append(c.order, args[0])
	case len(args) > 2:
		if i := slices.Index(c.order, args[2]); i >= 0 {
			if args[1] == "after" {
				i++
			}
			c.order = slices.Insert(c.order, i, args[0])
		}
	}
}

// specific is the length of an address without its stars and placeholders.
func specific(text string) int {
	n := len(text) - strings.Count(text, "*")
	for {
		_, rest, ok := strings.Cut(text, "{")
		inner, after, ended := strings.Cut(rest, "}")
		if !ok || !ended {
			return n
		}
		n -= len(inner) + 2
		text = after
	}
}

// before tells which of two sites is tried first: whole names, then longer ones, then longer paths; those for any
// host at the end.
func (s *site) before(o *site) bool {
	host, path, wild := s.rank()
	otherHost, otherPath, otherWild := o.rank()
	switch {
	case host == 0:
		return false
	case otherHost == 0:
		return true
	case wild != otherWild:
		return otherWild
	case host == otherHost:
		return path > otherPath
	}
	return host > otherHost
}

func (s *site) rank() (host, path int, wild bool) {
	longest := ""
	for _, k := range s.keys {
		host, wild = max(host, specific(k.host)), wild || k.host == "" || strings.Contains(k.host, "*")
		if specific(k.path) > specific(longest) {
			longest = k.path
		}
	}
	return host, len(longest), wild
}

func (s *site) takes(w *walk) bool {
	return slices.ContainsFunc(s.keys, func(k address) bool {
		return (k.host == "" || hostMatches(k.host, w.host)) && (k.path == "" || pathCondition([]string{k.path})(w) == route.Yes)
	})
}

// entries are the ports on which Caddy listens.
func (c *config) entries(public map[string]string) (es route.Entries) {
	for port, s := range c.ports {
		es.All = append(es.All, route.Entry{Name: ":" + port, TLS: !s.plain, Default: true})
	}
	slices.SortFunc(es.All, func(a, b route.Entry) int { return cmp.Compare(a.Name, b.Name) })
	if public != nil && len(c.parser.notes) == 0 && len(c.ports) > 0 {
		es.Public = make(map[string]string)
		for host, inner := range public {
			if es.Public[host] = ""; c.ports[inner] != nil {
				es.Public[host] = ":" + inner
			}
		}
	}
	return es
}

// server finds the port that is asked: the entry's, or the one that was written, or the only one.
func (c *config) server(a route.Ask) *server {
	if a.Entry != nil {
		return c.ports[strings.TrimPrefix(a.Entry.Name, ":")]
	}
	for _, port := range []string{a.Port, c.https, c.http} {
		if s := c.ports[port]; s != nil {
			return s
		}
	}
	if len(c.ports) == 1 {
		for _, s := range c.ports {
			return s
		}
	}
	return nil
}

func (c *config) run(a route.Ask) route.End {
	srv := c.server(a)
	if srv == nil && len(c.parser.notes) > 0 {
		return route.End{Unknown: c.parser.notes[0]}
	}
	if srv == nil {
		return route.End{Unknown: "which port of Caddy is asked cannot be seen"}
	}
	u := *a.URL
	host, _, err := net.SplitHostPort(a.HostPort)
	if err != nil {
		host = strings.Trim(a.HostPort, "[]")
	}
	w := &walk{
		method: a.Method, host: host, port: a.Port, hostport: a.HostPort, url: &u, orig: a.URL, plain: srv.plain,
		captures: make(map[string]string), env: c.parser.env, taken: make(map[*group]bool),
	}
	for _, s := range srv.sites {
		if !s.takes(w) {
			for _, e := range s.entries {
				for _, r := range e.ends {
					w.end.Tried = append(w.end.Tried, route.Attempt{Router: r, Why: "its site is " + s.label, Elsewhere: true})
				}
			}
			continue
		}
		run(s.entries, w)
		break
	}
	if notes := c.parser.notes; w.end.Router == nil && w.end.Unknown == "" && len(notes) > 0 {
		w.end.Unknown = notes[0]
	}
	return w.end
}
