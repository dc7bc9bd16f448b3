package caddy

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

// uri compiles what changes a part of the path or of the query.
func (s *site) uri(e *entry, l *line, args []string) error {
	bad := &fault{l.words[0].site, "uri is not followed by what it takes"}
	if len(args) < 2 {
		return bad
	}
	unclear := func(w *walk) bool {
		w.end.Unknown = "what " + e.at + " makes of the path cannot be told"
		return true
	}
	run := func(f func(w *walk, filled []string)) {
		e.steps = []step{func(w *walk) bool {
			filled := make([]string, len(args))
			for i, a := range args {
				var ok bool
				if i == 1 && args[0] == "path_regexp" {
					continue // whose braces are those of an expression
				}
				if filled[i], ok = w.expand(a); !ok {
					return unclear(w)
				}
			}
			f(w, filled)
			return false
		}}
	}
	switch args[0] {
	case "strip_prefix":
		run(func(w *walk, filled []string) { strip(w.url, filled[1], cutPrefix) })
	case "strip_suffix":
		run(func(w *walk, filled []string) { strip(w.url, filled[1], cutSuffix) })
	case "replace":
		limit := -1
		if len(args) < 3 {
			return bad
		}
		if len(args) > 3 {
			var err error
			if limit, err = strconv.Atoi(args[3]); err != nil {
				return bad
			}
			if limit == 0 {
				limit = -1
			}
		}
		run(func(w *walk, filled []string) {
			clean := cleaner(args[1])
			change(w.url, func(p string) string { return strings.Replace(clean(p), filled[1], filled[2], limit) })
			w.url.RawQuery = strings.Replace(w.url.RawQuery, filled[1], filled[2], limit)
		})
	case "path_regexp":
		if len(args) != 3 {
			return bad
		}
		re, err := regexp.Compile(args[1])
		if err != nil {
			return &fault{l.words[0].site, "the expression does not compile: " + err.Error()}
		}
		run(func(w *walk, filled []string) {
			change(w.url, func(p string) string { return re.ReplaceAllString(p, filled[2]) })
		})
	case "query":
		e.quiet = true // the path stays
	default:
		return bad
	}
	return nil
}

// redir compiles a redirect; without a code it is a temporary one.
func (s *site) redir(e *entry, l *line, args []string, above string) {
	r := s.router(e, l, above)
	e.steps = []step{func(w *walk) bool {
		to, ok := w.expand(args[0])
		if !ok {
			w.end.Unknown = "where " + e.at + " leads cannot be told"
		} else if len(args) > 1 && args[1] == "html" {
			w.end.Answer = "a page that leads to " + to
		} else if at, err := url.Parse(to); err == nil {
			base := &url.URL{Scheme: "https", Host: w.hostport, Path: w.url.Path, RawPath: w.url.RawPath}
			w.end.Redirect = base.ResolveReference(at).String()
		} else {
			w.end.Refused = fmt.Sprintf("a redirect to %q, which is no URL", to)
		}
		return w.finish(r)
	}}
}

// respond compiles Caddy's own answer: a number, or a text and a number.
func (s *site) respond(e *entry, l *line, args []string, above string) {
	r := s.router(e, l, above)
	status, text := 200, ""
	if l.name() == "error" {
		status = 500
	}
	if len(args) > 0 {
		if n, err := strconv.Atoi(args[0]); err == nil && len(args[0]) == 3 && len(args) == 1 {
			status = n
		} else {
			text = args[0]
		}
	}
	if len(args) > 1 {
		if n, err := strconv.Atoi(args[1]); err == nil {
			status = n
		}
	}
	for _, b := range l.block {
		if b.name() == "body" && len(b.words) > 1 {
			text = b.words[1].text
		}
	}
	if e.match != nil && len(e.match.but) > 0 && (status >= 400 || l.name() == "abort") {
		e.guard = &route.Middleware{Name: strings.Trim(l.text(), " "), Type: "ipallowlist", Site: l.words[0].site, Allows: e.match.but}
		s.found.Middlewares = append(s.found.Middlewares, e.guard)
	}
	e.steps = []step{func(w *walk) bool {
		switch {
		case l.name() == "abort":
			w.end.Refused = "Caddy ends the connection"
		case status >= 400:
			w.end.Refused = fmt.Sprintf("%d: %s", status, e.at)
		default:
			w.end.Answer = text
			if filled, ok := w.expand(text); ok && strings.Contains(text, "{http.") {
				w.end.Answer = filled
			}
			w.end.Sends = w.answered(false)
		}
		return w.finish(r)
	}}
}

