// Package haproxy fills the table of package route from haproxy.cfg: the rules of each frontend in their order, and the
// servers of each backend. Every server counts as one that answers. What it does not know is said to be unknown.
package haproxy

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Options is what lies outside of the file. Upstream tells which container, and which port of it, an address means; a UNIX
// socket is a host of "unix:" and its path, and no container where nobody is known to listen there. Public leads from published
// ports to those on which HAProxy may listen; nil where they cannot be seen.
type Options struct {
	Upstream func(host, port string) (container, inner string)
	Public   map[string]string
}

// Unread is a part of the file that is not read: HAProxy does not start with it, or it decides by what cannot be told.
const Unread route.ProblemKind = "unread"

// frontend is a frontend, or a listen section.
type frontend struct {
	name   string
	ports  []string
	secure map[string]bool      // the ports on which it speaks TLS
	acls   map[string][]matcher // of one name, either is enough
	rules  []rule
}

// rule is a line that decides: use_backend, default_backend, or an answer of HAProxy itself.
type rule struct {
	when    [][]condition // one of these lists
	router  *route.Router
	answers bool   // HAProxy itself
	text    string // with which it answers as if all were well; "" where it says no, or the text is put together
	unclear string // why it cannot be told
}

type config struct {
	frontends []*frontend
	backends  map[string]*route.Service
	passes    map[string]*route.Passes // by backend
	found     route.Parts
}

// New reads the file.
func New(f *source.File, o Options) *route.Table {
	c := &config{backends: make(map[string]*route.Service), passes: make(map[string]*route.Passes)}
	sections, err := parse(f)
	unread := ""
	if err == nil {
		c.readBackends(sections, o)
		err = c.readFrontends(sections)
	}
	if err != nil {
		unread = err.Error()
		c.found.Problems = append(c.found.Problems, route.Problem{Kind: Unread, Message: unread, Sites: []source.Site{{Pos: source.Pos{File: f.Path, Line: 1}}}})
	}
	c.found.Entries = c.entries(o.Public)
	return route.NewProgram(c.found, unread, c.run)
}

func (c *config) entries(public map[string]string) (es route.Entries) {
	known := make(map[string]bool)
	for _, f := range c.frontends {
		for _, port := range f.ports {
			if name := ":" + port; !known[name] {
				known[name] = true
				es.All = append(es.All, route.Entry{Name: name, TLS: f.secure[port], Default: true})
			}
		}
	}
	slices.SortFunc(es.All, func(a, b route.Entry) int { return cmp.Compare(a.Name, b.Name) })
	if public == nil || len(es.All) == 0 {
		return es
	}
	es.Public = make(map[string]string)
	for host, inner := range public {
		es.Public[host] = ""
		if known[":"+inner] {
			es.Public[host] = ":" + inner
		}
	}
	return es
}

// asked is the frontend at which a request comes in: that of the port; or the only one that sends anything on.
func (c *config) asked(a route.Ask) *frontend {
	port := a.Port
	if a.Entry != nil {
		port = strings.TrimPrefix(a.Entry.Name, ":")
	}
	var sending []*frontend
	for _, f := range c.frontends {
		if slices.Contains(f.ports, port) {
			return f
		}
		if len(f.rules) > 0 {
			sending = append(sending, f)
		}
	}
	if a.Entry == nil && len(sending) == 1 {
		return sending[0]
	}
	return nil
}

func (c *config) run(a route.Ask) (end route.End) {
	f := c.asked(a)
	if f == nil {
		return route.End{Unknown: "which frontend of HAProxy is asked cannot be seen"}
	}
	path := a.URL.EscapedPath()
	for _, r := range f.rules {
		got, why := r.holds(f, a, path)
		end.Tried = append(end.Tried, route.Attempt{Router: r.router, Matched: got == route.Yes, Why: why})
		switch {
		case got == route.No:
			continue
		case got == route.Maybe || r.unclear != "":
			end.Unknown = cmp.Or(r.unclear, fmt.Sprintf("whether `%s` holds depends on %s", r.router.Rule, why))
			return end
		}
		end.Router, end.Path = r.router, path
		if r.router.To != nil {
			end.Passes = c.passes[r.router.To.Name]
		}
		switch {
		case r.text != "":
			end.Answer, end.Path = r.text, ""
		case r.answers:
			end.Refused, end.Path = "HAProxy answers by "+r.router.Rule, ""
		}
		return end
	}
	end.Refused = "503 Service Unavailable"
	return end
}

