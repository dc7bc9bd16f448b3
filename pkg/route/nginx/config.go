package nginx

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// server is a server block. Names are in lower case, as written.
type server struct {
	names   []string
	regexes []*regexp.Regexp
	listens []listen
	merge   bool
	// portless and relative say how a redirect is completed: port_in_redirect and absolute_redirect are off.
	portless, relative bool
	top                *location // what stands outside of locations
	site               source.Site
	unclear            string // a name that is not understood
}

type listen struct {
	port          string
	ssl, standard bool
}

// location is a location block, or the server itself (mark "server").
type location struct {
	mark, path string // "=", "^~", "~", "~*", "" for a prefix, "@" for a named one
	re         *regexp.Regexp
	unclear    string // why it cannot be told whether it matches
	label      string
	lines      []*directive
	nested     []*location
	content    content
	files      *route.Router // where nothing else answers
	site       source.Site
}

// content is what answers in a location.
type content struct {
	at       *directive // proxy_pass, or what else answers; nil for files
	router   *route.Router
	guards   []*route.Middleware
	denied   bool
	internal bool
	tries    *directive
	passes   route.Passes
	sends    *[]route.Header
	from     from
}

// mapping is a map block.
type mapping struct {
	from    string
	exact   map[string]string
	regexes []mapRegex
	other   string
	unclear string
}

type mapRegex struct {
	re *regexp.Regexp
	to string
}

func (c *config) http(lines []*directive) error {
	for _, d := range lines {
		switch d.name {
		case "upstream":
			c.upstreams[d.arg(0)] = d
		case "map":
			c.mapping(d)
		case "geo", "split_clients", "perl_set", "js_set", "auth_request_set":
			if len(d.args) > 0 {
				c.unclear[strings.TrimPrefix(d.args[len(d.args)-1], "$")] = d.name + " decides"
			}
		}
	}
	c.resolves(lines)
	merge := !off(lines, "merge_slashes")
	for _, d := range lines {
		if d.name != "server" || !d.open {
			continue
		}
		if err := c.server(d, lines, merge); err != nil {
			return err
		}
	}
	return nil
}

func off(lines []*directive, name string) bool {
	return slices.ContainsFunc(lines, func(d *directive) bool { return d.name == name && d.arg(0) == "off" })
}

func (c *config) server(d *directive, outer []*directive, merge bool) error {
	s := &server{merge: merge && !off(d.block, "merge_slashes"), site: d.site}
	s.portless = off(outer, "port_in_redirect") || off(d.block, "port_in_redirect")
	s.relative = off(outer, "absolute_redirect") || off(d.block, "absolute_redirect")
	for _, l := range d.block {
		switch l.name {
		case "server_name":
			for _, name := range l.args {
				s.name(strings.ToLower(name), name)
			}
		case "listen":
			c.listen(s, l)
		}
	}
	if len(s.listens) == 0 {
		s.listens = []listen{{port: "80"}}
	}
	if slices.ContainsFunc(d.block, func(l *directive) bool { return l.name == "ssl" && l.arg(0) == "on" }) {
		for i := range s.listens {
			s.listens[i].ssl = true
		}
	}
	label := "any name"
	if len(s.names) > 0 {
		label = strings.Join(s.names, " ")
	}
	top, err := c.location(s, &location{mark: "server", label: label, lines: d.block, site: d.site}, outer)
	if err != nil {
		return err
	}
	s.top = top
	c.servers = append(c.servers, s)
	return nil
}

func (s *server) name(lower, name string) {
	switch pattern, isRegex := strings.CutPrefix(name, "~"); {
	case isRegex:
		re, err := compile(pattern, true)
		if err != nil {
			s.unclear = "the name " + name + " is not understood"
			return
		}
		s.regexes = append(s.regexes, re)
	case strings.Contains(name, "$"):
		s.unclear = "the name " + name + " is not filled in"
	case strings.HasPrefix(lower, "."):
		s.names = append(s.names, lower[1:], "*"+lower)
	default:
		s.names = append(s.names, lower)
	}
}

