package nginx

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

// walk is a request on its way through a server. Its URI is decoded and in its shortest form; raw is what stands in the
// request line.
type walk struct {
	*config
	server             *server
	method, host, port string
	hostport           string
	uri, args, raw     string
	ssl                bool
	vars               map[string]string
	captures           []string

	changed       bool // a rewrite asks for another location
	internal      bool // a rewrite was run
	asSent        bool // the URI is still the one of the request line
	validLocation bool // it still begins with that of the location
	override      content
	aside         bool   // it ends within an if, which may have headers of its own
	sent          string // the query of the request line, with its mark
	looked        int    // how often maps were looked at

	end route.End
}

const maxCycles = 10

func (c *config) run(a route.Ask) route.End {
	port, ok := c.asked(a)
	if !ok {
		if len(c.notes) > 0 {
			return route.End{Unknown: c.notes[0].text}
		}
		return route.End{Unknown: "which port of nginx is asked cannot be seen"}
	}
	host := strings.TrimSuffix(a.Host, ".")
	s, unclear := c.pick(port, host)
	if unclear != "" {
		return route.End{Unknown: unclear}
	}
	if s == nil {
		return route.End{Unknown: "nothing listens on port " + port}
	}
	w := &walk{
		config: c, server: s, method: a.Method, host: host, port: port, hostport: a.HostPort, args: a.URL.RawQuery,
		raw: cmp.Or(a.URL.RawPath, a.URL.EscapedPath()), ssl: c.ports()[port], vars: make(map[string]string), asSent: true, validLocation: true,
	}
	w.sent = w.query()
	c.passed(w, s)
	if w.uri, ok = normal(w.raw, s.merge); !ok {
		w.end.Refused = "400: the path is none that nginx takes"
		w.end.Router = s.top.files
		return w.end
	}
	if w.serve(); w.aside {
		w.end.Sends = nil
	}
	if w.end.Router == nil && w.end.Unknown == "" && len(c.notes) > 0 {
		w.end.Unknown = c.notes[0].text
	}
	return w.end
}

// passed notes the routers of the other servers.
func (c *config) passed(w *walk, s *server) {
	for _, r := range c.found.Routers {
		if r.Expr != nil && !strings.HasPrefix(r.Rule, strings.Join(s.names, " ")) {
			w.end.Tried = append(w.end.Tried, route.Attempt{Router: r, Why: "its server is " + r.Expr.Text, Elsewhere: true})
		}
	}
}

func (w *walk) serve() {
	if w.script(w.server.top.lines) {
		w.end.Sends = w.server.top.content.sends
		return
	}
	loc := w.server.top
	for range maxCycles + 1 {
		w.changed, w.override = false, content{}
		found, _, redirect := w.find(w.server.top)
		if w.end.Unknown != "" {
			return
		}
		if redirect {
			w.finish(found.content.router)
			w.end.Redirect = whole(escape(w.uri)+"/"+w.query(), w)
			return
		}
		if loc = w.server.top; found != nil {
			loc = found
		}
		if found != nil && w.script(found.lines) {
			w.end.Sends = found.content.sends
			return
		}
		if !w.changed {
			w.answer(loc)
			return
		}
	}
	w.finish(loc.files)
	w.end.Refused = "500: rewrites lead round in a circle"
}

func (w *walk) query() string {
	if w.args == "" {
		return ""
	}
	return "?" + w.args
}

// find looks for the location below another. It is final where no expression outside of it is looked at any more;
// redirect says that the path only lacks its slash.
func (w *walk) find(parent *location) (found *location, final, redirect bool) {
	var prefix *location
	for _, l := range parent.nested {
		switch {
		case l.mark == "=" && l.path == w.uri:
			return l, true, false
		case (l.mark == "" || l.mark == "^~") && strings.HasPrefix(w.uri, l.path) && (prefix == nil || len(l.path) > len(prefix.path)):
			prefix = l
		}
	}
	if prefix == nil || prefix.path != w.uri {
		for _, l := range parent.nested {
			if (l.mark == "" || l.mark == "^~" || l.mark == "=") && l.path == w.uri+"/" && l.content.at != nil && strings.HasSuffix(l.content.at.name, "_pass") {
				return l, true, true
			}
		}
	}
	if prefix != nil {
		found = prefix
		inner, innerFinal, innerRedirect := w.find(prefix)
		if inner != nil {
			found = inner
		}
		if innerFinal {
			return found, true, innerRedirect
		}
	}
	if prefix != nil && prefix.mark == "^~" {
		return found, false, false
	}
	for _, l := range parent.nested {
		if l.unclear != "" {
			w.end.Unknown = l.unclear
			return nil, true, false
		}
		if l.re == nil {
			continue
		}
		m := l.re.FindStringSubmatch(w.uri)
		if m == nil {
			continue
		}
		w.capture(l.re, m)
		found = l
		if inner, _, innerRedirect := w.find(l); inner != nil {
			return inner, true, innerRedirect
		}
		return found, true, false
	}
	return found, false, false
}

func (w *walk) capture(re *regexp.Regexp, m []string) {
	w.captures = m
	for i, name := range re.SubexpNames() {
		if name != "" {
			w.vars[name] = m[i]
		}
	}
}

func (w *walk) finish(r *route.Router) bool {
	w.end.Router = r
	w.end.Tried = append(w.end.Tried, route.Attempt{Router: r, Matched: true})
	return true
}

func (w *walk) unknown(d *directive, why string) bool {
	w.end.Unknown = fmt.Sprintf("%s in line %d: %s", d.name, d.site.Line, why)
	return true
}

