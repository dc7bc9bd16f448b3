package caddy

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

// defaultOrder is the order in which directives are run, whatever the order in which they are written
// (caddyconfig/httpcaddyfile/directives.go of 2.11.9).
var defaultOrder = strings.Fields(`
	tracing map vars fs root log_append skip_log log_skip log_name log_level header copy_response_headers request_body
	timeouts redir method rewrite uri try_files basicauth basic_auth forward_auth request_header encode push intercept
	templates invoke handle handle_path route abort error copy_response respond metrics reverse_proxy php_fastcgi
	file_server acme_server`)

// quiet are directives that change neither the way of a request nor its path; the last ones are no handlers at all.
var quiet = strings.Fields(`
	tracing map vars fs root log_append skip_log log_skip log_name log_level header copy_response_headers request_body
	timeouts request_header encode push intercept templates
	log tls bind handle_errors`)

// site is a block of the Caddyfile being compiled.
type site struct {
	*config
	keys    []address
	label   string
	named   map[string]*matcher
	entries []*entry
}

// placed is a directive with its place in the order.
type placed struct {
	*entry
	name string
	at   int
}

// compile makes entries of the lines of a block. Outside of route they are sorted.
func (s *site) compile(lines []*line, sorted bool, above string) ([]*entry, error) {
	outer := s.named
	defer func() { s.named = outer }()
	s.named = make(map[string]*matcher)
	maps.Copy(s.named, outer)
	for _, l := range lines {
		if strings.HasPrefix(l.name(), "@") {
			m, err := s.define(l)
			if err != nil {
				return nil, err
			}
			s.named[l.name()] = m
		}
	}
	var list []placed
	for _, l := range lines {
		if strings.HasPrefix(l.name(), "@") {
			continue
		}
		e, err := s.directive(l, above)
		if err != nil {
			return nil, err
		}
		name := l.name()
		if name == "handle_path" {
			name = "handle"
		}
		list = append(list, placed{e, name, slices.Index(s.order, name)})
	}
	if sorted {
		sort.SliceStable(list, func(i, j int) bool { return list[i].before(list[j]) })
	}
	return together(list), nil
}

// before tells which of two directives is run first: by the order, then the longer path, then who has a matcher.
func (a placed) before(b placed) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	if a.name == "vars" || a.name == "log_level" {
		a, b = b, a
	}
	one, other := a.match.onePath(), b.match.onePath()
	if one == "" || other == "" {
		return a.match != nil && b.match == nil
	}
	short, shortOther := strings.TrimSuffix(one, "*"), strings.TrimSuffix(other, "*")
	switch {
	case short == shortOther:
		return len(one) < len(other)
	case len(short) != len(shortOther):
		return len(short) > len(shortOther)
	}
	return short < shortOther
}

func (m *matcher) onePath() string {
	if m == nil || len(m.paths) != 1 {
		return ""
	}
	return m.paths[0]
}

// together makes groups of what is run once only, and one entry of neighbours with the same matcher: that is asked
// once, so that what the first one does to the path does not keep the second one from being run.
func together(list []placed) (entries []*entry) {
	groups := make(map[string]*group)
	count := make(map[string]int)
	for _, d := range list {
		count[d.name]++
	}
	for _, d := range list {
		if d.name == "rewrite" || (d.name == "handle" || d.name == "root") && count[d.name] > 1 {
			if groups[d.name] == nil {
				groups[d.name] = &group{d.name}
			}
			d.group = groups[d.name]
		}
		if n := len(entries); n > 0 && entries[n-1].match.id() == d.match.id() && (entries[n-1].match == nil) == (d.match == nil) && entries[n-1].group == d.group {
			last := entries[n-1]
			last.steps, last.ends, last.quiet = append(last.steps, d.steps...), append(last.ends, d.ends...), last.quiet && d.quiet
			last.serves = last.serves || d.serves
			if last.at == "" || len(d.ends) > 0 && len(last.ends) == len(d.ends) {
				last.at = d.entry.at
			}
			continue
		}
		entries = append(entries, d.entry)
	}
	return entries
}

// directive compiles one line with its block.
func (s *site) directive(l *line, above string) (*entry, error) {
	name, where := l.name(), fmt.Sprintf("%s in line %d", l.name(), l.words[0].site.Line)
	e := &entry{at: where}
	if slices.Contains(quiet, name) {
		e.quiet = true
		s.beside(e, l)
		return e, nil
	}
	args := l.args()
	matches := len(args) > 0 && (args[0] == "*" || strings.HasPrefix(args[0], "/") || strings.HasPrefix(args[0], "@"))
	if matches && name != "try_files" && (name != "rewrite" || len(args) > 1) {
		switch first := args[0]; {
		case strings.HasPrefix(first, "/"):
			e.match = onPath(first)
		case first != "*":
			if e.match = s.named[first]; e.match == nil {
				return nil, &fault{l.words[0].site, "the matcher " + first + " is not defined"}
			}
		}
		args = args[1:]
	}
	above += " { " + l.text()
	err := s.act(e, l, args, above)
	if e.match != nil {
		for _, r := range e.ends {
			r.Matchers = append(r.Matchers, strings.Split(e.match.key, "\n")...)
		}
	}
	return e, err
}