// proxy compiles what has another server answer.
func (s *site) proxy(e *entry, l *line, args []string, above string) error {
	r := s.router(e, l, above)
	upstreams := slices.Clone(args)
	scheme, to, unclear := "http", "", ""
	for _, b := range l.block {
		switch b.name() {
		case "to":
			upstreams = append(upstreams, b.args()...)
		case "rewrite":
			if len(b.words) > 1 {
				to = b.words[1].text
			}
		case "dynamic":
			unclear = "the servers of " + e.at + " are found while it runs"
		case "transport":
			for _, t := range b.block {
				if strings.HasPrefix(t.name(), "tls") {
					scheme = "https"
				}
			}
		}
	}
	r.To = &route.Service{Name: strings.Join(upstreams, " ")}
	r.Service = r.To.Name
	for _, u := range upstreams {
		b, ok := s.backend(u, scheme, l)
		if !ok {
			unclear = "the upstream " + u + " of " + e.at + " is not one that is known here"
			continue
		}
		b.Service = r.To.Name
		r.To.Backends = append(r.To.Backends, b)
	}
	if len(upstreams) == 0 && unclear == "" {
		unclear = e.at + " names no server"
	}
	if len(r.To.Backends) > 0 {
		r.Container = r.To.Backends[0].Container
	}
	r.Unchecked = unclear
	s.found.Services = append(s.found.Services, r.To)
	if to != "" {
		e.steps = append(e.steps, rewriting(to, e.at))
	}
	wait, waitAt := waits(l)
	var down []sent
	for _, b := range l.block {
		if b.name() == "header_down" {
			for _, h := range headersOf(b, b.args()) {
				h.late = !h.more // it takes the place of what the backend has
				down = append(down, h)
			}
		}
	}
	e.steps = append(e.steps, func(w *walk) bool {
		w.sends = append(w.sends, down...)
		w.end.Passes = &route.Passes{Body: w.body.bytes, BodyAt: w.body.site, Site: r.Site, Wait: wait, WaitAt: waitAt, Upgrades: true, Forwards: true}
		w.end.Sends = w.answered(true)
		return w.finish(r)
	})
	return nil
}

// backend reads an upstream: host:port, or a URL without a path.
func (s *site) backend(text, scheme string, l *line) (b route.Backend, ok bool) {
	filled, ok := (&walk{env: s.parser.env}).expand(text)
	if !ok || strings.HasPrefix(filled, "/") {
		return b, false
	}
	if network, socket, ok := strings.Cut(filled, "/"); ok && (network == "unix" || network == "unix+h2c") {
		b = route.Backend{Scheme: scheme, Address: filled, Site: l.words[0].site}
		b.Container, b.Port = s.upstream("unix:"+socket, "")
		return b, b.Container != ""
	}
	given, rest, has := strings.Cut(filled, "://")
	if !has {
		given, rest = scheme, filled
	}
	host, port, err := net.SplitHostPort(strings.TrimSuffix(rest, "/"))
	if err != nil {
		host, port = strings.Trim(strings.TrimSuffix(rest, "/"), "[]"), map[string]string{"http": "80", "h2c": "80", "https": "443"}[given]
	}
	if strings.ContainsAny(rest, "/?{") || port == "" || strings.Contains(port, "-") {
		return b, false
	}
	if given == "h2c" {
		given = "http"
	}
	if host == "" {
		host = "localhost"
	}
	b = route.Backend{Container: host, Port: port, Scheme: given, Address: strings.TrimSuffix(rest, "/"), Site: l.words[0].site}
	b.Container, b.Port = s.upstream(host, port)
	return b, true
}