// listen takes an address on which a server listens. Where its port is put in when nginx starts, as by a template of the image's, it
// is taken for the usual one, and others are not taken to be closed.
func (c *config) listen(s *server, d *directive) {
	address := d.arg(0)
	if strings.HasPrefix(address, "unix:") {
		return
	}
	l := listen{port: "80", ssl: slices.Contains(d.args, "ssl"), standard: slices.Contains(d.args, "default_server") || slices.Contains(d.args, "default")}
	if slices.Contains(d.args, "quic") {
		return
	}
	if _, port, err := net.SplitHostPort(address); err == nil {
		l.port = port
	} else if strings.Trim(address, "0123456789") == "" {
		l.port = address
	}
	if strings.Contains(address, "$") {
		c.notes = append(c.notes, note{d.site, fmt.Sprintf("%s:%d has nginx listen on %s, which is put in when it starts", d.site.File, d.site.Line, address)})
		l.port = map[bool]string{true: "443", false: "80"}[l.ssl]
	}
	if i := slices.IndexFunc(s.listens, func(o listen) bool { return o.port == l.port }); i >= 0 {
		s.listens[i].ssl, s.listens[i].standard = s.listens[i].ssl || l.ssl, s.listens[i].standard || l.standard
		return
	}
	s.listens = append(s.listens, l)
}

// compile reads a Perl expression with Go's reader, which knows most of what people write.
func compile(pattern string, fold bool) (*regexp.Regexp, error) {
	if fold {
		pattern = "(?i)" + pattern
	}
	return regexp.Compile("(?s)" + pattern)
}

// location compiles a block. What answers and who is let in is inherited from outside where the block says nothing of
// it, but for what answers.
func (c *config) location(s *server, l *location, outer []*directive) (*location, error) {
	for _, d := range l.lines {
		if d.name != "location" {
			continue
		}
		in := &location{lines: d.block, site: d.site, label: "location " + strings.Join(d.args, " ")}
		switch first := d.arg(0); {
		case len(d.args) > 1:
			in.mark, in.path = first, d.args[1]
		case strings.HasPrefix(first, "@"):
			in.mark, in.path = "@", first
		default:
			for _, mark := range []string{"^~", "~*", "=", "~"} {
				if rest, ok := strings.CutPrefix(first, mark); ok && in.mark == "" && rest != first {
					in.mark, first = mark, rest
				}
			}
			in.path = first
		}
		if in.mark == "~" || in.mark == "~*" {
			var err error
			if in.re, err = compile(in.path, in.mark == "~*"); err != nil {
				in.unclear = "whether " + in.label + " matches depends on an expression that is not understood here"
			}
		}
		in, err := c.location(s, in, inherited(outer, l.lines))
		if err != nil {
			return nil, err
		}
		l.nested = append(l.nested, in)
	}
	c.fill(s, l, inherited(outer, l.lines))
	return l, nil
}

// access are the directives about who and what is let through that a block inherits as long as it has none of the kind itself.
var access = []string{"allow", "deny", "auth_basic", "auth_request", "satisfy", "client_max_body_size", "resolver", "proxy_set_header", "proxy_read_timeout", "add_header", "proxy_hide_header", "root", "alias"}

func inherited(outer, own []*directive) (list []*directive) {
	for _, d := range outer {
		kind := d.name
		if !slices.Contains(access, kind) && !slices.Contains(changing, kind) || slices.ContainsFunc(own, func(o *directive) bool {
			return o.name == kind || kind == "deny" && o.name == "allow" || kind == "allow" && o.name == "deny" || kind == "root" && o.name == "alias" || kind == "alias" && o.name == "root"
		}) {
			continue
		}
		list = append(list, d)
	}
	for _, d := range own {
		if slices.Contains(access, d.name) || slices.Contains(changing, d.name) {
			list = append(list, d)
		}
	}
	return list
}

// answering are the directives that hand a request to somebody, besides proxy_pass.
var answering = []string{"grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass", "stub_status", "empty_gif", "content_by_lua_block", "content_by_lua_file", "js_content", "dav_methods"}