// readBackends takes the servers out of the backends and listen sections.
func (c *config) readBackends(sections []*section, o Options) {
	var defaults section
	for _, s := range sections {
		if s.kind == "defaults" {
			defaults = *s
		}
		if s.kind != "backend" && s.kind != "listen" {
			continue
		}
		c.passes[s.name] = &route.Passes{Upgrades: true, Forwards: true}
		if l, ok := waits(s.lines); ok {
			c.passes[s.name].Wait, c.passes[s.name].WaitAt = duration(l.word(2)), l.site
		} else if l, ok := waits(defaults.lines); ok && (s.from == "" || s.from == defaults.name) {
			c.passes[s.name].Wait, c.passes[s.name].WaitAt = duration(l.word(2)), l.site
		}
		to := &route.Service{Name: s.name}
		for _, l := range s.lines {
			address, many := l.word(2), l.word(0) == "server-template" // of a number, which stands before the address
			if many {
				address = l.word(3)
			}
			if l.word(0) != "server" && !many || slices.Contains(l.words, "backup") || slices.Contains(l.words, "disabled") {
				continue
			}
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				host = address
			}
			if service, rest, ok := strings.Cut(host, "._tcp."); ok && strings.HasPrefix(service, "_") { // a record that says the port, too
				host, port = strings.TrimSuffix(rest, "."), service[1:]
			}
			b := route.Backend{Service: s.name, Container: host, Port: port, Scheme: "http", Address: address, Site: l.site}
			if slices.Contains(l.words, "ssl") {
				b.Scheme = "https"
			}
			if socket := strings.TrimPrefix(address, "unix@"); strings.HasPrefix(socket, "/") {
				host, port = "unix:"+socket, ""
			}
			if b.Container, b.Port = o.Upstream(host, port); b.Container != "" {
				to.Backends = append(to.Backends, b)
			}
		}
		c.backends[s.name] = to
		c.found.Services = append(c.found.Services, to)
	}
}

// rewriting are what a backend may do to a path, after which it is another one.
var rewriting = []string{"replace-path", "replace-pathq", "replace-uri", "set-path", "set-pathq", "set-uri", "normalize-uri"}

func (c *config) readFrontends(sections []*section) error {
	odd := make(map[string]string) // what a backend does that is not followed
	for _, s := range sections {
		for _, l := range s.lines {
			if _, decides := answers(l); decides && s.kind == "backend" {
				odd[s.name] = "the backend " + s.name + " has `" + strings.Join(l.words, " ") + "`, which is not followed"
			}
		}
	}
	var defaults section
	for _, s := range sections {
		if s.kind == "defaults" {
			defaults = *s
		}
		if s.kind != "frontend" && s.kind != "listen" {
			continue
		}
		f := &frontend{name: s.name, acls: make(map[string][]matcher), secure: make(map[string]bool)}
		lines := s.lines
		if l, ok := defaults.line("default_backend"); ok && s.kind == "frontend" {
			lines = append([]line{l}, lines...)
		}
		own, _ := s.line("mode")
		inherited, _ := defaults.line("mode")
		connections := cmp.Or(own.word(1), inherited.word(1), "tcp") == "tcp"
		var last []rule
		for _, l := range lines {
			switch l.word(0) {
			case "bind":
				f.bind(l)
			case "acl":
				f.acls[l.word(1)] = append(f.acls[l.word(1)], newMatcher(l.words[min(2, len(l.words)):]))
			case "use_backend", "default_backend":
				r, err := c.leads(s, l)
				if err != nil {
					return err
				}
				r.router.Unchecked = cmp.Or(odd[l.word(1)], r.router.Unchecked) // one that answers itself has no server
				if connections {
					r.unclear = "it passes connections on as they are, whatever is asked for"
				}
				if l.word(0) == "default_backend" {
					last = []rule{r}
					continue
				}
				f.rules = append(f.rules, r)
			case "monitor-uri":
				r := rule{router: c.router(s, l), answers: true, when: [][]condition{{{inline: &matcher{fetch: "path", patterns: l.words[1:]}}}}}
				f.rules = append(f.rules, r)
			case "http-request", "redirect", "reqrep":
				if r, decides := c.answer(s, l); decides {
					f.rules = append(f.rules, r)
				}
			}
		}
		if s.kind == "listen" && len(c.backends[s.name].Backends) > 0 {
			r := c.router(s, line{words: []string{"listen", s.name}, site: s.site})
			c.target(r, s.name)
			last = []rule{{router: r, when: always()}}
		}
		f.rules = append(f.rules, last...)
		c.frontends = append(c.frontends, f)
	}
	return nil
}