// act sets what a directive does with the arguments behind its matcher.
func (s *site) act(e *entry, l *line, args []string, above string) error {
	one := func() error {
		if len(args) < 1 {
			return &fault{l.words[0].site, l.name() + " has too few arguments"}
		}
		return nil
	}
	switch l.name() {
	case "handle", "route":
		return s.nested(e, l, above, "")
	case "handle_path":
		if e.match.onePath() == "" || len(l.words) != 2 {
			return &fault{l.words[0].site, "handle_path takes one path"}
		}
		prefix, star := strings.CutSuffix(e.match.onePath(), "*")
		if star {
			prefix = strings.TrimSuffix(prefix, "/")
		}
		return s.nested(e, l, above, prefix)
	case "invoke":
		if err := one(); err != nil {
			return err
		}
		lines, ok := s.routes["&("+args[0]+")"]
		if !ok || s.invoked > maxDepth {
			return &fault{l.words[0].site, "the route " + args[0] + " is not defined, or invokes itself"}
		}
		s.invoked++
		defer func() { s.invoked-- }()
		return s.nested(e, &line{words: l.words, block: lines, open: true}, above, "")
	case "method":
		if err := one(); err != nil {
			return err
		}
		e.steps = []step{func(w *walk) bool { w.method = strings.ToUpper(args[0]); return false }}
	case "rewrite":
		if err := one(); err != nil {
			return err
		}
		e.steps = []step{rewriting(args[0], e.at)}
	case "uri":
		return s.uri(e, l, args)
	case "redir":
		if err := one(); err != nil {
			return err
		}
		s.redir(e, l, args, above)
	case "respond", "error", "abort":
		s.respond(e, l, args, above)
	case "reverse_proxy":
		return s.proxy(e, l, args, above)
	case "basic_auth", "basicauth", "forward_auth":
		m := &route.Middleware{Name: l.name(), Type: strings.ReplaceAll(l.name(), "_", ""), Site: l.words[0].site}
		s.found.Middlewares = append(s.found.Middlewares, m)
		e.steps = []step{func(w *walk) bool { w.end.Guards = append(w.end.Guards, m); return false }}
	case "file_server":
		s.fileServer(e, l, above)
	case "php_fastcgi", "metrics", "acme_server", "copy_response":
		r := s.router(e, l, above)
		e.steps = []step{func(w *walk) bool { return w.finish(r) }}
	default: // also what depends on files that nobody sees
		why := "what " + e.at + " does is not known"
		e.steps = []step{func(w *walk) bool { w.end.Unknown = why; return true }}
	}
	return nil
}

// nested compiles the block of a directive; a prefix is cut off the path before.
func (s *site) nested(e *entry, l *line, above, prefix string) error {
	inner, err := s.compile(l.block, l.name() != "route", above)
	if err != nil {
		return err
	}
	for _, i := range inner {
		e.ends = append(e.ends, i.ends...)
	}
	if prefix != "" {
		e.steps = append(e.steps, func(w *walk) bool { strip(w.url, prefix, cutPrefix); return false })
	}
	e.steps = append(e.steps, func(w *walk) bool { return run(inner, w) })
	return nil
}

func rewriting(to, at string) step {
	return func(w *walk) bool {
		if !w.rewrite(to) {
			w.end.Unknown = "what " + at + " makes of the path cannot be told"
			return true
		}
		return false
	}
}

// router adds the end of a way: a directive that answers, or has another server answer.
func (s *site) router(e *entry, l *line, above string) *route.Router {
	rule := s.label + above
	r := &route.Router{
		Name: l.text(), Rule: rule, Explicit: true, TLS: true,
		Site: l.words[0].site, PrioritySite: l.words[0].site, ContainerSite: l.words[0].site, Expr: s.hosts(),
	}
	s.found.Routers = append(s.found.Routers, r)
	e.ends = append(e.ends, r)
	return r
}

// hosts says for which hosts a site is.
func (s *site) hosts() *route.Expr {
	m := &route.Matcher{Text: s.label, Kind: route.Host, Eval: func(*route.Request) route.Truth { return route.Maybe }}
	for _, k := range s.keys {
		if k.host != "" && !strings.Contains(k.host, "*") {
			m.Named = append(m.Named, k.host)
		}
	}
	return &route.Expr{Matcher: m}
}