// script runs the directives of nginx's rewrite module. It is true where the way ends.
func (w *walk) script(lines []*directive) bool {
	done, _ := w.steps(lines)
	return done
}

// steps is also true at the second place where the directives behind these are not run.
func (w *walk) steps(lines []*directive) (done, stop bool) {
	for _, d := range lines {
		switch d.name {
		case "set":
			val, ok := w.fill(d.arg(1), false)
			if !ok {
				delete(w.vars, strings.TrimPrefix(d.arg(0), "$"))
				continue
			}
			w.vars[strings.TrimPrefix(d.arg(0), "$")] = val
		case "break":
			return false, true
		case "return":
			return w.returns(d), true
		case "rewrite":
			if done, stop := w.rewrite(d); done || stop {
				return done, stop
			}
		case "if":
			yes, ok := w.holds(d)
			if !ok {
				return w.unknown(d, "what it asks for cannot be told"), true
			}
			if !yes {
				continue
			}
			if in := w.inside[d]; in.at != nil {
				w.override = in
			}
			if done, stop := w.steps(d.block); done || stop {
				w.aside = true
				return done, stop
			}
		}
	}
	return false, false
}

func (w *walk) returns(d *directive) bool {
	code, err := strconv.Atoi(d.arg(0))
	text := d.arg(1)
	if err != nil {
		code, text = 302, d.arg(0)
	}
	filled, ok := w.fill(text, false)
	if !ok {
		return w.unknown(d, "what it answers cannot be told")
	}
	switch {
	case code >= 300 && code < 400 && filled != "":
		w.end.Redirect = whole(filled, w)
	case code >= 400:
		w.end.Refused = fmt.Sprintf("%d: return in line %d", code, d.site.Line)
	default:
		w.end.Answer = filled
	}
	return w.finish(w.ends[d])
}

func (w *walk) rewrite(d *directive) (done, stop bool) {
	re, err := compile(d.arg(0), false)
	if err != nil {
		return w.unknown(d, "its expression is not understood here"), true
	}
	m := re.FindStringSubmatch(w.uri)
	if m == nil {
		return false, false
	}
	w.capture(re, m)
	to, flag := d.arg(1), d.arg(2)
	bare, only := strings.CutSuffix(to, "?")
	path, query, asks := strings.Cut(bare, "?")
	redirect := redirects(d)
	path, ok := w.filled(path, map[bool]func(string) string{true: escapeRedirect}[redirect])
	query, also := w.fill(query, true)
	if !ok || !also {
		return w.unknown(d, "what it makes of the path cannot be told"), true
	}
	if asks && !only && w.args != "" {
		query += "&" + w.args
	} else if !asks && !only {
		query = w.args
	}
	if redirect {
		if query != "" {
			path += "?" + query
		}
		w.end.Redirect = whole(path, w)
		return w.finish(w.ends[d]), true
	}
	if path == "" {
		w.end.Refused = "500: the rewritten path is empty"
		return w.finish(w.server.top.files), true
	}
	w.uri, w.args, w.internal, w.asSent = path, query, true, false
	if flag == "break" {
		w.validLocation, w.changed = false, false
		return false, true
	}
	w.changed = true
	return false, flag == "last"
}

// answer has the content of a location answer.
func (w *walk) answer(l *location) {
	con := l.content
	if w.override.at != nil {
		con.at, con.router = w.override.at, w.override.router
	}
	w.end.Guards, w.end.Sends = con.guards, con.sends
	switch {
	case con.internal && !w.internal:
		w.end.Refused = "404: " + l.label + " is internal"
		w.finish(cmp.Or(con.router, l.files))
	case con.denied:
		w.end.Refused = "403: " + l.label + " denies all"
		w.finish(cmp.Or(con.router, l.files))
	case con.tries != nil:
		w.unknown(con.tries, "it depends on files")
	case con.at == nil:
		w.file(l, con.from)
		w.finish(l.files)
	case con.at.name != "proxy_pass":
		w.finish(con.router)
	default:
		if len(w.notes) == 0 {
			w.end.Passes = &con.passes
		}
		w.pass(l, con)
	}
}

// pass asks the other server.
func (w *walk) pass(l *location, con content) {
	filled, ok := w.fill(con.at.arg(0), false)
	if !ok {
		w.unknown(con.at, "what it names cannot be told")
		return
	}
	r := con.router
	variables := strings.Contains(con.at.arg(0), "$")
	if variables {
		found := *r
		found.To, found.Unchecked = w.service(filled, con.at)
		if len(found.To.Backends) > 0 {
			found.Container = found.To.Backends[0].Container
		}
		r = &found
		if name := w.lookedUp(filled); name != "" && w.end.Passes != nil && !w.end.Passes.Resolves {
			p := *w.end.Passes
			p.Unresolved, w.end.Passes = name, &p
		}
	}
	_, _, part := authority(filled)
	escaped := func(p string) string {
		if strings.Contains(w.raw, "%") || w.internal {
			return escape(p)
		}
		return p
	}
	switch {
	case part == "" && w.asSent:
		w.end.Path = w.raw
	case part == "" || !w.validLocation && !variables:
		w.end.Path = escaped(w.uri)
	case variables:
		w.end.Path, _, _ = strings.Cut(part, "?")
	default:
		w.end.Path = part + escaped(strings.TrimPrefix(w.uri, l.path))
	}
	w.end.Path, _, _ = strings.Cut(w.end.Path, "?")
	w.finish(r)
}