func (f *frontend) bind(l line) {
	for address := range strings.SplitSeq(l.word(1), ",") {
		if i := strings.LastIndex(address, ":"); i >= 0 {
			f.ports = append(f.ports, address[i+1:])
			if slices.Contains(l.words, "ssl") {
				f.secure[address[i+1:]] = true
			}
		}
	}
}

// leads reads a line that names a backend.
func (c *config) leads(s *section, l line) (r rule, err error) {
	name, rest := l.word(1), []string(nil)
	if len(l.words) > 2 {
		rest = l.words[2:]
	}
	r.router, r.when = c.router(s, l), always()
	if r.when, err = conditions(rest); err != nil {
		return r, fmt.Errorf("%s:%d is not read: %w", l.site.File, l.site.Line, err)
	}
	if strings.Contains(name, "%[") {
		if to := c.oneOf(name); to != nil {
			r.router.To, r.router.Service, r.router.Container = to, name, to.Backends[0].Container
			return r, nil
		}
		r.unclear = "the backend is " + name + ", which only HAProxy knows"
		return r, nil
	}
	if c.backends[name] == nil {
		return r, fmt.Errorf("%s:%d is not read: there is no backend %s", l.site.File, l.site.Line, name)
	}
	c.target(r.router, name)
	return r, nil
}

// oneOf is what a name with a variable in it leads to: all servers of the backends whose names it can be; nil where one of them cannot be seen.
func (c *config) oneOf(name string) *route.Service {
	before, rest, _ := strings.Cut(name, "%[")
	_, after, _ := strings.Cut(rest, "]")
	to := &route.Service{Name: name}
	for _, one := range slices.Sorted(maps.Keys(c.backends)) {
		if before == "" || strings.Contains(after, "%[") || !strings.HasPrefix(one, before) || !strings.HasSuffix(one, after) {
			continue
		}
		if len(c.backends[one].Backends) == 0 {
			return nil
		}
		to.Backends = append(to.Backends, c.backends[one].Backends...)
	}
	if len(to.Backends) == 0 {
		return nil
	}
	return to
}

func (c *config) target(r *route.Router, backend string) {
	r.To, r.Service = c.backends[backend], backend
	if len(r.To.Backends) > 0 {
		r.Container = r.To.Backends[0].Container
	} else {
		r.Unchecked = "the backend " + backend + " has no server that can be seen"
	}
}

// answering are what HAProxy does to a request in the place of a backend, changing what is asked for among it.
var answering = []string{"deny", "tarpit", "reject", "redirect", "return", "auth", "silent-drop", "use-service"}

// answers tells whether HAProxy itself may answer by a line, or has what comes after it see another path, and gives its words
// from there.
func answers(l line) (what []string, decides bool) {
	switch l.word(0) {
	case "redirect", "reqrep":
		return l.words, true
	case "http-request":
		what = l.words[1:]
		return what, len(what) > 0 && (slices.Contains(answering, what[0]) || slices.Contains(rewriting, what[0]))
	}
	return nil, false
}

// answer reads such a line.
func (c *config) answer(s *section, l line) (r rule, decides bool) {
	what, decides := answers(l)
	if !decides {
		return r, false
	}
	changes := what[0] != "redirect" && !slices.Contains(answering, what[0])
	rest := []string(nil)
	if i := slices.IndexFunc(what, func(w string) bool { return w == "if" || w == "unless" }); i >= 0 {
		rest = what[i:]
	}
	r = rule{router: c.router(s, l), answers: true, text: said(what)}
	var err error
	if r.when, err = conditions(rest); err != nil {
		r.when, r.unclear = always(), err.Error()
	}
	if changes {
		r.unclear = "`" + r.router.Rule + "` makes another path of it"
	}
	return r, true
}

// said is the text of a return that nothing in it changes.
func said(what []string) string {
	follows := func(word string) string {
		if i := slices.Index(what, word); i >= 0 && i+1 < len(what) {
			return what[i+1]
		}
		return ""
	}
	if what[0] != "return" || cmp.Or(follows("status"), "200") != "200" {
		return ""
	}
	return follows("string")
}

func (c *config) router(s *section, l line) *route.Router {
	text := strings.Join(l.words, " ")
	r := &route.Router{Name: s.name + " { " + text + " }", Rule: text, Explicit: true, TLS: true, Site: l.site, PrioritySite: l.site, ContainerSite: s.site}
	r.Expr = &route.Expr{Matcher: &route.Matcher{Text: text, Kind: route.Other, Eval: func(*route.Request) route.Truth { return route.Maybe }}}
	c.found.Routers = append(c.found.Routers, r)
	return r
}