// fill finds out what answers in a location, and who is let in.
func (c *config) fill(s *server, l *location, guards []*directive) {
	l.content = c.contentOf(s, l, l.lines, content{})
	c.endsOf(s, l, l.lines)
	if l.content.at == nil {
		l.files = c.router(s, l, &directive{site: l.site}, "files")
	}
	var denied, allowed, odd, shut bool
	var allows []string
	var list *route.Middleware
	for _, d := range guards {
		shut = shut || d.name == "deny"
		switch {
		case d.name == "deny" && d.arg(0) == "all":
			denied = true
		case d.name == "allow" && d.arg(0) == "all":
			odd = odd || !denied
		case d.name == "allow", d.name == "deny":
			allowed = true
			if odd = odd || d.name == "deny"; !denied {
				allows = append(allows, d.arg(0))
			}
		case d.name == "satisfy":
			odd = true
		case d.name == "auth_basic" && d.arg(0) != "off", d.name == "auth_request" && d.arg(0) != "off":
			kind := map[string]string{"auth_basic": "basicauth", "auth_request": "forwardauth"}[d.name]
			if strings.Contains(d.arg(0), "$") { // it may say off
				kind = ""
			}
			l.content.guards = append(l.content.guards, c.guard(d, kind))
		}
		if allowed && (d.name == "deny" || d.name == "allow") && list == nil {
			list = c.guard(d, "ipallowlist")
			l.content.guards = append(l.content.guards, list)
		}
	}
	if list != nil && denied && !odd {
		list.Allows = allows
	}
	if list != nil && !shut { // whom no line is about is let in (ngx_http_access_module.c)
		l.content.guards = slices.DeleteFunc(l.content.guards, func(m *route.Middleware) bool { return m == list })
	}
	l.content.denied = denied && !allowed
	l.content.passes = passes(guards, l)
	l.content.sends = sends(guards, l)
	l.content.from = fromOf(guards, l)
}

// endsOf adds a router for each directive by which nginx itself answers, and what answers inside of an if.
func (c *config) endsOf(s *server, l *location, lines []*directive) {
	for _, d := range lines {
		switch {
		case d.name == "return" || d.name == "rewrite" && redirects(d):
			c.ends[d] = c.router(s, l, d, strings.TrimSpace(d.name+" "+strings.Join(d.args, " ")))
			c.ends[d].Site = d.site
		case d.name == "if":
			c.endsOf(s, l, d.block)
			c.inside[d] = c.contentOf(s, l, d.block, content{})
		}
	}
}

func redirects(d *directive) bool {
	to, flag := d.arg(1), d.arg(2)
	return flag == "redirect" || flag == "permanent" || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "$scheme")
}

func (c *config) guard(d *directive, kind string) *route.Middleware {
	m := &route.Middleware{Name: d.name, Type: kind, Site: d.site}
	c.found.Middlewares = append(c.found.Middlewares, m)
	return m
}

func (c *config) contentOf(s *server, l *location, lines []*directive, base content) content {
	for _, d := range lines {
		switch {
		case d.name == "proxy_pass":
			base.at = d
			base.router = c.router(s, l, d, "proxy_pass "+d.arg(0))
			if !strings.Contains(d.arg(0), "$") {
				base.router.To, base.router.Unchecked = c.service(d.arg(0), d)
				base.router.Service = base.router.To.Name
				if len(base.router.To.Backends) > 0 {
					base.router.Container = base.router.To.Backends[0].Container
				}
				c.found.Services = append(c.found.Services, base.router.To)
			}
		case slices.Contains(answering, d.name):
			base.at = d
			base.router = c.router(s, l, d, d.name)
			base.router.Unchecked = "what " + d.name + " answers is not known"
		case d.name == "internal":
			base.internal = true
		case d.name == "try_files":
			base.tries = d
		case d.name == "include":
			base.at, base.router = d, c.router(s, l, d, "include "+d.arg(0))
			base.router.Unchecked = "what stands in " + d.arg(0) + " cannot be seen"
		}
	}
	return base
}

// router adds the end of a way.
func (c *config) router(s *server, l *location, d *directive, name string) *route.Router {
	r := &route.Router{Name: l.label + " { " + name + " }", Rule: strings.Join(s.names, " ") + " " + l.label, Explicit: true, TLS: true, Site: l.site, PrioritySite: d.site, ContainerSite: l.site}
	if l.mark == "server" {
		r.Name, r.Rule = name, l.label
	}
	m := &route.Matcher{Text: strings.Join(s.names, " "), Kind: route.Host, Eval: func(*route.Request) route.Truth { return route.Maybe }}
	for _, n := range s.names {
		if n != "_" && n != "" && !strings.Contains(n, "*") {
			m.Named = append(m.Named, n)
		}
	}
	r.Expr = &route.Expr{Matcher: m}
	c.found.Routers = append(c.found.Routers, r)
	return r
}
